"""What windows say, whichever toolkit shows it: nothing but text, without characters that control anything."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from scriptrun.errors import escape


@dataclass(frozen=True)
class Failure:
    """Something went wrong: a `sentence` for everybody, `details` for somebody who can help."""

    title: str
    sentence: str
    details: str

    @property
    def whole(self) -> str:
        """What is copied."""
        return "\n\n".join(part for part in (self.title, self.sentence, self.details) if part)


@dataclass(frozen=True)
class Question:
    """May this run? `rows` are what is known of it, each with its label; `source` is what "Show" shows."""

    title: str
    sentence: str
    rows: tuple[tuple[str, str], ...]
    source: str


def plain(text: str) -> str:
    """Return a text of several lines without characters that control anything."""
    return "\n".join(escape(line) for line in text.replace("\r\n", "\n").split("\n"))


def line(text: str) -> str:
    """Return a text as one line."""
    return escape(" ".join(text.split()))


def failure(title: str, sentence: str, details: str) -> Failure:
    """Return a failure whose texts can be shown."""
    return Failure(line(title), plain(sentence.strip()), plain(details.strip("\n")))


def cleaned(question: Question) -> Question:
    """Return a question whose texts can be shown."""
    rows = tuple((line(label), plain(text)) for label, text in question.rows)
    return Question(line(question.title), plain(question.sentence.strip()), rows, plain(question.source))


def preparing(title: str) -> str:
    """Return what a window of progress is about, for whatever has this title."""
    return f"Preparing {title}"


def rows(question: Question) -> str:
    """Return what is known of what is asked about, a line for each part."""
    return "\n".join(f"{label}: {text}" for label, text in question.rows)


def summary(question: Question) -> str:
    """Return what is asked, with what is known."""
    return f"{question.sentence}\n\n{rows(question)}".rstrip()


def everything(question: Question) -> str:
    """Return that with what may run."""
    return f"{summary(question)}\n\n{question.source}"


def fitted(text: str, lines: int = 20) -> str:
    """Return a text that fits into a window that cannot be scrolled: what is too much for it is cut off."""
    wrapped: list[str] = []
    for one in text.split("\n"):
        wrapped += textwrap.wrap(one, 70, replace_whitespace=False, break_on_hyphens=False) or [""]
    return "\n".join(wrapped if len(wrapped) <= lines else [*wrapped[: lines - 1], "…"])
