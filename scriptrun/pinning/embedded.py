"""A lock inside the script: a comment block of type `pylock` at its end, and its digest in the `script` block.

Other tools read the block of type `script` alone. By the digest the first lines of a file say which lock is meant.
"""

from __future__ import annotations

from scriptrun import block
from scriptrun.editing import document, requirements
from scriptrun.errors import LockError
from scriptrun.pinning import pylock

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


def put(content: bytes, lock: str, name: str) -> bytes:
    """Return the bytes of a script with `lock` at its end, instead of one that is anywhere. Raises ScriptrunError."""
    text(content, name)
    new = document.with_last_block(content, KIND, lock)
    _check(new, lock, name)
    return _with_digest(new, pylock.digest(lock), name)


def take_out(content: bytes, name: str) -> bytes:
    """Return the bytes of a script without a lock, and without the digest of one. Raises ScriptrunError."""
    text(content, name)
    new = document.with_last_block(content, KIND, None)
    _check(new, None, name)
    return _with_digest(new, "", name)


def _check(content: bytes, lock: str | None, name: str) -> None:
    """Raise LockError unless `lock`, and no other, is read from the bytes of a script."""
    if text(content, name) != lock:
        raise LockError("no lock can be written there that would be read again", place=name)


def _with_digest(content: bytes, digest: str, name: str) -> bytes:
    """Set `[tool.scriptrun] lock` in the block, or with `""` take it out, with a table that is empty then."""
    toml = document.block_text(content, name)
    if toml is None and not digest:
        return content
    new = requirements.set_option(toml or "dependencies = []\n", "lock", digest or None)
    return document.with_block(content, new, name)
