"""Check one script: everything that can be said of it without running it and without a network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scriptrun import block as blocks
from scriptrun import metadata, resolve
from scriptrun.arguments import Invocation
from scriptrun.block import Block
from scriptrun.errors import CacheError, InterpreterError, LockError, MetadataError, UsageError
from scriptrun.lint import declarations, launching, survey
from scriptrun.lint.findings import Finding
from scriptrun.lint.imports import Found
from scriptrun.lint.survey import Missing, Surroundings
from scriptrun.metadata import Asked, ScriptMetadata
from scriptrun.request import Request
from scriptrun.resolve import Wanted
from scriptrun.source import Source


@dataclass(frozen=True)
class _Script:
    """A script, with what it declares. `wanted` is None where no Python that is installed fits, or no cache is.

    `metadata` is None where the block is not valid: then what it declares is told as far as that can be read.
    """

    name: str
    program: Source
    block: Block | None
    metadata: ScriptMetadata | None
    declared: tuple[Asked, ...]
    wanted: Wanted | None


def findings(invocation: Invocation, program: Source, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what there is to say of a script, in any order.

    Of a file with neither a block nor scriptrun in its first line only what looks like a block is told. Raises
    ScriptrunError where the configuration forbids to say more.
    """
    name = program.name
    directory = os.path.dirname(os.path.abspath(program.file)) if program.file else os.curdir
    broken = list(declarations.findings(program.content, name, directory))
    yield from broken
    try:
        found, _ = blocks.cut(program.content, name)
    except MetadataError:
        found = None
    if found is None and not launching.is_ours(program.content):
        return
    file = "" if program.is_copy else program.file  # whether a copy can be executed does not matter
    yield from launching.findings(program.content, name, file, found)
    if found is not None and any(one.code in ("SR101", "SR201") for one in broken):
        if all(one.code != "SR101" for one in broken):
            declared = declarations.named(found, name)
            yield from _of_imports(_Script(name, program, found, None, declared, None), environ)
        return
    try:
        try:
            wanted = _wanted(invocation, program, found, environ)
        except LockError as error:
            yield Finding(name, found.first if found is not None else 1, 1, "SR501", error.message, error.hint)
            wanted = _wanted(invocation, program, found, environ, with_lock=False)
    except (MetadataError, UsageError) as error:
        yield declarations.invalid(error, name)
        return
    script = wanted.script if wanted is not None else metadata.parse(found, name, directory)
    yield from _of_imports(_Script(name, program, found, script, script.dependencies, wanted), environ)


def _wanted(
    invocation: Invocation, program: Source, found: Block | None, environ: Mapping[str, str], *, with_lock: bool = True
) -> Wanted | None:
    """Return what the script wants, None where this machine cannot tell."""
    try:
        return resolve.resolve(Request(invocation, program, found, environ), environ, with_lock=with_lock)
    except (InterpreterError, CacheError):
        return None


def _of_imports(script: _Script, environ: Mapping[str, str]) -> Iterator[Finding]:
    wanted = script.wanted
    interpreter = wanted.choice.interpreter if wanted is not None else None
    try:
        found = survey.read(script.program.content, interpreter, environ)
    except SyntaxError as error:
        python = f"Python {interpreter.version}" if interpreter is not None else "this Python"
        line, column = error.lineno or 1, max(error.offset or 1, 1)
        message = f"{python}, which the script gets, cannot parse this: {error.msg}"
        yield Finding(script.name, line, column, "SR304", message, "correct it, or ask for another Python")
        return
    if wanted is not None:
        around = survey.around(wanted)
    else:
        directory = survey.directory(script.program)
        around = Surroundings(survey.standard_library(None), directory, script.declared, None)
    for lacking in survey.missing(found, around):
        yield _undeclared(script.name, lacking)
    if script.metadata is not None and script.block is not None:
        places = declarations.requirements(script.block, script.name)
        for asked in survey.unused(found, around, script.declared):
            yield _unused(script.name, asked, around, places[script.declared.index(asked)])
    yield from _impossible(script, found)


def _undeclared(name: str, lacking: Missing) -> Finding:
    line, column = lacking.wanted.line, lacking.wanted.column
    module = f"`{lacking.module}` is imported"
    if lacking.through:
        message = f"{module}, and is there only because something declared requires `{lacking.through}`"
        return Finding(name, line, column, "SR302", message, f"declare `{lacking.through}` too")
    if not lacking.providers:
        message = f"{module}, and nothing that is declared provides it"
        return Finding(name, line, column, "SR301", message, "declare the distribution that does")
    first, *others = (f"`{one}`" for one in lacking.providers[:3])
    remedy = f"declare {first}" + (f", or one of the others that hold it ({', '.join(others)})" if others else "")
    return Finding(name, line, column, "SR301", f"{module}, and nothing that is declared provides it", remedy)


def _unused(name: str, asked: Asked, around: Surroundings, place: tuple[int, int]) -> Finding:
    known = around.installed is not None
    far = "" if known else ", as far as can be told without its environment"
    message = f"`{asked.requirement.name}` is declared, and neither imported nor named in a string{far}"
    remedy = "take it out, or write `# scriptrun: ignore[SR303]` behind it if something else needs it"
    return Finding(name, *place, "SR303", message, remedy)


def _impossible(script: _Script, found: Found) -> Iterator[Finding]:
    """Yield the imports that fail whatever is installed."""
    own = os.path.basename(script.program.file).partition(".")[0]
    for one in found.imports:
        if one.module.startswith("."):
            message = f"`{one.module}` is a relative import, and a script is in no package"
            yield Finding(script.name, one.line, one.column, "SR305", message, "import the module by its name alone")
        elif own and one.module.partition(".")[0] == own:
            message = f"`{own}` is the script itself, which has the name of the module"
            yield Finding(script.name, one.line, one.column, "SR306", message, "give the script another name")
