"""Say in words what the operating system refused, and what to do about it."""

from __future__ import annotations

import errno
import os
import re

from scriptrun.errors import CacheError

_ELSEWHERE = "set SCRIPTRUN_CACHE_DIR to another place"

REASONS = {
    errno.ENOSPC: ("the disk is full", f"free some space, or {_ELSEWHERE}"),
    errno.EDQUOT: ("the disk quota is used up", f"free some space, or {_ELSEWHERE}"),
    errno.EFBIG: ("a file would be larger than is allowed", "raise the limit (`ulimit -f`)"),
    errno.EMFILE: ("too many open files", "raise the limit (`ulimit -n`), or start it with fewer files open"),
    errno.ENFILE: ("too many open files on this machine", "end other programs, or raise the limit of the system"),
    errno.EAGAIN: ("too many processes", "end other programs, or raise the limit (`ulimit -u`)"),
    errno.ENOMEM: ("there is not enough memory", "end other programs, or raise the limit (`ulimit -v`)"),
}
"""What is refused for lack of something, and what to do. The next time may be different."""

_PLAIN = {
    errno.EACCES: "you are not allowed to write where it would have to",
    errno.EPERM: "you are not allowed to do what it would have to",
    errno.EROFS: "nothing can be written where it would have to",
}
"""What is said to somebody who does not program, where the words of the system say less."""

_NAMED = {number: rf"\[Errno {number}\]|{re.escape(os.strerror(number))}" for number in REASONS}
_NAMED[errno.EAGAIN] += "|can't start new thread"
_NAMED[errno.ENOMEM] += r"|^MemoryError\b"


def explain(what: str, error: OSError, otherwise: str = _ELSEWHERE) -> CacheError:
    """Return the failure of `what`: the reason, the file if one is named, and the remedy (`otherwise`, if unknown)."""
    reason, remedy = REASONS.get(error.errno or 0, (error.strerror or str(error), otherwise))
    file = error.filename2 or error.filename
    message = f"{what}: {reason}{f' (`{os.fsdecode(file)}`)' if file else ''}"
    return CacheError(message, hint=remedy, reason=_PLAIN.get(error.errno or 0, reason))


def named_in(output: str) -> tuple[str, str] | None:
    """Return reason and remedy of the refusal that a program's output names, None where it names none."""
    for number, pattern in _NAMED.items():
        if re.search(pattern, output, re.MULTILINE):
            return REASONS[number]
    return None
