"""Say something to the user, on stderr, and give the data that was asked for, on stdout: else it is the script's."""

import os
import sys

from scriptrun.errors import ScriptrunError, escape


def give(text: str) -> None:
    """Write `text` to stdout: paths byte for byte, and what its encoding cannot show escaped.

    A reader that has gone ends this process, as it does other programs. Raises ScriptrunError.
    """
    import signal  # only commands come here, no run

    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    encoding = sys.stdout.encoding if sys.stdout is not None else "utf-8"
    try:
        content = text.encode(encoding, "surrogateescape")
    except UnicodeEncodeError:
        content = text.encode(encoding, "backslashreplace")
    try:
        while content:
            content = content[os.write(1, content) :]
    except OSError as error:
        raise ScriptrunError(f"stdout cannot be written to: {error.strerror}") from None


def tell(text: str) -> None:
    """Write `text`, if there still is a stderr. What it cannot show is escaped."""
    try:
        content = text.encode(sys.stderr.encoding, "backslashreplace")
        while content:  # past Python's buffer: what stays there fails once more at exit, and changes the status
            content = content[os.write(sys.stderr.fileno(), content) :]
    except (AttributeError, OSError, ValueError):  # closed, full, or None
        pass


def note(text: str) -> None:
    """Write one line that informs."""
    tell(f"scriptrun: note: {escape(text)}\n")


def warn(text: str, remedy: str, place: str) -> None:
    """Write one line about `place` (`file:line`) that warns, with a remedy (`""`: none is known)."""
    hint = f"; {remedy}" if remedy else ""
    tell(escape(f"scriptrun: warning: {place}: {text}{hint}") + "\n")
