"""Bundles where they run: on Pythons that have nothing but their standard library, without network."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support import hosts, watch
from support import user as users
from support.hosts import Host
from support.index import Index
from support.user import Finished, User

BODY = """\
import json, os, sys
import demo, tool
if sys.argv[1:] == ["kill"]:
    os.kill(os.getpid(), 15)
if sys.argv[1:2] == ["exit"]:
    sys.exit(int(sys.argv[2]))
if sys.argv[1:] == ["wait"]:
    print(os.getpid(), flush=True)
    sys.stdin.read()
print(json.dumps({
    "argv": sys.argv, "file": __file__, "cwd": os.getcwd(), "stdin": sys.stdin.read(), "version": demo.V,
    "tool": os.popen("tool").read(), "prefix": sys.prefix, "pid": os.getpid(), "name": __name__,
    "path": sys.path[0], "mode": os.environ.get("SCRIPTRUN_BUNDLE"), "python": sys.version_info[:2],
    "dev": sys.flags.dev_mode, "other": os.environ.get("OTHER"), "base": os.path.realpath(sys.executable),
}))
"""

Make = Callable[[str], Host]


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory, command: Path, shared_index: Index) -> User:
    """Who makes bundles."""
    return users.create(tmp_path_factory.mktemp("author"), command, shared_index.url)


@pytest.fixture(scope="module")
def bundle(author: User) -> Path:
    """A bundle of a script with a module and a command, for the Python of the tests."""
    return hosts.make(author, author.script("job.py", "demo", "tool", body=BODY))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host where nothing ran yet."""
    return hosts.create(tmp_path / "host", Path(sys.executable).resolve())


def told(finished: Finished) -> dict[str, object]:
    """Return what the script said."""
    assert (finished.status, finished.err) == (0, "")
    found: dict[str, object] = json.loads(finished.out)
    return found


def started(host: Host, bundle: Path, *words: str) -> subprocess.Popen[str]:
    """Start a bundle without waiting for it."""
    return watch.start(host.user, *hosts.alone(), host.python, bundle, *words)


def waiting(host: Host, bundle: Path) -> subprocess.Popen[bytes]:
    """Start a bundle whose script waits for the end of its stdin, and return it when it does; it is that process."""
    command: list[str | Path] = [*hosts.alone(), host.python, bundle, "wait"]
    process = subprocess.Popen(command, env=host.user.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert int(process.stdout.readline()) == process.pid
    return process


def test_script_runs_as_ever(host: Host, bundle: Path) -> None:
    """Arguments, stdin, working directory, variables and the name of the file are as for `python job.py`, each time."""
    seen = []
    for _ in range(2):
        finished = host.run(bundle, "a b", "--flag", "", stdin="grüße".encode(), OTHER="1", LC_ALL="C.UTF-8")
        seen.append(told(finished))
    first, second = seen
    assert {**first, "pid": 0} == {**second, "pid": 0}
    script = str(first["file"])
    assert first["argv"] == [script, "a b", "--flag", ""]
    assert (os.path.basename(script), first["path"]) == ("job.py", os.path.dirname(script))
    assert Path(script).read_text() == (bundle.parent / "job.py").read_text()
    assert (first["cwd"], first["stdin"]) == (str(host.user.directory), "grüße")
    assert (first["name"], first["version"], first["other"], first["mode"]) == ("__main__", "2.0", "1", None)
    assert first["prefix"] == str(host.environment())
    assert first["tool"] == f"tool in {host.environment()}\n"
    assert first["base"] == str(host.python)


def test_bundle_is_a_program(host: Host, bundle: Path) -> None:
    """It is executable, and its first line finds its Python by name and minor version."""
    minor = f"python3.{sys.version_info[1]}"
    assert bundle.read_bytes().startswith(f"#!/usr/bin/env {minor}\n".encode())
    path = f"{host.python.parent}:/usr/bin:/bin"
    assert told(host.user.run(*hosts.alone(), bundle, PATH=path))["base"] == str(host.python)
    shown = host.user.run(sys.executable, "-m", "zipapp", bundle, "--info")
    assert shown == (0, f"Interpreter: /usr/bin/env {minor}\n", "")


@pytest.mark.parametrize("state", ["cold", "warm"])
def test_status_and_signals_are_the_scripts(host: Host, bundle: Path, state: str) -> None:
    """The process is the script's: its number, its exit status, and what signals do to it."""
    if state == "warm":
        told(host.run(bundle))
    assert host.run(bundle, "exit", "7").status == 7
    assert host.run(bundle, "kill").status == -signal.SIGTERM
    process = waiting(host, bundle)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=users.LIMIT)
    assert process.returncode == -signal.SIGINT


def test_flags_of_python_are_kept(host: Host, bundle: Path) -> None:
    """What Python is told before the name of the bundle holds for the script, also under `-I -S`."""
    flags = ["-X", "dev", "-I", "-S", "-W", "ignore"]
    ran = host.user.run(*hosts.alone(), host.python, *flags, bundle, "x")
    assert ran.status == 1  # without `site` the script does not find its environment
    assert "No module named 'demo'" in ran.err
    for _ in range(2):
        ran = host.user.run(*hosts.alone(), host.python, "-X", "dev", "-W", "ignore", bundle, "x")
        assert [told(ran)[name] for name in ("dev", "argv")] == [True, [told(ran)["file"], "x"]]


def test_python_that_does_not_know_itself(host: Host, bundle: Path) -> None:
    """Without PATH, or by a name that leads nowhere, the base is the program that runs, and not where one stands."""
    if not os.path.exists("/proc/self/exe"):
        pytest.skip("only Linux tells a program what it is there")
    variables = {"SCRIPTRUN_CACHE_DIR": str(host.cache), "SCRIPTRUN_SYSTEM_CACHE": ""}
    for _ in range(2):
        ran = subprocess.run(
            ["no-such-python", bundle],
            executable=host.python,
            env=variables,
            cwd=host.user.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert json.loads(ran.stdout)["prefix"] == str(host.environment())
    assert told(host.run(bundle))["prefix"] == str(host.environment())


def test_end_of_pythons_options(host: Host, bundle: Path) -> None:
    """`--` before the name of the bundle is for Python alone, and ends no options of the environment's Python."""
    ran = host.user.run(host.python, "-B", "--", bundle, "-c", "print(1)", SCRIPTRUN_BUNDLE="python")
    assert ran == (0, "1\n", "")
    assert told(host.user.run(host.python, "--", bundle, "-c"))["argv"] == [told(host.run(bundle))["file"], "-c"]


@pytest.mark.parametrize(("said", "shown"), [("1", True), ("0", False), ("off", False), ("", False)])
def test_steps(host: Host, bundle: Path, said: str, shown: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """SCRIPTRUN_VERBOSE shows each step, unless it says no."""
    assert ("scriptrun: unpacking " in host.run(bundle, SCRIPTRUN_VERBOSE=said).err) == shown


def test_modes(host: Host, bundle: Path) -> None:
    """`sync` prints the environment and compiles what is in it; `python` is its Python; another word is an error."""
    wrong = host.run(bundle, SCRIPTRUN_BUNDLE="snyc")
    assert (wrong.status, wrong.out) == (2, "")
    assert wrong.err.startswith("scriptrun: error: SCRIPTRUN_BUNDLE is `snyc`\nhint: ")
    assert not host.cache.exists()
    assert host.run(bundle, SCRIPTRUN_BUNDLE="sync").out == f"{host.environment()}\n"
    assert list(host.environment().glob("lib/*/site-packages/__pycache__/demo.*.pyc"))
    assert host.run(bundle, SCRIPTRUN_BUNDLE="sync") == (0, f"{host.environment()}\n", "")
    code = "import demo, os, sys; print(demo.V, sys.prefix, sys.argv[1:], os.environ.get('SCRIPTRUN_BUNDLE'))"
    ran = host.run(bundle, "-c", code, "a", SCRIPTRUN_BUNDLE="python")
    assert ran == (0, f"2.0 {host.environment()} ['a'] None\n", "")
    assert host.run(bundle, "-m", "tool", SCRIPTRUN_BUNDLE="python").status == 0
    assert told(host.run(bundle, SCRIPTRUN_BUNDLE=""))["mode"] is None


def test_bytes_are_reproducible(author: User, bundle: Path) -> None:
    """The same script, lock and Python make the same bundle, byte for byte; the lock was made for it alone."""
    assert not (author.directory / "pylock.job.toml").exists()
    before = bundle.read_bytes()
    os.utime(author.directory / "job.py", (0, 0))
    assert hosts.make(author, author.directory / "job.py").read_bytes() == before


def test_scriptrun_has_the_same_key(
    bundle: Path, new_user: Callable[[str], User], index: Index, tmp_path: Path
) -> None:
    """With the bundle's lock beside it, scriptrun runs the script in the bundle's environment, and asks nobody."""
    shutil.unpack_archive(bundle, tmp_path / "unpacked", "zip")
    (python,) = {Path(sys.executable).resolve()}
    host = hosts.of(tmp_path / "host", python)
    first = told(host.run(bundle))
    user = new_user("user")
    for name in ("job.py", "pylock.job.toml"):
        user.write(name, (tmp_path / "unpacked/script" / name).read_bytes())
    user.variables.update(HOME=str(host.user.home), PIP_INDEX_URL=index.url)  # this one has nothing
    second = told(user.run("scriptrun", "-p", str(python), "job.py"))
    assert second["prefix"] == first["prefix"] == str(host.environment())
    assert index.requests == []
    key = host.environment().parent.name
    shown = json.loads(user.run("scriptrun", "env", "-p", str(python), "--json", "job.py").out)
    assert shown["key"] == key
    assert user.run("scriptrun", "cache", "verify") == (0, "", "")


@pytest.mark.slow
def test_many_first_starts(host: Host, bundle: Path) -> None:
    """Twenty processes that start at once on a host where nothing ran make one environment, and all run in it."""
    processes = [started(host, bundle) for _ in range(20)]
    ended = [Finished(*watch.end(process)) for process in processes]
    assert {str(told(one)["prefix"]) for one in ended} == {str(host.environment())}
    assert len(list(host.cache.glob("v1/envs/*/*"))) == 1
    assert len(list(host.cache.glob("v1/store/*"))) == 2


@pytest.mark.slow
def test_killed_in_the_first_start(host: Host, bundle: Path) -> None:
    """Wherever SIGKILL hits the first start, the next one is as if there had been none; nothing of it stays."""
    environ = {**host.user.environment(), "SCRIPTRUN_VERBOSE": "1"}
    steps = 0
    while True:
        shutil.rmtree(host.cache, ignore_errors=True)
        process = subprocess.Popen([host.python, bundle], env=environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stderr is not None
        read = [process.stderr.readline() for _ in range(steps)]
        if read and not read[-1]:
            process.communicate(timeout=users.LIMIT)
            break
        process.kill()
        process.communicate(timeout=users.LIMIT)
        for path in host.cache.glob("v1/store/*"):
            os.utime(path, (0, 0))  # it is not to be taken for another machine's
        assert told(host.run(bundle))["prefix"] == str(host.environment())
        assert sorted(path.name.count(".") for path in host.cache.glob("v1/store/*")) == [1, 1]
        assert len(list(host.cache.glob("v1/envs/*/*"))) == 1
        steps += 1
    assert steps >= 4  # two wheels, a virtual environment, the store


@pytest.mark.slow
def test_terminated_in_the_first_start(host: Host, bundle: Path) -> None:
    """SIGTERM while another process prepares ends the one that waits, with the status of that signal, and a word."""
    told(host.run(bundle, SCRIPTRUN_CACHE_DIR=str(host.user.directory / "known")))
    (key,) = [path.name for path in (host.user.directory / "known/v1/keys").iterdir()]
    lock = host.cache / "v1/locks" / key
    lock.parent.mkdir(parents=True, mode=0o700)
    host.cache.chmod(0o700)
    import fcntl

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [*hosts.alone(), host.python, bundle],
            env={**host.user.environment(), "SCRIPTRUN_VERBOSE": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        assert process.stderr.readline() == "scriptrun: waiting for another run to prepare it\n"
        process.terminate()
        err = process.communicate(timeout=users.LIMIT)[1]
    assert (process.returncode, err.split(" while")[0]) == (143, "scriptrun: error: interrupted by signal 15")
    assert host.user.environments() == []


@pytest.mark.slow
def test_every_python(author: User, pythons: list[Path], tmp_path: Path) -> None:
    """On each Python from 3.10 on that is here, a bundle made for it runs; on all others it says which one it needs."""
    script = author.script("each.py", "demo", "tool", body=BODY)
    able = [python for python in pythons if int(python.name.removeprefix("python3.")) >= 10]
    assert len(able) >= 2 or not os.environ.get("CI")
    for python in able:
        bundle = hosts.make(author, script, "--python", str(python))
        host = hosts.create(tmp_path / python.name, python)
        for _ in range(2):
            assert told(host.run(bundle))["python"] == [3, int(python.name.removeprefix("python3."))]
        for other in set(pythons) - {python}:
            wrong = host.user.run(other, bundle)
            assert (wrong.status, wrong.out) == (125, "")
            assert wrong.err == (
                f"scriptrun: error: `{bundle}` is for {python.name}, and `{other}` is {other.name}\n"
                f"hint: start it with that: {python.name} {bundle}\n"
            )
    for python in set(pythons) - set(able):
        refused = author.run("scriptrun", "bundle", str(script), "--python", str(python))
        assert (refused.status, refused.out) == (2, "")
        assert "a bundle is for Python 3.10 or newer" in refused.err


@pytest.mark.slow
def test_bundles_share_the_store(author: User, bundle: Path, host: Host) -> None:
    """What two bundles have in common is kept once, and each has its script and its environment."""
    other = hosts.make(author, author.script("other.py", "demo", body="import demo; print(demo.V)\n"))
    told(host.run(bundle))
    kept = {path: path.stat().st_ino for path in host.cache.glob("v1/store/*")}
    assert host.run(other) == (0, "2.0\n", "")
    assert {path: path.stat().st_ino for path in host.cache.glob("v1/store/*")} == kept
    assert len(host.user.environments()) == 2
    assert sorted(path.name for path in host.cache.glob("v1/bundles/*/*")) == ["job.py", "other.py"]


@pytest.mark.slow
def test_what_has_gone_comes_back(host: Host, bundle: Path) -> None:
    """Whatever of the cache somebody removes, the next start makes it again."""
    told(host.run(bundle))
    for part in ("envs", "store", "bundles", "answers", "keys", ""):
        shutil.rmtree(host.cache / "v1" / part)
        assert told(host.run(bundle))["prefix"] in [str(one) for one in host.user.environments()], part


def test_without_dependencies(author: User, host: Host) -> None:
    """A script that needs nothing is bundled too, without a lock, and gets an environment without anything."""
    script = author.script("bare.py", body="import sys; print(sys.prefix != sys.base_prefix)\n")
    bundle = hosts.make(author, script)
    assert [host.run(bundle), host.run(bundle)] == [(0, "True\n", "")] * 2


def test_read_only_home(host: Host, bundle: Path, tmp_path: Path) -> None:
    """Where no cache can be made in the home it is in the temporary directory, and a note says so, once."""
    home = tmp_path / "sealed"
    home.write_text("no directory")
    (tmp_path / "tmp").mkdir(mode=0o700)
    first = host.run(bundle, XDG_CACHE_HOME=str(home), TMPDIR=str(tmp_path / "tmp"))
    second = host.run(bundle, XDG_CACHE_HOME=str(home), TMPDIR=str(tmp_path / "tmp"))
    assert first.err.startswith(f"scriptrun: note: the cache is in `{tmp_path}/tmp/scriptrun-")
    assert told(second)["prefix"] == json.loads(first.out)["prefix"]
    nowhere = host.run(bundle, XDG_CACHE_HOME=str(home), TMPDIR=str(home))
    assert (nowhere.status, nowhere.out) == (125, "")
    assert nowhere.err.startswith("scriptrun: error: ")


def test_system_cache_counts_first(author: User, bundle: Path, tmp_path: Path) -> None:
    """An environment with the same key that somebody made for all is used, and none is made."""
    shutil.unpack_archive(bundle, tmp_path / "unpacked", "zip")
    system, python = tmp_path / "system", Path(sys.executable).resolve()
    system.mkdir()
    script = tmp_path / "unpacked/script/job.py"
    synced = author.run(
        "scriptrun", "sync", "--system", "-p", str(python), str(script), SCRIPTRUN_SYSTEM_CACHE=str(system)
    )
    assert synced.status == 0
    host = hosts.of(tmp_path / "host", python)
    for _ in range(2):
        ran = told(host.run(bundle, SCRIPTRUN_SYSTEM_CACHE=str(system)))
        assert ran["prefix"] == synced.out.strip()
    assert (host.user.environments(), list(host.cache.glob("v1/store/*"))) == ([], [])
    host.user.variables.update(
        SCRIPTRUN_SYSTEM_CACHE=str(system), SCRIPTRUN_CACHE_DIR="/dev/null/x", TMPDIR="/dev/null"
    )
    assert host.run(bundle, SCRIPTRUN_BUNDLE="sync") == (0, synced.out, "")
    code = ("-c", "import sys; print(sys.prefix)")
    assert host.run(bundle, *code, SCRIPTRUN_BUNDLE="python") == (0, synced.out, "")
    refused = host.run(bundle)
    assert (refused.status, refused.out) == (125, "")
    assert "hint: the script of a bundle needs a place" in refused.err


@pytest.mark.slow
def test_housekeeping(bundle: Path, host: Host, new_user: Callable[[str], User]) -> None:
    """`cache prune` leaves the script of a bundle that was used or runs, and removes one that was idle for long."""
    user = new_user("keeper")
    user.variables["HOME"] = str(host.user.home)
    file = Path(str(told(host.run(bundle))["file"]))
    assert user.run("scriptrun", "cache", "prune").status == 0
    assert file.exists()
    os.utime(file.parent, (0, 0))
    told(host.run(bundle))  # a use counts
    assert user.run("scriptrun", "cache", "prune").status == 0
    assert file.exists()
    process = waiting(host, bundle)
    os.utime(file.parent, (0, 0))
    assert user.run("scriptrun", "cache", "prune").status == 0
    assert file.exists()
    process.communicate(b"", timeout=users.LIMIT)
    assert user.run("scriptrun", "cache", "prune").status == 0
    assert not file.parent.exists()
    told(host.run(bundle))


IMPORTED = """\
import os, runpy, sys
def stop(*_):
    print(*sorted(sys.modules))
    sys.stdout.flush()
    os._exit(0)
os.execve = stop
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
stop()
"""


def test_imports_of_a_warm_start(host: Host, bundle: Path) -> None:
    """A start whose environment is there imports a handful of modules beside what starting a zip takes."""
    told(host.run(bundle))
    empty = host.user.directory / "empty.pyz"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("__main__.py", "")
    found = [set(host.user.run(host.python, "-I", "-S", "-c", IMPORTED, path).out.split()) for path in (bundle, empty)]
    own = {f"scriptrun{name}" for name in ("", ".bundle", ".bundle.start", ".errors", ".launch", ".location", ".paths")}
    assert found[0] - found[1] == {*own, "fcntl", "zlib"}


def test_imports_of_a_first_start(host: Host, bundle: Path) -> None:
    """With wheels for any machine, nothing is imported that asks pip, or reads TOML or requirements."""
    found = set(host.user.run(host.python, "-I", "-S", "-c", IMPORTED, bundle).out.split())
    assert "scriptrun.prepare" in found
    asking = {
        f"scriptrun.{name}" for name in ("pip", "metadata", "interpreters", "process", "answers.known", "markers")
    }
    assert found & {"packaging", "tomli", *asking} == set()


def test_code_that_every_start_needs_is_not_packed(bundle: Path) -> None:
    """What a start and a first start import is there as byte code, as it is; so are wheels."""
    with zipfile.ZipFile(bundle) as archive:
        stored = {one.filename for one in archive.infolist() if one.compress_type == zipfile.ZIP_STORED}
    names = ("__init__", "bundle/__init__", "bundle/start", "bundle/unpacking", "errors", "launch", "prepare", "paths")
    assert {f"scriptrun/{name}.pyc" for name in names} < stored
    assert {name for name in stored if name.endswith(".whl")} == {
        "wheels/demo-2.0-py3-none-any.whl",
        "wheels/tool-1.0-py3-none-any.whl",
    }
