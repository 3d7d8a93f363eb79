"""What a base interpreter is. It says so itself; see `interpreters` for how one is found."""

from __future__ import annotations

from typing import Any, NamedTuple

from scriptrun import probe


class Interpreter(NamedTuple):
    """A base interpreter: its resolved path, `cpython` or the like, full version, ABI, platform."""

    path: str
    implementation: str
    version: str
    abi: str
    platform: str
    free_threaded: bool

    @property
    def is_prerelease(self) -> bool:
        """Whether it is an alpha, a beta or a release candidate."""
        from packaging.version import Version  # a bundle's start has no need of it

        return Version(self.version).is_prerelease

    def __str__(self) -> str:
        """Return how it is named in messages."""
        threads = " free-threaded" if self.free_threaded else ""
        return f"{self.implementation} {self.version}{threads} ({self.path})"


def own() -> Interpreter:
    """Return the base interpreter of the Python that this process runs on, as it would say itself."""
    told: dict[str, Any] = probe.facts()
    return Interpreter(**told)
