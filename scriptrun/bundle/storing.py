"""Put what pip made of a bundle's wheels into the store: nothing goes there that is not what its hash says."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator

from scriptrun.bundle import contents as tables
from scriptrun.bundle.contents import File, Program, Wheel
from scriptrun.errors import BundleError
from scriptrun.interpreter import Interpreter
from scriptrun.order import Distribution
from scriptrun.store import gathering, kept, listing
from scriptrun.store.assembly import CONTENT
from scriptrun.store.listing import Listing


def damaged(path: str, what: object) -> BundleError:
    """Return the error for the file of a bundle that is not as it was made."""
    return BundleError(f"`{path}` is damaged: {what}", hint=tables.REMEDY)


@contextlib.contextmanager
def reading(path: str) -> Iterator[None]:
    """Raise BundleError where a bundle, or a wheel in it, turns out to be damaged while it is read."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError) as error:  # whatever it says
        raise damaged(path, error) from None


def read(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return what is in a bundle under a name. Raises BundleError and OSError."""
    with reading(str(archive.filename)):
        return archive.read(name)


def named(path: str, wheel: Wheel, interpreter: Interpreter) -> Distribution:
    """Return a distribution with its name in a store here. Raises BundleError where it is not what is in the wheel."""
    one = wheel.distribution
    if one.kept:
        name = one.kept if one.kept == tables.kept(wheel) else ""
    elif one.hash != f"sha256={wheel.sha256}":
        raise damaged(path, f"`{wheel.file}` is not the one that was locked, its hash is another")
    else:
        name = kept.directory(one.name, one.version, one.hash, wheel.file, interpreter)
    if not kept.is_name(name):
        raise damaged(path, f"`{one.name}` cannot be kept")
    return one._replace(kept=name)


def unpack(archive: zipfile.ZipFile, wheel: Wheel, directory: str) -> None:
    """Put what pip made of a wheel into a new directory of the store. Raises BundleError and OSError."""
    path, content = str(archive.filename), os.path.join(directory, CONTENT)
    parts: list[File | Program] = [*wheel.files, *wheel.programs]
    files = {one.stored: one for one in parts}
    if not all(listing.is_inside(one) for one in files) or not listing.is_name(wheel.metadata):
        raise damaged(path, f"`{wheel.file}` has files at impossible places")
    above = gathering.directories(files)
    for place in above:
        os.makedirs(os.path.join(content, place))
    with _verified(archive, wheel, directory) as unpacked:
        for one in files.values():
            _write((archive, unpacked), one, os.path.join(content, one.stored))
    listed = [(one.stored, *gathering.settle(os.path.join(content, one.stored)), one.rest) for one in wheel.files]
    programs = [(one.stored, *gathering.settle(os.path.join(content, one.stored)), one.mode) for one in wheel.programs]
    listing.write(directory, Listing(wheel.metadata, above, listed, programs))
    kept.describe(directory, wheel.distribution, wheel.described)


@contextlib.contextmanager
def _verified(archive: zipfile.ZipFile, wheel: Wheel, directory: str) -> Iterator[zipfile.ZipFile]:
    """Open a wheel of a bundle: a copy of it, in a directory, whose hash was checked. Raises BundleError, OSError."""
    path = str(archive.filename)
    with tempfile.TemporaryFile(dir=directory) as copy:
        digest = hashlib.sha256()
        with reading(path), archive.open(tables.WHEELS + wheel.file) as packed:
            while chunk := packed.read(1 << 20):
                digest.update(chunk)
                copy.write(chunk)
        if digest.hexdigest() != wheel.sha256:
            raise damaged(path, f"`{wheel.file}` is not the one that was locked, its hash is another")
        with reading(path):
            unpacked = zipfile.ZipFile(copy)
        with unpacked:
            yield unpacked


def _write(archives: tuple[zipfile.ZipFile, zipfile.ZipFile], one: File | Program, target: str) -> None:
    """Write a file from bundle or wheel as pip does: what is executable in the wheel is so for all."""
    bundle, wheel = archives
    extra = tables.in_bundle(one.source)
    digest = hashlib.sha256()
    with reading(str(bundle.filename)), (bundle if extra else wheel).open(extra or one.source) as packed:
        with open(target, "xb") as file:
            while chunk := packed.read(1 << 18):
                digest.update(chunk)
                file.write(chunk)
        told = _said(one)
    if isinstance(one, File) and one.executable:
        os.chmod(target, 0o711)  # noqa: S103 - as pip does with the umask that environments are made with
    if told and told != digest.digest():
        raise damaged(str(bundle.filename), f"`{os.path.basename(target)}` is not as it was, its hash is another")


def _said(one: File | Program) -> bytes:
    """Return the hash that a file is to have: its name's where it is an extra, else RECORD's; `b""`: it has none."""
    extra = tables.in_bundle(one.source)
    if extra:
        return bytes.fromhex(extra.removeprefix(tables.EXTRAS))
    kind, _, value = one.rest.partition(",")[0].partition("=") if isinstance(one, File) else ("", "", "")
    return base64.urlsafe_b64decode(f"{value}==") if kind == "sha256" else b""
