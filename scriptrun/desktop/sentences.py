"""Say in one sentence, to somebody who does not program, why a script does not run."""

from __future__ import annotations

from scriptrun.errors import ScriptrunError, escape


def of_error(error: ScriptrunError, name: str) -> str:
    """Return the sentence for a failure to start the script `name`."""
    return f"“{escape(name)}” cannot start: {error.message}."


NO_TERMINAL = "looked for: $TERMINAL, xdg-terminal-exec, x-terminal-emulator, and those of the usual desktops"


def of_no_terminal(name: str) -> str:
    """Return the sentence for a script that wants a terminal where there is none."""
    return f"“{escape(name)}” cannot start because there is no program for a terminal."


def of_end(status: int, written: str, name: str) -> str:
    """Return the sentence for a script that ended with `status` when it had `written` that."""
    del written
    return f"“{escape(name)}” has failed, with exit status {status}."
