"""The window of progress, shown by a process of its own: what happens to it is not felt where work is done."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from scriptrun import process
from scriptrun.desktop.toolkits import bar, choice, messages
from scriptrun.desktop.toolkits.choice import Toolkit

PATIENCE = 0.5
"""How long work may take before a window says so, in seconds."""


@contextmanager
def present(title: str, environ: Mapping[str, str]) -> Iterator[Callable[[str], None]]:
    """Show in a window what happens in the block; yield what is told of each step.

    The other process lives as long as the pipe between both. Nothing here waits for it.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    worker = os.getpid()
    with open(writing, "wb", buffering=0) as pipe:

        def show(step: str) -> None:
            with contextlib.suppress(OSError):  # nobody reads any more; who reads too slowly misses a step
                pipe.write(messages.line(step)[:500].encode("utf-8", "replace") + b"\n")

        with contextlib.suppress(OSError):
            process.detach(lambda: _Supervisor(title, environ, reading, worker).work(), kept=(reading,))
        os.close(reading)
        yield show


class _Supervisor:
    """What waits beside the work, shows a window when that takes long, and ends with it."""

    def __init__(self, title: str, environ: Mapping[str, str], pipe: int, worker: int) -> None:
        self._title, self._environ, self._pipe, self._worker = title, environ, pipe, worker
        self._step, self._rest = "", b""

    def work(self) -> None:
        """Do all that, and return when the work has ended, or nothing can be shown."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        due = time.monotonic() + PATIENCE
        while (left := due - time.monotonic()) > 0:
            if select.select([self._pipe], [], [], left)[0] and not self._read():
                return
        for toolkit in choice.usable(self._environ):
            with contextlib.suppress(OSError):
                if self._accompany(toolkit):
                    return

    def _accompany(self, toolkit: Toolkit) -> bool:
        """Show a window until the work ends; return False if it failed."""
        window = toolkit.progress(self._title, self._environ)
        try:
            window.show(self._step)
            while True:
                ready = select.select([self._pipe, window.ending], [], [])[0]
                if self._pipe in ready:
                    if not self._read():
                        return True
                    window.show(self._step)
                if window.ending in ready:
                    break
        finally:
            status = window.end()
        if status != bar.CANCEL:
            return False
        if not select.select([self._pipe], [], [], 0)[0] or self._read():
            os.kill(self._worker, signal.SIGTERM)
        return True

    def _read(self) -> bool:
        """Read what has been told, and return whether more may come."""
        chunk = os.read(self._pipe, 1 << 16)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if lines:
            self._step = lines[-1].decode("utf-8", "replace")
        return bool(chunk)
