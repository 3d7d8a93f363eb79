"""Preparing an environment: what is in it, what is believed of pip, and what a failure leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest
from support import index as indexes
from support import private, watch
from support.index import Index
from support.user import User

import scriptrun
from scriptrun.order import Distribution


def left(user: User) -> list[str]:
    """Return what is in a user's cache, but locks and what is known of interpreters."""
    kept = ("CACHEDIR.TAG", "locks", "interpreters")
    return [str(path) for path in user.cache.rglob("*") if path.is_file() and not set(kept) & set(path.parts)]


def generations(user: User) -> list[Path]:
    """Return all generations of a user's cache, complete or not."""
    return sorted(user.cache.glob("v1/envs/*/*"))


LOOK = """\
import importlib.util, sys, demo
for name in ("pip", "setuptools", "packaging", "scriptrun", "findpython", "of_the_base"):
    if importlib.util.find_spec(name):
        print("sees", name)
print(demo.V, [path for path in sys.path if "-packages" in path and not path.startswith(sys.prefix)])
"""


def test_environment_holds_what_was_asked_and_nothing_else(user: User, tmp_path: Path) -> None:
    """Neither pip, nor scriptrun's libraries, nor the base's site-packages; the base is left as it was."""
    python = private.copy(Path(sys.executable), tmp_path / "private")
    site_packages = python.parent.parent / "lib" / python.name / "site-packages"
    (site_packages / "of_the_base.py").touch()
    before = private.digest(tmp_path / "private")
    user.script("s.py", "demo", body=LOOK)
    assert user.run("scriptrun", "-p", python, "s.py") == (0, "2.0 []\n", "")
    assert private.digest(tmp_path / "private") == before
    (environment,) = user.environments()
    names = [path.name for path in environment.glob("lib/*/site-packages/*")]
    assert sorted(name for name in names if name != "__pycache__") == ["demo-2.0.dist-info", "demo.py"]
    assert not (environment / "tmp").exists()


def test_manifest_says_what_pip_installed(user: User, shared_index: Index) -> None:
    """It names each distribution with version, hash and origin, those that others asked for included."""
    user.script("s.py", "other")
    assert user.run("./s.py") == (0, "", "")
    (environment,) = user.environments()
    manifest = json.loads((environment / "scriptrun.json").read_text())
    assert [sorted(one) for one in manifest["distributions"]] == [sorted(Distribution._fields)] * 2
    assert [(one["name"], one["version"]) for one in manifest["distributions"]] == [("demo", "1.0"), ("other", "1.0")]
    for one in manifest["distributions"]:
        assert one["origin"].startswith(shared_index.url.removesuffix("simple/"))
        assert f"sha256={one['hash'].removeprefix('sha256=')}" == one["hash"]
        assert len(one["hash"]) == len("sha256=") + 64


@pytest.mark.slow
def test_failure_leaves_nothing_and_comes_again(user: User) -> None:
    """When pip fails nothing is kept, and the second run asks again and fails in the same way."""
    user.script("s.py", "demo", "no-such-thing", body="print('ran')\n")
    first = user.run("./s.py")
    assert (first.status, first.out) == (125, "")
    assert "no-such-thing" in first.err
    assert (left(user), generations(user), list(user.cache.glob("v1/envs/*"))) == ([], [], [])
    assert user.run("./s.py") == first
    assert (left(user), generations(user)) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"demo.py": "V = 'tampered'\n"}, "is not what its list of files says: `demo.py` differs"),
        ({"demo.py": None}, "is not what its list of files says: `demo.py` is missing"),
    ],
)
def test_incomplete_distribution_is_refused(
    user: User, index: Index, changes: Mapping[str, str | None], message: str
) -> None:
    """A file that is missing, or is not what RECORD says, is a failure, though pip reported success."""
    index.add(indexes.repacked(indexes.wheel("demo", "1.0"), changes))
    user.script("s.py", "demo", body="print('ran')\n")
    finished = user.run("./s.py", PIP_INDEX_URL=index.url)
    assert (finished.status, finished.out) == (125, "")
    assert message in finished.err
    assert (left(user), generations(user)) == ([], [])


def test_pip_is_not_started_where_it_would_write_to_the_base(tmp_path: Path) -> None:
    """In a directory with a Python and no `pyvenv.cfg`, which is the base interpreter, nothing is installed."""
    python = private.copy(Path(sys.executable), tmp_path / "private")
    environment = tmp_path / "env"
    subprocess.run([python, "-I", "-m", "venv", "--without-pip", environment], check=True)
    (environment / "pyvenv.cfg").unlink()
    before = private.digest(tmp_path / "private")
    name, content = indexes.wheel("demo", "1.0")
    (tmp_path / name).write_bytes(content)
    child = Path(scriptrun.__file__).parent / "pip_child.py"
    pip = Path(sysconfig.get_path("purelib")) / "pip"
    arguments = tmp_path / "arguments.json"
    told = {"arguments": ["install", "--no-index", str(tmp_path / name)], "rules": None}
    arguments.write_text(json.dumps(told))
    finished = subprocess.run(
        [environment / "bin/python", "-I", child, environment, f"{pip}/__pip-runner__.py", "3.9", arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "nothing is installed" in finished.stderr
    assert private.digest(tmp_path / "private") == before


LATE = """\
import sys
print("started", flush=True)
open(sys.argv[1]).read()
import demo
print(demo.V)
"""


@pytest.mark.slow
def test_refresh_builds_beside(user: User, index: Index) -> None:
    """A refresh is for all who start later, from the launcher too; who runs in the old environment keeps it."""
    index.add(indexes.wheel("demo", "1.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    user.script("late.py", "demo", body=LATE)
    assert user.run("./s.py") == (0, "1.0\n", "")
    os.mkfifo(user.directory / "fifo")
    running = watch.start(user, "./late.py", "fifo")
    assert running.stdout is not None
    assert running.stdout.readline() == "started\n"
    index.add(indexes.wheel("demo", "1.1"))
    assert user.run("./s.py") == (0, "1.0\n", "")
    assert user.run("scriptrun", "--refresh", "s.py") == (0, "1.1\n", "")
    assert user.run("./s.py") == (0, "1.1\n", "")
    assert user.run("scriptrun", "-q", "s.py") == (0, "1.1\n", "")
    (user.directory / "fifo").write_text("go on")
    assert watch.end(running) == (0, "1.0\n", "")
    assert len(user.environments()) == 2


def test_failed_refresh_keeps_the_old(user: User, index: Index) -> None:
    """When a refresh fails the run fails, and the old environment is current as before."""
    index.add(indexes.wheel("demo", "1.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    assert user.run("./s.py") == (0, "1.0\n", "")
    before = left(user)
    index.files.clear()
    finished = user.run("scriptrun", "--refresh", "s.py", PIP_NO_CACHE_DIR="1")
    assert (finished.status, finished.out) == (125, "")
    assert left(user) == before
    assert user.run("./s.py") == (0, "1.0\n", "")


@pytest.mark.slow
def test_offline_never_opens_a_socket(user: User, shared_index: Index) -> None:
    """What is ready runs, as does what is put together from the store; else an error says what to run. No socket."""
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    trace = user.directory / "trace"
    offline = ("strace", "-f", "-e", "trace=network", "-o", trace, "scriptrun", "--offline")
    hint = "hint: when online, run: SCRIPTRUN_OFFLINE=0 scriptrun"
    finished = user.run(*offline, "--with", "other<2", "s.py")
    assert (finished.status, finished.out) == (125, "")
    assert finished.err.endswith(f"{hint} --with 'other<2' s.py\n")
    assert generations(user) == []
    asked = len(shared_index.requests)
    assert user.run("scriptrun", "s.py") == (0, "2.0\n", "")
    assert len(shared_index.requests) > asked
    asked = len(shared_index.requests)
    assert user.run(*offline, "s.py") == (0, "2.0\n", "")
    shutil.rmtree(user.cache / "v1/envs")
    shutil.rmtree(user.cache / "v1/recipes")
    assert user.run(*offline, "--verbose", "s.py").out == "2.0\n"
    assert user.run(*offline, "--with", "demo>1", "s.py") == (0, "2.0\n", "")
    refused = user.run(*offline, "--refresh", "s.py")
    assert (refused.status, refused.err.splitlines()[-1]) == (125, f"{hint} --refresh s.py")
    assert "socket(" not in trace.read_text()
    assert len(shared_index.requests) == asked


@pytest.mark.slow
def test_offline_asks_no_pip_where_the_store_is_damaged(user: User, shared_index: Index) -> None:
    """What turns out not to be as it was kept is no reason to ask pip: it is the error of what is not ready."""
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    assert user.run("scriptrun", "s.py") == (0, "2.0\n", "")
    asked = len(shared_index.requests)
    shutil.rmtree(user.cache / "v1/envs")
    for path in user.cache.glob("v1/store/demo-*/content/site/demo.py"):
        path.unlink()
    refused = user.run("scriptrun", "--offline", "s.py")
    assert (refused.status, "is not ready, and --offline forbids" in refused.err) == (125, True)
    assert generations(user) == []
    assert len(shared_index.requests) == asked
    assert user.run("scriptrun", "s.py") == (0, "2.0\n", "")


@pytest.mark.slow
def test_with_has_an_environment_of_its_own_that_is_kept(user: User, shared_index: Index) -> None:
    """Added requirements are in another environment, which the second run finds; the script's own has none of them."""
    user.write("r.txt", "# a tool\ntool  # why not\n")
    user.script("s.py", "demo<2", body="import demo, importlib.util as i; print(demo.V, bool(i.find_spec('tool')))\n")
    options = ("--with", "demo", "--with-requirements", "r.txt")
    assert user.run("scriptrun", *options, "s.py") == (0, "1.0 True\n", "")
    asked = len(shared_index.requests)
    assert user.run("scriptrun", *options, "s.py") == (0, "1.0 True\n", "")
    assert len(shared_index.requests) == asked
    assert user.run("./s.py") == (0, "1.0 False\n", "")
    assert len(user.environments()) == 2
    user.write("r.txt", "other\n-r more.txt\n")
    finished = user.run("scriptrun", *options, "s.py")
    assert (finished.status, finished.out) == (2, "")
    assert f"{user.directory}/r.txt:2: `-r more.txt` is an option of pip" in finished.err


@pytest.mark.slow
def test_removed_dependency_cannot_be_imported(user: User) -> None:
    """A requirement that is taken out of the block is not there in the next run."""
    body = "import importlib.util as i; print(bool(i.find_spec('demo')), bool(i.find_spec('tool')))\n"
    user.script("s.py", "demo", "tool", body=body)
    assert user.run("./s.py") == (0, "True True\n", "")
    user.script("s.py", "tool", body=body)
    assert user.run("./s.py") == (0, "False True\n", "")


@pytest.mark.slow
def test_changed_local_wheel_is_noticed(user: User) -> None:
    """A wheel that is named by a `file:` URL is installed anew when its content changes, time stamps or not."""
    name, content = indexes.wheel("local", "1.0", files={"local.py": "V = 'old'\n"})
    path = user.write(name, content)
    user.script("s.py", f"local @ {path.as_uri()}", body="import local; print(local.V)\n")
    assert user.run("./s.py") == (0, "old\n", "")
    assert user.run("./s.py") == (0, "old\n", "")
    status = path.stat()
    path.write_bytes(indexes.wheel("local", "1.0", files={"local.py": "V = 'new'\n"})[1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert user.run("./s.py") == (0, "new\n", "")
    assert (len(user.environments()), user.records()) == (2, [])


BACKEND = """\
import zipfile
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "local-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as archive:
        archive.write("local.py")
        archive.writestr("local-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: local\\nVersion: 1.0\\n")
        archive.writestr("local-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\nRoot-Is-Purelib: true")
        archive.writestr("local-1.0.dist-info/RECORD", "local.py,,\\n")
    import os
    os.makedirs("local.egg-info", exist_ok=True)
    open("local.egg-info/PKG-INFO", "w").close()
    return name
"""


@pytest.mark.slow
def test_changed_local_project_is_noticed(user: User) -> None:
    """A directory is built again when a file of it changes, and not for what its own build wrote into it."""
    user.write(
        "project/pyproject.toml", '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    user.write("project/backend.py", BACKEND)
    module = user.write("project/local.py", "V = 'old'\n")
    user.script("s.py", f"local @ {(user.directory / 'project').as_uri()}", body="import local; print(local.V)\n")
    assert user.run("./s.py") == (0, "old\n", "")
    assert user.run("./s.py") == (0, "old\n", "")
    assert len(user.environments()) == 1
    module.write_text("V = 'new'\n")
    assert user.run("./s.py") == (0, "new\n", "")


@pytest.mark.parametrize(
    "text",
    [
        "# /// script\n# dependencies = []\n\nprint('ran')\n",
        "# /// script\n# dependencie = []\n# ///\nprint('ran')\n",
    ],
    ids=["near miss", "slip"],
)
def test_near_misses_and_slips_are_told_on_every_run(user: User, text: str) -> None:
    """What probably is a mistake is warned of each time, in the same words, and is never recorded."""
    user.write("s.py", f"#!/usr/bin/env scriptrun\n{text}", executable=True)
    first = user.run("./s.py")
    assert (first.status, first.out, first.err.count("\n")) == (0, "ran\n", 1)
    assert first.err.startswith("scriptrun: warning: ./s.py:")
    assert user.run("./s.py") == first
    assert user.records() == []
    assert user.run("scriptrun", "-q", "./s.py") == (0, "ran\n", "")


@pytest.mark.slow
def test_relative_paths_in_a_block_start_at_the_script(user: User) -> None:
    """Files that `[tool.scriptrun]` names are looked for beside the script, wherever it is started, and read anew."""
    block = '# /// script\n# [tool.scriptrun]\n# with-requirements = ["r.txt"]\n# ///\nimport demo; print(demo.V)\n'
    user.write("one/s.py", block)
    user.write("two/s.py", block)
    user.write("one/r.txt", "demo<2\n")
    user.write("two/r.txt", "demo\n")
    assert user.run("scriptrun", "one/s.py") == (0, "1.0\n", "")
    assert user.run("scriptrun", "two/s.py") == (0, "2.0\n", "")
    assert user.run("scriptrun", "../one/s.py", cwd=user.directory / "two") == (0, "1.0\n", "")
    (user.directory / "link.py").symlink_to("one/s.py")
    assert user.run("scriptrun", "link.py") == (0, "1.0\n", "")
    user.write("one/r.txt", "demo\n")
    assert user.run("scriptrun", "one/s.py") == (0, "2.0\n", "")
    assert len(user.environments()) == 2


def test_lost_base_interpreter_is_told_and_replaced(user: User, tmp_path: Path) -> None:
    """Without its base interpreter an environment is built for another one, and a note says so; without any, 125."""
    copies = [private.copy(Path(sys.executable), tmp_path / name) for name in ("first", "second")]
    for copy in copies:
        (copy.parent / "mypython").symlink_to(copy)
    user.variables["PATH"] = ":".join([str(copy.parent) for copy in copies] + [user.variables["PATH"]])
    user.script("s.py", head='# tool.scriptrun.python = "mypython"\n', body="import sys; print(sys.base_prefix)\n")
    assert user.run("./s.py") == (0, f"{tmp_path}/first\n", "")
    copies[0].unlink()
    finished = user.run("./s.py")
    assert finished[:2] == (0, f"{tmp_path}/second\n")
    assert finished.err.startswith(f"scriptrun: note: `{copies[0]}`, which the script ran on, has gone; preparing it")
    assert user.run("./s.py") == (0, f"{tmp_path}/second\n", "")
    copies[1].unlink()
    finished = user.run("./s.py")
    assert (finished.status, finished.out) == (125, "")
    assert "mypython" in finished.err


@pytest.mark.slow
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_umask_is_the_scripts_own(user: User, umask: int) -> None:
    """Whatever the umask, the cache is its owner's alone, and the script runs with the umask it was started with."""
    user.script("s.py", "demo", body="import os; print(oct(os.umask(0)))\n")
    for _ in range(2):
        assert watch.end(watch.start(user, "./s.py", umask=umask)) == (0, f"{oct(umask)}\n", "")
    assert stat.S_IMODE(user.cache.stat().st_mode) == 0o700
    for path in user.cache.rglob("*"):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if not path.is_symlink():
            assert (mode & 0o077, mode & 0o400) == (0, 0o400), path
            assert mode & 0o200 or path.is_file(), path
