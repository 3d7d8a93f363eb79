"""`scriptrun upgrade SCRIPT [NAME…]`: raise the bounds of requirements to what pip chooses now."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.requirements import Requirement

from scriptrun.arguments import Invocation
from scriptrun.cli import change
from scriptrun.cli.change import Change
from scriptrun.editing import bounds, requirements
from scriptrun.errors import UsageError


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Raise the bounds of all requirements of a script, or of those named. Raises ScriptrunError."""
    if not invocation.arguments:
        raise UsageError("`scriptrun upgrade` takes a script", hint="scriptrun upgrade SCRIPT [NAME…]")
    path, *names = invocation.arguments
    script = change.start(path, invocation.options, environ)
    text, indices = change.indexed(script, names)
    script.keep(raised(script, text, indices))
    return 0


def raised(script: Change, text: str, indices: set[int]) -> str:
    """Return the block's `text` with the bounds of the requirements with these numbers raised.

    One for which pip would choose less than it says now stays as it is. Raises InstallError and EditError.
    """
    entries = requirements.listed(text)
    indices = {index for index in indices if not Requirement(entries[index]).url}
    while True:
        loose = text
        for index in indices:
            loose = requirements.replace(loose, index, bounds.loosen(entries[index]))
        version = script.resolve(loose)
        indices = {index for index in indices if version(entries[index])}
        low = {index for index in indices if not bounds.allows(entries[index], version(entries[index]))}
        if not low:
            break
        indices -= low
    for index in indices:
        text = requirements.replace(text, index, bounds.raise_to(entries[index], version(entries[index])))
    return text
