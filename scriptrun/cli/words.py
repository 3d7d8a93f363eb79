"""The word that follows some commands and says what they do, such as `scriptrun cache list`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scriptrun import arguments
from scriptrun.arguments import Invocation
from scriptrun.errors import UsageError


@dataclass(frozen=True)
class Word:
    """What may follow a word: these options, and `more` words; one that is `hidden` is for scriptrun itself."""

    options: frozenset[str] = frozenset()
    more: bool = False
    hidden: bool = False


def chosen(command: str, words: Mapping[str, Word], invocation: Invocation) -> str:
    """Return the word that follows `command`, one of `words`. Raises UsageError, also for what may not follow it."""
    known = [name for name, word in words.items() if not word.hidden]
    if not invocation.arguments:
        raise UsageError(f"`scriptrun {command}` takes a word more", hint=f"one of: {', '.join(known)}")
    name, *rest = invocation.arguments
    if name not in words:
        raise arguments.unknown("command", f"{command} {name}", [f"{command} {one}" for one in known])
    full = f"scriptrun {command} {name}"
    if rest and not words[name].more:
        raise UsageError(f"`{full}` takes no `{rest[0]}`", hint="`scriptrun --help` shows its form")
    for option in invocation.extra:
        if option not in words[name].options:
            raise UsageError(f"`{full}` has no option `{option}`", hint="`scriptrun --help` shows them")
    return name
