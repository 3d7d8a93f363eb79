"""`scriptrun config [SCRIPT]`: each setting, its value, and where that stands."""

from __future__ import annotations

import json
from collections.abc import Mapping

from scriptrun import arguments, config, metadata, output, request, settings
from scriptrun.arguments import Invocation, Options
from scriptrun.cli import table
from scriptrun.errors import UsageError


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print the settings, with a script as they are for it: a table, or with `--json` an object. Raises ScriptrunError.

    The object has `value` (true, false, text, a list of texts; null: none) and `from` for each name: the option, the
    variable, `file:line`, or `default`.
    """
    if len(invocation.arguments) > 1:
        raise UsageError("`scriptrun config` takes one script at most", hint="scriptrun config [SCRIPT] [--json]")
    configuration = config.read(environ)
    options = invocation.options
    for script in invocation.arguments:
        options = options.below(_block(script, options, environ))
    options = options.below(configuration.options)
    settings.check(options)
    found = list(settings.effective(options, configuration, environ))
    if "--json" in invocation.extra:
        facts = {one.name: {"value": one.value, "from": one.place} for one in found}
        output.give(json.dumps(facts, indent=2) + "\n")
    else:
        rows = [
            (one.name, "[]" if one.value == [] and one.place != "default" else _text(one.value), one.place)
            for one in found
        ]
        output.give(table.lay_out(("setting", "value", "from"), rows, (1, 2)))
    if not invocation.options.below(configuration.options).flag("quiet"):
        for warning in configuration.warnings:
            output.warn(warning.message, warning.remedy, warning.place)
    return 0


def _block(script: str, options: Options, environ: Mapping[str, str]) -> Options:
    """Return the options that stand in the block of a script."""
    asked = request.read(arguments.script(script, options), environ)
    return metadata.parse(asked.block, asked.name, asked.directory).options


def _text(value: settings.Value) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else value or "none"
