"""Read the program that is to be run, once, whatever it comes from."""

import os
import stat
import sys

from scriptrun.errors import ScriptMissing, ScriptUnreadable

_RUN_FROM_DESCRIPTOR = """\
import os, sys
with open(int(sys.argv[1]), "rb") as _file:
    _code = compile(_file.read(), sys.argv[2], "exec")
del sys.argv[:2]
sys.argv[0], sys.path[0], __file__ = sys.argv[0], os.path.dirname(os.path.realpath(sys.argv[0])), sys.argv[0]
del os, sys, _file
exec(globals().pop("_code"))
"""
"""Run a program from a descriptor as Python would run it from the path it was read from."""


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
    except OSError as error:
        raise ScriptUnreadable(f"`{path}` cannot be read: {error.strerror}") from None
    typed = f"./{path}" if path.startswith("-") else path
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
        return Source(path, content, [typed], path)
    number = _descriptor(path)
    if number is None:
        copy = _in_memory(content, at_end=False)
        return Source(path, content, ["-c", _RUN_FROM_DESCRIPTOR, str(copy), typed, typed], "")
    os.dup2(_in_memory(content, at_end=True), number)
    return Source(path, content, [typed], "")


def read_stdin() -> Source:
    """Return the program on standard input, which Python will find there again.

    Raises ScriptUnreadable.
    """
    try:
        with open(0, "rb", closefd=False) as file:
            content = file.read()
    except OSError as error:
        raise ScriptUnreadable(f"standard input cannot be read: {error.strerror}") from None
    os.dup2(_in_memory(content, at_end=False), 0)
    return Source("<stdin>", content, ["-"], "")


def _descriptor(path: str) -> "int | None":
    if path == "/dev/stdin":
        return 0
    for directory in ("/dev/fd/", "/proc/self/fd/"):
        number = path[len(directory) :]
        if path.startswith(directory) and number.isdecimal():
            return int(number)
    return None


def _in_memory(content: bytes, *, at_end: bool) -> int:
    """Return an inheritable descriptor of a nameless file with `content`."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("script", 0)
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.set_inheritable(descriptor, True)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    if not at_end:
        os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
