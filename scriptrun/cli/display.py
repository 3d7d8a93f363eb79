"""Show on a terminal what pip does, in a few lines that change, and go in the end.

A thread draws them. So a wait of minutes is seen to go on, the import of what draws takes nobody's time, and a signal
that breaks off the work never breaks off a line.
"""

from __future__ import annotations

import threading
import time

from scriptrun.cli import scene
from scriptrun.cli.scene import Scene
from scriptrun.pip_progress import Event

_PACE = 0.1
"""Every how many seconds the lines are drawn."""


class Display:
    """The lines, from `start` to `end`; the work began at a moment of the monotonic clock."""

    def __init__(self, event: Event, began: float) -> None:
        self._began = began
        self._scene = Scene("").after(event)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def start(self) -> None:
        """Begin to draw."""
        self._thread.start()

    def say(self, words: str) -> None:
        """Show a step that is not pip's."""
        self._scene = Scene(scene.fit(words))

    def tell(self, event: Event) -> None:
        """Show what pip does."""
        self._scene = self._scene.after(event)

    def end(self) -> None:
        """Take the lines away: the cursor is where the first of them began."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _draw(self) -> None:
        from scriptrun.cli import drawing  # `rich` takes 60 ms

        if not self._over.is_set():
            with drawing.begin() as draw:
                draw(self._scene, time.monotonic() - self._began, scene.room())
                while not self._over.wait(_PACE):
                    draw(self._scene, time.monotonic() - self._began, scene.room())
