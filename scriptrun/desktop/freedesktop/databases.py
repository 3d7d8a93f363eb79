"""The databases that desktops make of what lies in a directory, and what they were before something was put there."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scriptrun import process
from scriptrun.errors import ScriptrunError, UsageError

_PRODUCTS = {"update-mime-database": "", "update-desktop-database": "mimeinfo.cache"}
"""What the tools write: nothing but this file, or all that is not among the packages."""


@dataclass(frozen=True)
class Database:
    """What the program `tool`, of the Debian package `package`, makes of the files in a directory.

    `own` is what scriptrun puts there, relative to the directory.
    """

    directory: str
    tool: str
    package: str
    own: str


def of(data: str) -> tuple[Database, Database]:
    """Return the databases of MIME types and of applications below a directory of data."""
    mime, applications = os.path.join(data, "mime"), os.path.join(data, "applications")
    return (
        Database(mime, "update-mime-database", "shared-mime-info", os.path.join("packages", "scriptrun.xml")),
        Database(applications, "update-desktop-database", "desktop-file-utils", "scriptrun.desktop"),
    )


def require(database: Database, environ: Mapping[str, str]) -> str:
    """Return the path of the tool. Raises UsageError where it is not there."""
    found = shutil.which(database.tool, path=environ.get("PATH", os.defpath))
    if found is None:
        raise UsageError(
            f"the program `{database.tool}` is not there, without which desktops learn of nothing new",
            hint=f"on Debian: apt-get install {database.package}",
        )
    return found


def update(database: Database, environ: Mapping[str, str]) -> None:
    """Make the database anew. Raises ScriptrunError."""
    finished = process.exchange([require(database, environ), database.directory], environ, b"")
    if finished.status:
        raise ScriptrunError(
            f"`{database.tool} {database.directory}` failed with status {finished.status}",
            details=finished.complaints.rstrip("\n"),
        )


def state(database: Database) -> dict[str, Any]:
    """Return what has to be known to restore a database: what it is made from, and its files."""
    return {
        "sources": _digest(database),
        "products": {path: base64.b64encode(_content(database, path)).decode() for path in _products(database)},
        "directories": [path for path, _ in _below(database) if path],
    }


def restore(database: Database, before: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Let a database, which scriptrun's file is gone from, be what it was. Raises ScriptrunError and OSError.

    Where it would be made from other files now, it is made anew.
    """
    if not os.path.isdir(database.directory):
        return
    if _digest(database) != before["sources"]:
        update(database, environ)
        return
    for path in list(_products(database)):
        if path not in before["products"]:
            os.unlink(os.path.join(database.directory, path))
    for path, encoded in before["products"].items():
        content = base64.b64decode(encoded)
        if not os.path.exists(os.path.join(database.directory, path)) or _content(database, path) != content:
            _write(os.path.join(database.directory, path), content)
    for path, _ in sorted(_below(database), reverse=True):
        if path and path not in before["directories"] and not os.listdir(os.path.join(database.directory, path)):
            os.rmdir(os.path.join(database.directory, path))


def _digest(database: Database) -> str:
    """Return a checksum of all that the database is made from, but scriptrun's own file."""
    digest = hashlib.sha256()
    for directory, names in sorted(_below(database)):
        for path in sorted(os.path.join(directory, name) for name in names):
            if path == database.own or not _is_source(database, path):
                continue
            content = _content(database, path)
            if path.endswith(".xml") or b"\nMimeType" in content:
                digest.update(b"%d %s %d " % (len(path), os.fsencode(path), len(content)) + content)
    return digest.hexdigest()


def _is_source(database: Database, path: str) -> bool:
    product = _PRODUCTS[database.tool]
    return path.endswith(".desktop") if product else path.startswith("packages" + os.sep) and path.endswith(".xml")


def _products(database: Database) -> Iterator[str]:
    """Yield the files that the tool has made, relative to the directory."""
    product = _PRODUCTS[database.tool]
    for directory, names in _below(database):
        for path in (os.path.join(directory, name) for name in names):
            if path == product or (not product and not path.startswith("packages" + os.sep)):
                yield path


def _below(database: Database) -> list[tuple[str, list[str]]]:
    """Return all directories of a database, relative to it (`""`: itself), each with its files."""
    found = os.walk(database.directory)
    return [
        (os.path.relpath(path, database.directory).removeprefix("."), [name for name in names if _is_file(path, name)])
        for path, _, names in found
    ]


def _is_file(directory: str, name: str) -> bool:
    return os.path.isfile(os.path.join(directory, name))


def _content(database: Database, path: str) -> bytes:
    with open(os.path.join(database.directory, path), "rb") as file:
        return file.read()


def _write(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
