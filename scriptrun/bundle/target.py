"""What a script wants on a machine that is not this one, and why it cannot be had there."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence

from packaging import tags

from scriptrun import interpreter as own
from scriptrun import interpreters, platforms
from scriptrun import resolve as resolving
from scriptrun.errors import InstallError, InterpreterError
from scriptrun.interpreter import Interpreter
from scriptrun.interpreters import Choice, Wish
from scriptrun.pinning.pylock import Lock
from scriptrun.pip_messages import Unfit, Unsatisfiable
from scriptrun.platforms import Target
from scriptrun.request import Request
from scriptrun.resolve import Wanted


def resolve(request: Request, environ: Mapping[str, str], named: Sequence[str]) -> Wanted:
    """Return what a request comes to on a machine of the platforms that are `named`; without any on this one.

    A Python that is asked for and is not here is taken for one of another machine like this. Raises what
    `resolve.resolve` raises, and UsageError for platforms that are none.
    """
    if not named:
        try:
            return resolving.resolve(request, environ)
        except InterpreterError as error:
            if _version(error.wanted) is None:
                raise
    here = own.own().platform, tuple(tags.platform_tags())
    platform, expanded = platforms.read(named) if named else here

    def choose(wish: Wish, lock: Lock | None, request: Request, environ: Mapping[str, str]) -> Choice:
        return _choose(platform, wish, lock, request, environ)

    wanted = resolving.resolve(request, environ, choose=choose)
    return wanted._replace(target=Target(wanted.spec.interpreter, expanded))


def _choose(platform: str, wish: Wish, lock: Lock | None, request: Request, environ: Mapping[str, str]) -> Choice:
    """Return the Python of a platform that is asked for, else that of the lock, else like the one chosen here."""
    version = _version(wish.requested) or (_version(lock.target.python) if lock and not wish.requested else None)
    if version is None:
        same = interpreters.choose(wish, request.caches.own, environ).interpreter
        version = same.version, same.free_threaded
    number, threads = version
    short = "".join(number.split(".")[:2])
    interpreter = Interpreter("", "cpython", number, f"cpython-{short}", platform, threads)
    if not wish.allows(interpreter):
        raise InterpreterError(
            f"Python {number} is not allowed by requires-python `{wish.requires_python}`",
            place=wish.place,
            hint="ask for another with `--python`, all three numbers of its version perhaps, or change requires-python",
        )
    return Choice(interpreter, "the bundle is for it")


def _version(requested: str) -> tuple[str, bool] | None:
    """Return the full version of CPython that a request means, and whether it is free-threaded; None for any other."""
    found = re.fullmatch(r"(?:c?python)?@?(3\.\d+)(\.\d+)?(t?)", requested)
    return (found[1] + (found[2] or ".0"), bool(found[3])) if found else None


@contextlib.contextmanager
def explained(target: Target | None) -> Iterator[None]:
    """Say of what cannot be had for a target, if there is one, that it is the target for which it cannot."""
    try:
        yield
    except (Unfit, Unsatisfiable) as error:
        if target is None:
            raise
        raise _told(error, target) from None


def _told(error: InstallError, target: Target) -> InstallError:
    message = error.message.replace("this Python and platform", str(target)).replace("this Python", str(target))
    hint = f"only wheels count, and those for {target}"
    if isinstance(error, Unfit):
        hint += ": name other platforms, or another Python or version, or make the bundle on a machine of that kind"
    else:
        hint = f"{error.hint}; {hint}"
    return type(error)(message, name=error.name, place=error.place, details=error.details, hint=hint)
