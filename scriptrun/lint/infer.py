"""Propose distributions for what a program imports and does not declare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from scriptrun.lint import survey
from scriptrun.lint.survey import Missing
from scriptrun.resolve import Wanted


@dataclass(frozen=True)
class Proposal:
    """A distribution for a module that is imported in a line. `others` provide it too.

    A `guess` has only the name in common with the module. Whoever makes up a name may find that somebody else has
    registered it, with anything in it: a guess is to be shown, never to be installed.
    """

    module: str
    line: int
    distribution: str
    others: tuple[str, ...]
    guess: bool


def proposals(source: bytes, wanted: Wanted, environ: Mapping[str, str]) -> tuple[Proposal, ...]:
    """Return a proposal for each module that the program `source` imports and nothing provides, sorted by module.

    What is provided, the script says that is `wanted`. Raises SyntaxError where the program cannot be parsed.
    """
    found = survey.read(source, wanted.choice.interpreter, environ)
    lacking = survey.missing(found, survey.around(wanted))
    return tuple(sorted(map(_proposal, lacking), key=lambda one: one.module))


def _proposal(lacking: Missing) -> Proposal:
    first, *others = lacking.providers or (canonicalize_name(lacking.module),)
    return Proposal(lacking.module, lacking.wanted.line, first, tuple(others), guess=not lacking.providers)
