"""`scriptrun add SCRIPT REQ…`: write requirements into the block of a script, which gets one if it has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scriptrun import metadata
from scriptrun.arguments import Invocation
from scriptrun.cli import change
from scriptrun.cli.change import Change
from scriptrun.editing import bounds, requirements
from scriptrun.errors import MetadataError, UsageError

_USE = "scriptrun add SCRIPT REQ… [--bounds lower|major|minor|exact|none]"


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Add requirements to a script. Raises ScriptrunError."""
    if len(invocation.arguments) < 2:
        raise UsageError("`scriptrun add` takes a script, and a requirement or several", hint=_USE)
    kind = invocation.extra.get("--bounds", "lower")
    if kind not in bounds.KINDS:
        raise UsageError(f"`--bounds` is `{kind}`, which is none of {', '.join(bounds.KINDS)}", hint=_USE)
    path, *texts = invocation.arguments
    script = change.start(path, invocation.options, environ)
    script.keep(extend(script, script.block() or script.new_block(), texts, kind))
    return 0


def extend(script: Change, text: str, texts: Iterable[str], kind: str) -> str:
    """Return the block's `text` with these requirements in it; those that leave the version open get a bound.

    One for the same distribution, with the same marker, replaces the one that is there. Raises UsageError, EditError
    and InstallError, where pip cannot resolve the whole.
    """
    entries = [_checked(one) for one in texts]
    for entry in entries:
        text = _put(text, entry)
    version = script.resolve(text)
    for entry in entries:
        if bounds.is_bare(entry) and version(entry):
            text = _put(text, bounds.bound(entry, version(entry), kind))
    return text


def _checked(text: str) -> str:
    """Return a requirement of the command line, without blanks around it. Raises UsageError."""
    try:
        metadata.requirement(text, "")
    except MetadataError as error:
        raise UsageError(error.message, hint=error.hint) from None
    return text.strip()


def _put(text: str, entry: str) -> str:
    entries = requirements.listed(text)
    found = [index for index, one in enumerate(entries) if requirements.same(one, entry)]
    if len(found) > 1:
        name = requirements.name(entry)
        raise UsageError(f"the block asks for `{name}` more than once", hint=f"scriptrun remove SCRIPT {name}")
    if found:
        return requirements.replace(text, found[0], entry)
    return requirements.insert(text, requirements.place(entries, entry), entry)
