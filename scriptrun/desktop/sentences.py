"""Say in one sentence, to somebody who does not program, why a script does not run.

What it says of the script follows its name: “report.py” cannot start because …
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from scriptrun import errors, pip_messages
from scriptrun.cache import WaitedInVain
from scriptrun.errors import InstallError, InterpreterError, ScriptrunError, escape

_AUTHOR = "whoever wrote it can correct that"
_ADMINISTRATOR = "whoever looks after this computer can help"
_AGAIN = "open it again, or let somebody look at it who can help"
_RETRY = "try again later"

CAUSES: dict[type[ScriptrunError], str] = {
    errors.UsageError: f"something that it, or this computer, is set to is not valid; {_ADMINISTRATOR}",
    errors.MetadataError: f"there is a mistake in it{{line}}; {_AUTHOR}",
    errors.ConfigurationError: f"there is a mistake in scriptrun's settings on this computer; {_ADMINISTRATOR}",
    errors.PolicyError: f"the rules for this computer do not allow what it asks for; {_ADMINISTRATOR}",
    errors.InterpreterError: f"there is no Python on this computer that fits; {_ADMINISTRATOR}",
    errors.LockError: f"the list of exact versions that belongs to it does not fit; {_AUTHOR}",
    errors.InstallError: "{part} could not be installed",
    errors.CacheError: f"scriptrun cannot use the place where it keeps what scripts need; {_ADMINISTRATOR}",
    errors.RemoteError: f"it could not be fetched from where it is, or is not what was expected; {_RETRY}",
    errors.ApprovalError: f"it may come from somebody else, and you have not agreed to what it is now; {_AGAIN}",
    errors.Declined: "you have decided against it",
    errors.EditError: "it could not be changed",
    errors.BundleError: f"it is damaged, or made for another computer; {_AUTHOR}",
    errors.ScriptUnreadable: "it cannot be opened; it may be a folder, or a file that is not yours",
    errors.ScriptMissing: "it is not there; it may have been moved, renamed or deleted",
    errors.Interrupted: "it was stopped while it was being prepared",
    errors.ScriptrunError: "something unexpected went wrong",
    WaitedInVain: f"it was being prepared a second time, and that has not ended; {_RETRY}",
    pip_messages.GivenUp: f"preparing it came to a standstill; {_RETRY}",
    pip_messages.Unreachable: "what it needs cannot be fetched; check that this computer is online, and try again",
    pip_messages.Offline: "it must be prepared first, and fetching things from the network was forbidden",
    pip_messages.Unsatisfiable: f"{{part}} does not exist in a version that fits; {_AUTHOR}",
    pip_messages.UnknownDistribution: f"{{part}} does not exist where it was looked for; {_AUTHOR}",
    pip_messages.Unfit: f"{{part}} does not exist for this computer, or for its Python; {_ADMINISTRATOR}",
    pip_messages.Unbuilt: f"{{part}} must be made ready on this computer first, and that failed; {_ADMINISTRATOR}",
}
"""Why a script cannot start, for each kind of error; the nearest kind counts."""

REMEDIES = {"the disk is full": "the disk is full; delete what you do not need any more, and try again"}
"""What is said for what the operating system refused, where there is more to say than that."""

NO_TERMINAL = """\
There is no terminal emulator: neither $TERMINAL, nor xdg-terminal-exec, nor x-terminal-emulator, nor one of the usual
desktops can be started. On Debian and Ubuntu, this installs one:

    sudo apt-get install xterm
"""
"""What is to be known beyond the sentence where there is no terminal."""

_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS")


def of_error(error: ScriptrunError, name: str) -> str:
    """Return the sentence for a failure to start the script `name`."""
    if not name:
        return "Nothing was opened because no script was named; drop one on the icon, or double-click it."
    return f"“{escape(name)}” cannot start because {_cause(error)}."


def of_no_terminal(name: str) -> str:
    """Return the sentence for a script that wants a terminal where there is none."""
    return (
        f"“{escape(name)}” cannot start because it runs in a terminal, and there is no program for that on this "
        f"computer; {_ADMINISTRATOR}."
    )


def of_end(status: int, written: str, name: str) -> str:
    """Return the sentence for a script that ended with `status` when it had `written` that."""
    script = f"“{escape(name)}”"
    if status - 128 in {*signal.Signals}:
        return f"{script} {_by_signal(signal.Signals(status - 128))}."
    lines = [line for line in written.splitlines() if re.search(r"\w", line)]
    last = escape(lines[-1].strip(" \t|"))[:200].rstrip(".") if lines else ""
    missing = re.match(r"ModuleNotFoundError: No module named '(\w+)", last)
    if missing:
        return f"{script} has stopped because {_lack(missing[1])}."
    if _is_uncaught(lines) or re.match(r"\w*Error: ", last):
        return f"{script} has stopped because of an error that it did not expect: {last}."
    return f"{script} has ended with a failure: {last}." if last else f"{script} has ended with a failure ({status})."


def _lack(module: str) -> str:
    """Return what a script has not, by the name of the module that it did not find."""
    if module in sys.stdlib_module_names:
        return f"the Python of this computer lacks a part, “{module.lstrip('_')}”; {_ADMINISTRATOR}"
    return f"it lacks a part, “{module}”, that it does not ask for; {_AUTHOR}"


def _is_uncaught(lines: Sequence[str]) -> bool:
    """Tell whether lines end with a traceback, and not with what a script says after it has shown one itself."""
    starts = [number for number, line in enumerate(lines) if "Traceback (most recent call last):" in line]
    return bool(starts) and all(line.startswith((" ", "+")) for line in lines[starts[-1] + 1 : -1])


def python(wanted: str) -> str:
    """Return in words which Python is `wanted`: a version, or specifiers of versions."""
    try:
        bounds = {one.operator: one.version for one in SpecifierSet(wanted)}
    except InvalidSpecifier:  # a version, or a command
        return f"Python {wanted}" if wanted[:1].isdecimal() else f"the Python `{escape(wanted)}`"
    kind, versions = "".join(sorted(bounds)), bounds
    if kind == ">=":
        return f"Python {versions['>=']} or newer"
    if kind in ("<", "<="):
        return f"a Python older than {versions['<']}" if kind == "<" else f"Python {versions['<=']} or older"
    if kind == "<>=":
        return f"Python {versions['>=']} or newer, but older than {versions['<']}"
    if kind == "==":
        return f"Python {versions['=='].removesuffix('.*')}"
    return f"another Python ({wanted})"


def _cause(error: ScriptrunError) -> str:
    if error.reason:
        return REMEDIES.get(error.reason, error.reason)
    if isinstance(error, InterpreterError) and error.wanted:
        return f"it needs {python(error.wanted)}, which is not installed on this computer; {_ADMINISTRATOR}"
    number = error.place.rpartition(":")[2]
    part = f"a part that it needs, “{error.name}”," if isinstance(error, InstallError) and error.name else ""
    template = next(CAUSES[kind] for kind in type(error).__mro__ if kind in CAUSES)
    return template.format(line=f", in line {number}" if number.isdecimal() else "", part=part or "what it needs")


def _by_signal(number: signal.Signals) -> str:
    name = number.name
    if name == "SIGKILL":
        return "was ended from outside, perhaps because the computer ran out of memory"
    return f"has crashed ({name})" if name in _CRASHES else f"was ended from outside ({name})"
