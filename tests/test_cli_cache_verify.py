"""`scriptrun cache verify`, and `--repair`, which builds anew from the manifest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import index as indexes
from support import private
from support.index import Index
from support.user import LIMIT, Finished, User

from scriptrun import spec

pytestmark = pytest.mark.slow


def verify(user: User, *options: str, **variables: Any) -> Finished:
    """Run `scriptrun cache verify`."""
    return user.run("scriptrun", "cache", "verify", *options, **variables)


def site(environment: Path) -> Path:
    """Return the directory of modules of an environment."""
    (directory,) = environment.glob("lib/python*/site-packages")
    return directory


def current(user: User, script: str) -> Path:
    """Return the environment that a script has now."""
    return Path(json.loads(user.run("scriptrun", "env", script, "--json").out)["environment"])


def test_nothing_to_find(user: User) -> None:
    """A cache without environments, one without distributions, and one that pip filled are silent, with status 0."""
    assert verify(user) == (0, "", "")
    user.script("plain.py")
    user.script("s.py", "other", "tool")
    assert user.run("./plain.py").status == 0
    assert user.run("./s.py").status == 0
    assert verify(user) == (0, "", "")
    assert verify(user, "--repair") == (0, "", "")


def test_repair_restores_what_was_there(user: User, index: Index) -> None:
    """Damage in several environments is found, a file a line; repair rebuilds both, in the versions that were there."""
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("helper", "1.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", "helper", body="import demo; print(demo.V)\n")
    user.script("plain.py", body="print('plain')\n")
    assert user.run("./s.py").out == "1.0\n"
    assert user.run("./plain.py").out == "plain\n"
    damaged, plain = current(user, "s.py"), current(user, "plain.py")
    (site(damaged) / "demo.py").write_text("V = '66.6'\n")
    (site(damaged) / "helper.py").unlink()
    (plain / "pyvenv.cfg").unlink()
    index.add(indexes.wheel("demo", "2.0"))
    (kept,) = (path.name for path in user.cache.glob("v1/store/demo-*"))
    findings = sorted(
        (
            f"store: {kept}: site/demo.py differs; held by {damaged.parent.name}",
            f"{damaged.parent.name}: demo 1.0: demo.py differs",
            f"{damaged.parent.name}: helper 1.0: helper.py is missing",
            f"{plain.parent.name}: pyvenv.cfg is missing",
        )
    )
    found = verify(user)
    assert (found.status, sorted(found.out.splitlines()), found.err) == (1, findings, "")
    assert user.run("./s.py").out == "66.6\n"
    repaired = verify(user, "--repair")
    assert (repaired.status, sorted(repaired.out.splitlines())) == (0, findings)
    notes = [f"{key} was rebuilt" for key in sorted((damaged.parent.name, plain.parent.name))]
    notes.insert(0, f"{kept} was removed from the store")
    assert repaired.err.splitlines() == [f"scriptrun: note: {note}" for note in notes]
    assert verify(user) == (0, "", "")
    assert current(user, "s.py").parent == damaged.parent
    assert current(user, "s.py") != damaged
    assert user.run("./s.py").out == "1.0\n"
    assert user.run("./plain.py").out == "plain\n"


def test_repair_does_not_renew_an_answer(user: User, index: Index) -> None:
    """What is repaired is as old as it was, and what pip was told to install is not its answer to the question."""
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("helper", "1.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    for number, damage in enumerate(("helper.py", "v1/store")):
        user.script("s.py", "demo", f"helper>={number}", body="import demo; print(demo.V)\n")
        assert user.run("scriptrun", "--refresh", "s.py").status == 0
        environment = current(user, "s.py")
        manifest = environment / "scriptrun.json"
        content = json.loads(manifest.read_bytes())
        manifest.write_text(json.dumps({**content, "answered": "2026-01-01T00:00:00Z"}))
        answers = {path.name: path.read_bytes() for path in user.cache.glob("v1/pip/*/**/*.json")}
        (site(environment) / "helper.py").unlink()
        if damage == "v1/store":
            shutil.rmtree(user.cache / damage)
        index.requests.clear()
        assert verify(user, "--repair").status == 0
        assert bool(index.requests) == (damage == "v1/store")
        assert current(user, "s.py") != environment
        after = json.loads((current(user, "s.py") / "scriptrun.json").read_bytes())
        assert after["answered"] == "2026-01-01T00:00:00Z"
        assert {path.name: path.read_bytes() for path in user.cache.glob("v1/pip/*/**/*.json")} == answers


def test_running_script_goes_on_in_the_damaged_environment(user: User) -> None:
    """What is repaired is left to those who run in it; nobody else starts there."""
    body = "import sys\nif sys.argv[1:]:\n    print('ready', flush=True)\n    sys.stdin.read()\n    import json\n"
    user.script("s.py", body=f"{body}print(sys.prefix)\n")
    assert user.run("./s.py").status == 0
    old = current(user, "s.py")
    command = [str(user.directory / "s.py"), "wait"]
    with subprocess.Popen(
        command, env=user.environment(), cwd=user.directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        (old / "pyvenv.cfg").write_text("")
        assert verify(user, "--repair").status == 0
        assert user.run("./s.py").out == f"{current(user, 's.py')}\n"
        out, _ = process.communicate(timeout=LIMIT)
    assert (process.returncode, out.decode()) == (0, f"{old}\n")
    assert current(user, "s.py") != old


def test_repair_keeps_to_what_was_asked(user: User, index: Index) -> None:
    """Constraints and the options of the index count again; the key stays the same."""
    index.add(*(indexes.wheel(name, version) for name in ("demo", "lib") for version in ("1.0", "2.0")))
    index.add(indexes.wheel("app", "1.0", requires=["lib"]))
    user.write("c.txt", "# versions\nlib < 2  # not yet\ndemo!=2\n")
    user.script("s.py", "app", "demo", body="import demo, lib; print(demo.V, lib.V)\n")
    words = ("scriptrun", "--constraint", "c.txt", "--index-url", index.url, "--pre", "s.py")
    nowhere: dict[str, Any] = {"PIP_INDEX_URL": "http://127.0.0.1:9/"}
    assert user.run(*words, **nowhere) == (0, "1.0 1.0\n", "")
    (environment,) = user.environments()
    (site(environment) / "lib.py").unlink()
    (user.directory / "c.txt").unlink()
    assert verify(user, "--repair", **nowhere).status == 0
    assert verify(user) == (0, "", "")
    user.write("c.txt", "lib < 2\ndemo!=2\n")
    assert user.run(*words, "--offline", **nowhere)[:2] == (0, "1.0 1.0\n")


@pytest.mark.parametrize("words", [(), ("--offline",)])
def test_repair_from_the_store(user: User, index: Index, words: tuple[str, ...]) -> None:
    """What is sound in the store is not asked of pip again, offline or with an index that has other versions now."""
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("helper", "1.0", requires=["demo"]))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "helper", body="import demo; print(demo.V)\n")
    assert user.run("./s.py").out == "1.0\n"
    before = current(user, "s.py")
    (site(before) / "demo.py").unlink()
    (site(before) / "helper.py").unlink()
    (site(before) / "helper.py").write_text("V = 'mine'\n")
    index.files.clear()
    index.add(indexes.wheel("demo", "2.0"))
    index.requests.clear()
    assert verify(user, "--repair", *words).status == 0
    assert index.requests == []
    assert verify(user) == (0, "", "")
    assert user.run("./s.py").out == "1.0\n"
    after = current(user, "s.py")
    assert after != before


def damage(user: User) -> Path:
    """Run `s.py`, which needs `demo`, take the module away, from the store too, and return the environment."""
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    assert user.run("./s.py").out == "2.0\n"
    environment = current(user, "s.py")
    (site(environment) / "demo.py").unlink()
    shutil.rmtree(user.cache / "v1/store")
    return environment


def test_what_cannot_be_rebuilt_is_taken_out_of_use(user: User) -> None:
    """Offline the damaged environment is withdrawn, with status 1 and a word on stderr; the next run prepares it."""
    environment = damage(user)
    finished = verify(user, "--repair", SCRIPTRUN_OFFLINE="1")
    assert (finished.status, finished.out) == (1, f"{environment.parent.name}: demo 2.0: demo.py is missing\n")
    assert f"{environment.parent.name} cannot be rebuilt" in finished.err
    assert "--offline" in finished.err
    assert "out of use" in finished.err
    assert environment.is_dir()
    assert verify(user) == (0, "", "")
    assert user.run("./s.py", SCRIPTRUN_OFFLINE="1").status == 125
    assert user.run("./s.py").out == "2.0\n"
    assert current(user, "s.py") != environment


def test_version_that_has_gone(user: User, index: Index) -> None:
    """Where the index has the version no more, the next run asks for what there is."""
    index.add(indexes.wheel("demo", "2.0"))
    user.variables.update(PIP_INDEX_URL=index.url, PIP_NO_CACHE_DIR="1")
    environment = damage(user)
    index.files.clear()
    index.add(indexes.wheel("demo", "3.0"))
    finished = verify(user, "--repair")
    assert finished.status == 1
    assert "not in the versions that were there" in finished.err
    assert user.run("./s.py").out == "3.0\n"
    assert current(user, "s.py") != environment


def test_local_project_that_has_changed(user: User) -> None:
    """What was made from a directory that is another one now is not made from that instead."""
    name, content = indexes.wheel("local", "1.0")
    wheel = user.directory / name
    wheel.write_bytes(content)
    user.script("s.py", f"local @ file://{wheel}", body="import local; print(local.V)\n")
    assert user.run("./s.py").out == "1.0\n"
    (site(current(user, "s.py")) / "local.py").unlink()
    shutil.copy(wheel, user.directory / "kept")
    wheel.write_bytes(indexes.wheel("local", "1.0", files={"local.py": "V = 'another'\n"})[1])
    changed = verify(user, "--repair")
    assert changed.status == 1
    assert "has changed" in changed.err
    wheel.unlink()
    shutil.copy(user.directory / "kept", wheel)
    assert user.run("./s.py").out == "1.0\n"
    (site(current(user, "s.py")) / "local.py").unlink()
    assert verify(user, "--repair").status == 0
    assert verify(user) == (0, "", "")


def test_password_of_the_index_is_the_one_that_is_given_now(user: User, index: Index) -> None:
    """The manifest has no password; one in the variable is used, without it the environment is withdrawn."""
    index.add(indexes.wheel("demo", "2.0"))
    index.credentials = "ada:secret"
    url = {"SCRIPTRUN_INDEX_URL": index.url_for("ada:secret")}
    user.variables.update(url, PIP_NO_CACHE_DIR="1")
    damage(user)
    assert verify(user, "--repair") == (0, *verify_output(user, "demo 2.0: demo.py is missing", "was rebuilt"))
    (site(current(user, "s.py")) / "demo.py").unlink()
    shutil.rmtree(user.cache / "v1/store")
    finished = user.run("scriptrun", "cache", "verify", "--repair", SCRIPTRUN_INDEX_URL=None)
    assert finished.status == 1
    assert "secret" not in finished.out + finished.err
    assert user.run("./s.py").out == "2.0\n"


def verify_output(user: User, finding: str, note: str) -> tuple[str, str]:
    """Return what stands on stdout and stderr for the environment of `s.py`."""
    key = current(user, "s.py").parent.name
    return f"{key}: {finding}\n", f"scriptrun: note: {key} {note}\n"


def test_base_interpreter_that_has_gone(user: User, tmp_path: Path) -> None:
    """Where the Python of an environment has gone it is withdrawn, and the next run chooses another."""
    python = private.copy(Path(sys.executable), tmp_path / "private")
    user.script("s.py", body="print('ran')\n")
    assert user.run("scriptrun", "-p", python, "s.py").out == "ran\n"
    (environment,) = user.environments()
    shutil.rmtree(tmp_path / "private")
    finished = verify(user, "--repair")
    key = environment.parent.name
    assert (finished.status, finished.out.splitlines()) == (
        1,
        [f"{key}: {python} is missing", f"{key}: bin/python is missing"],
    )
    assert "has gone or changed" in finished.err
    assert verify(user) == (0, "", "")
    assert user.run("./s.py").out == "ran\n"


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def ask_for_another(path: Path) -> None:
    path.write_text(path.read_text().replace('"requirements": []', '"requirements": ["demo"]'))


def name_another_interpreter(path: Path) -> None:
    path.write_text(path.read_text().replace('"path": "/', '"path": "/elsewhere/'))


@pytest.mark.parametrize("harm", [empty, truncate, ask_for_another, name_another_interpreter])
def test_damaged_manifest(user: User, harm: Callable[[Path], object]) -> None:
    """A manifest that is not as it was written is a finding, and nothing is rebuilt from it: the next run does that."""
    user.script("s.py", body="print('ran')\n")
    user.run("./s.py")
    (environment,) = user.environments()
    manifest = environment / "scriptrun.json"
    before = manifest.read_bytes()
    harm(manifest)
    assert manifest.read_bytes() != before
    finished = verify(user, "--repair")
    assert (finished.status, finished.out) == (1, f"{environment.parent.name}: scriptrun.json differs\n")
    assert "its manifest is damaged" in finished.err
    assert verify(user) == (0, "", "")
    assert user.run("./s.py").out == "ran\n"
    assert verify(user) == (0, "", "")


def test_other_versions_are_left_alone(user: User) -> None:
    """An environment whose manifest has a format, or facts about the Python, of a newer version is not damaged."""
    user.script("s.py")
    user.run("./s.py")
    (environment,) = user.environments()
    manifest = environment / "scriptrun.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "format": 2, "more": "of this"}))
    assert verify(user, "--repair") == (0, "", "")
    assert environment.is_dir()
    asked = {**content["asked"], "more": "of this"}
    key = spec.digest(asked)
    moved = environment.parent.parent / key / environment.name
    moved.parent.mkdir(mode=0o700)
    environment.rename(moved)
    (user.cache / "v1/keys" / key).write_text(f"{environment.name}\n")
    manifest = moved / "scriptrun.json"
    manifest.write_text(json.dumps({**content, "asked": asked, "key": key, "environment": str(moved)}))
    assert verify(user, "--repair") == (0, "", "")
    (moved / "pyvenv.cfg").unlink()
    finished = verify(user, "--repair")
    assert (finished.status, finished.out) == (1, f"{key}: pyvenv.cfg is missing\n")
    assert "another version of scriptrun made it" in finished.err


def test_what_is_being_built_is_left_alone(user: User) -> None:
    """A generation without a manifest, and one that was replaced, are not looked at, and stay as they are."""
    user.script("s.py")
    user.run("./s.py")
    user.run("scriptrun", "--refresh", "s.py")
    old, new = sorted(user.environments(), key=lambda path: path != current(user, "s.py"), reverse=True)
    building = new.parent / "11111111"
    building.mkdir()
    (building / "pyvenv.cfg").touch()
    (old / "pyvenv.cfg").unlink()
    assert verify(user) == (0, "", "")
    assert verify(user, "--repair") == (0, "", "")
    assert (building / "pyvenv.cfg").exists()
    assert old.is_dir()
    assert current(user, "s.py") == new


def test_names_of_files_are_escaped(user: User, index: Index) -> None:
    """A file's name cannot write to the terminal."""
    index.add(indexes.wheel("demo", "2.0", files={"demo.py": "V = '2.0'\n", "a\x1b[2Jb.py": ""}))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo")
    assert user.run("./s.py").status == 0
    (site(current(user, "s.py")) / "a\x1b[2Jb.py").unlink()
    finished = verify(user)
    assert finished.status == 1
    assert "\x1b" not in finished.out
    assert finished.out.endswith("demo 2.0: a\\x1b[2Jb.py is missing\n")


def test_environment_for_everybody_stays_one(user: User) -> None:
    """A repaired environment of the system's cache is readable for all, as the one before was."""
    system = user.home / "system"
    user.script("s.py", "demo")
    variables: dict[str, Any] = {"SCRIPTRUN_SYSTEM_CACHE": str(system)}
    assert user.run("scriptrun", "sync", "--system", "s.py", **variables).status == 0
    (before,) = (path.parent for path in system.glob("v1/envs/*/*/scriptrun.json"))
    (site(before) / "demo.py").unlink()
    assert verify(user, "--repair", SCRIPTRUN_CACHE_DIR=str(system)).status == 0
    (after,) = (path.parent for path in system.glob("v1/envs/*/*/scriptrun.json") if path.parent != before)
    for path in (after, site(after) / "demo.py", after / "scriptrun.json"):
        assert os.stat(path).st_mode & 0o044 == 0o044
    assert verify(user, SCRIPTRUN_CACHE_DIR=str(system)) == (0, "", "")
