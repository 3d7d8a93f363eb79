"""Write the file of a bundle: a zip that Python starts, the same bytes for the same contents."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from typing import IO, NamedTuple

from scriptrun.bundle import contents as tables
from scriptrun.bundle.code import Code
from scriptrun.bundle.contents import Contents
from scriptrun.errors import BundleError

_MAIN = """\
import sys
kind = getattr(getattr(sys, "implementation", None), "name", "cpython").replace("cpython", "python")
here = kind + "%d.%d" % sys.version_info[:2] + ("t" if "t" in getattr(sys, "abiflags", "") else "")
if here != "{program}":
    sys.stderr.write("scriptrun: error: `%s` is for {program}, and `%s` is %s\\n" % (sys.argv[0], sys.executable, here))
    sys.stderr.write("hint: start it with that: {program} %s\\n" % sys.argv[0])
    sys.exit(125)
from scriptrun.bundle import start
sys.exit(start.main(__loader__.archive, {identity!a}, {script!a}, {size!a}))
"""
"""What Python runs first: any Python can read it, so that each can say what is wrong."""

_MOST = zipfile.ZIP64_LIMIT
"""How many bytes `zipfile` puts into a zip of the kind that each Python can start: 2 GiB."""

_MOMENT = (1980, 1, 1, 0, 0, 0)
"""When all in a bundle was last changed: the earliest that a zip can say."""


class Parts(NamedTuple):
    """What becomes a bundle: what it holds, the script, its lock by the name of its file, and code.

    The wheels are in the directory `wheels`; `extras` are what no wheel holds.
    """

    contents: Contents
    script: bytes
    lock: Mapping[str, bytes]
    code: Code
    wheels: str
    extras: Sequence[bytes]


def program(contents: Contents) -> str:
    """Return the name of the program that runs a bundle."""
    return contents.implementation.replace("cpython", "python") + contents.python


def write(path: str, parts: Parts) -> None:
    """Write a bundle to `path`, by rename. Raises BundleError where it would be too large, and OSError."""
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    if sum(os.path.getsize(os.path.join(parts.wheels, one.file)) for one in parts.contents.wheels) > _MOST:
        raise _too_large()  # before writing for minutes
    try:
        with open(temporary, "xb") as file:
            file.write(f"#!/usr/bin/env {program(parts.contents)}\n".encode())
            _fill(file, parts)
            mode = os.fstat(file.fileno()).st_mode
            os.fchmod(file.fileno(), mode | (mode & 0o444) >> 2)  # who may read it may run it
        os.replace(temporary, path)
    except zipfile.LargeZipFile:
        raise _too_large() from None
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)


def _too_large() -> BundleError:
    return BundleError("the bundle would be larger than the 2 GiB that Python can start")


def _fill(file: IO[bytes], parts: Parts) -> None:
    table = tables.text(parts.contents)
    with zipfile.ZipFile(file, "w", allowZip64=False) as archive:
        _put(archive, "__main__.py", _main(parts, table).encode("ascii"))
        for name, content in sorted(parts.code.files.items()):
            _put(archive, name, content, packed=name not in parts.code.first)
        _put(archive, tables.NAME, table, packed=True)
        for name, content in {parts.contents.script: parts.script, **parts.lock}.items():
            _put(archive, tables.SCRIPTS + name, content, packed=True)
        for content in parts.extras:
            _put(archive, tables.in_bundle(tables.source(content)), content, packed=True)
        for wheel in parts.contents.wheels:
            source = os.path.join(parts.wheels, wheel.file)
            with open(source, "rb") as packed, archive.open(_member(tables.WHEELS + wheel.file), "w") as member:
                shutil.copyfileobj(packed, member, 1 << 20)


def _main(parts: Parts, table: bytes) -> str:
    said = parts.contents
    return _MAIN.format(
        program=program(said),
        identity=tables.identity(table, parts.script, parts.lock.values()),
        script=said.script,
        size=len(parts.script),
    )


def _put(archive: zipfile.ZipFile, name: str, content: bytes, *, packed: bool = False) -> None:
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    archive.writestr(_member(name), content, compress_type=method)


def _member(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name, _MOMENT)
    found.create_system, found.external_attr = 3, 0o100644 << 16
    return found
