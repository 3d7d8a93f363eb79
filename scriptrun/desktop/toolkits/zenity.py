"""Windows by zenity, which is GTK: screen readers read them, and they scale by themselves."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from scriptrun import process
from scriptrun.desktop.toolkits import bar, clipboard, messages
from scriptrun.desktop.toolkits.bar import Bar
from scriptrun.desktop.toolkits.messages import Failure, Question
from scriptrun.process import Exchanged

_STATUSES = {
    "ZENITY_OK": str(bar.RUN),
    "ZENITY_CANCEL": str(bar.CANCEL),
    "ZENITY_ESC": str(bar.CANCEL),
}
"""Versions differ in the status of an additional button, the label of which is on stdout."""

_SCROLLED = ("--text-info", "--width=600", "--height=350", "--font=monospace 10")
"""Small enough for a screen of 1280x800 at 200 %."""


class Zenity:
    """The program `zenity`, of GTK 3 or 4."""

    name = "zenity"
    readable = True

    def works(self, environ: Mapping[str, str]) -> bool:
        """Tell whether it is there and finds a screen."""
        return bool(self._version(environ))

    def tell(self, failure: Failure, environ: Mapping[str, str]) -> bool:
        """Show a failure until it is closed; False: nothing could be shown."""
        buttons = ["--ok-label=Close"]
        buttons += ["--extra-button=Details"] if failure.details else []
        buttons += ["--extra-button=Copy"] if clipboard.program(environ) else []
        while True:
            shown = self._label("--error", failure.title, failure.sentence, buttons, environ)
            pressed = shown.output.strip()
            if pressed == b"Copy":
                clipboard.put(failure.whole, environ)
            elif pressed == b"Details":
                if self._scroll(failure.title, failure.details, "Close", environ) != bar.RUN:
                    return True
            else:
                return shown.status in (bar.RUN, bar.CANCEL)

    def ask(self, question: Question, environ: Mapping[str, str]) -> bool | None:
        """Return whether to run; None: nothing could be shown."""
        buttons = ["--ok-label=Run", "--cancel-label=Cancel", "--default-cancel", "--extra-button=Show"]
        while True:
            shown = self._label("--question", question.title, messages.summary(question), buttons, environ)
            if shown.output.strip() != b"Show":
                return {bar.RUN: True, bar.CANCEL: False}.get(shown.status)
            if self._scroll(question.title, messages.everything(question), "Cancel", environ) != bar.RUN:
                return False

    def progress(self, title: str, environ: Mapping[str, str]) -> Bar:
        """Start a window of progress. Raises OSError."""
        options = ["--progress", "--pulsate", "--auto-close", "--width=420", f"--title={title}", *self._named(environ)]
        command = [_program(environ), *options, f"--text={_spelled(messages.preparing(title))}"]
        return Bar(process.accompany(command, {**environ, **_STATUSES, "ZENITY_OK": str(bar.CLOSED)}), _step)

    def _label(self, kind: str, title: str, text: str, buttons: list[str], environ: Mapping[str, str]) -> Exchanged:
        options = ["--no-markup", "--no-wrap", f"--title={title}", f"--text={messages.fitted(text)}"]
        return self._run(environ, kind, *options, *self._named(environ), *buttons)

    def _scroll(self, title: str, text: str, cancel: str, environ: Mapping[str, str]) -> int:
        """Show a long text until "Back" or `cancel` is pressed, and return the status."""
        options = [*_SCROLLED, f"--title={title}", "--ok-label=Back", f"--cancel-label={cancel}"]
        return self._run(environ, *options, *self._named(environ), given=text).status

    def _named(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        """Return options by which windows are scriptrun's, for what groups and places windows; version 4 has none."""
        return ("--name=scriptrun", "--class=scriptrun") if self._version(environ).startswith(b"3.") else ()

    def _version(self, environ: Mapping[str, str]) -> bytes:
        finished = self._run(environ, "--version")
        return finished.output if finished.status == 0 else b""

    def _run(self, environ: Mapping[str, str], *options: str, given: str = "") -> Exchanged:
        try:
            return process.exchange([_program(environ), *options], {**environ, **_STATUSES}, given.encode())
        except OSError:
            return Exchanged(-1, b"", "")


def _program(environ: Mapping[str, str]) -> str:
    return shutil.which("zenity", path=environ.get("PATH")) or ""


def _spelled(text: str) -> str:
    r"""Return a text as zenity wants it: `\n` in it would be the end of a line."""
    return text.replace("\\", "\\\\")


def _step(text: str) -> bytes:
    return f"# {_spelled(messages.fitted(text, 2))}\n".encode()
