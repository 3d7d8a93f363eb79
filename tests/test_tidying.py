"""What lies beside the environments and serves none of them any more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import generations

from scriptrun import launch, locks, paths
from scriptrun.launch import VALID, Answer
from scriptrun.upkeep import inventory, removal, tidying

KEY = generations.key(1)


@pytest.fixture
def cache(tmp_path: Path) -> str:
    """A cache with one environment."""
    path = str(tmp_path / "cache")
    generations.make(path, KEY)
    return path


def files(directory: str) -> list[str]:
    """Return all that is below a directory."""
    return sorted(str(path.relative_to(directory)) for path in Path(directory).rglob("*"))


def record(cache: str, script: Path, environment: str) -> Path:
    """Write the launch record of a script."""
    path = Path(paths.record(cache, str(script)))
    launch.record(str(path), b"", 0, (str(script), "/l", None), Answer(environment, "", provable=True))
    return path


def test_records(cache: str, tmp_path: Path) -> None:
    """Records of scripts or environments that are gone go with their directories; others stay, also unknown ones."""
    environment = str(generations.make(cache, generations.key(2)))
    here, lost, foreign = tmp_path / "here.py", tmp_path / "lost/deep/s.py", tmp_path / "foreign.py"
    here.touch()
    foreign.touch()
    kept = [record(cache, here, environment), record(cache, foreign, environment)]
    kept[1].write_text("# scriptrun launch record 99\n")
    gone = [record(cache, lost, environment), record(cache, tmp_path / "other.py", "/no/environment")]
    assert tidying.tidy(cache, (), 60.0) >= 1024
    assert all(path.exists() for path in kept)
    assert not any(path.parent.exists() for path in gone)
    assert not os.path.exists(paths.records(cache) + str(tmp_path / "lost"))


def test_locks_of_records(cache: str, tmp_path: Path) -> None:
    """The copy of a lock goes with its record, one without a record too; that of a record which stays does not."""
    environment = str(generations.make(cache, generations.key(2)))
    scripts = [tmp_path / name for name in ("here.py", "lost.py", "alone.py")]
    scripts[0].touch()
    places = [Path(paths.record(cache, str(script))) for script in scripts]
    for script, path in zip(scripts, places, strict=True):
        launch.record(str(path), b"", 0, (str(script), "/l", b"lock"), Answer(environment, "", provable=True))
    places[2].unlink()
    assert tidying.tidy(cache, (), 60.0) >= 1024
    assert len(launch.copies(str(places[0].parent))) == 1
    assert [path.parent.exists() for path in places] == [True, False, False]


def test_answers(cache: str) -> None:
    """Answers whose environment is gone go; others stay, also those that another version wrote."""
    environment = str(generations.make(cache, generations.key(2)))
    launch.remember(cache, b"here", Answer(environment, "", provable=False), VALID)
    launch.remember(cache, b"gone", Answer("/no/environment", "", provable=False), VALID)
    Path(paths.answer(cache, 1)).write_bytes(b"scriptrun answer 99\0/no/environment\0")
    tidying.tidy(cache, (), 60.0)
    left = {launch.answered(str(path)) for path in Path(paths.answers(cache)).iterdir()}
    assert left == {environment, None}


def test_keys(cache: str) -> None:
    """Lock, pointer, recipe and directory of a key without environments go, unless somebody holds the lock."""
    for number in (2, 3):
        paths.replace(paths.pointer(cache, generations.key(number)), b"1a2b3c4d\n")
        os.makedirs(paths.environments(cache, generations.key(number)))
    for number in (1, 2, 3):
        paths.replace(paths.recipe(cache, generations.key(number)), b"")
    for number in (1, 2):
        with locks.hold(paths.lock(cache, generations.key(number))):
            pass
    with locks.hold(paths.lock(cache, generations.key(3))) as ours:
        assert ours
        tidying.tidy(cache, (), 60.0)
    kept = [generations.key(1), generations.key(3)]
    assert files(paths.locks(cache)) == files(paths.pointers(cache)) == files(paths.recipes(cache)) == kept
    assert sorted(os.listdir(paths.all_environments(cache))) == kept


def test_unfinished_files(cache: str) -> None:
    """What somebody began to write goes when it is older than an hour, wherever it is written; nothing like it does."""
    directories = [cache, f"{cache}/v1", paths.answers(cache), paths.pointers(cache), paths.interpreters(cache)]
    directories.append(os.path.dirname(paths.record(cache, "/etc/hosts")))
    for directory in directories:
        os.makedirs(directory, exist_ok=True)
        for name in ("name.12.0123abcd", "young.12.0123abcd", "mine.12.abc"):
            Path(directory, name).touch()
        for name in ("name.12.0123abcd", "mine.12.abc"):
            os.utime(Path(directory, name), (time.time() - 3700,) * 2)
    tidying.tidy(cache, (), 60.0)
    for directory in directories:
        assert [name for name in ("mine.12.abc", "young.12.0123abcd") if name in os.listdir(directory)] == [
            "mine.12.abc",
            "young.12.0123abcd",
        ]
        assert "name.12.0123abcd" not in os.listdir(directory)


def test_isolated_environments(cache: str) -> None:
    """One that nobody cares for goes; one whose lock is held, or from which a process runs, stays."""
    directory = Path(paths.isolated(cache))
    for name in ("held", "lost", "alone", "running"):
        (directory / name).mkdir(parents=True)
    for name in ("lost", "running"):
        (directory / f"{name}.lock").touch()
    code = "import sys; print(1, flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", code, f"{directory}/running/bin"]
    with (
        locks.hold(f"{directory}/held.lock") as ours,
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert ours
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        tidying.tidy(cache, (), 60.0)
        assert files(str(directory)) == ["held", "held.lock", "running", "running.lock"]
        process.stdin.close()


def test_all_that_is_remembered(cache: str, tmp_path: Path) -> None:
    """Forgetting takes records, answers and interpreters, and leaves environments and their pointers."""
    environment = generations.make(cache, generations.key(2))
    record(cache, tmp_path / "s.py", str(environment))
    launch.remember(cache, b"here", Answer(str(environment), "", provable=False), VALID)
    paths.replace(f"{paths.interpreters(cache)}/one", b"")
    for path in (
        paths.pip_answer(cache, "key"),
        paths.pip_project(cache, "ground", "demo"),
        paths.recipe(cache, "key"),
    ):
        paths.make_directories(os.path.dirname(path))
        paths.replace(path, b"")
    byte_code = Path(paths.byte_code(str(environment)), "usr/lib/pip/x.pyc")
    byte_code.parent.mkdir(parents=True)
    byte_code.touch()
    assert tidying.forget(cache) > 0
    assert [path for path in Path(cache, "v1", "pip").rglob("*") if path.is_file()] == []
    assert files(paths.recipes(cache)) == []
    assert files(paths.records(cache)) == files(paths.answers(cache)) == files(paths.interpreters(cache)) == []
    assert environment.exists()
    assert len(os.listdir(paths.pointers(cache))) == 2


@pytest.mark.parametrize("name", ["answers", "interpreters", "isolated", "launch", "trash"])
def test_link_out_of_the_cache(cache: str, tmp_path: Path, name: str) -> None:
    """Where somebody put a link in the place of a directory, what it leads to is not the cache's to remove."""
    outside = tmp_path / "outside"
    (outside / "kept").mkdir(parents=True)
    place = Path(cache, "v1", name)
    if place.is_dir():
        shutil.rmtree(place)
    place.symlink_to(outside)
    (environment,) = (str(entry.path) for entry in inventory.entries(cache))
    removal.remove(cache, [environment], 0.0)
    tidying.tidy(cache, (), 60.0)
    tidying.forget(cache)
    assert not os.path.exists(environment)
    assert [path.name for path in outside.iterdir()] == ["kept"]
