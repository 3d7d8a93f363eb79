"""What the markers of requirements are judged by."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.markers import default_environment
from packaging.requirements import Requirement

from scriptrun.interpreter import Interpreter

_SYSTEMS = {
    "linux": ("posix", "linux", "Linux"),
    "macosx": ("posix", "darwin", "Darwin"),
    "win": ("nt", "win32", "Windows"),
    "win32": ("nt", "win32", "Windows"),
}
"""What `os_name`, `sys_platform` and `platform_system` are, by how the name of a platform begins."""

_MACHINES = {"win-amd64": "AMD64", "win-arm64": "ARM64", "win32": "x86"}
"""What `platform_machine` is where the name of a platform does not end in it."""


def environment(interpreter: Interpreter) -> dict[str, str]:
    """Return what markers are judged by: an interpreter, which need not be this one, and its platform.

    That is this machine's where the interpreter has a path, else the one that it names.
    """
    names = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalVM"}
    return {
        **{name: str(value) for name, value in default_environment().items()},
        **({} if interpreter.path else _machine(interpreter.platform.partition(" ")[0])),
        "implementation_name": interpreter.implementation,
        "platform_python_implementation": names.get(interpreter.implementation, interpreter.implementation),
        "python_full_version": interpreter.version,
        "python_version": ".".join(interpreter.version.split(".")[:2]),
    }


def _machine(platform: str) -> dict[str, str]:
    """Return what markers say of a machine whose platform has this name, as `linux-aarch64` or `macosx-11.0-arm64`."""
    os_name, sys_platform, system = _SYSTEMS[platform.partition("-")[0]]
    return {
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": system,
        "platform_machine": _MACHINES.get(platform, platform.rpartition("-")[2]),
        "platform_release": "",
        "platform_version": "",
    }


def hold(requirement: Requirement, facts: Mapping[str, str]) -> bool:
    """Tell whether a requirement counts in an environment: it has no marker, or one that holds there."""
    return requirement.marker is None or requirement.marker.evaluate(dict(facts))
