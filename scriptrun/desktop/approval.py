"""Ask before a script that came from elsewhere runs for the first time."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping

from scriptrun import demands, lockfile, source
from scriptrun.desktop import dialogs, known, origin, sentences
from scriptrun.desktop.dialogs import Question
from scriptrun.errors import ApprovalError, Declined, ScriptrunError, escape
from scriptrun.metadata import ScriptMetadata
from scriptrun.pinning import discovery
from scriptrun.request import Request
from scriptrun.source import Source

Ask = Callable[[Question, Mapping[str, str]], bool]
"""What shows a question, and tells whether the answer is yes."""


def require(asked: Request, script: ScriptMetadata, environ: Mapping[str, str], ask: Ask = dialogs.ask) -> None:
    """Return if the script may run: the user need not agree, or agrees, who is shown what it is.

    The script should start at once then: what is at its path counts. Raises Declined if the user does not agree,
    ApprovalError where nobody can be asked, or the file changes meanwhile, LockError, ScriptMissing and
    ScriptUnreadable.
    """
    program, reasons = _program(asked), _reasons(asked, environ)
    if not reasons:
        return
    if not _answer(_question(program, reasons, _wants(asked, script)), program, environ, ask):
        raise Declined(f"`{program.name}` was not let run")
    digest = known.digest(program.content, asked.lock)
    if _present(program.file) != digest:
        raise ApprovalError(
            f"`{program.name}` has changed while you were asked about it", hint="open it again, and look at it again"
        )
    known.remember(digest, environ)


def _reasons(asked: Request, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return why the user must agree, nothing where they need not."""
    program = _program(asked)
    if known.is_agreed(known.digest(program.content, asked.lock), environ) or known.has_run(asked):
        return ()
    return origin.reasons(program.file, environ)


def _program(asked: Request) -> Source:
    """Return what is to run. Raises ApprovalError for what can be read only once."""
    if asked.source is None or not asked.source.file:
        raise ApprovalError(f"`{asked.name}` is no ordinary file")
    return asked.source


def _answer(asked: Question, program: Source, environ: Mapping[str, str], ask: Ask) -> bool:
    """Return what the user says. Raises ApprovalError where nobody can be asked."""
    try:
        return ask(asked, environ)
    except ScriptrunError as error:
        line = shlex.join(["scriptrun", os.path.abspath(program.file)])
        raise ApprovalError(
            f"`{program.name}` came from elsewhere and has not run here before, and no window can ask about it",
            details=error.message,
            hint=f"to run it all the same, type in a terminal: {line}",
        ) from None


def _present(path: str) -> str:
    """Return the hash of what is at a path now."""
    return known.digest(source.read(path).content, lockfile.read(lockfile.beside(path)[1]))


def _wants(asked: Request, script: ScriptMetadata) -> demands.Rows:
    """Return what the script wants. Raises LockError for a lock that does not count."""
    lock = discovery.find(asked, script)
    rows = demands.rows(_program(asked).content, script, () if lock is None else demands.held(lock))
    return tuple((label, sentences.python(text) if label == "python" and text else text) for label, text in rows)


def _question(program: Source, reasons: tuple[str, ...], wants: demands.Rows) -> Question:
    """Return what is shown of a script."""
    folder, name = os.path.split(os.path.realpath(program.file))
    shown = escape(name)
    rows = (("name", name), ("comes from", "it " + ", and ".join(reasons)), *wants, ("folder", folder))
    return Question(
        title=f"Run {shown}?",
        sentence=f"“{shown}” has not run on this computer before, and may come from somebody else. A script can do "
        "everything that you can do. Run it only if you know who made it.",
        rows=tuple((label.capitalize(), text) for label, text in demands.shown(rows)),
        source=program.content.decode("utf-8", "surrogateescape"),
    )
