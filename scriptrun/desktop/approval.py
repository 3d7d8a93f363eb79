"""Ask before a script that came from elsewhere runs for the first time."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence

from scriptrun import demands, lockfile, source
from scriptrun.desktop import dialogs, known, sentences
from scriptrun.desktop.dialogs import Question
from scriptrun.errors import ApprovalError, Declined, ScriptrunError, escape
from scriptrun.metadata import ScriptMetadata
from scriptrun.pinning import discovery
from scriptrun.request import Request
from scriptrun.source import Source

Ask = Callable[[Question, Mapping[str, str]], bool]
"""What shows a question, and tells whether the answer is yes."""


def require(
    asked: Request,
    script: ScriptMetadata,
    reasons: Sequence[str],
    environ: Mapping[str, str],
    ask: Ask = dialogs.ask,
) -> None:
    """Return if the script may run: the user need not agree, or agrees, who is shown what it is.

    `reasons` are what speaks for it having come from elsewhere (`origin.reasons`).

    The script should start at once then: what is at its path counts. Raises Declined if the user does not agree,
    ApprovalError where nobody can be asked, or the file changes meanwhile, LockError, ScriptMissing and
    ScriptUnreadable.
    """
    program = _program(asked)
    digests = known.digests(program, asked.block, asked.lock)
    if not reasons or any(known.is_agreed(one, environ) for one in digests) or known.has_run(asked):
        return
    if not _answer(_question(program, reasons, _wants(asked, script)), program, environ, ask):
        raise Declined(f"`{program.name}` was not let run")
    if _present(program.file) != (program.content, asked.lock):
        raise ApprovalError(
            f"`{program.name}` has changed while you were asked about it", hint="open it again, and look at it again"
        )
    for digest in digests:
        known.remember(digest, environ)


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
            reason="it may come from somebody else, and no window can show it to you first; let somebody look at it "
            "who can help",
        ) from None


def _present(path: str) -> tuple[bytes, bytes | None]:
    """Return what is at a path now, and the lock beside it."""
    return source.read(path).content, lockfile.read(lockfile.beside(path)[1])


def _wants(asked: Request, script: ScriptMetadata) -> demands.Rows:
    """Return what the script wants. Raises LockError for a lock that does not count."""
    lock = discovery.find(asked, script)
    rows = demands.rows(_program(asked).content, script, () if lock is None else demands.held(lock))
    return tuple((label, sentences.python(text) if label == "python" and text else text) for label, text in rows)


def _question(program: Source, reasons: Sequence[str], wants: demands.Rows) -> Question:
    """Return what is shown of a script."""
    folder, name = os.path.split(os.path.realpath(program.file))
    shown = _without_gaps(escape(name))
    rows = (("name", shown), ("comes from", "it " + ", and ".join(reasons)), *wants, ("folder", folder))
    return Question(
        title=f"Run {shown}?",
        sentence=f"“{shown}” has not run on this computer before, and may come from somebody else. A script can do "
        "everything that you can do. Run it only if you know who made it.",
        rows=tuple((label.capitalize(), text) for label, text in demands.shown(rows)),
        source=program.content.decode("utf-8", "surrogateescape"),
    )


def _without_gaps(name: str) -> str:
    """Return a name with what looks like nothing made visible, behind which its ending might hide."""
    visible = re.sub(r"[\u115f\u1160\u2800\u3164\uffa0]", lambda found: f"\\u{ord(found[0]):04x}", name)
    return re.sub(r"\s{2,}", " … ", visible)
