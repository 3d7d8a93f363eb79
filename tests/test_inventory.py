"""What is in a cache: every generation, whatever state it is in."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scriptrun import cache as caches
from scriptrun import extent, interpreters, launch, location, paths, prepare, spec
from scriptrun.arguments import Options
from scriptrun.cache import Environment
from scriptrun.order import Order
from scriptrun.upkeep import inventory

KEPT = f"demo-1.0-{'0' * 32}"


@pytest.fixture
def cache(tmp_path: Path) -> str:
    """A cache directory, mode 0700."""
    return location.open_cache({"SCRIPTRUN_CACHE_DIR": str(tmp_path / "cache")})[0]


def prepared(cache: str, **options: Any) -> Environment:
    """Return an environment without distributions, one of its own for each set of options."""
    interpreter = interpreters.identify(sys.executable, cache, os.environ)
    assert interpreter is not None
    given = Options(options)
    order = Order(spec.specify(interpreter, (), given), (), given, dict(os.environ), lambda _line: None)
    return prepare.prepare(cache, order)


def record(cache: str, script: str, environment: Environment) -> None:
    """Write the launch record of a script."""
    launch.record(
        paths.record(cache, script),
        b"#\n",
        2,
        ("/s.py", "/l", None),
        launch.Answer(environment.path, "", provable=True),
    )


def changed(path: str, **values: Any) -> None:
    """Change values in the manifest of the environment at a path, and take out those that are None."""
    manifest = Path(paths.manifest(path))
    content = {**json.loads(manifest.read_text()), **values}
    manifest.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))


def test_cache_without_environments(cache: str) -> None:
    """An empty cache holds nothing, nor does one that is not there."""
    assert inventory.entries(cache) == []
    assert inventory.entries(f"{cache}/nowhere") == []


def test_entry_tells_all_that_is_known(cache: str) -> None:
    """Key, path, manifest, last use, scripts and sizes of an environment are in its entry."""
    one, two = prepared(cache), prepared(cache, pre=True)
    os.utime(paths.stamp(one.path), (0, 1_000_000_000.0))
    record(cache, "/home/ada/b.py", one)
    record(cache, "/home/ada/a.py", one)
    record(cache, "/@record/it's.py", two)
    found = {entry.path: entry for entry in inventory.entries(cache)}
    assert set(found) == {one.path, two.path}
    entry = found[one.path]
    assert (entry.key, entry.manifest) == (one.manifest["key"], one.manifest)
    assert (entry.last_used, entry.current, entry.complete) == (1_000_000_000.0, True, True)
    assert entry.scripts == ("/home/ada/a.py", "/home/ada/b.py")
    assert found[two.path].scripts == ("/@record/it's.py",)
    assert entry.extent == extent.measure(one.path)


def test_what_was_not_used_since_is_not_measured_again(cache: str) -> None:
    """An environment is walked through again only where it was used after, or shortly before, it was measured last."""
    path = prepared(cache).path
    for used, seen in ((time.time() - 3600, False), (time.time() - 5, True), (time.time() + 3600, True)):
        os.utime(paths.stamp(path), (used, used))
        before = extent.measure(path)
        inventory.entries(cache)
        Path(path, f"later-{used}.pyc").write_bytes(b"x" * 5000)
        after = extent.measure(path)
        assert before != after
        (entry,) = inventory.entries(cache)
        assert entry.extent == (after if seen else before)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"@": 1}', '{"@": []}', '{"@": [99.5, 1]}', '{"@": [1e99, 1, 1, 1, 1]}', '{"@": [99.5, 1, 1, 1, -1]}'],
)
def test_measure_that_cannot_be_read(cache: str, text: str) -> None:
    """What was written down and is damaged, or from a time to come, is not believed: the environment is measured."""
    path = prepared(cache).path
    os.utime(paths.stamp(path), (1, 1))
    notes = Path(paths.extents(cache), "envs")
    notes.parent.mkdir()
    notes.write_text(text.replace("@", "/".join(path.split("/")[-2:])))
    (entry,) = inventory.entries(cache)
    assert entry.extent == extent.measure(path)


def test_distributions(cache: str) -> None:
    """What is in the store is measured, once; what is being put there is not in it yet."""
    for name in (KEPT, f"{KEPT}.1.0123abcd", "junk"):
        path = Path(paths.store(cache), name)
        path.mkdir(parents=True)
        (path / "kept.json").write_bytes(b"x" * 5000)
    os.link(path / "kept.json", f"{cache}/elsewhere")
    measured = extent.measure(os.path.join(paths.store(cache), KEPT))
    assert measured.taken > 5000
    assert inventory.distributions(cache) == {KEPT: measured}
    Path(paths.store(cache), KEPT, "kept.json").unlink()
    assert inventory.distributions(cache) == {KEPT: measured}


def test_replaced_generation_is_not_current(cache: str) -> None:
    """What a refresh has replaced is there still, and the pointer's generation alone is current."""
    old = prepared(cache)
    new = prepared(cache, refresh=True)
    assert {entry.path: entry.current for entry in inventory.entries(cache)} == {old.path: False, new.path: True}
    os.unlink(paths.pointer(cache, old.manifest["key"]))
    assert [entry.current for entry in inventory.entries(cache)] == [False, False]


def test_what_is_being_built_is_not_complete(cache: str) -> None:
    """A generation without a manifest has the time and the size of its directory."""
    building = Path(paths.environments(cache, "0" * 32), "11111111")
    (building / "lib").mkdir(parents=True)
    (building / "lib/module.py").write_text("x = 1\n")
    os.utime(building, (0, 1_000_000_000.0))
    (entry,) = inventory.entries(cache)
    assert (entry.path, entry.manifest, entry.complete, entry.current) == (str(building), None, False, False)
    assert (entry.last_used, entry.extent.size) == (1_000_000_000.0, len("x = 1\n"))


@pytest.mark.parametrize(
    "values",
    [
        {"format": 99},
        {"environment": "/elsewhere"},
        {"asked": {}},
        {"asked": None},
        {"created": 5},
        {"distributions": [1]},
    ],
)
def test_manifest_that_cannot_be_read(cache: str, values: dict[str, Any]) -> None:
    """A manifest of another format or shape is None, and the environment is complete and measured all the same."""
    environment = prepared(cache)
    changed(environment.path, **values)
    (entry,) = inventory.entries(cache)
    assert (entry.manifest, entry.complete, entry.current) == (None, True, True)
    assert entry.extent.size == extent.measure(environment.path).size
    assert caches.lookup(cache, entry.key) is None


def test_junk_is_passed_over(cache: str, tmp_path: Path) -> None:
    """Files and links where directories belong, and records that are none, are no environments and no scripts."""
    environment = prepared(cache)
    root = Path(paths.all_environments(cache))
    (root / "file").touch()
    (root / "empty").mkdir()
    (root / "link").symlink_to(tmp_path)
    (root / environment.manifest["key"] / "file").touch()
    (root / environment.manifest["key"] / "link").symlink_to(environment.path)
    records = Path(paths.records(cache))
    for name in ("a", "b"):
        (records / "home" / name).mkdir(parents=True)
    (records / "home/a/@record").write_bytes(b"\xff\0")
    (records / "home/b/@record").mkdir()
    (records / "home/loop").symlink_to(records)
    (entry,) = inventory.entries(cache)
    assert (entry.path, entry.scripts) == (environment.path, ())


def test_what_goes_away_meanwhile_is_left_out(cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that is removed while it is looked at is no entry, and no error."""
    environment = prepared(cache)

    def read(path: str) -> None:
        shutil.rmtree(path)

    monkeypatch.setattr(caches, "read_manifest", read)
    assert inventory.entries(cache) == []
    assert not os.path.exists(environment.path)


def test_link_out_of_the_cache_is_not_followed(cache: str, tmp_path: Path) -> None:
    """What lies where a link leads is nobody's environment, and is never removed as the leaving of one."""
    environments = Path(prepared(cache).path).parent.parent
    (tmp_path / "papers/year/letters").mkdir(parents=True)
    (environments / ("0" * 32)).symlink_to(tmp_path / "papers/year")
    assert len(inventory.entries(cache)) == 1
    os.rename(environments, tmp_path / "moved")
    environments.symlink_to(tmp_path / "papers")
    assert inventory.entries(cache) == []
