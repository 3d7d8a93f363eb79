"""Tell and ask in windows, for scripts that nobody started from a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from scriptrun import process


def tell(title: str, sentence: str, details: str, environ: Mapping[str, str]) -> None:
    """Show that something failed."""
    text = f"{sentence}\n\n{details}"
    process.exchange(["zenity", "--error", "--no-markup", "--title", title, "--text", text], environ, b"")


@contextmanager
def progress(title: str, environ: Mapping[str, str]) -> Iterator[Callable[[str], None]]:
    """Show what happens in the block."""
    del title, environ
    yield lambda _line: None
