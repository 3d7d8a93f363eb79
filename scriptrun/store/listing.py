"""The list of the files that are kept of a distribution: a text that is read with next to no imports.

A line is a directory, a file, or a command; its parts stand between tabs. Where a file is in the store says where it
goes: `site/` is the directory of modules, `prefix/` the environment, `headers/` that of headers. `versioned/` is the
environment too; the version of its Python is added to the name.
"""

import os

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "files"

_FIRST, _LAST = "scriptrun kept 1", "all"


class Unusable(Exception):
    """What was kept is not there any more, or not as it was put there; `name` is its directory's."""

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class Listing:
    """What a distribution consists of.

    `metadata` is its directory of metadata. `directories` are those that hold its files, parents first. `files` are
    path, size, mtime (ns) and what RECORD says of each after its name. `programs` are path, size, mtime and mode of
    those that begin with the path of a Python, which is left out here.
    """

    __slots__ = ("directories", "files", "metadata", "programs")

    def __init__(
        self,
        metadata: str,
        directories: "Iterable[str]",
        files: "Iterable[tuple[str, int, int, str]]",
        programs: "Iterable[tuple[str, int, int, int]]",
    ) -> None:
        self.metadata = metadata
        self.directories = list(directories)
        self.files = list(files)
        self.programs = list(programs)


def name_of(compiled: str) -> str:
    """Return the name of the list of byte code that a Python with this cache tag made; `""`: of all else."""
    return f"{NAME}.{compiled}" if compiled else NAME


def write(directory: str, listing: Listing, compiled: str = "") -> None:
    """Write the list of what is kept in this directory, or of byte code, see `name_of`. Raises OSError."""
    lines = [
        _FIRST,
        listing.metadata,
        *(f"d\t{one}" for one in listing.directories),
        *(f"f\t{path}\t{size}\t{mtime}\t{rest}" for path, size, mtime, rest in listing.files),
        *(f"p\t{path}\t{size}\t{mtime}\t{mode}" for path, size, mtime, mode in listing.programs),
        _LAST,
    ]
    path = os.path.join(directory, name_of(compiled))
    with open(f"{path}.new", "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines))
    os.replace(file.name, path)  # others may be reading it


def read(directory: str, compiled: str = "") -> Listing:
    """Return the list of what is kept in this directory, or of byte code, see `name_of`.

    Raises Unusable where that is not one, or not all of it.
    """
    path = os.path.join(directory, name_of(compiled))
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), encoding="utf-8") as file:
            return _parsed(file.read())
    except OSError as error:
        raise Unusable(f"`{path}`: {error.strerror}") from None
    except ValueError:
        raise Unusable(f"`{path}` is damaged") from None


def _parsed(text: str) -> Listing:
    first, metadata, *lines, last = text.split("\n")
    if (first, last) != (_FIRST, _LAST) or not is_name(metadata):
        raise ValueError
    found = Listing(metadata, [], [], [])
    known = set()
    for line in lines:
        kind, path, *more = line.split("\t")
        if kind == "d":
            if more or not is_inside(path):
                raise ValueError
            known.add(path)
            found.directories.append(path)
            continue
        directory, _, name = path.rpartition("/")
        if directory not in known or name in ("", ".", ".."):
            raise ValueError
        size, mtime, rest = more
        if kind == "f":
            found.files.append((path, int(size), int(mtime), rest))
        elif kind == "p":
            found.programs.append((path, int(size), int(mtime), int(rest) & 0o777))
        else:
            raise ValueError
    return found


def is_inside(path: str) -> bool:
    """Tell whether a path leads from a kind of place to what is in it, and nowhere else."""
    kind, *parts = path.split("/")
    return kind in ("site", "prefix", "headers", "versioned") and all(is_name(one) for one in parts)


def is_name(text: str) -> bool:
    """Tell whether a text names a file in a directory, and fits into a list."""
    return text not in ("", ".", "..") and not any(one in text for one in "/\t\n\r\0")
