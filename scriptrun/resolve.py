"""Work out which environment a request needs: metadata, options, interpreter, specification."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scriptrun import cache as caches
from scriptrun import config, expiry, interpreters, launch, markers, metadata, quantities, spec
from scriptrun.arguments import Options
from scriptrun.cache import Environment
from scriptrun.config import Configuration
from scriptrun.errors import UsageError
from scriptrun.interpreters import Choice, Wish
from scriptrun.metadata import Asked, ScriptMetadata
from scriptrun.pip import Order
from scriptrun.policy import Policy
from scriptrun.request import Request
from scriptrun.spec import EnvironmentSpec


@dataclass(frozen=True)
class Wanted:
    """What a request comes to.

    `options` are those of the command line, of variables, of the block and of the configuration together; `max_age` is
    in seconds, 0 where pip's answer counts for ever.
    """

    request: Request
    script: ScriptMetadata
    configuration: Configuration
    options: Options
    choice: Choice
    asked: tuple[Asked, ...]
    spec: EnvironmentSpec
    max_age: float

    def environment(self) -> Environment | None:
        """Return the environment if it is ready: one whose age will do, if there is one."""
        places = (self.request.caches.system, self.request.caches.own)
        found = [caches.lookup(cache, self.spec.key) for cache in places if cache]
        ready = [one for one in found if one is not None]
        return min(ready, key=lambda one: expiry.is_due(one, self.max_age), default=None)

    def order(self, environ: Mapping[str, str], show: Callable[[str], None]) -> Order:
        """Return the order for the environment; `show` is given each step."""
        return Order(
            self.spec,
            self.asked,
            self.options,
            environ,
            show,
            self.script.constraints,
            self.script.routes,
            self.configuration.policy,
        )

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
        return launch.PROVABLE if settled and not self.options.many("env-file") else launch.VALID

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
    locking: bool = False,
) -> Wanted:
    """Return what `request` comes to; `done` is told of each step. With `locking` none need have a lock: one is made.

    Raises MetadataError, ConfigurationError, PolicyError, InterpreterError and UsageError.
    """
    script = metadata.parse(request.block, request.name, request.directory)
    done("read the block")
    given = request.invocation.options
    configuration = config.read(environ)
    options = given.below(script.options).below(configuration.options)
    wish = Wish(options.value("python"), options.place("python"), script.requires_python, script.requires_python_place)
    choice = interpreters.choose(wish, request.caches.own, environ)
    done("choose a Python")
    script = script.for_environment(markers.environment(choice.interpreter))
    asked = spec.collect(script, options)
    specified = spec.specify(choice.interpreter, asked, options, script, configuration.policy)
    if not locking:
        _demand_lock(configuration.policy, specified, options, request.name)
    done("compute the key")
    return Wanted(request, script, configuration, options, choice, asked, specified, _max_age(options))


def _demand_lock(policy: Policy, specified: EnvironmentSpec, options: Options, name: str) -> None:
    """Raise PolicyError where the policy wants a lock, and not all that is asked for is in one."""
    more = [one for one in ("with", "with-requirements") if options.many(one)]
    for one in more if policy.require_lock else []:
        raise policy.violation("require-lock", options.place(one), f"`{one}` asks for what is in no lock")
    locked = bool(specified.lock) or not specified.requirements
    policy.check_lock(locked=locked, place=name, remedy="make one: scriptrun lock SCRIPT")


def _max_age(options: Options) -> float:
    try:
        return quantities.seconds(options.value("max-age") or "0")
    except ValueError as error:
        raise UsageError(f"`--max-age`: {error}") from None
