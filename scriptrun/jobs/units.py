"""The text of units of systemd that run a job: a service, and the timer that starts it.

Quoted as systemd.syntax and systemd.service demand. What a setting does is told by systemd.exec.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scriptrun.errors import UsageError, escape
from scriptrun.jobs.job import Job

_HOMES = ("/home", "/root", "/run/user")
"""What `ProtectHome=yes` hides."""

_HARDENED = (
    ("NoNewPrivileges", "yes"),
    ("CapabilityBoundingSet", ""),
    ("LockPersonality", "yes"),
    ("PrivateDevices", "yes"),
    ("PrivateTmp", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectProc", "invisible"),
    ("ProtectSystem", "strict"),
    ("RemoveIPC", "yes"),
    ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallErrorNumber", "EPERM"),
    ("SystemCallFilter", "@system-service"),
)
"""What no ordinary program needs is forbidden. `MemoryDenyWriteExecute` would break callbacks of C libraries."""

Section = tuple[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class Unit:
    """A unit: the name of its file, and the text."""

    name: str
    text: str


def name_for(script: str) -> str:
    """Return the name that the units of a script get, `""` where nothing is left of its own.

    Other characters than these have a meaning for systemd.
    """
    stem = os.path.splitext(os.path.basename(script))[0]
    return re.sub(r"[^A-Za-z0-9_.]+", "-", stem).strip("-.")[:200]


def is_name(name: str) -> bool:
    """Tell whether units may be called so."""
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}", name) is not None


def mark(file: str, script: str) -> str:
    """Return the first line of a unit, which tells what made it, and for which script."""
    return f"# {file}, made by scriptrun systemd for {escape(script)}\n"


def directory(name: str) -> str:
    """Return how the directories are called that a service has below /var/cache and /var/lib.

    Its own name could be the one of another program there, whose directory systemd would hand over.
    """
    return f"scriptrun-{name}"


def for_everybody(job: Job, name: str, calendar: str, used: Iterable[str]) -> list[Unit]:
    """Return the units for the machine: a user of its own without rights, and a timer unless `calendar` is `""`.

    `used` are the files that the command needs: where one is in a home, homes can be read.
    """
    own = directory(name)
    variables = {"HOME": f"%S/{own}", "XDG_CACHE_HOME": f"%C/{own}"}
    variables |= {key: _specified(value) for key, value in job.for_others().variables.items()}
    service = [
        *_started(job, name, calendar, variables),
        ("DynamicUser", "yes"),
        ("CacheDirectory", own),
        ("StateDirectory", own),
        ("WorkingDirectory", f"%S/{own}"),
        ("ProtectHome", "read-only" if _in_homes((*job.command, *used)) else "yes"),
        *_HARDENED,
    ]
    network = (("Wants", "network-online.target"), ("After", "network-online.target"))
    sections = [_about(job, *network), ("Service", service)]
    return _units(job, name, sections, _clock(job, calendar), "multi-user.target")


def for_user(job: Job, name: str, calendar: str) -> list[Unit]:
    """Return the units for the systemd of one user, who keeps cache and rights."""
    variables = {key: _specified(value) for key, value in job.variables.items()}
    sections = [_about(job), ("Service", _started(job, name, calendar, variables))]
    return _units(job, name, sections, _clock(job, calendar), "default.target")


def _about(job: Job, *dependencies: tuple[str, str]) -> Section:
    """Return the section that each unit begins with."""
    described = _specified(escape(f"{os.path.basename(job.script)}, run by scriptrun"))
    return "Unit", [("Description", described), *dependencies]


def _clock(job: Job, calendar: str) -> list[Section]:
    """Return the sections of a timer, none where `calendar` is `""`."""
    if not calendar:
        return []
    times = [("OnCalendar", _specified(calendar)), ("AccuracySec", "1s"), ("Persistent", "yes")]
    return [_about(job), ("Timer", times), _wanted_by("timers.target")]


def _wanted_by(target: str) -> Section:
    return "Install", [("WantedBy", target)]


def _units(job: Job, name: str, service: list[Section], timer: list[Section], target: str) -> list[Unit]:
    """Return a service, and the timer that starts it; without one it is started by `target`."""
    if not timer:
        return [_unit(f"{name}.service", job.script, [*service, _wanted_by(target)])]
    return [_unit(f"{name}.service", job.script, service), _unit(f"{name}.timer", job.script, timer)]


def _unit(file: str, script: str, sections: Iterable[Section]) -> Unit:
    head = f"{mark(file, script)}# What you change belongs into {file}.d/: this file may be replaced.\n"
    parts = ["".join(f"{line}\n" for line in [f"[{title}]", *map("=".join, lines)]) for title, lines in sections]
    return Unit(file, head + "\n".join(parts))


def _started(job: Job, name: str, calendar: str, variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return how a service is started: once for each tick of its timer, or to stay."""
    kind = [("Type", "oneshot")] if calendar else [("Type", "exec"), ("Restart", "on-failure"), ("RestartSec", "30s")]
    lines = [("Environment", _quoted(f"{key}={value}")) for key, value in variables.items()]
    return [*kind, ("ExecStart", command_line(job.command)), ("SyslogIdentifier", name), *lines]


def _in_homes(paths: Iterable[str]) -> bool:
    both = [one for path in paths for one in (path, os.path.realpath(path) if os.path.isabs(path) else path)]
    return any(path.startswith(f"{home}/") for home in _HOMES for path in both)


def command_line(words: Iterable[str]) -> str:
    """Return a command line that systemd starts with exactly these words. Raises UsageError for what it refuses.

    The colon keeps it from replacing variables: how `$` is escaped depends on which word it is in.
    """
    program, *rest = words
    if re.search(r"[\x00-\x1f\x7f\"'\\]", program):
        raise UsageError(
            f"systemd starts no program whose path holds quotes, backslashes or control characters: `{program}`",
            hint="install scriptrun at another place",
        )
    return ":" + " ".join(_quoted(_specified(word)) for word in (program, *rest))


def _specified(text: str) -> str:
    """Return a value in which systemd replaces no specifier."""
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    if re.fullmatch(r"[\w@%+=:,./-]+", word, re.ASCII):
        return word
    return '"' + "".join(_escaped(character) for character in word) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if character in '"\\':
        return f"\\{character}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no text
        return f"\\x{code - 0xDC00:02x}"
    return character
