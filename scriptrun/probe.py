"""Say what the base interpreter of this Python is. Also a program of its own, for any Python 3: it prints one line."""

import json
import os
import platform
import sys
import sysconfig

MARK = "scriptrun: "


def facts() -> "dict[str, object]":
    """Return path, implementation, full version, ABI and platform of the base interpreter."""
    return {
        "path": _base(),
        "implementation": sys.implementation.name,
        "version": platform.python_version().rstrip("+"),
        "abi": "%s %s" % (sys.implementation.cache_tag, sysconfig.get_config_var("SOABI")),  # noqa: UP031 - for any
        "platform": sysconfig.get_platform() + " " + "-".join(platform.libc_ver()),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    }


def _base() -> str:
    """Return the program that is behind all environments that this Python may be in."""
    started = getattr(sys, "_base_executable", None) or sys.executable
    base = os.path.realpath(started or "/proc/self/exe")  # without PATH, or by another name, Python knows it not
    if sys.prefix != sys.base_prefix and _is_of_environment(base):
        names = ["python%d.%d" % sys.version_info[:2], "python3", "python", "pypy3"]  # noqa: UP031 - for any
        paths = [os.path.join(sys.base_prefix, "bin", name) for name in names]
        base = next(os.path.realpath(path) for path in paths if os.path.exists(path))
    return base


def _is_of_environment(path: str) -> bool:
    return os.path.exists(os.path.join(os.path.dirname(os.path.dirname(path)), "pyvenv.cfg"))


if __name__ == "__main__":
    print("\n" + MARK + json.dumps(facts()))  # noqa: T201 - it is for the process that started this one
