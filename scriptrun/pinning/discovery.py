"""Find the lock that counts for a script, and tell whether it still does."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence

from scriptrun import arguments, lockfile
from scriptrun.errors import LockError
from scriptrun.interpreter import Interpreter
from scriptrun.metadata import Asked, ScriptMetadata
from scriptrun.pinning import basis, embedded, pylock
from scriptrun.pinning.pins import Origin
from scriptrun.pinning.pylock import Lock
from scriptrun.request import Request


def find(request: Request, script: ScriptMetadata) -> Lock | None:
    """Return the lock beside or inside a script, None where there is none. Raises LockError."""
    inside = embedded.text(request.source.content, request.name) if request.source is not None else None
    if request.lock is not None and (script.lock or inside is not None):
        raise LockError(
            f"the script has a lock inside, and one beside it: `{request.beside[1]}`",
            place=request.name,
            hint=f"delete one of them, or let it be made anew: {remedy(request)}",
        )
    try:
        if request.lock is not None:
            return _own(pylock.parse(request.lock, request.beside[1], request.directory), request)
        if inside is None and not script.lock:
            return None
        _prove(inside, script.lock, request)
        return pylock.parse((inside or "").encode("ascii"), request.name, request.directory)
    except LockError as error:
        raise type(error)(
            error.message,
            place=error.place,
            hint=error.hint or f"have it made anew: {remedy(request, embed=request.lock is None)}",
        ) from None


def _own(lock: Lock, request: Request) -> Lock:
    """Return the lock unless it is that of another script, which is there and has a lock of the same name."""
    script, path = request.beside
    other = os.path.join(os.path.dirname(script), lock.target.script or os.path.basename(script))
    if os.path.exists(other) and lockfile.beside(other) == (other, path) and other != script:
        raise pylock.Foreign(
            f"the lock is that of `{lock.target.script}`, and this is `{os.path.basename(script)}`",
            place=path,
            hint="rename one of the two scripts: their locks have the same name",
        )
    return lock


def _prove(inside: str | None, expected: str, request: Request) -> None:
    """Raise LockError unless the lock inside a script is the one that its block means."""
    if inside is None:
        reason = f"the block means the lock {expected[:15]}…, which is not in the script any more"
    elif not expected:
        reason = "the script holds a lock, but `lock` in [tool.scriptrun] does not say which one is meant"
    elif pylock.digest(inside) != expected:
        reason = f"the lock in the script was changed: it is {pylock.digest(inside)[:15]}…, not {expected[:15]}…"
    else:
        return
    raise LockError(reason, place=request.name)


def demand(lock: Lock | None, request: Request, asked: Sequence[Asked]) -> None:
    """Raise LockError where there is no lock, which --locked asks for; what is no file needs one only if it asks."""
    if lock is None and not request.beside[0]:
        if asked:
            raise LockError(
                "there can be no lock, which --locked (or SCRIPTRUN_LOCKED, or `locked` in the configuration) "
                "asks for: what runs is not a file of its own",
                hint="save it to a file and lock that, or leave --locked out",
            )
    elif lock is None:
        raise LockError(
            "there is no lock, which --locked (or SCRIPTRUN_LOCKED, or `locked` in block or configuration) asks for",
            place=request.name,
            hint=f"make one: {remedy(request)}",
        )


def refuse_stale(lock: Lock, script: ScriptMetadata, request: Request) -> None:
    """Raise LockError where the script asks for something else than when its lock was made."""
    found = basis.differences(lock.basis, basis.of(script, request.directory))
    if found:
        raise LockError(
            f"the lock is stale: {', '.join(found)} since it was made",
            place=request.name if lock.file == request.name else f"{request.name}: {lock.file}",
            hint=f"update it: {remedy(request, embed=lock.file == request.name)}",
        )


def refuse_other_python(lock: Lock, interpreter: Interpreter, request: Request) -> None:
    """Raise LockError where the lock is for another version, implementation or platform than `interpreter`."""
    given = basis.target(interpreter)
    again = remedy(request, embed=lock.file == request.name, python=given.request)
    if given != lock.target:
        raise LockError(
            f"the lock is for {lock.target}, and this is {given}",
            place=lock.file,
            hint=f"use such a Python, or make the lock anew for this one: {again}",
        )


def origin(lock: Lock, request: Request, names: Iterable[str]) -> Origin:
    """Return what is told of a lock where pip cannot install the distributions in it."""
    embed = lock.file == request.name
    anew, newer = (remedy(request, embed=embed, upgrade=upgrade) for upgrade in (False, True))
    return Origin(lock.file, anew, newer, frozenset(names))


def remedy(request: Request, *, embed: bool = False, python: str = "", upgrade: bool = False) -> str:
    """Return the command that makes the lock of a script anew, inside it, for another Python or newer if so wanted."""
    flags = [word for word, wanted in (("--embed", embed), ("--upgrade", upgrade)) if wanted]
    options = [*(["--python", python] if python else []), *flags]
    return shlex.join(["scriptrun", "lock", *options, arguments.word(request.name)])
