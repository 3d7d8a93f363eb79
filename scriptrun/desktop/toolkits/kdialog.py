"""Windows by kdialog, which is KDE's: screen readers read them, and they scale by themselves."""

from __future__ import annotations

import html
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from scriptrun import process
from scriptrun.desktop.toolkits import bar, bus, clipboard, messages
from scriptrun.desktop.toolkits.bar import Bar
from scriptrun.desktop.toolkits.messages import Failure, Question

_YES, _NO, _CANCEL = 0, 1, 2
"""The statuses by which it says which button was pressed."""

_WATCH = 'while "$@" 2>/dev/null | grep -q false; do sleep 0.2; done'
"""Ends when the window has gone, which kdialog tells nobody: it asks again and again whether it was cancelled."""

_INTERFACE = "org.kde.kdialog.ProgressDialog"


class KDialog:
    """The program `kdialog`."""

    name = "kdialog"
    readable = True

    def works(self, environ: Mapping[str, str]) -> bool:
        """Tell whether it is there and finds a screen."""
        return bool(_program(environ)) and self._run(environ, "--version") == 0

    def tell(self, failure: Failure, environ: Mapping[str, str]) -> bool:
        """Show a failure until it is closed; False: nothing could be shown."""
        if not self.works(environ):
            return False
        if not clipboard.program(environ):
            return self._run(environ, *_titled(failure.title), "--detailederror", *map(_spelled, _parts(failure))) == 0
        labels = ("--yes-label=Details", "--no-label=Copy", "--cancel-label=Close")
        pressed = _YES
        while pressed in (_YES, _NO):
            text = _spelled(messages.fitted(failure.sentence))
            pressed = self._run(environ, *_titled(failure.title), "--warningyesnocancel", text, *labels)
            if pressed == _YES:
                self._scroll(failure.title, failure.details, environ)
            elif pressed == _NO and not clipboard.put(failure.whole, environ):
                return False
        return pressed == _CANCEL

    def ask(self, question: Question, environ: Mapping[str, str]) -> bool | None:
        """Return whether to run; None: nothing could be shown. Return presses "Show"."""
        if not self.works(environ):
            return None
        labels = ("--yes-label=Show", "--no-label=Run", "--cancel-label=Cancel")
        pressed = _YES
        while pressed == _YES:
            text = _spelled(messages.fitted(messages.summary(question)))
            pressed = self._run(environ, *_titled(question.title), "--warningyesnocancel", text, *labels)
            if pressed == _YES:
                self._scroll(question.title, messages.everything(question), environ)
        return {_NO: True, _CANCEL: False}.get(pressed)

    def progress(self, title: str, environ: Mapping[str, str]) -> Bar:
        """Start a window of progress. Raises OSError."""
        command = [_program(environ), *_titled(title), "--progressbar", _spelled(messages.preparing(title)), "0"]
        quietly = ["/bin/sh", "-c", 'exec "$@" 2>/dev/null', "sh"]  # the window, which stays, keeps its stderr
        shown = process.exchange([*quietly, *command], environ, b"")
        words = shown.output.decode().split()
        if len(words) != 2:
            raise OSError("kdialog shows no window")
        bus.call(environ, words[0], words[1], f"{_INTERFACE}.showCancelButton", True)
        asking = bus.command(environ, words[0], words[1], f"{_INTERFACE}.wasCancelled")
        watcher = process.accompany(["/bin/sh", "-c", _WATCH, "sh", *asking], environ)
        return _Bar(watcher, str.encode, title, (words[0], words[1]), environ)

    def _scroll(self, title: str, text: str, environ: Mapping[str, str]) -> None:
        """Show a long text until it is closed."""
        lines = "".join(f'<pre style="margin:0">{html.escape(line)}</pre>\n' for line in text.split("\n"))
        self._run(environ, *_titled(title), "--textbox", "-", "600", "350", given=lines)

    def _run(self, environ: Mapping[str, str], *options: str, given: str = "") -> int:
        try:
            return process.exchange([_program(environ), *options], environ, given.encode()).status
        except OSError:
            return -1


@dataclass(frozen=True)
class _Bar(Bar):
    """A window that is told of steps on the session bus, and watched by a program."""

    title: str
    place: tuple[str, str]
    environ: Mapping[str, str]

    def show(self, step: str) -> None:
        text = _spelled(messages.fitted(f"{messages.preparing(self.title)}\n{step}", 3))
        bus.call(self.environ, *self.place, f"{_INTERFACE}.setLabelText", text)

    def end(self) -> int:
        there = bus.has(self.environ, self.place[0])
        bus.call(self.environ, *self.place, f"{_INTERFACE}.close")
        self.program.end()
        return bar.CLOSED if there else bar.CANCEL


def _program(environ: Mapping[str, str]) -> str:
    return shutil.which("kdialog", path=environ.get("PATH")) or ""


def _titled(title: str) -> tuple[str, ...]:
    return (f"--title={title}",)


def _parts(failure: Failure) -> tuple[str, str]:
    return messages.fitted(failure.sentence), failure.details


def _spelled(text: str) -> str:
    """Return a text as the markup that kdialog always looks for."""
    return "<qt>" + html.escape(text).replace("\\", "&#92;").replace("\n", "<br/>") + "</qt>"
