"""Compare an environment with what its distributions say that they installed: their RECORD (PEP 376).

What no RECORD has a hash for is believed: byte code, and files that appeared later.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import functools
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from scriptrun import paths, record, refusals
from scriptrun.order import Distribution

MISSING, DIFFERS, UNREADABLE = "is missing", "differs", "cannot be read"

_HASHES = ("sha256", "sha384", "sha512")

Digests = dict[tuple[object, ...], str]
"""What files were found to hold: several names may lead to one file, which then is read once."""


class Finding(NamedTuple):
    """What is wrong with a file: MISSING, UNREADABLE or DIFFERS; without a distribution it is the environment's."""

    distribution: str
    version: str
    file: str
    what: str

    def __str__(self) -> str:
        """Return it in words."""
        owner = f"{self.distribution} {self.version}: " if self.distribution else ""
        return f"{owner}{self.file} {self.what}"


def findings(
    environment: str,
    distributions: Iterable[Distribution],
    *,
    unhashed: bool = False,
    digests: Digests | None = None,
    overwritten: set[str] | None = None,
) -> Iterator[Finding]:
    """Yield what is wrong with the files of `distributions`, which are said to be in the environment at this path.

    A file that several of them list is right where it is what one says: who was installed last has overwritten it, and
    the names of the others are noted in `overwritten`. With `unhashed`, files that a RECORD lists without a hash must
    be there, unless they are byte code. What is read is noted in `digests`. Raises OSError where the machine lacks what
    it takes to read them.
    """
    found = installed(environment)
    digests = {} if digests is None else digests
    overwritten = set() if overwritten is None else overwritten
    claims = _Claims(found)
    for one in distributions:
        place = found.get(identity(one.name, one.version))
        wrong = _compare(*place, unhashed, digests) if place else [("all of it", MISSING)]
        for file, what in wrong:
            if place and what == DIFFERS and claims.hold(os.path.join(place[1], file), digests):
                overwritten.add(one.name)
            else:
                yield Finding(one.name, one.version, file, what)


class _Claims:
    """What all distributions of an environment say of its files; read when it is needed, which is hardly ever."""

    def __init__(self, installed: Mapping[tuple[str, str], tuple[str, str]]) -> None:
        self._installed = installed

    def hold(self, path: str, digests: Digests) -> bool:
        """Tell whether a file is what one of them says."""
        claimed = self._hashes.get(os.path.normpath(path), ())
        return bool(claimed) and not compare_hashes(path, claimed, digests)

    @functools.cached_property
    def _hashes(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for metadata, directory in self._installed.values():
            with contextlib.suppress(OSError, ValueError, csv.Error):
                for file, hashes in _rows(os.path.join(metadata, record.NAME)).items():
                    known = [one for one in hashes if one.partition("=")[0] in _HASHES]
                    found.setdefault(os.path.normpath(os.path.join(directory, file)), []).extend(known)
        return found


def base_findings(environment: str, interpreter: str) -> Iterator[Finding]:
    """Yield what is wrong with the virtual environment as such; its base interpreter is the one at this path."""
    if not os.path.exists(interpreter):
        yield Finding("", "", interpreter, MISSING)
    home = _home(os.path.join(environment, "pyvenv.cfg"))
    if home != os.path.dirname(interpreter):
        yield Finding("", "", "pyvenv.cfg", MISSING if home is None else DIFFERS)
    python = paths.python(environment)
    shown = os.path.relpath(python, environment)
    if not os.access(python, os.X_OK):
        yield Finding("", "", shown, MISSING)
    elif os.path.islink(python) and os.path.realpath(python) != os.path.realpath(interpreter):
        yield Finding("", "", shown, DIFFERS)


def _home(configuration: str) -> str | None:
    """Return where a `pyvenv.cfg` says that its base interpreter is, `""` if it does not, None if there is no file."""
    try:
        with open(configuration, encoding="utf-8", errors="surrogateescape") as file:
            found = re.search(r"^home\s*=\s*(.*?)\s*$", file.read(), re.MULTILINE)
    except OSError:
        return None
    return found.group(1) if found else ""


def identity(name: str, version: str) -> tuple[str, str]:
    """Return name and version in one spelling, as `installed` has them."""
    from packaging.utils import canonicalize_name, canonicalize_version  # with all that is known of platforms

    return canonicalize_name(name), canonicalize_version(version.replace("_", "-"))


def installed(environment: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Return directory of metadata and directory of modules of each distribution, by its name and version.

    The names of directories tell which there are: what is in them may be damaged.
    """
    found = {}
    with contextlib.suppress(OSError):
        directory = paths.site_packages(environment)
        for name in os.listdir(directory):
            matched = re.fullmatch(r"(.+?)-([^-]+)(-py[\d.]+)?\.(dist|egg)-info", name)
            if matched:
                found[identity(matched.group(1), matched.group(2))] = os.path.join(directory, name), directory
    return found


def _compare(
    metadata: str,
    directory: str,
    unhashed: bool,  # noqa: FBT001 - handed on
    digests: Digests,
) -> Iterator[tuple[str, str]]:
    """Yield each file that a RECORD lists and that is not as it says, and what is wrong with it."""
    own = os.path.join(os.path.basename(metadata), record.NAME)
    try:
        rows = _rows(os.path.join(metadata, record.NAME))
    except OSError as error:
        what = _told(error)
        if what != MISSING or not metadata.endswith(".egg-info"):  # by an old pip, which wrote none
            yield own, what
        return
    except (ValueError, csv.Error):
        yield own, DIFFERS
        return
    if own not in rows:
        yield own, DIFFERS
    for file, hashes in rows.items():
        path = os.path.join(directory, file)
        what = compare_hashes(path, hashes, digests)
        if unhashed and not hashes and "__pycache__" not in file and not os.path.lexists(path):
            what = MISSING
        if what:
            yield file, what


def _rows(path: str) -> dict[str, list[str]]:
    """Return the hashes (`sha256=…`; `""`: none) of each file in a RECORD. Raises OSError, ValueError and csv.Error.

    A file that pip writes, though the wheel brings it along, is there twice: with the hash of either.
    """
    rows: dict[str, list[str]] = {}
    for name, expected, _size in record.read(path):
        rows.setdefault(name, []).extend([expected] if expected else [])
    return rows


def compare_hashes(path: str, hashes: Iterable[str], digests: Digests) -> str:
    """Return what is wrong with a file that is to have one of these hashes; `""`: nothing, or there are none."""
    found = [compare_hash(path, one, digests) for one in hashes]
    return found[0] if found and all(found) else ""


def compare_hash(path: str, expected: str, digests: Digests) -> str:
    """Return what is wrong with a file that is to have this hash; `""`: nothing, or the hash is of no known kind.

    Raises OSError where the machine lacks what it takes to read it.
    """
    algorithm, _, wanted = expected.partition("=")
    if algorithm not in _HASHES:
        return ""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # a pipe, a device: to read it may never end
            return DIFFERS
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, algorithm)
        if identity not in digests:
            digests[identity] = digest(path, algorithm)
    except OSError as error:
        return _told(error)
    return "" if digests[identity] == wanted else DIFFERS


def digest(path: str, algorithm: str) -> str:
    """Return the hash of a file as RECORD writes it. Raises OSError."""
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def _told(error: OSError) -> str:
    """Return what an error says of a file; raise it where it says something of this process or machine instead."""
    if error.errno in refusals.REASONS:
        raise error
    return MISSING if isinstance(error, (FileNotFoundError, NotADirectoryError)) else UNREADABLE
