"""What Python imports on the way to an environment that is ready: a short list, as each module costs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from support.jobs import Job
from support.user import User

OWN = {
    "scriptrun",
    "scriptrun.arguments",
    "scriptrun.block",
    "scriptrun.decide",
    "scriptrun.errors",
    "scriptrun.launch",
    "scriptrun.location",
    "scriptrun.lockfile",
    "scriptrun.output",
    "scriptrun.paths",
    "scriptrun.request",
    "scriptrun.source",
}

STANDARD = {"_collections_abc", "_stat", "fcntl", "genericpath", "os", "os.path", "posixpath", "stat", "zlib"}
"""The same on every Python from 3.10 to 3.13; all but `fcntl` and `zlib` are what `os` needs."""

WATCH = """\
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


def imported(user: User, *words: str, attended: str | None = None) -> set[str]:
    """Return what is imported, beyond a bare Python, before the script takes over."""
    code = WATCH.format(packages=sysconfig.get_path("purelib"))
    status, out, err = user.run(sys.executable, "-I", "-S", "-c", code, "-", *words, SCRIPTRUN_ATTENDED=attended)
    assert (status, err) == (0, "")
    return set(out.split())


def test_imports_before_a_hit(user: User) -> None:
    """With --with, for a script with a block, just the modules on the list are imported."""
    user.script("s.py", body="print(1)\n")
    for words in (("--with", "demo", "s.py"), ("s.py",), ("-q", "--with=demo", "-m", "demo", "x")):
        assert user.run("scriptrun", *words).status == 0
        module = {"scriptrun.hosts"} if "-m" in words else set()
        assert imported(user, *words) == OWN | STANDARD | module


def test_imports_before_a_hit_for_somebody_who_typed_nothing(user: User) -> None:
    """Who runs a script by its icon waits for the same modules."""
    user.script("s.py", body="print(1)\n")
    assert user.run("scriptrun", "--with", "demo", "s.py").status == 0
    assert imported(user, "--with", "demo", "s.py", attended=f"{os.getpid()} window ") == OWN | STANDARD


def test_imports_before_a_hit_that_is_not_to_run_twice(user: User) -> None:
    """The lock of such a script takes one module more, and what names its file."""
    user.write("s.py", Job.block("[tool.scriptrun]\nno-overlap = true") + "print(1)\n")
    assert user.run("scriptrun", "s.py").status == 0
    more = {name for name in imported(user, "s.py") - OWN - STANDARD if not name.startswith("_")}
    assert more == {"scriptrun.overlap", "hashlib"}


def test_imports_of_a_bare_python_are_not_scriptruns(tmp_path: Path) -> None:
    """What Python itself imports at its start holds nothing that is expensive: else the list would hide it."""
    code = "import sys; print(*sys.modules)"
    bare = subprocess.check_output([sys.executable, "-I", "-S", "-c", code], text=True, cwd=tmp_path).split()
    assert not {"re", "json", "argparse", "pathlib", "subprocess", "typing", "dataclasses", "enum"} & set(bare)


FIRST_RUN = """
    answers answers.memory answers.question attendant cache cli cli.progress cli.run config deletion desktop_table
    expiry extent git_credentials interpreters locks markers metadata order overlap patience pip pip_options pip_rules
    pip_settings places policy prepare process project quantities refusals resolve signals spec store store.kept supply
    upkeep upkeep.daily uv_table values virtual
""".split()  # noqa: SIM905 - one name a line would be a page
"""What is imported of scriptrun before pip is started, beside what is imported before a hit."""

SPARED = """
    argparse asyncio base64 calendar configparser csv ctypes email findpython importlib.metadata importlib.resources
    ipaddress lzma packaging.metadata packaging.pylock pathlib pip platformdirs psutil random rich shlex
    shutil socket tempfile tomlkit urllib.parse zipfile
""".split()  # noqa: SIM905 - the same
"""What takes its time to import, and is for what is rare, or can wait until pip runs."""

UNTIL_PIP = WATCH.replace(
    "os.execve = say", 'sys.addaudithook(lambda event, told: event == "subprocess.Popen" and "-X" in told[1] and say())'
)


def test_imports_of_a_first_run_before_pip_is_started(user: User) -> None:
    """With a plain requirement, what is rare is not imported, nor what is needed only when pip has ended."""
    assert user.run("scriptrun", "-c", "").status == 0, "the interpreter is known"
    user.script("s.py", "demo")
    code = UNTIL_PIP.format(packages=sysconfig.get_path("purelib"))
    status, out, err = user.run(sys.executable, "-I", "-S", "-c", code, "-", "s.py")
    assert (status, err) == (0, "")
    found = set(out.split())
    own = {name for name in found if name.split(".")[0] == "scriptrun"}
    assert own == {*OWN, *(f"scriptrun.{name}" for name in FIRST_RUN)}
    assert sorted(found & set(SPARED)) == []
