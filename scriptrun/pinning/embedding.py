"""Put a lock into a script, or take it out. Apart from reading it: runs need no more than that."""

from __future__ import annotations

from scriptrun.editing import document, requirements
from scriptrun.errors import LockError
from scriptrun.pinning import embedded, pylock


def put(content: bytes, lock: str, name: str) -> bytes:
    """Return the bytes of a script with `lock` at its end, instead of one that is anywhere. Raises ScriptrunError."""
    embedded.text(content, name)
    new = document.with_last_block(content, embedded.KIND, lock)
    _check(new, lock, name)
    return _with_digest(new, pylock.digest(lock), name)


def take_out(content: bytes, name: str) -> bytes:
    """Return the bytes of a script without a lock, and without the digest of one. Raises ScriptrunError."""
    embedded.text(content, name)
    new = document.with_last_block(content, embedded.KIND, None)
    _check(new, None, name)
    return _with_digest(new, "", name)


def _check(content: bytes, lock: str | None, name: str) -> None:
    """Raise LockError unless `lock`, and no other, is read from the bytes of a script."""
    if embedded.text(content, name) != lock:
        raise LockError("no lock can be written there that would be read again", place=name)


def _with_digest(content: bytes, digest: str, name: str) -> bytes:
    """Set `[tool.scriptrun] lock` in the block, or with `""` take it out, with a table that is empty then."""
    toml = document.block_text(content, name)
    if toml is None and not digest:
        return content
    new = requirements.set_option(toml or "dependencies = []\n", "lock", digest or None)
    return document.with_block(content, new, name)
