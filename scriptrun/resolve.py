"""Work out which environment a request needs: metadata, options, interpreter, specification."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from scriptrun import block, config, expiry, interpreters, launch, markers, metadata, quantities, spec
from scriptrun import cache as caches
from scriptrun.arguments import Options
from scriptrun.cache import Environment
from scriptrun.config import Configuration
from scriptrun.errors import InterpreterError, LockError, UsageError
from scriptrun.interpreters import Choice, Wish
from scriptrun.metadata import Asked, ScriptMetadata
from scriptrun.order import Order
from scriptrun.policy import Policy
from scriptrun.request import Request
from scriptrun.spec import EnvironmentSpec

if TYPE_CHECKING:
    from scriptrun.bundle.platforms import Target
    from scriptrun.pinning.pylock import Lock


class Wanted(NamedTuple):
    """What a request comes to.

    `options` are those of the command line, of variables, of the block and of the configuration together; `max_age` is
    in seconds, 0 where pip's answer counts for ever; `target` is the Python on another machine that a bundle is for.
    """

    request: Request
    script: ScriptMetadata
    configuration: Configuration
    options: Options
    choice: Choice
    asked: tuple[Asked, ...]
    spec: EnvironmentSpec
    max_age: float
    lock: Lock | None = None
    target: Target | None = None

    def environment(self) -> Environment | None:
        """Return the environment if it is ready: one whose age will do, if there is one."""
        places = (self.request.caches.system, self.request.caches.own)
        found = [caches.lookup(cache, self.spec.key) for cache in places if cache]
        ready = [one for one in found if one is not None]
        return min(ready, key=lambda one: expiry.is_due(one, self.max_age), default=None)

    def order(
        self,
        environ: Mapping[str, str],
        show: Callable[[str], None],
        prepared: Callable[[int], None] = lambda _: None,
    ) -> Order:
        """Return the order for the environment; `show` is given each step, `prepared` what there is in the end."""
        order = Order(
            self.spec,
            self.asked,
            self.options,
            environ,
            show,
            self.script.constraints,
            self.script.routes,
            self.configuration.policy,
            max_age=self.max_age,
            answers_max_age=self.configuration.answers_max_age,
            prepared=prepared,
            target=self.target,
        )
        if self.lock is None:
            return order
        from scriptrun.pinning import (  # rare, and what reads locks takes as long as half of Python's start
            discovery,
            pins,
        )

        locked = pins.read(self.lock, markers.environment(self.spec.interpreter))
        origin = discovery.origin(self.lock, self.request, (one.name for one in locked))
        return order._replace(pins=pins.authorized(locked, self.asked), unpinned=self.unpinned, origin=origin)

    @property
    def unpinned(self) -> tuple[Asked, ...]:
        """What is asked for beyond the lock."""
        from scriptrun.pinning import basis  # rare

        covered = set(spec.requirements(basis.asked(self.script)))
        return tuple(one for one in self.asked if spec.canonical(one.requirement) not in covered)

    @property
    def overlap(self) -> int | None:
        """The status that a second start ends with while the program runs; None: it may run more than once."""
        if not (self.options.flag("no-overlap") and self.request.identity):
            return None
        return int(self.options.value("overlap-status") or "0")

    @property
    def keepable(self) -> bool:
        """Whether the answer may be remembered: it is for one run, or the question holds a password."""
        return not (
            self.options.flag("isolated") or spec.holds_credentials(self.request.question.decode(errors="replace"))
        )

    @property
    def standing(self) -> int:
        """What the answer is worth another time: launch.NOTED, VALID or PROVABLE.

        It may change with a local path, and with a file or program that block or configuration names. A branch of a
        repository changes too, but is asked for again only by --refresh.
        """
        own = self.script.options.below(self.configuration.options)
        if (
            self.spec.fingerprints
            or self.script.relative_paths
            or own.many("constraint")
            or own.many("with-requirements")
            or own.flag("refresh")
            or not self._python_is_settled
            or any(warning.slip for warning in self.script.warnings)
        ):
            return launch.NOTED
        settled = all(spec.is_settled(one.requirement) for one in self.asked)
        by_launcher = not self.options.many("env-file") and self.overlap is None
        return launch.PROVABLE if settled and by_launcher else launch.VALID

    @property
    def provable(self) -> bool:
        """Whether the script's first lines alone decide the answer, so that a launch record may say so."""
        return self.keepable and self.standing == launch.PROVABLE

    @property
    def _python_is_settled(self) -> bool:
        """Whether the same request gets the same interpreter as long as that is there, not what a name or a shim is."""
        program, interpreter = self.choice.program, self.choice.interpreter.path
        asked_by_block = not self.request.invocation.options.value("python")
        return not program or interpreter == (program if asked_by_block else os.path.realpath(program))


def resolve(
    request: Request,
    environ: Mapping[str, str],
    done: Callable[[str], None] = lambda _: None,
    *,
    with_lock: bool = True,
    choose: Callable[[Wish, Lock | None, Request, Mapping[str, str]], Choice] | None = None,
) -> Wanted:
    """Return what `request` comes to; `done` is told of each step. Without `with_lock` none is there, nor due.

    With `choose`, that has the say which Python is wanted.

    Raises MetadataError, ConfigurationError, PolicyError, InterpreterError, LockError and UsageError.
    """
    script = metadata.parse(request.block, request.name, request.directory)
    done("read the block")
    given = request.invocation.options
    configuration = config.read(environ)
    options = given.below(script.options).below(configuration.options)
    lock = _lock(request, script, options) if with_lock else None
    wish = Wish(options.value("python"), options.place("python"), script.requires_python, script.requires_python_place)
    choice = (choose or _choose)(wish, lock, request, environ)
    done("choose a Python")
    script = script.for_environment(markers.environment(choice.interpreter))
    asked = spec.collect(script, options)
    specified = spec.specify(choice.interpreter, asked, options, script, configuration.policy)
    if lock is not None:
        specified = specified._replace(lock=lock.digest)
    if with_lock:
        _demand_lock(configuration.policy, specified, options, request)
    done("compute the key")
    wanted = Wanted(request, script, configuration, options, choice, asked, specified, _max_age(options), lock)
    return wanted if lock is None or wanted.unpinned else wanted._replace(max_age=0.0)  # pip would say the same again


def _lock(request: Request, script: ScriptMetadata, options: Options) -> Lock | None:
    """Return the lock of the script, if it has one that is not stale. Raises LockError."""
    if not (script.lock or options.flag("locked") or _holds_lock(request)):
        return None
    from scriptrun.pinning import discovery  # rare, and what reads locks takes as long as half of Python's start

    lock = discovery.find(request, script)
    if options.flag("locked"):
        discovery.demand(lock, request, spec.collect(script, options))
    if lock is not None:
        discovery.refuse_stale(lock, script, request)
    return lock


def _holds_lock(request: Request) -> bool:
    """Tell whether there is a lock beside the script, or inside it."""
    inside = block.contents(request.source.content, "pylock") if request.source is not None else []
    return request.lock is not None or bool(inside)


def _choose(wish: Wish, lock: Lock | None, request: Request, environ: Mapping[str, str]) -> Choice:
    """Return the Python that is asked for, else that which the lock is for. Raises InterpreterError and LockError."""
    if lock is None:
        return interpreters.choose(wish, request.caches.own, environ)
    from scriptrun.pinning import discovery  # rare

    if not wish.requested:
        wish = wish._replace(requested=lock.target.request, by="the lock")
    try:
        choice = interpreters.choose(wish, request.caches.own, environ)
    except InterpreterError as error:
        if wish.by != "the lock":
            raise
        raise LockError(
            f"the lock is for {lock.target}, which is not on this machine",
            place=request.name,
            details=error.details,
            hint=f"install it, or make the lock anew for another one: {discovery.remedy(request, python='VERSION')}",
        ) from None
    discovery.refuse_other_python(lock, choice.interpreter, request)
    return choice


def _demand_lock(policy: Policy, specified: EnvironmentSpec, options: Options, request: Request) -> None:
    """Raise PolicyError where the policy wants a lock, and not all that is asked for is in one."""
    if not policy.require_lock:
        return
    from scriptrun.pinning import discovery  # rare

    more = [one for one in ("with", "with-requirements") if options.many(one)]
    for one in more:
        raise policy.violation("require-lock", options.place(one), f"`{one}` asks for what is in no lock")
    locked = bool(specified.lock) or not specified.requirements
    policy.check_lock(locked=locked, place=request.name, remedy=f"make one: {discovery.remedy(request)}")


def _max_age(options: Options) -> float:
    try:
        return quantities.seconds(options.value("max-age") or "0")
    except ValueError as error:
        raise UsageError(f"`{options.place('max-age')}`: {error}") from None
