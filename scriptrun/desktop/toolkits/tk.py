"""Windows by Tk, through any Python here that has it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from scriptrun import interpreters, process
from scriptrun.desktop.toolkits import bar, messages
from scriptrun.desktop.toolkits.bar import Bar
from scriptrun.desktop.toolkits.messages import Failure, Question

_PROGRAM = os.path.join(os.path.dirname(__file__), "window.py")


@dataclass(frozen=True)
class Tk:
    """The Tk of one Python, which runs `window.py`."""

    python: str
    readable = False

    @property
    def name(self) -> str:
        """What it is called."""
        return f"Tk ({self.python})"

    def works(self, environ: Mapping[str, str]) -> bool:
        """Tell whether it is there and finds a screen."""
        return self._show("probe", {"title": ""}, environ) == bar.CLOSED

    def tell(self, failure: Failure, environ: Mapping[str, str]) -> bool:
        """Show a failure until it is closed; False: nothing could be shown."""
        return self._show("failure", {**asdict(failure), "whole": failure.whole}, environ) == bar.CLOSED

    def ask(self, question: Question, environ: Mapping[str, str]) -> bool | None:
        """Return whether to run; None: nothing could be shown."""
        known = {"rows": messages.rows(question)}
        status = self._show("question", {**asdict(question), **known}, environ)
        return {bar.RUN: True, bar.CANCEL: False}.get(status)

    def progress(self, title: str, environ: Mapping[str, str]) -> Bar:
        """Start a window of progress. Raises OSError."""
        window = Bar(process.accompany(self._command(), environ), lambda step: f"{step}\n".encode())
        window.program.say(_told("progress", {"title": title, "sentence": messages.preparing(title)}))
        return window

    def _show(self, kind: str, texts: Mapping[str, object], environ: Mapping[str, str]) -> int:
        try:
            return process.exchange(self._command(), environ, _told(kind, texts)).status
        except OSError:
            return -1

    def _command(self) -> list[str]:
        return [self.python, "-I", _PROGRAM]


def found(environ: Mapping[str, str]) -> Iterator[Tk]:
    """Yield Tk by scriptrun's own Python, then by the others that PATH and the usual directories have."""
    directories = [*environ.get("PATH", "").split(os.pathsep), *interpreters.USUAL_DIRECTORIES]
    seen = set()
    for python in (sys.executable, *(os.path.join(directory, "python3") for directory in directories)):
        real = os.path.realpath(python)
        if os.path.isabs(python) and os.access(python, os.X_OK) and real not in seen:
            seen.add(real)
            yield Tk(python)


def _told(kind: str, texts: Mapping[str, object]) -> bytes:
    return json.dumps({"kind": kind, **texts}).encode() + b"\n"
