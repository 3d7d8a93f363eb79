"""What `doctor` finds: that something is in order, worth knowing, or in the way."""

from __future__ import annotations

from dataclasses import dataclass

from scriptrun.errors import ScriptrunError

OK, NOTE, PROBLEM = "ok", "note", "problem"


@dataclass(frozen=True)
class Finding:
    """What was found: OK, NOTE or PROBLEM, what was looked at, what is so, and what to do (`""`: nothing)."""

    level: str
    subject: str
    message: str
    remedy: str = ""


def of_error(subject: str, error: ScriptrunError, level: str = PROBLEM) -> Finding:
    """Return the finding that a failure is."""
    place = f"{error.place}: " if error.place else ""
    return Finding(level, subject, f"{place}{error.message}", error.hint)
