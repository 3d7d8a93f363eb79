"""A damaged cache: the run succeeds all the same, in the right environment, and the cache is good again after it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import damage
from support.user import Finished, User

from scriptrun import cache as caches

SCRIPT = """\
#!/usr/bin/env scriptrun
# /// script
# dependencies = []
# [tool.scriptrun]
# max-age = "7 days"
# ///
import sys
outside = [path for path in sys.path if "-packages" in path and not path.startswith(sys.prefix)]
print(sys.prefix, sys.base_prefix, sys.version_info[:2], outside)
"""

MEMORIES = ("launch", "answers")
"""What leads a run to its environment before anything else is asked."""

FILES: dict[str, tuple[str, ...]] = {
    "CACHEDIR.TAG": (),
    "v1/launch/**/@record": (),
    "v1/envs/*/*/.stamp": (),
    "v1/envs/*/*/.due-*": (),
    "v1/envs/*/*/condemned": (),
    "v1/envs/*/*/pyvenv.cfg": (),
    "v1/answers/*": ("launch",),
    "v1/keys/*": MEMORIES,
    "v1/envs/*/*/scriptrun.json": MEMORIES,
    "v1/interpreters/*": MEMORIES,
    "v1/locks/*": (*MEMORIES, "envs"),
}
"""Every kind of file in a cache, and what else must have gone before a run comes to need it."""

EMPTY = ("v1/envs/*/*/.stamp", "v1/envs/*/*/.due-*", "v1/envs/*/*/condemned", "v1/locks/*")
"""The kinds that have no content."""

DIRECTORIES = ("v1", "v1/envs", "v1/envs/*", "v1/keys", "v1/launch", "v1/launch/*", "v1/answers", "v1/interpreters")


def wrong(field: str, value: object) -> Callable[[bytes], bytes]:
    """Return what puts another value into a field of a JSON object."""
    return lambda content: json.dumps({**json.loads(content), field: value}).encode()


WRONG: dict[str, Callable[[bytes], bytes]] = {
    "v1/launch/**/@record": lambda content: content.replace(b"_sr_env='", b"_sr_env='."),
    "v1/envs/*/*/pyvenv.cfg": lambda _: b"home = 5\n",
    "v1/answers/*": lambda content: content.replace(b"\0provable\0", b"\0maybe\0"),
    "v1/keys/*": lambda _: b"../../../keys\n",
    "v1/envs/*/*/scriptrun.json": wrong("distributions", {"demo": 1}),
    "v1/interpreters/*": wrong("facts", [1]),
}
"""What has the right form and something wrong inside, for the kinds of files that have a form."""


@dataclass(frozen=True)
class Warm:
    """A user whose one script is known to the launcher; `saved` is a copy of the cache as it then is."""

    user: User
    script: Path
    saved: Path
    environment: Path
    out: str

    @property
    def outside(self) -> Path:
        """A directory that nothing may be written to."""
        return self.user.home / "outside"

    def restore(self) -> None:
        """Put the cache back to how it was."""
        damage.remove(self.user.cache)
        shutil.copytree(self.saved, self.user.cache, symlinks=True)

    def forget(self, *directories: str) -> None:
        """Remove directories of the layout."""
        for name in directories:
            damage.remove(self.user.cache / "v1" / name)

    def one(self, pattern: str) -> Path:
        """Return the one file or directory that fits a pattern."""
        (path,) = self.user.cache.glob(pattern)
        return path

    def run(self, *command: str) -> Finished:
        """Run the script."""
        return self.user.run(*command, self.script)

    def launch(self) -> Finished:
        """Run the script where there is nothing of scriptrun but the launcher."""
        return self.user.run(self.script, PATH=f"{self.user.home}/launcher:/usr/bin:/bin")

    def expected(self) -> Finished:
        """Return what a run must come to in the environment that is current now."""
        key = self.environment.parent.name
        found = caches.lookup(str(self.user.cache), key)
        assert found is not None, "the cache was not made good"
        return Finished(0, self.out.replace(str(self.environment), found.path), "")


@pytest.fixture(scope="module")
def warmed(tmp_path_factory: pytest.TempPathFactory, command: Path) -> Warm:
    """Such a user, for all tests of this module in turn."""
    root = tmp_path_factory.mktemp("damage")
    (root / "launcher").mkdir()
    shutil.copy(command, root / "launcher")
    (root / "outside").mkdir()
    user = User(root, root, {"HOME": str(root), "PATH": f"{command.parent}:/usr/bin:/bin", "LANG": "C.UTF-8"})
    script = user.write("s.py", SCRIPT, executable=True)
    first = user.run(script)
    (environment,) = user.environments()
    for name in ("pyvenv.cfg", "scriptrun.json"):  # long ago, for shells that compare whole seconds
        os.utime(environment / name, (1e9, 1e9))
    shutil.copytree(user.cache, root / "saved", symlinks=True)
    warm = Warm(user, script, root / "saved", environment, first.out)
    assert first == warm.launch() == warm.expected()
    return warm


@pytest.fixture
def warm(warmed: Warm) -> Iterator[Warm]:
    """Such a user, whose cache is as it should be at the start; nothing outside of it may change."""
    warmed.restore()
    (warmed.outside / damage.VICTIM).write_text("precious\n")
    yield warmed
    (victim,) = warmed.outside.iterdir()
    assert victim.read_text() == "precious\n"


def ways(kind: str) -> Iterator[str]:
    """Yield the names of the damages that make sense for a kind of file."""
    yield from damage.WAYS
    if kind not in EMPTY:
        yield from damage.CUT
    if kind in WRONG:
        yield "wrong inside"


def apply(way: str, kind: str, path: Path, outside: Path) -> None:
    """Damage a file."""
    if way == "wrong inside":
        before = path.read_bytes()
        path.write_bytes(WRONG[kind](before))
        assert path.read_bytes() != before
    else:
        {**damage.WAYS, **damage.CUT}[way](path, outside)


def unprivileged() -> tuple[str, ...]:
    """Return what starts a command that may read what its user may read, and no more, as root does."""
    return ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


def in_core(way: str) -> list[pytest.MarkDecorator]:
    """Return the marks of a damage: the core of the tests, which runs on every Python, is content with a few."""
    return [] if way in ("random bytes", "directory", "file") else [pytest.mark.slow]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "way"), [pytest.param(kind, way, marks=in_core(way)) for kind in FILES for way in ways(kind)]
)
def test_damaged_file_is_a_miss_and_heals(warm: Warm, kind: str, way: str) -> None:
    """Whatever is wrong with a file, the script runs as it should; the next run is the launcher's, the file good."""
    if kind.endswith("condemned"):
        (warm.environment / "condemned").touch()
    path = warm.one(kind)
    warm.forget(*FILES[kind])
    apply(way, kind, path, warm.outside)
    finished = warm.run(*unprivileged())
    assert finished == warm.expected()
    assert warm.launch() == finished
    if kind.endswith("condemned"):
        assert not path.exists()
        assert str(warm.environment) in finished.out
    elif kind != "CACHEDIR.TAG":  # nobody reads it
        moved = finished.out.split()[0]
        healed = Path(str(path).replace(str(warm.environment), moved))
        assert (healed.is_file(), healed.is_symlink()) == (True, False)


@pytest.mark.slow
@pytest.mark.parametrize("obstacle", [pytest.param(name, marks=in_core(name)) for name in damage.OBSTACLES])
@pytest.mark.parametrize("directory", [*DIRECTORIES, "v1/locks"])
def test_obstacle_in_the_place_of_a_directory_gives_way(warm: Warm, directory: str, obstacle: str) -> None:
    """Where something else is in the place of a directory of the cache, the run succeeds, and makes the directory."""
    path = warm.one(directory)
    warm.forget(*MEMORIES, "envs", "interpreters")
    path.parent.mkdir(parents=True, exist_ok=True)
    damage.OBSTACLES[obstacle](path, warm.outside)
    finished = warm.run()
    assert finished == warm.expected()
    assert warm.launch() == finished
    assert (path.is_dir(), path.is_symlink()) == (True, False)


def test_mark_of_a_dead_remover_is_no_hindrance_offline(warm: Warm) -> None:
    """Where nothing may be prepared, an environment is taken back from a remover that died."""
    (warm.environment / "condemned").touch()
    finished = warm.run("env", "SCRIPTRUN_OFFLINE=1")
    assert finished == warm.expected()
    assert warm.launch() == finished
    assert str(warm.environment) in finished.out


def dangle(path: Path) -> None:
    """Put a link to nowhere in the place of a file."""
    path.unlink()
    path.symlink_to("/nowhere/python")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("bin/python", damage.remove),
        ("bin/python", dangle),
        ("bin/python", lambda path: path.write_text("")),
        ("bin", damage.remove),
        (".", damage.remove),
    ],
    ids=["python gone", "python dangling", "python not executable", "programs gone", "environment gone"],
)
@pytest.mark.parametrize("gone", [(), ("launch",), MEMORIES], ids=["launcher", "answer", "pointer"])
def test_environment_without_its_python_is_made_anew(
    warm: Warm, part: str, change: Callable[[Path], object], gone: tuple[str, ...]
) -> None:
    """An environment whose Python is gone, or leads nowhere, is made anew without being asked, whoever finds out."""
    python = warm.environment / "bin/python"
    python.unlink()  # else it would be the base interpreter that is written to
    python.touch()
    change(warm.environment / part)
    warm.forget(*gone)
    finished = warm.run()
    assert finished[:2] == warm.expected()[:2]
    assert finished.err == "" or "`/nowhere/python`, which the script ran on, has gone" in finished.err
    assert str(warm.environment) not in finished.out
    assert warm.launch() == warm.expected()


def test_isolated_run_clears_its_way(warm: Warm) -> None:
    """A file in the place of the directory for isolated environments gives way to it."""
    (warm.user.cache / "v1/isolated").touch()
    finished = warm.user.run("scriptrun", "--isolated", warm.script)
    assert (finished.status, finished.err) == (0, "")
    assert f"{warm.user.cache}/v1/isolated/" in finished.out


def test_file_in_the_place_of_the_cache_is_not_removed(warm: Warm) -> None:
    """A file where the cache itself would be is somebody's: it stays, and the cache is elsewhere, which is told."""
    for place in (warm.user.directory / "v1", warm.user.directory / "v1" / "cache"):
        (warm.user.directory / "v1").write_text("mine")
        finished = warm.user.run(warm.script, SCRIPTRUN_CACHE_DIR=str(place))
        assert (finished.status, finished.out) == (125, "")
        assert f"the cache directory `{place}` cannot be made" in finished.err
        assert (warm.user.directory / "v1").read_text() == "mine"
