"""`scriptrun check SCRIPT…`: what is wrong with scripts. Nothing is run or built."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from scriptrun import arguments, output, request, source
from scriptrun.arguments import Invocation
from scriptrun.errors import ScriptrunError, ScriptUnreadable, UsageError, escape, without_credentials
from scriptrun.lint import checks, findings
from scriptrun.lint.findings import CODES, INFORMATION, Finding
from scriptrun.source import Source


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print what is found, one finding a line or with `--json` as an array. Raises UsageError.

    The status is 1 if there is anything but information. A file that cannot be checked is told on stderr, and the
    others are checked all the same; the status is then that of the last such failure.
    """
    if not invocation.arguments:
        raise UsageError("`scriptrun check` takes a script or several", hint="scriptrun check SCRIPT… [--json]")
    ignored = _ignored(invocation.extra.get("--ignore", ""))
    found: list[Finding] = []
    failed = 0
    for path in invocation.arguments:
        script = arguments.script(path, invocation.options)
        try:
            program = source.read_stdin() if script.action == "stdin" else _read(script, environ)
            found += findings.kept(checks.findings(script, program, environ), program.content, ignored)
        except ScriptrunError as error:
            output.tell(error.render())
            failed = error.status
    as_json = "--json" in invocation.extra
    output.give(json.dumps([_facts(one) for one in found], indent=2) + "\n" if as_json else _text(found))
    return failed or int(any(one.severity != INFORMATION for one in found))


def _read(script: Invocation, environ: Mapping[str, str]) -> Source:
    """Return the program at a path or a URL. Raises ScriptrunError, also for a pipe."""
    path = script.target
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):
            raise ScriptUnreadable(f"`{path}` is not an ordinary file", hint="hand it over as: scriptrun check -")
    return request.open_program(path, script.options, environ)


def _ignored(text: str) -> frozenset[str]:
    codes = frozenset(code.strip() for code in text.split(",") if code.strip())
    for code in sorted(codes - CODES.keys()):
        raise arguments.unknown("code", code, CODES)
    return codes


def _facts(finding: Finding) -> dict[str, Any]:
    """Return what `check --json` prints of a finding: its fields and its severity, without passwords."""
    facts = {**asdict(finding), "severity": finding.severity}
    return {name: without_credentials(value) if isinstance(value, str) else value for name, value in facts.items()}


def _text(found: list[Finding]) -> str:
    lines = []
    for one in found:
        remedy = f"; {one.remedy}" if one.remedy else ""
        line = f"{one.file}:{one.line}:{one.column}: {one.severity} {one.code}: {one.message}{remedy}"
        lines.append(escape(without_credentials(line)) + "\n")
    return "".join(lines)
