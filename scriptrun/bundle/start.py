"""Start the script of a bundle: in the environment that is known for it, or in one that is made from the bundle now.

Imported at each start of a bundle, so it imports next to nothing until an environment has to be made.
"""

import os
import sys

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

from scriptrun import launch, location, paths
from scriptrun.location import Caches

MODE = "SCRIPTRUN_BUNDLE"
"""The variable that says what a bundle does; it is not for the script."""

RUN, SYNC, PYTHON = "", "sync", "python"
"""Run the script; make its environment and print where that is; be the environment's Python."""


_ITSELF = "/proc/self/exe"
"""The program that runs, on Linux: Python does not know that where PATH is missing, or its name is another."""


class Bundle:
    """The file of a bundle, the digest of what is in it, and the name and size of its script."""

    __slots__ = ("identity", "path", "script", "size")

    def __init__(self, path: str, identity: str, script: str, size: int) -> None:
        self.path = path
        self.identity = identity
        self.script = script
        self.size = size

    @property
    def question(self) -> bytes:
        """All that decides which environment is wanted: the bundle, and the Python that this is."""
        own = (self.identity, sys.version, os.path.realpath(sys.executable or _ITSELF))
        return repr(own).encode("utf-8", "backslashreplace")

    def place(self, cache: str) -> str:
        """Return where in a cache the script is."""
        return os.path.join(paths.bundle(cache, self.identity), self.script)

    def is_in(self, cache: str) -> bool:
        """Note the use of the script in a cache, and tell whether it is there."""
        script = self.place(cache)
        try:
            if not cache or os.stat(script).st_size != self.size:
                return False
        except OSError:
            return False
        try:
            os.utime(os.path.dirname(script))
        except OSError:  # a cache that is read-only, or somebody else's
            pass
        return True


def main(path: str, identity: str, script: str, size: int) -> int:
    """Do what is asked of a bundle, see `Bundle`; return the exit status, unless this became the script."""
    from scriptrun.errors import ScriptrunError

    bundle = Bundle(path, identity, script, size)
    try:
        return _do(bundle, os.environ)
    except ScriptrunError as error:
        failure = error
    except OSError as error:
        from scriptrun import refusals  # takes a third of a Python start

        failure = refusals.explain("the operating system refused something", error, "")
    except KeyboardInterrupt:
        return 130
    from scriptrun import output

    output.tell(failure.render())
    return failure.status


def _do(bundle: Bundle, environ: "Mapping[str, str]") -> int:
    mode = environ.get(MODE, RUN)
    if mode not in (RUN, SYNC, PYTHON):
        from scriptrun.errors import UsageError

        raise UsageError(f"{MODE} is `{mode}`", hint=f"it may be `{SYNC}` or `{PYTHON}`, or not be set at all")
    caches = location.find(environ)
    environment, script = _recall(bundle, caches) if mode != SYNC else ("", "")
    if not environment:
        from scriptrun.bundle import unpacking

        environment, script = unpacking.provide(bundle, caches, environ, compiled=mode == SYNC, runs=mode == RUN)
    if mode == SYNC:
        from scriptrun import output

        output.give(f"{environment}\n")
        return 0
    return _become(environment, [] if mode == PYTHON else [script], environ)


def _become(environment: str, program: "list[str]", environ: "Mapping[str, str]") -> "NoReturn":
    variables = {name: value for name, value in environ.items() if name != MODE}
    launch.become(environment, [*_flags(), *program, *sys.argv[1:]], variables)


def _recall(bundle: Bundle, caches: Caches) -> "tuple[str, str]":
    """Return the environment, claimed, and the script, where both are known to be there; else `""` for both."""
    asked, both = bundle.question, (caches.system, caches.own)
    for cache in both:
        if bundle.is_in(cache):
            answer = launch.recall(cache, asked, both)
            if answer is not None:
                return answer.environment, bundle.place(cache)
    return "", ""


def _flags() -> "list[str]":
    """Return the flags that Python was started with before the name of the bundle, as `-u`."""
    words = sys.orig_argv
    named = len(words) - len(sys.argv)
    flags = words[1:named] if named > 0 and words[named] == sys.argv[0] else []
    return flags[:-1] if flags[-1:] == ["--"] else flags
