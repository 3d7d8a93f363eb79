"""Say something to the user, on stderr: stdout belongs to the script."""

import sys

from scriptrun.errors import escape


def tell(text: str) -> None:
    """Write `text`, if there still is a stderr. What it cannot show is escaped."""
    try:
        encoding = sys.stderr.encoding
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # closed, full, or None
        pass


def note(text: str) -> None:
    """Write one line that informs."""
    tell(f"scriptrun: note: {escape(text)}\n")


def warn(text: str, remedy: str, place: str) -> None:
    """Write one line about `place` (`file:line`) that warns, with a remedy (`""`: none is known)."""
    hint = f"; {remedy}" if remedy else ""
    tell(escape(f"scriptrun: warning: {place}: {text}{hint}") + "\n")
