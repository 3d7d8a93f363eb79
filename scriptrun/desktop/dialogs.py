"""Tell and ask in windows, for scripts that nobody started from a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from scriptrun.desktop.toolkits import accessibility, choice, messages, notices, presenter
from scriptrun.desktop.toolkits.messages import Question as Question  # noqa: PLC0414 - offered here as well
from scriptrun.errors import ScriptrunError


def tell(title: str, sentence: str, details: str, environ: Mapping[str, str]) -> None:
    """Show that something failed: the sentence, the details behind a button, and a button that copies all.

    Waits until the window is closed. Where none can be shown, a notification names the log that has the text.
    """
    failure = messages.failure(title, sentence, details)
    if not any(toolkit.tell(failure, environ) for toolkit in _announced(failure, environ)):
        notices.leave(failure, environ)


def toolkit(environ: Mapping[str, str]) -> str:
    """Return the name of what would show windows; empty: nothing can."""
    return next((toolkit.name for toolkit in choice.usable(environ) if toolkit.works(environ)), "")


def ask(question: Question, environ: Mapping[str, str]) -> bool:
    """Return whether the user wants it to run: Run, Show (which shows the source, and comes back) or Cancel.

    Raises ScriptrunError where nothing can ask.
    """
    asked = messages.cleaned(question)
    for toolkit in choice.usable(environ):
        answer = toolkit.ask(asked, environ)
        if answer is not None:
            return answer
    raise ScriptrunError(
        "there is nothing here that could ask you in a window",
        hint="install python3-tk, zenity or kdialog, or run it from a terminal",
    )


@contextmanager
def progress(title: str, environ: Mapping[str, str]) -> Iterator[Callable[[str], None]]:
    """Show what happens in the block, if it takes longer than a moment; yield what is told of each step.

    The window is gone when the block ends, and when this process dies or becomes another program. "Cancel" there ends
    this process by SIGTERM. Nothing that happens to the window is felt here.
    """
    with presenter.present(messages.line(title), environ) as show:
        yield show


def _announced(failure: messages.Failure, environ: Mapping[str, str]) -> Iterator[choice.Toolkit]:
    """Yield toolkits, and notify of the failure before one that a screen reader in use cannot read."""
    for one in choice.usable(environ):
        if not one.readable and accessibility.is_on(environ):
            notices.announce(failure.title, failure.sentence, environ)
        yield one
