"""What a bundle holds: a table that says where in the store each file of its wheels goes, and how that is written down.

pip does the installing when a bundle is made; where it runs, what pip did is repeated from here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from scriptrun import shape
from scriptrun.errors import BundleError
from scriptrun.order import Described, Distribution

FORMAT = 1
"""The version of the table; another one is for another version of scriptrun."""

NAME = "bundle.json"
"""The table's name in a bundle."""

SCRIPTS, WHEELS, EXTRAS = "script/", "wheels/", "extras/"
"""The directories in a bundle: the script and its lock, the wheels, and what no wheel holds."""

_EXTRA = "/extras/"
"""How the source of a file begins that is in no wheel; no member of a wheel does."""

REMEDY = "copy it here once more"
"""What helps where a bundle is damaged."""

_SHAPE = {
    "format": int,
    "python": str,
    "implementation": str,
    "requires_python": str,
    "machine": str,
    "asked": {"requirements": [str], "resolution": {}},
    "script": str,
    "wheels": [
        {
            "distribution": {
                "name": str,
                "version": str,
                "hash": str,
                "origin": str,
                "requested": bool,
                "direct": str,
                "kept": str,
            },
            "described": {"requires": [str], "requires_python": str, "extras": [str]},
            "file": str,
            "sha256": str,
            "metadata": str,
            "files": [list],
            "programs": [list],
        }
    ],
}


class File(NamedTuple):
    """A file of a distribution: where it goes in the store (see `store/listing`), and what RECORD says after its name.

    `source` is the member of the wheel that holds it, which then is as RECORD says, or an `extra`.
    """

    stored: str
    source: str
    rest: str
    executable: bool


class Program(NamedTuple):
    """A command: where it goes in the store, the `extra` that holds it without its first lines, and its mode."""

    stored: str
    source: str
    mode: int


class Wheel(NamedTuple):
    """A wheel and what pip made of it.

    `distribution` is what a manifest says of it, with the name in the store of one that its hash does not tell (`""`:
    it does); `described` is what its metadata says, `file` its name in `wheels/`, `sha256` its hash in hexadecimal
    digits, `metadata` the name of its directory of metadata.
    """

    distribution: Distribution
    described: Described
    file: str
    sha256: str
    metadata: str
    files: tuple[File, ...]
    programs: tuple[Program, ...]


class Contents(NamedTuple):
    """What a bundle is for: `python` is a minor version (`3.12`, `3.13t`), `implementation` as `cpython`.

    `requires_python` is what the script says of the rest of the version, `machine` that for which its lock was made, as
    markers call it: `linux x86_64` (`""`: it is for any; what its wheels are for, they say themselves). `asked` are the
    facts of the specification without those of the interpreter, `script` is the name of the script's file.
    """

    python: str
    implementation: str
    requires_python: str
    machine: str
    asked: Mapping[str, Any]
    script: str
    wheels: tuple[Wheel, ...]


def source(content: bytes) -> str:
    """Return the source of a file that is the extra with this content, whose hash is its name."""
    return f"{_EXTRA}{hashlib.sha256(content).hexdigest()}"


def in_bundle(source: str) -> str:
    """Return the member of a bundle that a source is, `""` where it is a member of the wheel."""
    return source[1:] if source.startswith(_EXTRA) else ""


def kept(wheel: Wheel) -> str:
    """Return the name in a store of what is made of a wheel where the distribution's hash does not tell what that is.

    It was built from a source, or another one has overwritten a file of it.
    """
    one = wheel.distribution
    content = json.dumps([wheel.sha256, *wheel.files, *wheel.programs], separators=(",", ":"))
    return f"{one.name}-{one.version}-{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def identity(table: bytes, script: bytes, locks: Iterable[bytes]) -> str:
    """Return what tells a bundle from all others: the digest of its table, its script and its lock."""
    return hashlib.sha256(b"\0".join([table, script, *locks])).hexdigest()[:32]


def text(contents: Contents) -> bytes:
    """Return the table as JSON, the same for the same contents."""
    wheels = [
        {**one._asdict(), "distribution": one.distribution._asdict(), "described": one.described._asdict()}
        for one in contents.wheels
    ]
    table = {"format": FORMAT, **contents._asdict(), "wheels": wheels}
    return json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def parse(content: bytes) -> Contents:
    """Return the contents that a table says. Raises BundleError where it is none, or of another version."""
    try:
        table = json.loads(content)
    except (ValueError, RecursionError):
        raise _damaged() from None
    if shape.fits(table, {"format": int}) and table.pop("format") != FORMAT:
        raise BundleError("the bundle was made by another version of scriptrun")
    if not shape.fits(table, {name: one for name, one in _SHAPE.items() if name != "format"}):
        raise _damaged()
    try:
        return Contents(**{**table, "wheels": tuple(_wheel(one) for one in table["wheels"])})
    except TypeError:
        raise _damaged() from None


def _wheel(table: dict[str, Any]) -> Wheel:
    files = tuple(File(*one) for one in table["files"])
    programs = tuple(Program(*one) for one in table["programs"])
    if not all(tuple(map(type, one)) == (str, str, str, bool) for one in files):
        raise TypeError
    if not all(tuple(map(type, one)) == (str, str, int) for one in programs):
        raise TypeError
    said = table["described"]
    described = Described(tuple(said["requires"]), said["requires_python"], tuple(said["extras"]))
    distribution = Distribution(**table["distribution"])
    read = {"distribution": distribution, "described": described, "files": files, "programs": programs}
    return Wheel(**{**table, **read})


def _damaged() -> BundleError:
    return BundleError("the bundle is damaged: what it says of itself cannot be read", hint=REMEDY)
