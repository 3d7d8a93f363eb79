"""What is known of the projects that pip looked at: their versions, and which file pip chose for a version."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from packaging.version import Version

from scriptrun import paths
from scriptrun.order import Distribution, Listing

_FORMAT = 1


@dataclass(frozen=True)
class Project:
    """A project as it was when pip looked at it, at the time `asked`.

    `versions` are those that pip might have taken, newest first, each with whether all its files were yanked. `chosen`
    are the distributions that pip took, by version, as far as it would take the same file again.
    """

    name: str
    asked: float
    versions: tuple[tuple[str, bool], ...]
    chosen: Mapping[str, Distribution]


def remember(cache: str, ground: str, listings: Iterable[Listing], distributions: Iterable[Distribution]) -> None:
    """Keep what pip found of projects, and which distributions it took. Raises OSError."""
    taken = {one.name: one for one in distributions if one.kept and not one.direct}
    for one in listings:
        path = paths.pip_project(cache, ground, one.name)
        chosen = {version: pair for version, pair in _chosen(path).items() if one.versions.get(version) == pair[0]}
        if one.name in taken:
            distribution = replace(taken[one.name], requested=False)
            version = str(Version(distribution.version))
            chosen.pop(version, None)
            if _is_listed(distribution, one.versions.get(version, ())):
                chosen[version] = one.versions[version], asdict(distribution)
        content = {
            "format": _FORMAT,
            "asked": one.asked,
            "versions": [[version, _is_yanked(files)] for version, files in one.versions.items()],
            "chosen": chosen,
        }
        paths.replace(path, json.dumps(content, separators=(",", ":")).encode("ascii"), lasting=False)


def read(cache: str, ground: str, name: str) -> Project | None:
    """Return what is known of a project, None where that is nothing, damaged, or from a time to come."""
    path = paths.pip_project(cache, ground, name)
    with contextlib.suppress(ValueError, TypeError, KeyError):
        content = _read(path)
        versions = tuple((str(version), bool(yanked)) for version, yanked in content["versions"])
        chosen = {version: Distribution(**one) for version, (_, one) in content["chosen"].items()}
        asked = float(content["asked"])
        named = all(isinstance(text, str) for one in chosen.values() for text in (one.name, one.version, one.kept))
        if named and asked <= time.time():
            return Project(name, asked, versions, chosen)
    return None


def _chosen(path: str) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Return by version which files pip had to choose from, and what it took."""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        return {version: (tuple(files), one) for version, (files, one) in _read(path)["chosen"].items()}
    return {}


def _read(path: str) -> dict[str, Any]:
    """Return what a file holds. Raises ValueError for one that is damaged, KeyError or TypeError for another format."""
    try:
        content: dict[str, Any] = json.loads(paths.read(path))
    except (OSError, RecursionError):
        raise ValueError(path) from None
    if content["format"] != _FORMAT:
        raise ValueError(path)
    return content


def _is_yanked(files: Iterable[str]) -> bool:
    return all(one.startswith("!") for one in files)


def _is_listed(distribution: Distribution, files: Iterable[str]) -> bool:
    """Tell whether the index had this very file, and not yanked."""
    return distribution.hash.removeprefix("sha256=") in files
