"""Which modules are imported on the way to a script: few where all is known, or many where it has to be worked out."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

from support.user import User

WORKED_OUT = "scriptrun.cli.run"
"""Who needs more than what is remembered imports this."""

_WATCH = """\
import sys
before = set(sys.modules)
import os
def say(*_):
    print(*sorted(set(sys.modules) - before))
    sys.stdout.flush()
    os._exit(0)
os.execve = say
sys.argv[:] = ["scriptrun", *sys.argv[2:]]
sys.path.append({packages!r})
from scriptrun.decide import main
main(sys.argv[1:], os.environ)
"""


_UNTIL_PIP = _WATCH.replace(
    "os.execve = say", 'sys.addaudithook(lambda event, told: event == "subprocess.Popen" and "-X" in told[1] and say())'
)


_RESUMED = _WATCH.replace(
    "from scriptrun.decide import main\nmain(sys.argv[1:], os.environ)",
    "from scriptrun import again\nprint('left', again.resume(sys.argv[1], sys.argv[2:], os.environ))",
)


def resumed(user: User, record: Path, *words: str) -> set[str] | None:
    """Return what is imported before a script runs that the launcher has found proof for; None where that is left."""
    code = _RESUMED.format(packages=sysconfig.get_path("purelib"))
    status, out, err = user.run(sys.executable, "-I", "-S", "-c", code, "-", str(record), *words)
    assert (status, err) == (0, "")
    if out.startswith("left "):
        assert out == f"left --launch-record={record}\n"
        return None
    return set(out.split())


def imported_until_pip(user: User, *words: str) -> set[str]:
    """Return what is imported, beyond a bare Python, before pip is started; it is not."""
    code = _UNTIL_PIP.format(packages=sysconfig.get_path("purelib"))
    status, out, err = user.run(sys.executable, "-I", "-S", "-c", code, "-", *words)
    assert (status, err) == (0, "")
    return set(out.split())


def imported(user: User, *words: str, python: Path | str = sys.executable, **variables: str | None) -> set[str]:
    """Return what is imported, beyond a bare Python, before the script takes over; it is not run."""
    code = _WATCH.format(packages=sysconfig.get_path("purelib"))
    status, out, err = user.run(python, "-I", "-S", "-c", code, "-", *words, cwd=None, stdin=b"", **variables)
    assert (status, err) == (0, "")
    return set(out.split())
