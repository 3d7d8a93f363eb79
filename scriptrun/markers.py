"""What the markers of requirements are judged by."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.markers import default_environment
from packaging.requirements import Requirement

from scriptrun.interpreters import Interpreter


def environment(interpreter: Interpreter) -> dict[str, str]:
    """Return what markers are judged by: this machine's platform, and an interpreter, which need not be this one."""
    names = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalVM"}
    return {
        **{name: str(value) for name, value in default_environment().items()},
        "implementation_name": interpreter.implementation,
        "platform_python_implementation": names.get(interpreter.implementation, interpreter.implementation),
        "python_full_version": interpreter.version,
        "python_version": ".".join(interpreter.version.split(".")[:2]),
    }


def hold(requirement: Requirement, facts: Mapping[str, str]) -> bool:
    """Tell whether a requirement counts in an environment: it has no marker, or one that holds there."""
    return requirement.marker is None or requirement.marker.evaluate(dict(facts))
