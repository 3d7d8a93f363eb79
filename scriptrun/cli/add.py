"""`scriptrun add SCRIPT REQ…`: write requirements into the block of a script, which gets one if it has none.

With `--infer` they are those that its imports need; what can only be guessed is named, and not added: whoever registers
the name of a module that is no distribution's could have anything installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from packaging.requirements import Requirement

from scriptrun import metadata, output
from scriptrun.arguments import Invocation
from scriptrun.cli import change
from scriptrun.cli.change import Change
from scriptrun.editing import bounds, requirements
from scriptrun.errors import EditError, MetadataError, UsageError
from scriptrun.lint import infer

_USE = "scriptrun add SCRIPT REQ… [--bounds lower|major|minor|exact|none] [--infer]"


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Add requirements to a script. Raises ScriptrunError."""
    inferring = "--infer" in invocation.extra
    if len(invocation.arguments) < 2 - inferring:
        raise UsageError("`scriptrun add` takes a script, and a requirement or several", hint=_USE)
    kind = invocation.extra.get("--bounds", "lower")
    if kind not in bounds.KINDS:
        raise UsageError(f"`--bounds` is `{kind}`, which is none of {', '.join(bounds.KINDS)}", hint=_USE)
    path, *texts = invocation.arguments
    script = change.start(path, invocation.options, environ)
    text = script.block() or script.new_block()
    if inferring:
        texts += _inferred(script, with_entries(script, text, texts))
        if not texts:
            return 0
    script.keep(extend(script, text, texts, kind))
    return 0


def extend(script: Change, text: str, texts: Iterable[str], kind: str) -> str:
    """Return the block's `text` with these requirements in it; those that leave the version open get a bound.

    One for the same distribution, with the same marker, replaces the one that is there. Raises UsageError, EditError
    and InstallError, where pip cannot resolve the whole.
    """
    entries = [_checked(one) for one in texts]
    text = with_entries(script, text, entries)
    version = script.resolve(text)
    for entry in entries:
        if bounds.is_bare(entry) and version(entry):
            text = _put(text, bounds.bound(entry, version(entry), kind), script)
    return text


def with_entries(script: Change, text: str, entries: Iterable[str]) -> str:
    """Return the block's `text` with these requirements in it. Raises UsageError and EditError."""
    for entry in entries:
        text = _put(text, _checked(entry), script)
    return text


def _inferred(script: Change, text: str) -> list[str]:
    """Return distributions for what the script imports and `text` in its block does not ask for; name the guesses."""
    name, quiet = script.original.name, script.options.flag("quiet")
    try:
        proposals = infer.proposals(script.original.content, script.wanted(text), script.environ)
    except SyntaxError as error:
        place = f"{name}:{error.lineno or 1}"
        raise EditError(f"what it imports cannot be told: {error.msg}", place=place) from None
    found: dict[str, None] = {}
    for one in proposals:
        if not one.guess:
            found[one.distribution] = None
        if quiet:
            continue
        if one.guess:
            message = f"`{one.module}` is imported; that `{one.distribution}` provides it is a guess, and not added"
            output.warn(message, f"if it is right: {script.command('add', one.distribution)}", f"{name}:{one.line}")
        else:
            others = f" (also in {', '.join(one.others[:3])})" if one.others else ""
            output.note(f"{name}:{one.line}: `{one.module}` is in {one.distribution}{others}")
    if not proposals and not quiet:
        output.note(f"`{name}` imports nothing that is not provided for")
    return list(found)


def _checked(text: str) -> str:
    """Return a requirement of the command line, without blanks around it. Raises UsageError."""
    try:
        metadata.requirement(text, "")
    except MetadataError as error:
        raise UsageError(error.message, hint=error.hint) from None
    return text.strip()


def _put(text: str, entry: str, script: Change) -> str:
    entries = requirements.listed(text)
    found = [index for index, one in enumerate(entries) if requirements.same(one, entry)]
    if len(found) > 1:
        name = requirements.name(entry)
        raise UsageError(
            f"the block asks for `{name}` more than once",
            place=script.original.name,
            hint=script.command("remove", name),
        )
    if found:
        return requirements.replace(text, found[0], _in_place_of(entries[found[0]], entry, script))
    return requirements.insert(text, requirements.place(entries, entry), entry)


def _in_place_of(old: str, new: str, script: Change) -> str:
    """Return what takes the place of a requirement: the new one, with the extras of the old unless it has its own.

    Raises UsageError where a name alone would take from the index what the script takes from elsewhere.
    """
    before, after = Requirement(old), Requirement(new)
    if before.url and bounds.is_bare(new):
        name = after.name
        raise UsageError(
            f"`{name}` is taken from `{before.url}` now; the name alone would take it from the index",
            place=script.original.name,
            hint=f"remove it first, if that is meant ({script.command('remove', name)}), or write it with a bound",
        )
    if after.extras or not before.extras:
        return new
    return requirements.NAME.sub(lambda found: f"{found.group()}[{','.join(sorted(before.extras))}]", new, count=1)
