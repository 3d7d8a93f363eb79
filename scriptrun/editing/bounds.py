"""The bounds of requirements: those that new ones get, and raising those that are there."""

from __future__ import annotations

import re
from collections.abc import Callable

from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from scriptrun.editing.requirements import NAME

_BARE = re.compile(rf"({NAME.pattern}\s*(?:\[[^\]]*\])?)")
_SPECIFIER = re.compile(r"(~=|===?|!=|<=?|>=?)(\s*)([^\s,;)]+)")


def _parts(version: Version, count: int, increase: int = 0) -> str:
    """Return the first `count` parts of a release, with its epoch, the last of them increased."""
    parts = [*version.release, *[0] * count][:count]
    parts[-1] += increase
    epoch = f"{version.epoch}!" if version.epoch else ""
    return epoch + ".".join(str(part) for part in parts)


KINDS: dict[str, Callable[[Version], str]] = {
    "lower": lambda version: f">={version.public}",
    "major": lambda version: f">={version.public},<{_parts(version, 1, 1)}",
    "minor": lambda version: f">={version.public},<{_parts(version, 2, 1)}",
    "exact": lambda version: f"=={version}",
    "none": lambda _: "",
}
"""What a requirement without any bounds gets for the version that pip chose."""


def is_bare(entry: str) -> bool:
    """Tell whether a requirement leaves the version open."""
    requirement = Requirement(entry)
    return not requirement.specifier and not requirement.url


def bound(entry: str, version: str, kind: str) -> str:
    """Return a bare requirement with bounds of a kind."""
    return _BARE.sub(lambda found: found.group().rstrip() + KINDS[kind](Version(version)), entry, count=1)


def loosen(entry: str) -> str:
    """Return a requirement without the bounds that `raise_to` would raise."""
    requirement = Requirement(entry)
    kept = [one for one in requirement.specifier if _raised(one, requirement.specifier, Version("0")) is None]
    requirement.specifier = SpecifierSet(",".join(str(one) for one in kept))
    return str(requirement)


def raise_to(entry: str, version: str) -> str:
    """Return a requirement with its bounds raised, each of its own kind, so that `version` is the least.

    A limit above that is of the kind `major` or `minor` goes with it; any other stays, and so does what is excluded.
    """
    every = Requirement(entry).specifier
    text, semicolon, marker = entry.partition(";")

    def raised(found: re.Match[str]) -> str:
        operator, blanks, _ = found.groups()
        new = _raised(Specifier(found.group()), every, Version(version))
        return found.group() if new is None else operator + blanks + new

    return _SPECIFIER.sub(raised, text) + semicolon + marker


def allows(entry: str, version: str) -> bool:
    """Tell whether a version is not below what a requirement asks for."""
    lowest = [one.version for one in Requirement(entry).specifier if one.operator in (">=", "~=", "==")]
    return all(Version(version) >= Version(one.removesuffix(".*")) for one in lowest)


def _raised(one: Specifier, every: SpecifierSet, version: Version) -> str | None:
    """Return what takes the place of a specifier's version, None where it stays."""
    if one.operator == ">=":
        return version.public
    if one.operator == "~=":
        return _parts(version, len(Version(one.version).release))
    if one.operator == "==":
        if one.version.endswith(".*"):
            return _parts(version, len(Version(one.version[:-2]).release)) + ".*"
        return str(version)
    if one.operator == "<":
        for lower in (Version(other.version) for other in every if other.operator == ">="):
            for count in (1, 2):
                if Version(one.version) == Version(_parts(lower, count, 1)):
                    return _parts(version, count, 1)
    return None
