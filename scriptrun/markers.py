"""What the markers of requirements are judged by."""

from __future__ import annotations

from packaging.markers import default_environment

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
