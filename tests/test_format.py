"""The format of the cache: what another version of scriptrun wrote is put to use, or left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import kept
from support.kept import Kept
from support.user import Finished, User

from scriptrun.interpreter import Interpreter
from scriptrun.spec import EnvironmentSpec, Resolution

pytestmark = pytest.mark.slow


@pytest.fixture
def old(user: User) -> Kept:
    """A user with the cache that another version of scriptrun filled."""
    return kept.restore(user)


def files(directory: Path) -> dict[str, bytes]:
    """Return what is in each file below a directory."""
    return {str(path): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def without(directories: tuple[str, ...], user: User) -> None:
    """Let go of what is in directories of the layout."""
    for name in directories:
        for path in user.cache.glob(f"v1/{name}/**/*"):
            if path.is_file():
                path.unlink()


@pytest.mark.parametrize(
    "gone", [(), ("launch",), ("launch", "answers"), ("launch", "answers", "interpreters")], ids=str
)
def test_kept_cache_is_put_to_use(old: Kept, command: Path, gone: tuple[str, ...]) -> None:
    """The launcher, the remembered answer, and pointer and manifest each lead to the environment; nothing is built."""
    without(gone, old.user)
    launcher = old.user.write("launcher/scriptrun", command.read_bytes(), executable=True)
    alone = f"{launcher.parent}:/usr/bin:/bin"
    (environment,) = old.user.environments()
    settled = {path: content for path, content in files(old.user.cache / "v1").items() if "/interpreters/" not in path}
    expected = Finished(0, f"{environment}\n", "")
    if gone:
        assert old.user.run(old.script, PATH=alone).status == 125
        assert old.user.run(old.script, SCRIPTRUN_OFFLINE="1") == expected
    assert old.user.run(old.script, PATH=alone) == expected
    assert [environment] == list(old.user.cache.glob("v1/envs/*/*"))
    assert settled.items() <= files(old.user.cache / "v1").items()


def test_what_is_written_today_is_what_was_kept(old: Kept) -> None:
    """Files that are written anew are the same, byte for byte: else the format has changed, and gets a new number."""
    before = files(old.user.cache / "v1/launch") | files(old.user.cache / "v1/answers")
    without(("launch", "answers"), old.user)
    assert old.user.run(old.script).status == 0
    assert files(old.user.cache / "v1/launch") | files(old.user.cache / "v1/answers") == before


def strange(old: Kept) -> list[Path]:
    """Add to a cache what today's code does not know, and return where."""
    (environment,) = old.user.environments()
    newer = environment.parent / "ffffffff"
    contents = {
        old.user.cache / "v2/envs/key/scriptrun.json": "{}",
        old.user.cache / "v1.lock": "",
        old.user.cache / "v1/unknown": "?",
        old.user.cache / "v1/unknown.d/file": "?",
        old.user.cache / "v1/keys/unknown.d/file": "?",
        old.user.cache / "v1/answers/unknown": "?",
        old.user.cache / "v1/interpreters/unknown": "?",
        environment / ".unknown": "?",
        newer / "scriptrun.json": json.dumps({"format": 99, "environment": str(newer)}),
        newer / ".stamp": "",
        newer / "bin/python": "?",
    }
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return list(contents)


def add_fields(manifest: Path) -> None:
    """Add fields to a manifest that today's code does not know."""
    content = json.loads(manifest.read_text())
    content["asked"]["new"] = content["new"] = {"more": [1]}
    manifest.write_text(json.dumps(content))


def test_unknown_things_are_left_alone(old: Kept) -> None:
    """Another layout, a manifest of another format, and fields and files that are not known stay as they are."""
    (environment,) = old.user.environments()
    add_fields(environment / "scriptrun.json")
    paths = [*strange(old), environment / "scriptrun.json"]
    before = {path: path.read_bytes() for path in paths}
    other = old.user.script("other.py", head="# # another block\n", body="import sys; print(sys.prefix)\n")
    expected = Finished(0, f"{environment}\n", "")
    assert old.user.run(old.script) == expected
    without(("launch",), old.user)
    assert old.user.run(old.script) == expected
    assert old.user.run(other) == expected
    assert old.user.run("scriptrun", "--isolated", old.script).status == 0
    refreshed = old.user.run("scriptrun", "--refresh", old.script)
    assert refreshed.status == 0
    assert refreshed != expected
    assert old.user.run(other) == refreshed
    assert {path: path.read_bytes() for path in paths} == before


def test_current_manifest_of_another_format_is_a_miss(old: Kept) -> None:
    """Where a newer version has made its own environment current, this one builds another, and leaves that as it is."""
    (environment,) = old.user.environments()
    manifest = environment / "scriptrun.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 99}))
    without(("launch", "answers"), old.user)
    before = files(environment)
    finished = old.user.run(old.script)
    assert (finished.status, finished.err) == (0, "")
    assert finished.out != f"{environment}\n"
    assert old.user.run(old.script) == finished
    assert before.items() <= files(environment).items()


def test_key_stays() -> None:
    """The key of the same specification is the same in every version, as long as the format of keys is."""
    interpreter = Interpreter("/usr/bin/python3.12", "cpython", "3.12.1", "cpython-312 x", "linux-x86_64 glibc", False)
    resolution = Resolution(index_url="https://index.example/simple", exclude_newer="2025-01-01", pre=True)
    spec = EnvironmentSpec(interpreter, ("demo<2", "other[extra]"), ("demo==1",), resolution, (("/path", "00ff"),))
    assert spec.key == "985163ff23887f1c039405609fc3650a"
