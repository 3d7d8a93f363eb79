"""Read the program that is to be run, once, whatever it comes from."""

import os
import stat
import sys

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from typing import IO

from scriptrun.errors import ScriptMissing, ScriptUnreadable

_RUN_FROM_DESCRIPTOR = """\
import os, sys
with open(int(sys.argv[1]), "rb") as _file:
    _code = compile(_file.read(), f"<{sys.argv[2]}>", "exec")
del sys.argv[:2]
__file__ = sys.argv[0]
if sys.version_info >= (3, 9) and not os.path.isabs(__file__):
    __file__ = os.path.join(os.getcwd(), __file__)
if not getattr(sys.flags, "safe_path", False):
    sys.path[0] = os.path.dirname(os.path.realpath(sys.argv[0]))
del os, sys, _file
exec(globals().pop("_code"))
"""
"""Run a program from a descriptor as Python would run it from the path it was read from.

In tracebacks that path is between angle brackets: Python would look there for the source, and hang on a FIFO.
"""


class Source:
    """A program: what it is called, its bytes, and the arguments that make Python run just these.

    `file` is the path of an ordinary file, which Python reads again by itself, or `""`.
    """

    __slots__ = ("arguments", "content", "file", "name")

    def __init__(self, name: str, content: bytes, arguments: "list[str]", file: str) -> None:
        self.name = name
        self.content = content
        self.arguments = arguments
        self.file = file

    @property
    def is_copy(self) -> bool:
        """Whether the file is a copy that is kept of what has this name, a URL."""
        return bool(self.file) and self.file != self.name


def read(path: str) -> Source:
    """Return the program at `path`: an ordinary file, a FIFO or another stream, `/dev/stdin` or `/dev/fd/N`.

    A stream is read to its end here, and Python given a copy in memory, at the same descriptor where it had one. Raises
    ScriptMissing, and ScriptUnreadable for what cannot be read.
    """
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        raise ScriptMissing(f"no such file: `{path}`") from None
    except IsADirectoryError:
        raise ScriptUnreadable(f"`{path}` is a directory, not a script") from None
    except PermissionError as error:
        reason = "you are not allowed to read it"
        raise ScriptUnreadable(f"`{path}` cannot be read: {error.strerror}", reason=reason) from None
    except OSError as error:
        raise ScriptUnreadable(f"`{path}` cannot be read: {error.strerror}") from None
    arguments = words(path)
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
        return Source(path, content, arguments, path)
    number = _descriptor(path)
    if number is None:
        return Source(path, content, ["-c", _RUN_FROM_DESCRIPTOR, str(_in_memory(content)), path], "")
    _put(content, number, at_end=sys.platform == "linux")  # elsewhere, opening /dev/fd/N is no more than dup(N)
    return Source(path, content, arguments, "")


def words(path: str) -> "list[str]":
    """Return the words that make Python run the file at `path`; `-` is standard input to it."""
    return ["--", path] if path.startswith("-") and path != "-" else [path]


def read_stdin() -> Source:
    """Return the program on standard input, which Python will find there again.

    Raises ScriptUnreadable.
    """
    try:
        with open(0, "rb", closefd=False) as file:
            content = file.read()
    except OSError as error:
        raise ScriptUnreadable(f"standard input cannot be read: {error.strerror}") from None
    _put(content, 0, at_end=False)
    return Source("<stdin>", content, ["-"], "")


def _descriptor(path: str) -> "int | None":
    if path == "/dev/stdin":
        return 0
    for directory in ("/dev/fd/", "/proc/self/fd/"):
        number = path[len(directory) :]
        if path.startswith(directory) and number.isdecimal():
            return int(number)
    return None


def _put(content: bytes, number: int, *, at_end: bool) -> None:
    """Make the descriptor `number` one of a nameless file with `content`, to be read from its beginning or its end."""
    copy = _in_memory(content)
    os.lseek(copy, 0, os.SEEK_END if at_end else os.SEEK_SET)
    os.dup2(copy, number)
    os.close(copy)


def _in_memory(content: bytes) -> int:
    """Return an inheritable descriptor, none of the standard three, of a nameless file with `content`."""
    import fcntl  # a stream is rare, so this is not imported before a hit

    with _nameless_file() as file:
        file.write(content)
        file.seek(0)
        return fcntl.fcntl(file.fileno(), fcntl.F_DUPFD, 3)


def _nameless_file() -> "IO[bytes]":
    if sys.platform == "linux":
        return open(os.memfd_create("script"), "w+b")
    import tempfile

    return tempfile.TemporaryFile()
