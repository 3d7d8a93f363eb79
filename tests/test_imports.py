"""What Python imports on the way to an environment that is ready: a short list, as each module costs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.jobs import Job
from support.tiers import imported, imported_until_pip, resumed
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

AGAIN = {
    "scriptrun.again",
    "scriptrun.generations",
    "scriptrun.layout",
    "scriptrun.recipe",
    "scriptrun.record",
    "scriptrun.store",
    "scriptrun.store.assembly",
    "scriptrun.store.commands",
    "scriptrun.store.listing",
    "scriptrun.store.placing",
}

STANDARD = {"_collections_abc", "_stat", "fcntl", "genericpath", "os", "os.path", "posixpath", "stat", "zlib"}
"""The same on every Python from 3.10 to 3.13; all but `fcntl` and `zlib` are what `os` needs."""


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
    assert imported(user, "--with", "demo", "s.py", SCRIPTRUN_ATTENDED=f"{os.getpid()} window ") == OWN | STANDARD


def test_imports_before_a_hit_that_is_not_to_run_twice(user: User) -> None:
    """The lock of such a script takes one module more, and what names its file."""
    user.write("s.py", Job.block("[tool.scriptrun]\nno-overlap = true") + "print(1)\n")
    assert user.run("scriptrun", "s.py").status == 0
    more = {name for name in imported(user, "s.py") - OWN - STANDARD if not name.startswith("_")}
    assert more == {"scriptrun.overlap", "hashlib"}


def test_imports_before_an_environment_is_put_together_again(user: User) -> None:
    """Where the environment has gone, a few modules more do; a distribution with commands takes what hashes them."""
    for name, more in (("demo", set()), ("tool", {"_hashlib", "_blake2", "binascii", "hashlib"})):
        user.script("s.py", name)
        assert user.run("scriptrun", "s.py").status == 0
        shutil.rmtree(user.cache / "v1/envs")
        found = {one for one in imported(user, "s.py") if not one.startswith("_sha")}
        assert found - {"_blake2"} == OWN | STANDARD | AGAIN | {"_ctypes", "errno"} | (more - {"_blake2"})


def test_imports_before_an_environment_is_put_together_for_the_launcher(user: User) -> None:
    """Where the launcher has read configuration and script, nothing that reads them is imported."""
    user.script("s.py", "demo")
    assert user.run("scriptrun", "./s.py").status == 0
    [record] = user.records()
    shutil.rmtree(user.cache / "v1/envs")
    found = resumed(user, record, "s.py")
    settings = {"scriptrun.errors"}  # what takes a password out of the URL of an index
    own = {"scriptrun", "scriptrun.launch", "scriptrun.paths", "_ctypes", "errno"}
    assert found == own | settings | AGAIN | STANDARD - {"zlib"}


def test_imports_of_a_bare_python_are_not_scriptruns(tmp_path: Path) -> None:
    """What Python itself imports at its start holds nothing that is expensive: else the list would hide it."""
    code = "import sys; print(*sys.modules)"
    bare = subprocess.check_output([sys.executable, "-I", "-S", "-c", code], text=True, cwd=tmp_path).split()
    assert not {"re", "json", "argparse", "pathlib", "subprocess", "typing", "dataclasses", "enum"} & set(bare)


FIRST_RUN = """
    answers answers.covering answers.exclusions answers.inherited answers.known answers.memory answers.projects
    answers.question answers.recipes attendant cache cli cli.progress cli.run config deletion desktop_table expiry
    extent generations git_credentials interpreter interpreters layout locks markers metadata order overlap patience
    pip pip_options pip_progress pip_rules pip_settings places policy prepare probe process project quantities
    recipe refusals resolve shape signals spec store store.kept store.listing supply upkeep upkeep.daily uv_table
    values virtual
""".split()  # noqa: SIM905 - one name a line would be a page
"""What is imported of scriptrun before pip is started, beside what is imported before a hit."""

SPARED = """
    argparse asyncio base64 calendar configparser csv ctypes email findpython importlib.metadata importlib.resources
    ipaddress lzma packaging.metadata packaging.pylock pathlib pip platformdirs psutil random rich shlex
    shutil socket tempfile tomlkit urllib.parse zipfile
""".split()  # noqa: SIM905 - the same
"""What takes its time to import, and is for what is rare, or can wait until pip runs."""


def test_imports_of_a_first_run_before_pip_is_started(user: User) -> None:
    """With a plain requirement, what is rare is not imported, nor what is needed only when pip has ended."""
    assert user.run("scriptrun", "-c", "").status == 0, "the interpreter is known"
    user.script("s.py", "demo")
    found = imported_until_pip(user, "s.py")
    own = {name for name in found if name.split(".")[0] == "scriptrun"} - OWN
    assert sorted(own) == sorted(f"scriptrun.{name}" for name in FIRST_RUN)
    assert sorted(found & set(SPARED)) == []
