"""Tell and ask in windows, for scripts that nobody started from a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from scriptrun import process
from scriptrun.errors import ScriptrunError


@dataclass(frozen=True)
class Question:
    """May this run? `rows` are what is known of it, each with its label; `source` is what "Show" shows."""

    title: str
    sentence: str
    rows: tuple[tuple[str, str], ...]
    source: str


def ask(question: Question, environ: Mapping[str, str]) -> bool:
    """Return whether the user wants it to run. Raises ScriptrunError where nothing can ask."""
    del environ
    raise ScriptrunError(f"there is nothing here that could ask you in a window: {question.title}")


def tell(title: str, sentence: str, details: str, environ: Mapping[str, str]) -> None:
    """Show that something failed."""
    text = f"{sentence}\n\n{details}"
    process.exchange(["zenity", "--error", "--no-markup", "--title", title, "--text", text], environ, b"")


@contextmanager
def progress(title: str, environ: Mapping[str, str]) -> Iterator[Callable[[str], None]]:
    """Show what happens in the block."""
    del title, environ
    yield lambda _line: None
