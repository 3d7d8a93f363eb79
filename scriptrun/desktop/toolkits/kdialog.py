"""Windows by kdialog, which is KDE's: screen readers read them, and they scale by themselves."""

from __future__ import annotations

import html
import os
import select
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass

from scriptrun import process
from scriptrun.desktop.toolkits import bar, bus, clipboard, messages
from scriptrun.desktop.toolkits.bar import Bar
from scriptrun.desktop.toolkits.messages import Failure, Question

_YES, _NO, _CANCEL = 0, 1, 2
"""The statuses by which it says which button was pressed."""

_HELPER = "kdialog_progress_helper"
"""What kdialog starts for a window of progress, and leaves alone: started here, it says by its status how it ended."""

_KEEPER = '"$@" >/dev/null & echo $!; wait $!'
"""Says the number of the helper, and has its output open as long as it lives: the helper closes its own."""

_CANCELLED = 1
"""The status of the helper when its window was cancelled or closed."""

_CLASS = {"RESOURCE_NAME": "scriptrun"}
"""By this Qt calls its windows, for what groups and places windows."""

_INTERFACE = "org.kde.kdialog.ProgressDialog"

_LIMIT = 20
"""After how many seconds a window that is not on the bus is given up."""


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
        helper = shutil.which(_HELPER, path=environ.get("PATH"))
        if not helper or not bus.has(environ, "org.freedesktop.DBus"):
            raise OSError("kdialog shows no window that can be told of steps")
        command = [helper, "--progressbar", _spelled(messages.preparing(title)), "--title", title, "0"]
        program = process.accompany(["/bin/sh", "-c", _KEEPER, "sh", *command], {**environ, **_CLASS})
        number = os.read(program.ending, 100).decode().strip()
        window = _Bar(program, str.encode, title, f"org.kde.kdialog-{number}", environ)
        window.open()
        return window

    def _scroll(self, title: str, text: str, environ: Mapping[str, str]) -> None:
        """Show a long text until it is closed."""
        lines = "".join(f'<pre style="margin:0">{html.escape(line)}</pre>\n' for line in text.split("\n"))
        self._run(environ, *_titled(title), "--textbox", "-", "600", "350", given=lines)

    def _run(self, environ: Mapping[str, str], *options: str, given: str = "") -> int:
        try:
            return process.exchange([_program(environ), *options], {**environ, **_CLASS}, given.encode()).status
        except OSError:
            return -1


@dataclass(frozen=True)
class _Bar(Bar):
    """A window that is told of steps on the session bus, where it has a name."""

    title: str
    name: str
    environ: Mapping[str, str]

    def open(self) -> None:
        """Wait until the window is there. Raises OSError."""
        give_up = time.monotonic() + _LIMIT
        while not bus.has(self.environ, self.name):
            if select.select([self.ending], [], [], 0.05)[0] or time.monotonic() > give_up:
                self.program.end()
                raise OSError("kdialog shows no window")
        self._call("showCancelButton", True)

    def show(self, step: str) -> None:
        self._call("setLabelText", _spelled(messages.fitted(f"{messages.preparing(self.title)}\n{step}", 3)))

    def end(self) -> int:
        self._call("close")
        status = self.program.end()
        return bar.CANCEL if status == _CANCELLED else status

    def _call(self, method: str, *arguments: str | bool) -> None:
        bus.call(self.environ, self.name, "/ProgressDialog", f"{_INTERFACE}.{method}", *arguments)


def _program(environ: Mapping[str, str]) -> str:
    return shutil.which("kdialog", path=environ.get("PATH")) or ""


def _titled(title: str) -> tuple[str, ...]:
    return (f"--title={title}",)


def _parts(failure: Failure) -> tuple[str, str]:
    return messages.fitted(failure.sentence), failure.details


def _spelled(text: str) -> str:
    """Return a text as the markup that kdialog always looks for."""
    return "<qt>" + html.escape(text).replace("\\", "&#92;").replace("\n", "<br/>") + "</qt>"
