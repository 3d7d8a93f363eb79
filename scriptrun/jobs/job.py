"""What a job is: the command, with absolute paths, and what it relies on that only this shell has."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from scriptrun import arguments, paths
from scriptrun.arguments import Invocation, Options
from scriptrun.errors import ScriptMissing, UsageError, without_credentials

PERSONAL = ("SCRIPTRUN_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
"""The variables that lead to directories of one user: others have their own."""

LEADING = (*PERSONAL, "SCRIPTRUN_SYSTEM_CACHE")
"""The variables that say where caches and configuration are: with others, a job would find other ones."""

_NETWORK = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC")


@dataclass(frozen=True)
class Job:
    """A script to be run unattended.

    `program` is the absolute path of the command `scriptrun`, `script` that of the script; `options` are scriptrun's,
    as words of a command line, and `arguments` the script's own. `variables` are those of LEADING that are set here,
    and those that switch flags off.
    """

    program: str
    script: str
    options: tuple[str, ...]
    arguments: tuple[str, ...]
    variables: Mapping[str, str]

    @property
    def command(self) -> tuple[str, ...]:
        """The words of the command line."""
        return (self.program, *self.options, self.script, *self.arguments)

    def for_others(self) -> Job:
        """Return the job as it is for another user."""
        kept = {name: value for name, value in self.variables.items() if name not in PERSONAL}
        return replace(self, variables=kept)


def read(invocation: Invocation, environ: Mapping[str, str]) -> Job:
    """Return the job that the words of a command ask for: a script, and arguments for it.

    Raises ScriptMissing, and UsageError for what must not stand where others can read it.
    """
    target, *words = invocation.arguments
    require(target)
    options = arguments.words(invocation.options)
    for word in options:
        if without_credentials(word) != word:
            raise UsageError(
                f"`{without_credentials(word)}` holds a password, and everybody can read the command of a job",
                hint="put the index into pip.conf, which is yours alone",
            )
    return Job(
        program=program(environ),
        script=absolute(target),
        options=tuple(options),
        arguments=tuple(words),
        variables={**_leading(environ), **_off(invocation.options)},
    )


def absolute(path: str) -> str:
    """Return the path of a script from the root on: `..` behind a link leads where the link does, as for the system."""
    directory, name = os.path.split(path)
    return os.path.join(os.path.realpath(directory), name) if ".." in directory.split(os.sep) else os.path.abspath(path)


def require(path: str) -> None:
    """Raise ScriptMissing where there is no file."""
    if not os.path.isfile(path):
        raise ScriptMissing(f"no such file: `{path}`")


def _leading(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of LEADING that are set; what is relative to the current directory is made absolute."""
    found = {name: environ[name] for name in LEADING if name in environ}
    own = {name: paths.absolute(value) for name, value in found.items() if name.startswith("SCRIPTRUN_") and value}
    return {**found, **own}


def _off(options: Options) -> dict[str, str]:
    """Return the variables that switch flags off which a block or the configuration may switch on: no word does."""
    given = dict(options.given())
    return {option.variable: "0" for option in arguments.OPTIONS if given.get(option.name) is False}


def program(environ: Mapping[str, str]) -> str:
    """Return the path of `scriptrun`: the one that `PATH` has, which outlives an upgrade, if it is this one."""
    own = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "scriptrun")
    found = shutil.which("scriptrun", path=environ.get("PATH", os.defpath))
    if found and os.path.isabs(found) and os.path.exists(own) and os.path.samefile(found, own):
        return found
    return own


def left_behind(environ: Mapping[str, str]) -> list[str]:
    """Return the names of variables that say whom pip asks, and how, and are not set where jobs run."""
    return sorted(name for name, value in environ.items() if value and leads_to_index(name))


def leads_to_index(name: str) -> bool:
    """Tell whether the variable of that name says whom pip asks, or how."""
    return name.startswith("PIP_") or name.lower().endswith("_proxy") or name in _NETWORK
