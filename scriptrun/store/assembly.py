"""Put an environment together from what is kept.

What says something of one environment is written anew: the commands' first lines, whether somebody asked for a
distribution, and RECORD, which lists all.
"""

import os
import stat

from scriptrun import paths, record
from scriptrun.store import commands, listing
from scriptrun.store.listing import Clash, Listing, Unusable
from scriptrun.store.placing import Placing

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    class Part(Protocol):
        """What of a distribution is to be known here."""

        @property
        def kept(self) -> str:
            """The name of its directory in the store."""

        @property
        def requested(self) -> bool:
            """Whether it was asked for by name."""

        @property
        def direct(self) -> str:
            """The text of its direct_url.json, `""` where it has none."""


CONTENT = "content"
"""The directory of what is kept that holds the files."""

_EMPTY = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0"
"""What RECORD says of a file that holds nothing."""


class Places:
    """Where in an environment what is kept goes: for each kind of it, a directory, and how RECORD names that.

    `placing` is how files get there; `compiled` is the tag of the byte code that its Python writes, where it is known.
    """

    __slots__ = ("compiled", "placing", "python", "roots", "short", "site")

    def __init__(self, environment: str) -> None:
        self.placing = Placing()
        self.python = paths.python(environment)
        self.site = paths.site_packages(environment)
        version = os.path.basename(os.path.dirname(self.site))
        self.short = version.lstrip("abcdefghijklmnopqrstuvwxyz").rstrip("t")
        self.compiled = "cpython-" + self.short.replace(".", "") if version.startswith("python") else ""
        up = self._listed(environment)
        library = os.path.join(environment, "Lib" if os.name == "nt" else "lib")
        headers = f"include/site/{version}/"
        self.roots: Mapping[str, tuple[str, str]] = {
            "site": (self.site + os.sep, ""),
            "prefix": (environment + os.sep, up),
            "library": (library + os.sep, self._listed(library)),
            "versioned": (environment + os.sep, up),
            "headers": (os.path.join(environment, headers), up + headers),
        }

    def _listed(self, directory: str) -> str:
        """Return how RECORD names a directory."""
        return os.path.relpath(directory, self.site).replace(os.sep, "/") + "/"

    def find(self, stored: str) -> tuple[str, str]:
        """Return where a file or directory of the store goes, and its name in RECORD."""
        kind, _, rest = stored.partition("/")
        root, listed = self.roots[kind]
        rest += self.short if kind == "versioned" else ""
        return root + rest, listed + rest


def put_together(cache: str, environment: str, distributions: "Iterable[Part]") -> None:
    """Install distributions from the store into a virtual environment. Raises OSError.

    Raises Unusable where one is not kept any more, or not as it was put there, and Clash where one brings a file that
    is in the way of another's: pip decides which it is to be. By then others may be in place.
    """
    places = Places(environment)
    for one in distributions:
        try:
            install(_directory(cache, one.kept), places, requested=one.requested, direct=one.direct)
        except Clash:
            raise
        except Unusable as why:
            raise Unusable(str(why), one.kept) from None


def _directory(cache: str, name: str) -> str:
    if not listing.is_name(name):
        raise Unusable("it is not kept")
    return os.path.join(paths.store(cache), name)


def install(directory: str, places: Places, *, requested: bool, direct: str) -> None:
    """Install what a directory of the store holds; `direct` is its direct_url.json. Raises Unusable and OSError."""
    found = listing.read(directory)
    content = os.path.join(directory, CONTENT) + "/"
    for path in found.directories:
        if not path.startswith("versioned"):
            _make(places.find(path)[0])
    rows = [*_share(found, content, places), *_write_programs(found, content, places)]
    _share_compiled(directory, content, places)
    metadata = os.path.join(places.site, found.metadata)
    if requested:
        rows.append((f"{found.metadata}/REQUESTED", _written(os.path.join(metadata, "REQUESTED"), b"")))
    if direct:
        path = os.path.join(metadata, "direct_url.json")
        rows.append((f"{found.metadata}/direct_url.json", _written(path, direct.encode())))
    rows.append((f"{found.metadata}/{record.NAME}", ","))
    _write(os.path.join(metadata, record.NAME), record.text(rows).encode())


def _make(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise Clash(f"`{path}` is a file already") from None
    except FileNotFoundError:
        os.makedirs(path, exist_ok=True)


def _share(found: Listing, content: str, places: Places) -> list[tuple[str, str]]:
    """Put the files in place that are the same everywhere; return what RECORD is to say of them."""
    rows = []
    for stored, size, mtime, rest in found.files:
        source = content + stored
        target, name = places.find(stored)
        verify(source, size, mtime)
        try:
            places.placing.share(source, target)
        except FileExistsError:
            with open(source, "rb") as file:
                _compare(target, file.read())
        except FileNotFoundError:
            verify(source, size, mtime)  # somebody removed it this very moment
            raise
        rows.append((name, rest))
    return rows


def _share_compiled(directory: str, content: str, places: Places) -> None:
    """Put byte code in place, which no RECORD lists, like that of an import; what cannot be is made at the import."""
    if not places.compiled:
        return
    try:
        found = listing.read(directory, places.compiled)
    except Unusable:
        return
    for path in found.directories:
        _make(places.find(path)[0])
    for stored, size, mtime, _ in found.files:
        try:
            verify(content + stored, size, mtime)
            places.placing.share(content + stored, places.find(stored)[0])
        except (Unusable, FileExistsError, FileNotFoundError):
            pass


def _write_programs(found: Listing, content: str, places: Places) -> list[tuple[str, str]]:
    rows = []
    for stored, size, mtime, mode in found.programs:
        source = content + stored
        verify(source, size, mtime)
        target, name = places.find(stored)
        with open(source, "rb") as file:
            rows.append((name, _written(target, commands.join(file.read(), places.python))))
        os.chmod(target, mode)
    return rows


def verify(path: str, size: int, mtime: int) -> None:
    """Raise Unusable where size or mtime of a file are not as they were when it was put into the store."""
    try:
        status = os.lstat(path)
    except OSError as error:
        raise Unusable(f"`{path}`: {error.strerror}") from None
    if status.st_size != size or status.st_mtime_ns != mtime or not stat.S_ISREG(status.st_mode):
        raise Unusable(f"`{path}` was changed")


def _written(path: str, content: bytes) -> str:
    """Write a file of the environment's own; return what RECORD is to say of it after its name."""
    _write(path, content)
    if not content:
        return _EMPTY
    import binascii
    import hashlib  # a third of a Python start

    digest = binascii.b2a_base64(hashlib.sha256(content).digest(), newline=False).rstrip(b"=\n").decode()
    return f"sha256={digest.replace('+', '-').replace('/', '_')},{len(content)}"


def _write(path: str, content: bytes) -> None:
    """Write a new file: one that is there may be a file of the store."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        _compare(path, content)
        return
    with open(descriptor, "wb") as file:
        file.write(content)


def _compare(path: str, content: bytes) -> None:
    """Raise Clash unless a file, of another distribution, holds this too."""
    if os.path.isfile(path):
        with open(path, "rb") as file:
            if file.read() == content:
                return
    raise Clash(f"`{path}` is there already, and another one")
