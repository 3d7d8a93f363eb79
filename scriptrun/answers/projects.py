"""What is known of the projects that pip looked at: their versions, and which file pip chose for a version."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from packaging.version import Version

from scriptrun import paths
from scriptrun.order import Distribution, Offer

_FORMAT = 1


class Project(NamedTuple):
    """A project as it was when pip looked at it, at the time `asked`.

    `versions` are those that pip might have taken, newest first, after `!` those of which all files were yanked.
    `chosen` are the distributions that pip took, by version, as far as it would take the same file again.
    """

    name: str
    asked: float
    versions: tuple[str, ...]
    chosen: Mapping[str, Distribution]


def remember(cache: str, ground: str, offers: Iterable[Offer], distributions: Iterable[Distribution]) -> None:
    """Keep what pip found of projects, and which distributions it took. Raises OSError."""
    taken = {one.name: one._replace(requested=False) for one in distributions if one.kept and not one.direct}
    for one in offers:
        path = paths.pip_project(cache, ground, one.name)
        content = {
            "format": _FORMAT,
            "asked": one.asked,
            "versions": ["!" * _is_yanked(files) + version for version, files in one.versions.items()],
            "chosen": _chosen(one, path, taken.get(one.name)),
        }
        paths.replace(path, json.dumps(content, separators=(",", ":")).encode("ascii"), durable=False)


def taken_back(cache: str, ground: str, offers: Iterable[Offer]) -> set[tuple[str, str]]:
    """Return name and version of all that is yanked, as far as that is news."""
    found = set()
    for one in offers:
        before = _read(paths.pip_project(cache, ground, one.name), one.name)
        known = before[0].versions if before else ()
        yanked = [version for version, files in one.versions.items() if _is_yanked(files)]
        found |= {(one.name, version) for version in yanked if f"!{version}" not in known}
    return found


def read(cache: str, ground: str, name: str) -> Project | None:
    """Return what is known of a project, None where that is nothing, damaged, or from a time to come."""
    found = _read(paths.pip_project(cache, ground, name), name)
    return found[0] if found is not None and found[0].asked <= time.time() else None


def _chosen(offer: Offer, path: str, taken: Distribution | None) -> dict[str, Any]:
    """Return which files there are, and what pip takes of them, by version: what it took before and now."""
    known, files = _read(path, offer.name) or (Project(offer.name, 0.0, (), {}), {})
    chosen = {version: one for version, one in known.chosen.items() if offer.versions.get(version) == files[version]}
    if taken is not None:
        version, digest = str(Version(taken.version)), taken.hash.removeprefix("sha256=")
        chosen.pop(version, None)
        if digest and digest in offer.versions.get(version, ()):
            chosen[version] = taken
    return {version: [offer.versions[version], one._asdict()] for version, one in chosen.items()}


def _read(path: str, name: str) -> tuple[Project, dict[str, tuple[str, ...]]] | None:
    """Return a project, and by version the files of which pip took one."""
    try:
        content = json.loads(paths.read(path))
        if content["format"] != _FORMAT:
            return None
        versions = tuple(content["versions"])
        files = {version: tuple(files) for version, (files, _) in content["chosen"].items()}
        chosen = {version: Distribution(**one) for version, (_, one) in content["chosen"].items()}
        asked = float(content["asked"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    told = [*versions, *_texts(chosen.values())]
    return (Project(name, asked, versions, chosen), files) if all(isinstance(one, str) for one in told) else None


def _texts(distributions: Iterable[Distribution]) -> Iterator[str]:
    for one in distributions:
        yield from (one.name, one.version, one.hash, one.origin, one.kept)


def _is_yanked(files: Iterable[str]) -> bool:
    return all(one.startswith("!") for one in files)
