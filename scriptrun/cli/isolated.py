"""Run in an environment of one's own, which is removed when the run is over, without being in its way.

The script takes over this very process, so the removal is left to another one: not its child (the script may wait for
its children), with no descriptor of its, asleep until the script's process ends. A lock tells whether it lives. PID 1
of a container would adopt that process, and take it along into its end: there the script itself keeps the lock, and
the next isolated run with this cache removes the environment.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import sys
import time
from collections.abc import Callable, Mapping

from scriptrun import deletion, locks, paths, prepare, process
from scriptrun.cache import Environment
from scriptrun.cli.progress import Progress
from scriptrun.resolve import Wanted
from scriptrun.upkeep import tidying


def provide(wanted: Wanted, environ: Mapping[str, str], shown: Progress) -> Environment:
    """Build a fresh environment, and see to its removal when this process has ended. Raises ScriptrunError."""
    cache = wanted.request.caches.writable()
    directory = paths.isolated(cache)
    paths.make_directories(directory)
    tidying.remove_isolated(cache)
    path = os.path.join(directory, os.urandom(8).hex())
    lock = locks.take(f"{path}.lock", waiting=lambda: None)
    try:
        with shown:
            environment = prepare.prepare_isolated(path, wanted.order(environ, shown.show, shown.prepared), cache)
        if sys.platform == "win32":  # where this process waits for the script
            atexit.register(deletion.delete, path)
        elif process.is_init():
            if lock is not None:
                os.set_inheritable(lock, True)
        else:
            _leave_removal_to_another_process(path, lock)
    except BaseException:
        deletion.delete(path)
        os.unlink(f"{path}.lock")
        raise
    return environment


def _leave_removal_to_another_process(environment: str, lock: int | None) -> None:
    """Start a process that removes `environment` once this one, whatever program it then is, has ended."""
    wait, watched = _end_of_this_process()

    def remove() -> None:
        wait()
        deletion.delete(environment)
        os.unlink(f"{environment}.lock")

    process.detach(remove, {*watched} if lock is None else {lock, *watched})


def _end_of_this_process() -> tuple[Callable[[], object], tuple[int, ...]]:
    """Return what to call, in another process, to wait for the end of this one, and the descriptors that it needs."""
    script = os.getpid()
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(script)
            ended = select.poll()  # `select.select` takes no descriptor above 1023
            ended.register(descriptor, select.POLLIN)
            return ended.poll, (descriptor,)

    def ask_again_and_again() -> None:
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(script, 0)
                time.sleep(0.5)

    return ask_again_and_again, ()
