"""Make the lock of a script: ask pip, keep what was locked as long as it fits. Nothing is written here."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from packaging.pylock import Package
from packaging.utils import canonicalize_name

from scriptrun import arguments, consult, markers, metadata, pip, pip_messages, resolve
from scriptrun.arguments import Options
from scriptrun.errors import InterpreterError, LockError, UsageError
from scriptrun.metadata import Asked
from scriptrun.pinning import basis, discovery, pins, pylock
from scriptrun.pinning.pylock import Lock
from scriptrun.request import Request
from scriptrun.resolve import Wanted

_NOTHING = 'lock-version = "1.0"\ncreated-by = "pip"\npackages = []\n'


def former(request: Request, environ: Mapping[str, str]) -> Lock | None:
    """Return the lock that a script has, stale or not; None where it has none, or one that is damaged.

    Raises Foreign for one that scriptrun did not make.
    """
    script = resolve.resolve(request, environ, with_lock=False).script
    try:
        return discovery.find(request, script)
    except pylock.Foreign:
        raise
    except LockError:
        return None


def choose(request: Request, environ: Mapping[str, str], kept: Lock | None) -> Wanted:
    """Return what is to be locked: for the Python of the lock that is `kept`, unless the script asks for another.

    Raises what `resolve.resolve` raises.
    """
    given = request.invocation.options
    if given.many("with") or given.many("with-requirements"):
        raise UsageError("a lock is of what the block asks for", hint=f"put it into the block: {_adding(request)}")
    wanted = resolve.resolve(request, environ, with_lock=False)
    if kept is None or wanted.options.value("python") or basis.target(wanted.spec.interpreter) == kept.target:
        return wanted
    request.invocation.options = Options({"python": kept.target.request}).below(given)
    with contextlib.suppress(InterpreterError):
        same = resolve.resolve(request, environ, with_lock=False)
        wanted = wanted._replace(choice=same.choice, spec=same.spec)
    request.invocation.options = given
    return wanted


def _adding(request: Request) -> str:
    """Return the command that puts what `--with` asks for into the block."""
    more = request.invocation.options.many("with") or ("REQ",)
    return shlex.join(["scriptrun", "add", arguments.word(request.name), *more])


def text(
    wanted: Wanted,
    environ: Mapping[str, str],
    kept: Lock | None,
    show: Callable[[str], None],
    begin_anew: Callable[[], None],
) -> str:
    """Return the text of a lock for what is `wanted`, in the versions of the lock that is `kept` where these fit.

    `begin_anew` is called where pip cannot keep them. Raises InstallError, CacheError, LockError and Interrupted.
    """
    interpreter, directory = wanted.spec.interpreter, wanted.request.directory
    facts = markers.environment(interpreter)
    held = tuple(_held(wanted, kept, facts)) if kept is not None else ()
    answer = _ask(wanted, environ, held, show, begin_anew) if wanted.spec.requirements else _NOTHING
    target = replace(basis.target(interpreter), script=os.path.basename(wanted.request.beside[0]))
    return pylock.compose(answer, directory, basis.of(wanted.script, directory), target, facts)


def _ask(
    wanted: Wanted,
    environ: Mapping[str, str],
    held: tuple[Asked, ...],
    show: Callable[[str], None],
    begin_anew: Callable[[], None],
) -> str:
    """Return pip's lock, without what is `held` if that cannot be."""
    if wanted.options.flag("offline"):
        raise pip_messages.offline(wanted.request.name)
    order = wanted.order(environ, show)
    with consult.empty_environment(order, wanted.request.caches.writable()) as environment:
        show("finding out what is needed")
        if held:
            try:
                return pip.lock(order._replace(constraints=(*order.constraints, *held)), environment)
            except pip_messages.Unsatisfiable:
                begin_anew()
        return pip.lock(order, environment)


def _held(wanted: Wanted, kept: Lock, facts: Mapping[str, str]) -> Iterator[Asked]:
    """Yield constraints that hold the versions of a lock, but for those that the script itself has outgrown."""
    asked: dict[str, list[Asked]] = {}
    for one in wanted.asked:
        asked.setdefault(canonicalize_name(one.requirement.name), []).append(one)
    for pin in pins.read(kept, facts):
        fits = partial(_allows, pin.version)
        if pin.version and pin.hashes and all(map(fits, asked.get(pin.name, ()))):
            yield metadata.requirement(f"{pin.name}=={pin.version}", kept.file)


def _allows(version: str, asked: Asked) -> bool:
    return not asked.requirement.url and asked.requirement.specifier.contains(version, prereleases=True)


def changes(before: Lock | None, after: Lock) -> list[str]:
    """Return a line for each distribution that is new, gone or another one."""
    old, new = _told(before), _told(after)
    lines = []
    for name in sorted({*old, *new}):
        if name not in old:
            lines.append(f"+ {name} {new[name]}")
        elif name not in new:
            lines.append(f"- {name} {old[name]}")
        elif old[name] != new[name]:
            lines.append(f"{name} {old[name]} → {new[name]}")
    if before is not None and before.target != after.target:
        lines.append(f"for {after.target}, until now for {before.target}")
    return lines


def _told(lock: Lock | None) -> dict[str, str]:
    """Return the version of each distribution in a lock; of a direct one, what it is installed from."""
    return {str(one.name): str(one.version or _source(one)) for one in (lock.packages if lock else ())}


def _source(package: Package) -> str:
    if package.vcs is not None:
        return f"{package.vcs.url or package.vcs.path} {package.vcs.commit_id[:12]}"
    if package.directory is not None:
        return package.directory.path
    return str(package.archive and (package.archive.url or package.archive.path))
