"""What is counted, and what was lost."""

from __future__ import annotations

import collections
import threading


class Tally:
    """The counts of one part, by what is counted, and a sentence for each loss; used by several threads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: collections.Counter[str] = collections.Counter()
        self.losses: list[str] = []
        self._lock = threading.Lock()

    def count(self, what: str, number: int = 1) -> None:
        """Count what has happened."""
        with self._lock:
            self.counts[what] += number

    def expect(self, expected: object, actual: object, where: str) -> None:
        """Note a loss unless both are equal."""
        if expected != actual:
            with self._lock:
                self.losses.append(f"{self.name}: {where}: expected {expected!r}, got {actual!r}")

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {what}" for what, number in self.counts.items())
        return f"{self.name:<32} {len(self.losses):>4} lost   {counts}"
