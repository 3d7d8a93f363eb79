"""Propose distributions for what a program imports and does not declare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from scriptrun.lint import survey
from scriptrun.resolve import Wanted


@dataclass(frozen=True)
class Proposal:
    """A distribution for a module. `others` provide it too.

    A `guess` has only the name in common with the module. Whoever makes up a name may find that somebody else has
    registered it, with anything in it: a guess is to be shown, never to be installed.
    """

    module: str
    distribution: str
    others: tuple[str, ...]
    guess: bool


def proposals(wanted: Wanted, environ: Mapping[str, str]) -> tuple[Proposal, ...]:
    """Return a proposal for each module that the script imports and nothing provides, sorted by module.

    Raises SyntaxError where the script cannot be parsed.
    """
    program = wanted.request.source
    if program is None:
        return ()
    found = survey.read(program.content, wanted.choice.interpreter, environ)
    lacking = survey.missing(found, survey.around(wanted))
    proposed = (_proposal(one.module, one.providers) for one in lacking)
    return tuple(sorted(proposed, key=lambda one: one.module))


def _proposal(module: str, providers: tuple[str, ...]) -> Proposal:
    if providers:
        return Proposal(module, providers[0], providers[1:], guess=False)
    return Proposal(module, canonicalize_name(module), (), guess=True)
