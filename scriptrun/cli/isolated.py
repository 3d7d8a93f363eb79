"""Run in an environment of one's own, which is removed when the run is over, without being in its way.

The script takes over this very process, so the removal is left to another one: not its child (the script may wait for
its children), with no descriptor of its, asleep until the script's process ends. A lock tells whether it lives.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import shutil
import sys
import time
from collections.abc import Callable, Mapping

from scriptrun import paths, prepare
from scriptrun.cache import Environment
from scriptrun.cli.progress import Progress
from scriptrun.pip import Order
from scriptrun.resolve import Wanted


def provide(wanted: Wanted, environ: Mapping[str, str]) -> Environment:
    """Build a fresh environment, and see to its removal when this process has ended. Raises ScriptrunError."""
    directory = paths.isolated(wanted.request.caches.writable())
    paths.make_directories(directory)
    _remove_leavings(directory)
    path = os.path.join(directory, os.urandom(8).hex())
    lock = _hold(f"{path}.lock")
    try:
        with Progress(wanted.options) as progress:
            order = Order(wanted.spec, wanted.asked, wanted.options, environ, progress.show)
            environment = prepare.prepare_isolated(path, order, wanted.request.caches.writable())
    except BaseException:
        os.unlink(f"{path}.lock")
        raise
    if sys.platform == "win32":  # where this process waits for the script
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    else:
        _leave_removal_to_another_process(path, lock)
    return environment


def _hold(path: str) -> int:
    """Make a file whose lock says that somebody cares for the environment beside it, and hold that lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.chmod(path, 0o600)  # whatever the umask took away
    _try_lock(descriptor)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _remove_leavings(directory: str) -> None:
    """Remove the environments that nobody cares for any more: their process was killed, or the machine went down."""
    for name in os.listdir(directory):
        if not name.endswith(".lock"):
            continue
        path = os.path.join(directory, name)
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                if _try_lock(descriptor):
                    shutil.rmtree(path.removesuffix(".lock"), ignore_errors=True)
                    os.unlink(path)
            finally:
                os.close(descriptor)


def _leave_removal_to_another_process(environment: str, lock: int) -> None:
    """Start a process that removes `environment` once this one, whatever program it then is, has ended."""
    wait, watched = _end_of_this_process()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            os.chdir("/")
            _close_all_but({lock, *watched})
            wait()
            shutil.rmtree(environment, ignore_errors=True)
            os.unlink(f"{environment}.lock")
    finally:
        os._exit(0)


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


def _close_all_but(kept: set[int]) -> None:
    low = 0
    for descriptor in sorted(kept):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, max(low, min(os.sysconf("SC_OPEN_MAX"), 1 << 20)))
