"""An environment that has gone is put together once more, where its question is remembered, with next to no imports."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import private, tiers, watch
from support.index import Index, wheel
from support.tiers import WORKED_OUT, imported, resumed
from support.user import User

from scriptrun import launch, paths, recipe

BODY = "import demo, os, sys\nprint(demo.V, sys.prefix, oct(os.umask(0)))\n"


@pytest.fixture
def asker(user: User, index: Index) -> User:
    """A user whose script was run once, and will be asked for again; the index is theirs alone."""
    files = {"demo.py": "V = '1.0'\ndef main():\n    print('demo in', __import__('sys').prefix)\n"}
    index.add(wheel("demo", "1.0", files=files, scripts={"demo": "demo:main"}, requires=["other"]))
    index.add(wheel("other", "1.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", body=BODY)
    assert user.run("scriptrun", "s.py").status == 0
    index.requests.clear()
    return user


def lose(user: User) -> None:
    """Take all environments away."""
    shutil.rmtree(user.cache / "v1/envs")


def only(user: User) -> Path:
    """Return the one environment there is, with nothing unfinished beside it."""
    [environment] = user.environments()
    assert [environment] == list((user.cache / "v1/envs").glob("*/*"))
    return environment


def tree(environment: Path) -> dict[str, Any]:
    """Return what is in an environment, by path: what links lead to, and the content and mode of files.

    Bytecode, which a script makes, the stamp and the manifest aside; and the environment's own name, also in the hashes
    of commands.
    """
    found: dict[str, Any] = {}
    for path in environment.rglob("*"):
        if "__pycache__" in path.parts or path.name in (".stamp", "scriptrun.json"):
            continue
        mode = stat.S_IMODE(path.lstat().st_mode)
        name = str(path.relative_to(environment))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_dir():
            found[name] = mode
        elif path.parent.name == "bin" or path.name == "RECORD":
            text = path.read_text().replace(str(environment), "ENV")
            lines = text.splitlines()
            found[name] = mode, [line for line in lines if not re.match(r"\.\./\.\./\.\./bin/|.*__pycache__", line)]
        else:
            found[name] = mode, path.read_bytes()
    return found


def manifest(environment: Path) -> dict[str, Any]:
    """Return the manifest without what differs from one generation to the next."""
    found: dict[str, Any] = json.loads((environment / "scriptrun.json").read_text())
    assert found.pop("environment") == str(environment)
    assert len(found.pop("created")) == len("2026-01-31T12:00:00Z")
    return found


@pytest.mark.parametrize("gone", ["v1/envs", "v1/envs/*", "v1/envs/*/*"])
def test_an_environment_that_has_gone_is_made_as_it_was(asker: User, index: Index, gone: str) -> None:
    """pip is not started, all files, links and facts are as before, commands work, and the launcher knows it again."""
    before = only(asker)
    was = manifest(before), tree(before)
    [path] = asker.cache.glob(gone)
    shutil.rmtree(path)
    assert WORKED_OUT not in imported(asker, "s.py")
    after = only(asker)
    assert after != before
    assert (manifest(after), tree(after)) == was
    status, out, _ = asker.run("scriptrun", "s.py")
    assert (status, out) == (0, f"1.0 {after} 0o22\n")
    assert asker.run(after / "bin/demo").out == f"demo in {after}\n"
    assert asker.run("scriptrun", "cache", "verify").status == 0
    assert index.requests == []


def test_the_launcher_finds_what_was_made_again(asker: User) -> None:
    """The record leads to the new environment, and the script has the umask that it was started with."""
    lose(asker)
    assert watch.end(watch.start(asker, "scriptrun", "./s.py", umask=0o027))[1].endswith(f"{only(asker)} 0o27\n")
    [record] = asker.records()
    assert launch.recorded(str(record)) == str(only(asker))


def test_the_launcher_tells_that_only_the_environment_is_missing(asker: User) -> None:
    """Then nobody reads the script but its own Python: it may have changed since, and the answer is not looked for."""
    shutil.rmtree(asker.cache / "v1/answers")
    lose(asker)
    status, out, _ = asker.run("scriptrun", "./s.py")
    assert (status, out) == (0, f"1.0 {only(asker)} 0o22\n")
    assert not (asker.cache / "v1/answers").exists()
    [record] = asker.records()
    assert launch.recorded(str(record)) == str(only(asker))


def watched(user: User) -> None:
    """Wish to see each step."""
    user.variables["SCRIPTRUN_VERBOSE"] = "1"


def open_to_others(user: User) -> None:
    """Let others write to the cache."""
    (user.cache / "v1").chmod(0o777)


def due_some_day(user: User) -> None:
    """Let the record say that the answer has an end."""
    [record] = user.records()
    record.write_bytes(record.read_bytes().replace(b"_sr_due=''", b"_sr_due='/x'"))


def elsewhere(user: User) -> None:
    """Let the record name an environment in another cache."""
    [record] = user.records()
    record.write_bytes(record.read_bytes().replace(b"/v1/envs/", b"/other/v1/envs/"))


def damaged(user: User) -> None:
    """Let half of the record be lost."""
    [record] = user.records()
    record.write_bytes(record.read_bytes()[:60])


def in_use(user: User) -> None:
    """Let there be something where the environment was."""
    [record] = user.records()
    Path(launch.recorded(str(record)) or "").mkdir(parents=True)


def test_what_the_launcher_does_not_look_at_is_left_to_the_rest(asker: User) -> None:
    """Whatever is not plain leads to whoever judges it; what is plain does not."""
    assert asker.run("scriptrun", "./s.py").status == 0
    [record] = asker.records()
    whole, variables = record.read_bytes(), dict(asker.variables)
    for change in (watched, system_cache, open_to_others, due_some_day, elsewhere, damaged, in_use, other_index):
        shutil.rmtree(asker.cache / "v1/envs", ignore_errors=True)
        change(asker)
        assert resumed(asker, record, "s.py") is None, change
        record.write_bytes(whole)
        (asker.cache / "v1").chmod(0o700)
        asker.variables.clear()
        asker.variables.update(variables)
    shutil.rmtree(asker.cache / "v1/envs", ignore_errors=True)
    assert resumed(asker, record, "s.py") is not None
    assert launch.recorded(str(record)) == str(only(asker))


def test_a_script_that_needs_nothing_gets_its_environment_again(user: User) -> None:
    """No answer of pip's is needed where pip was never asked."""
    user.script("s.py", body="print(1)\n")
    assert user.run("scriptrun", "s.py").out == "1\n"
    lose(user)
    assert WORKED_OUT not in imported(user, "--offline", "s.py")
    assert user.run("scriptrun", "s.py").out == "1\n"


def test_two_at_once_make_one_environment(asker: User) -> None:
    """Who finds the lock taken waits, as it would for anybody else."""
    for _ in range(3):
        lose(asker)
        started = [watch.start(asker, "scriptrun", "./s.py") for _ in range(3)]
        ended = [watch.end(process) for process in started]
        assert ended == [(0, f"1.0 {only(asker)} 0o22\n", "")] * 3


KILLED = """\
import os, signal, sys
sys.path.append({packages!r})
from scriptrun import decide, generations, paths
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
def third(source, target, link=os.link, done=[]):
    done.append(target)
    return die() if len(done) == 3 else link(source, target)
{fault}
decide.main(["s.py"], os.environ)
"""


@pytest.mark.parametrize("fault", ["os.link = third", "generations.settle = die", "generations.publish = die"])
def test_who_is_killed_leaves_nothing_that_is_used(asker: User, index: Index, fault: str) -> None:
    """The next run makes the environment, and removes what is left of the first attempt; pip is not started."""
    lose(asker)
    code = KILLED.format(packages=sysconfig.get_path("purelib"), fault=fault)
    assert asker.run(sys.executable, "-I", "-S", "-c", code).status == -signal.SIGKILL
    [left] = (asker.cache / "v1/envs").glob("*/*")
    assert asker.run("scriptrun", "s.py").out == f"1.0 {only(asker)} 0o22\n"
    assert not left.exists()
    assert index.requests == []


def test_damage_in_the_store_is_not_spread(asker: User, index: Index) -> None:
    """Where a kept file was changed, pip is asked; nothing is left of what was put together until then."""
    lose(asker)
    [kept] = asker.cache.glob("v1/store/demo-*/content/site/demo.py")
    kept.chmod(0o644)
    kept.write_text("V = 'changed'\n")
    assert asker.run("scriptrun", "s.py").out == f"1.0 {only(asker)} 0o22\n"
    assert index.requests != []


def other_index(user: User) -> None:
    """Name an index in another way, which leads to the same."""
    user.variables["PIP_INDEX_URL"] = user.variables["PIP_INDEX_URL"].rstrip("/")


def other_option(user: User) -> None:
    """Set something that bears on pip's answer, and has its default value."""
    user.variables["PIP_PRE"] = "0"


def pip_file(user: User) -> None:
    """Let pip have a file of settings, with one that does not bear on what it answers."""
    path = user.home / ".config/pip/pip.conf"
    path.parent.mkdir(parents=True)
    path.write_text("[global]\ntimeout = 20\n")


def configuration(user: User) -> None:
    """Let there be a configuration that says nothing."""
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("\n")


def system_cache(user: User) -> None:
    """Let there be a system's cache."""
    (user.home / "system").mkdir(mode=0o755)
    user.variables["SCRIPTRUN_SYSTEM_CACHE"] = str(user.home / "system")


def forgotten(user: User) -> None:
    """Take pip's answer away, to this question and to that of other patch versions."""
    paths = list(user.cache.glob("v1/pip/answers/*.json"))
    assert len(paths) == 2
    for path in paths:
        path.unlink()


def cut(user: User) -> None:
    """Let half of a recipe be lost."""
    [path] = user.cache.glob("v1/recipes/*")
    path.write_bytes(path.read_bytes()[:500])


def left(user: User) -> None:
    """Let there be what a dead builder left."""
    [key] = user.cache.glob("v1/keys/*")
    (user.cache / "v1/envs" / key.name / "0badcafe/lib").mkdir(parents=True)


@pytest.mark.parametrize(
    "change", [other_index, other_option, pip_file, configuration, system_cache, forgotten, cut, left]
)
def test_all_is_worked_out_where_anything_is_different(asker: User, change: Callable[[User], None]) -> None:
    """A change of what the answer went by leads to whoever can judge it, and the script runs."""
    asker.variables["PIP_CONFIG_FILE"] = ""
    assert asker.run("scriptrun", "--refresh", "s.py").status == 0
    lose(asker)
    assert WORKED_OUT not in imported(asker, "s.py")
    lose(asker)
    change(asker)
    assert WORKED_OUT in imported(asker, "s.py")
    assert asker.run("scriptrun", "s.py").out == f"1.0 {only(asker)} 0o22\n"


def test_all_is_worked_out_where_an_age_counts_or_somebody_watches(asker: User) -> None:
    """An answer that is to be asked for again some day, and who wants to see each step, are not for the short way."""
    for words in (("--max-age", "1d", "s.py"), ("s.py",)):
        assert asker.run("scriptrun", *words).status == 0
    lose(asker)
    assert WORKED_OUT in imported(asker, "--max-age", "1d", "s.py")
    lose(asker)
    assert "scriptrun.again" in imported(asker, "s.py")
    lose(asker)
    _, _, err = asker.run("scriptrun", "-v", "s.py")
    assert "putting together what is kept" in err


def test_another_interpreter_at_the_same_place_is_looked_at(user: User, tmp_path: Path) -> None:
    """Where the base interpreter's file has changed, nothing is made for what was known of it."""
    python = private.copy(Path(sys.executable), tmp_path / "python")
    user.script("s.py")
    imported(user, "s.py", python=python)
    lose(user)
    assert WORKED_OUT not in imported(user, "s.py", python=python)
    lose(user)
    with python.open("ab") as file:
        file.write(b"\n")
    assert WORKED_OUT in imported(user, "s.py", python=python)


def test_a_removed_distribution_is_asked_for_again(asker: User, index: Index) -> None:
    """Where environment and store are empty, pip is asked."""
    lose(asker)
    shutil.rmtree(asker.cache / "v1/store")
    assert asker.run("scriptrun", "s.py").out == f"1.0 {only(asker)} 0o22\n"
    assert index.requests != []


def test_no_recipe_holds_a_password(asker: User) -> None:
    """Credentials in settings of pip's are not written down, and another password is no other question."""
    url = asker.variables["PIP_INDEX_URL"]
    asker.variables["PIP_INDEX_URL"] = url.replace("://", "://somebody:secret@")
    lose(asker)
    assert asker.run("scriptrun", "s.py").status == 0
    [path] = asker.cache.glob("v1/recipes/*")
    assert b"secret" not in path.read_bytes()
    found = recipe.read(str(path))
    assert found is not None
    assert found.holds(str(only(asker).parent), asker.variables) == (found.said == recipe.surroundings(asker.variables))
    assert tiers.WORKED_OUT not in imported(asker, "s.py")


def test_a_recipe_of_another_place_is_none(asker: User) -> None:
    """A cache that was moved has recipes of a place that is not its own any more."""
    [path] = asker.cache.glob("v1/recipes/*")
    found = recipe.read(str(path))
    assert found is not None
    assert found.directory == paths.environments(str(asker.cache), path.name)
    assert not found.holds(paths.environments("/elsewhere", path.name), asker.variables)
