"""A Python on another machine, which a bundle is made for, and the platforms that machines can have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from packaging import tags
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from scriptrun import markers
from scriptrun.errors import UsageError
from scriptrun.interpreter import Interpreter

_FORMER = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""How tags for some minor versions of glibc 2 begin, too."""

_OLD = ("x86_64", "i686")
"""The machines for which there are wheels for a glibc before 2.17: back to 2.5."""

_MACHINES = (
    (r"manylinux_2_(?P<minor>\d+)_(?P<machine>\w+)", "linux-{machine} glibc"),
    (r"musllinux_1_(?P<minor>\d+)_(?P<machine>\w+)", "linux-{machine} "),
    (r"linux_(?P<machine>\w+)", "linux-{machine} glibc"),
    (r"macosx_(?P<major>\d+)_(?P<minor>\d+)_(?P<machine>arm64|x86_64)", "macosx-{major}.{minor}-{machine} "),
    (r"win_(?P<machine>amd64|arm64)", "win-{machine} "),
    (r"win32", "win32 "),
)
"""The tags of platforms that can be asked for, and what a Python there says of its own."""

_EXAMPLES = "manylinux_2_28_x86_64, manylinux_2_28_aarch64, musllinux_1_2_x86_64, macosx_11_0_arm64, win_amd64"


class Target(NamedTuple):
    """A CPython on another machine: it has no path here. `platforms` are the tags of wheels for it, the best first."""

    interpreter: Interpreter
    platforms: tuple[str, ...]

    @property
    def told(self) -> dict[str, Any]:
        """What pip is told of it, see `pip_target`."""
        return {
            "version": self._release,
            "abis": [self._abi],
            "platforms": self.platforms,
            "markers": markers.environment(self.interpreter),
        }

    @property
    def _release(self) -> tuple[int, ...]:
        return Version(self.interpreter.version).release

    @property
    def _abi(self) -> str:
        return f"cp{''.join(map(str, self._release[:2]))}{'t' if self.interpreter.free_threaded else ''}"

    def __str__(self) -> str:
        """Return how it is named in messages."""
        threads = "t" if self.interpreter.free_threaded else ""
        return f"Python {'.'.join(map(str, self._release[:2]))}{threads} on {self.platforms[0]}"

    @property
    def is_windows(self) -> bool:
        """Whether commands are programs of their own there, which cannot be made here."""
        return self.interpreter.platform.startswith("win")

    def takes(self, wheel: str) -> bool:
        """Tell whether a wheel with this name can be used there."""
        numbers = self._release[:2]
        own = tags.cpython_tags(numbers, [self._abi], self.platforms)
        plain = tags.compatible_tags(numbers, f"cp{''.join(map(str, numbers))}", self.platforms)
        return not parse_wheel_filename(wheel)[3].isdisjoint({*own, *plain})


def read(platforms: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return what a Python on a machine of these platforms says of its own, and the tags of wheels for it.

    Raises UsageError for what is no platform, and for those of different machines.
    """
    said = [_said(one) for one in platforms]
    if len({re.sub(r"[\d.]+-", "", one) for one in said}) > 1:
        raise UsageError(
            f"{' and '.join(f'`{one}`' for one in platforms)} are platforms of different machines",
            hint="make a bundle for each",
        )
    return said[0], tuple(dict.fromkeys(tag for one in platforms for tag in _expanded(one)))


def _said(platform: str) -> str:
    for pattern, text in _MACHINES:
        found = re.fullmatch(pattern, _modern(platform), re.ASCII)
        if found:
            return text.format(**found.groupdict())
    raise UsageError(f"`{platform}` is no platform that a bundle can be for", hint=f"examples: {_EXAMPLES}")


def _modern(platform: str) -> str:
    """Return the tag that means the same as one of a former kind."""
    for minor, former in _FORMER.items():
        if platform.startswith(f"{former}_"):
            return f"manylinux_2_{minor}_{platform.removeprefix(f'{former}_')}"
    return platform


def _expanded(platform: str) -> Iterator[str]:
    """Yield the tags of wheels that can be used on a platform: what is for an older system can, too."""
    found = re.fullmatch(r"(manylinux_2|musllinux_1|macosx_\d+)_(\d+)_(\w+)", _modern(platform))
    if found is None:
        yield platform
        return
    family, minor, machine = found[1], int(found[2]), found[3]
    if family.startswith("macosx_"):
        yield from tags.mac_platforms((int(family.removeprefix("macosx_")), minor), machine)
        return
    glibc = family == "manylinux_2"
    oldest = (5 if machine in _OLD else 17) if glibc else 0
    for number in range(minor, min(oldest, minor) - 1, -1):
        yield f"{family}_{number}_{machine}"
        if glibc and number in _FORMER:
            yield f"{_FORMER[number]}_{machine}"
