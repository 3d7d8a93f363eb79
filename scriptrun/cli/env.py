"""`scriptrun env SCRIPT`: which environment a script has, and what is in it. Nothing is built."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from scriptrun import arguments, output, paths, request, resolve
from scriptrun.arguments import Invocation
from scriptrun.errors import UsageError, escape, without_credentials
from scriptrun.resolve import Wanted


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print the environment of a script, as text or with `--json` as an object. Raises ScriptrunError."""
    if len(invocation.arguments) != 1:
        raise UsageError("`scriptrun env` takes one script", hint="scriptrun env SCRIPT [--json]")
    script = arguments.script(invocation.arguments[0], invocation.options)
    facts = describe(resolve.resolve(request.read(script, environ), environ))
    output.give(json.dumps(facts, indent=2) + "\n" if "--json" in invocation.extra else _text(facts))
    return 0


def describe(wanted: Wanted) -> dict[str, Any]:
    """Return what `env --json` prints.

    `script` (absolute path, `-` for standard input), `key`, `ready`, `environment` and `python` (absolute paths; null
    until ready, never `""`), `base_python` (path and version), `requires_python` (`""`: any), `requirements`
    (canonical, sorted), `distributions` (each with name, version, hash, origin; empty until ready).
    """
    source = wanted.request.source
    environment = wanted.environment()
    interpreter = wanted.choice.interpreter
    return {
        "script": os.path.abspath(source.file) if source is not None and source.file else "-",
        "key": wanted.spec.key,
        "ready": environment is not None,
        "environment": environment.path if environment else None,
        "python": paths.python(environment.path) if environment else None,
        "base_python": {"path": interpreter.path, "version": interpreter.version},
        "requires_python": str(wanted.script.requires_python),
        "requirements": [without_credentials(text) for text in wanted.spec.requirements],
        "distributions": environment.distributions if environment else [],
    }


def _text(facts: Mapping[str, Any]) -> str:
    rows = [
        ("script", facts["script"]),
        ("key", facts["key"]),
        ("environment", facts["environment"] or "not ready: the first run prepares it"),
        ("python", f"{facts['python'] or facts['base_python']['path']} ({facts['base_python']['version']})"),
        ("requirements", ", ".join(facts["requirements"]) or "none"),
        ("distributions", ", ".join(f"{one['name']} {one['version']}" for one in facts["distributions"]) or "none"),
    ]
    return "".join(f"{name + ':':<15}{escape(value)}\n" for name, value in rows)
