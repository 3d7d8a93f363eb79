"""Read the lock inside a script: a comment block of type `pylock` at its end, and its digest in the `script` block.

Other tools read the block of type `script` alone. By the digest the first lines of a file say which lock is meant.
"""

from __future__ import annotations

from scriptrun import block
from scriptrun.errors import LockError

KIND = "pylock"


def text(content: bytes, name: str) -> str | None:
    """Return the lock that stands in the bytes of a script, None where there is none. Raises LockError."""
    found = block.contents(content, KIND)
    if len(found) > 1:
        raise LockError(
            f"the script holds {len(found)} blocks of type `{KIND}`", place=name, hint="delete all but the last one"
        )
    if not found:
        return None
    try:
        return "".join(f"{line[2:]}\n" for line in found[0].decode("ascii").split("\n")[:-1])
    except UnicodeDecodeError:
        raise LockError("the lock in the script is damaged: it is not ASCII", place=name) from None
