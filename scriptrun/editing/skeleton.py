"""What a new script, or a new block, looks like."""

from __future__ import annotations

import contextlib
import os
import re
import stat

from scriptrun.editing import document

PROGRAM = b"""

def main() -> None:
    print("Hello!")


if __name__ == "__main__":
    main()
"""

_PIN = re.compile(r"^\s*(?:cpython[-@]?|python[-@]?)?(\d+\.\d+)", re.MULTILINE)


def block(python: str) -> str:
    """Return the text of a block without dependencies, for the Pythons that satisfy `python` (`>=3.11`)."""
    return f'requires-python = "{python}"\ndependencies = []\n'


def program(text: str) -> bytes:
    """Return a new script whose block holds `text`."""
    return document.SHEBANG + b"\n" + document.comment("script", text, b"") + PROGRAM


def pin(directory: str) -> tuple[str, str]:
    """Return the Python (`3.11`) that the nearest `.python-version` names, here or in a directory above, and that file.

    `""`: there is none, or it names none.
    """
    while True:
        path = os.path.join(directory, ".python-version")
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if stat.S_ISREG(os.stat(path).st_mode):
                with open(path, encoding="utf-8-sig") as file:
                    found = _PIN.search(file.read(1024))
                return (found.group(1), path) if found else ("", path)
        directory, below = os.path.dirname(directory), directory
        if directory == below:
            return "", ""
