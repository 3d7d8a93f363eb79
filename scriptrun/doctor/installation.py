"""Look at scriptrun's own installation, and at what it is told by the configuration."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator, Mapping

from packaging.requirements import Requirement

import scriptrun
from scriptrun import config, interpreters, location, pip_settings
from scriptrun.doctor.findings import NOTE, OK, PROBLEM, Finding, of_error
from scriptrun.errors import ScriptrunError


def findings(environ: Mapping[str, str], program: str) -> Iterator[Finding]:
    """Yield what there is to say of scriptrun at the path `program`: its Python, its libraries, its configuration."""
    python = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    yield Finding(OK, "scriptrun", f"{scriptrun.__version__} ({program}), on {python}")
    yield from _libraries()
    yield from _configuration(environ)


def _libraries() -> Iterator[Finding]:
    """Yield what is missing or too old of what scriptrun stands on; all is well with pip and the others if not."""
    missing = [str(one) for one in _required() if not one.specifier.contains(_version(one.name), prereleases=True)]
    if missing:
        yield Finding(PROBLEM, "libraries", f"missing or too old: {', '.join(missing)}", "install scriptrun again")
    else:
        yield Finding(OK, "libraries", f"all there; pip is {_version('pip')}")


def _required() -> Iterator[Requirement]:
    """Yield what the metadata of scriptrun asks for on this Python."""
    for text in importlib.metadata.requires("scriptrun") or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def _version(name: str) -> str:
    """Return the version of an installed distribution, `0` where there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "0"


def _configuration(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield which files of scriptrun's and of pip's configuration count, or what is wrong with them."""
    try:
        configuration = config.read(environ)
        pip_settings.settings(environ)
    except ScriptrunError as error:
        yield of_error("configuration", error)
        return
    for warning in configuration.warnings:
        yield Finding(NOTE, "configuration", f"{warning.place}: {warning.message}", warning.remedy)
    own = [path for path in location.configurations(environ) if os.path.isfile(path)]
    pips = [path for path in pip_settings.origins(environ).values() if os.path.isabs(path)]
    yield Finding(OK, "configuration", ", ".join(dict.fromkeys((*own, *pips))) or "no file")


def pythons(environ: Mapping[str, str], cache: str) -> Finding:
    """Return which Pythons a script could get."""
    found = interpreters.installed(cache, environ)
    if not found:
        return Finding(PROBLEM, "pythons", "none is found", "install one: your system's packages, or pyenv")
    return Finding(OK, "pythons", ", ".join(dict.fromkeys(one.version for one in found)))
