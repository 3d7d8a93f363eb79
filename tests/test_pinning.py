"""Locks as text: what is written, what is refused, and what pip is told of it."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import tomli
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from scriptrun import block, interpreters, location, markers, metadata, paths, pip, prepare, spec
from scriptrun.arguments import Options
from scriptrun.cli import lock as locking
from scriptrun.editing import document
from scriptrun.errors import EditError, InstallError, LockError
from scriptrun.interpreter import Interpreter
from scriptrun.metadata import Asked, ScriptMetadata
from scriptrun.order import Installed, Order
from scriptrun.pinning import basis, embedded, embedding, making, pins, pylock
from scriptrun.pinning.basis import Basis, Target
from scriptrun.pinning.pylock import Lock

HASH = "0" * 64
WHEEL = {
    "name": "demo-1.0-py3-none-any.whl",
    "url": "https://host/demo-1.0-py3-none-any.whl",
    "hashes": {"sha256": HASH},
}
BASIS = Basis(("demo",), (), "", {})
TARGET = Target("3.12", "cpython", "linux-x86_64 glibc")
MARKERS = {
    "implementation_name": "cpython",
    "platform_machine": "x86_64",
    "python_version": "3.12",
    "sys_platform": "linux",
}


def answer(*packages: dict[str, Any]) -> str:
    """Return a lock as pip makes it."""
    return tomlkit.dumps({"lock-version": "1.0", "created-by": "pip", "packages": list(packages)})


def composed(*packages: dict[str, Any], directory: str = "/work") -> str:
    return pylock.compose(answer(*packages), directory, BASIS, TARGET, MARKERS)


def read(text: str, directory: str = "/work") -> Lock:
    return pylock.parse(text.encode(), "pylock.s.toml", directory)


def package(**values: Any) -> dict[str, Any]:
    return {"name": "demo", "version": "1.0", "wheels": [WHEEL], **values}


def test_lock_is_read_as_it_was_made() -> None:
    """What a lock was made from and for, and its packages, are in it; the standard's own fields say for what it is."""
    text = composed(package())
    lock = read(text)
    assert (lock.basis, lock.target, [one.name for one in lock.packages]) == (BASIS, TARGET, ["demo"])
    table = tomli.loads(text)
    assert (table["created-by"], table["requires-python"]) == ("scriptrun", "==3.12.*")
    assert 'sys_platform == "linux"' in table["environments"][0]
    assert read(text.replace("\n", "\r\n")).digest == lock.digest


def test_secrets_are_taken_out() -> None:
    """No user or password of a URL gets into a lock; the user of an ssh URL, which is no secret, stays."""
    text = composed(
        package(wheels=[{**WHEEL, "url": "https://ada:pw@host/demo-1.0-py3-none-any.whl"}]),
        {"name": "one", "archive": {"url": "https://token@host/one.zip", "hashes": {"sha256": HASH}}},
        {"name": "two", "vcs": {"type": "git", "url": "ssh://git:pw@host/two", "commit-id": "a" * 40}},
    )
    assert [word for word in ("ada", "pw", "token") if word in text] == []
    assert "ssh://git@host/two" in text


def test_credentials_of_the_script_are_used() -> None:
    """Where the script names the same host with credentials, pip gets them for that distribution, and no other host."""
    url = "https://host/one.zip"
    found = pins.read(read(composed({"name": "one", "archive": {"url": url, "hashes": {"sha256": HASH}}})), MARKERS)
    told = [metadata.requirement(f"one @ https://{one}/one.zip", "s.py:3") for one in ("ada:pw@host", "ada:pw@other")]
    assert [pins.authorized(found, [one])[0].requirement for one in told] == [
        "one @ https://ada:pw@host/one.zip",
        f"one @ {url}",
    ]


def test_local_directories_are_relative(tmp_path: Path) -> None:
    """pip counts from the root, a lock from the script's directory; so both can be moved together."""
    text = composed({"name": "near", "directory": {"path": f"{tmp_path}/a b/near"[1:]}}, directory=str(tmp_path / "x"))
    assert 'path = "../a b/near"' in text
    (pin,) = pins.read(read(text, str(tmp_path / "y")), MARKERS)
    assert pin.line == f"near @ file://{tmp_path}/a%20b/near"


@pytest.mark.parametrize(
    "changed",
    [
        package(version="1.0 --index-url=x"),
        package(name="demo --pre"),
        package(wheels=[{**WHEEL, "hashes": {"sha256": f"{HASH} --pre"}}]),
        package(wheels=[{**WHEEL, "hashes": {"sha256": "0"}}]),
        package(wheels=[{**WHEEL, "hashes": {"md5": "0" * 32}}]),
        package(wheels=[{**WHEEL, "hashes": {}}]),
        {"name": "demo", "wheels": [WHEEL]},
        *(
            {"name": "demo", "archive": {"url": url, "hashes": {"sha256": HASH}}}
            for url in (
                "https://host/a --pre",
                "https://host/a\n--pre",
                "https://host/a\t--pre",
                "https://host/a\u2028--pre",
                "https://host/${HOME}",
                "https://host/a\\",
                "--index-url=https://host/",
                "/etc/passwd",
                "",
            )
        ),
        {"name": "demo", "vcs": {"type": "git", "url": "https://host/a", "commit-id": "-x"}},
        {"name": "demo", "vcs": {"type": "git", "url": "https://host/a#egg=x", "commit-id": "a" * 40}},
        {"name": "demo", "vcs": {"type": "sh", "url": "https://host/a", "commit-id": "a" * 40}},
        {"name": "demo", "vcs": {"type": "git", "url": "https://host/a", "commit-id": "a" * 40, "subdirectory": "a b"}},
    ],
    ids=str,
)
def test_nothing_of_a_lock_becomes_an_option(changed: dict[str, Any]) -> None:
    """What pip would read as an option, a variable or no hash at all is refused as damage."""
    text = composed(package()).replace(tomlkit.dumps({"packages": [package()]}), tomlkit.dumps({"packages": [changed]}))
    with pytest.raises(LockError) as caught:
        pins.read(read(text), MARKERS)
    assert caught.value.message.startswith("the lock is damaged: ")
    assert caught.value.place == "pylock.s.toml"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('lock-version = "1.0"', 'lock-version = "9.0"'),
        ('lock-version = "1.0"', "<<<<<<< HEAD"),
        ('python = "3.12"\n', ""),
        ('requirements = ["demo"]', "requirements = [1]"),
        ('requirements = ["demo"]', 'options = "x"'),
        ('name = "demo"', 'name = "other"'),
        ('version = "1.0"\n\n', 'marker = "nonsense"\n\n'),
    ],
)
def test_damaged_lock_is_refused(old: str, new: str) -> None:
    """Whatever is missing or wrong in a lock, the error names its file, and is no other error."""
    text = composed(package())
    assert old in text
    with pytest.raises(LockError) as caught:
        read(text.replace(old, new))
    assert caught.value.place == "pylock.s.toml"


def test_lock_of_another_tool_is_told_apart() -> None:
    """Of a lock that another tool made, it is not known what it was made from: it is refused, as such."""
    with pytest.raises(pylock.Foreign) as caught:
        read(answer(package()))
    assert caught.value.message == "the lock was made by pip, which does not say what from"


def test_markers_choose_and_doubles_are_refused() -> None:
    """A package whose marker does not hold is left out; one that is there twice is damage."""
    two = [package(marker="python_version < '3'"), package(version="1.0")]
    lock = read(composed(*two))
    assert len(pins.read(lock, MARKERS)) == 1
    with pytest.raises(LockError):
        pins.read(read(composed(package(), package())), MARKERS)


def script(*requirements: str, **values: Any) -> ScriptMetadata:
    asked = tuple(metadata.requirement(one, "s.py:1") for one in requirements)
    return ScriptMetadata(dependencies=asked, declared=asked)._replace(**values)


def test_differences_are_named() -> None:
    """Each requirement that is new, gone or another is in the answer; another spelling of the same is none."""
    before = basis.of(script("demo<2", "other", "gone"), "/work")
    assert basis.differences(before, basis.of(script("Demo <2", "other", "gone"), "/work")) == []
    assert basis.differences(before, basis.of(script("demo>=1", "other", "new[x]"), "/work")) == [
        "`demo<2` became `demo>=1`",
        "`gone` was removed",
        "`new[x]` was added",
    ]
    held = script("demo<2", "other", "gone", constraints=(Asked(metadata.requirement("a<1", "").requirement, ""),))
    assert basis.differences(before, basis.of(held, "/work")) == ["the constraint `a<1` was added"]


def test_directory_may_move() -> None:
    """Paths below the script's directory count as such: a lock is not stale because it is elsewhere now."""
    here, there = (basis.of(script(f"near @ file://{quote(one)}/near"), one) for one in ("/a/b", "/c d"))
    assert here == there
    assert here.requirements == ("near @ ./near",)


@pytest.mark.parametrize(
    ("platform", "told"),
    [
        ("linux-x86_64 glibc-2.36", "linux-x86_64 glibc"),
        ("linux-x86_64 ", "linux-x86_64"),
        ("macosx-11.0-arm64 ", "macosx-arm64"),
        ("win-amd64 ", "win-amd64"),
    ],
)
def test_target_leaves_out_what_differs_between_like_machines(platform: str, told: str) -> None:
    """A lock is for a minor version and a platform, and not for a release of the C library or the system."""
    interpreter = Interpreter("/p", "cpython", "3.13.1", "", platform, free_threaded=True)
    assert basis.target(interpreter) == Target("3.13t", "cpython", told)
    assert markers.environment(interpreter)["python_version"] == "3.13"


@given(
    body=st.lists(st.sampled_from(["print(1)", "# comment", "#", "# ///", "", "x = '''", "# /// other"]), max_size=5),
    end=st.sampled_from(["\n", "\r\n"]),
    final=st.booleans(),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_lock_is_put_in_and_taken_out(body: list[str], end: str, final: bool, mark: bytes) -> None:  # noqa: FBT001
    """A lock inside is read again whatever the file looks like; taken out, nothing but a last line end is different."""
    lines = ["#!/usr/bin/env scriptrun", "# /// script", "# dependencies = []", "# ///", "", *body]
    content = mark + end.join(lines).encode() + (end.encode() if final else b"")
    lock = composed(package())
    there = embedding.put(content, lock, "s.py")
    assert embedded.text(there, "s.py") == lock
    found = block.cut(there, "s.py")[0]
    assert found is not None
    assert metadata.parse(found, "s.py", "/work").lock == pylock.digest(lock)
    assert embedding.put(there, lock, "s.py") == there
    assert embedding.take_out(there, "s.py").rstrip(b"\r\n") == content.rstrip(b"\r\n")


def test_lock_inside_keeps_other_settings() -> None:
    """The digest goes into the table that is there, and only it comes out again."""
    lines = ["/// script", "dependencies = []  # none", "[tool.scriptrun]", "pre = true", "[tool.x]", "y = 1", "///"]
    content = "".join(f"# {line}\n" for line in lines).encode()
    there = embedding.put(content, composed(), "s.py")
    assert b"pre = true\n# lock = " in there
    assert embedding.take_out(there, "s.py") == content
    assert embedded.text(content, "s.py") is None


def test_lock_is_the_same_in_every_encoding() -> None:
    """A lock is ASCII: what is not is escaped, so a script in whatever encoding holds the same text."""
    text = pylock.compose(answer(package()), "/work", Basis(("demo @ ./naïve 🐍",), (), "", {}), TARGET, MARKERS)
    assert text.isascii()
    assert read(text).basis.requirements == ("demo @ ./naïve 🐍",)


def test_changes_are_told() -> None:
    """What is new, gone or another version has a line each, and so has another Python."""
    before = read(
        composed(
            package(),
            package(name="gone", wheels=[{**WHEEL, "name": "gone-1.0-py3-none-any.whl", "url": "https://h/x"}]),
        )
    )
    after = read(
        composed(
            package(version="2.0", wheels=[{**WHEEL, "name": "demo-2.0-py3-none-any.whl"}]),
            {"name": "new", "directory": {"path": "work/new"}},
        )
    )
    assert making.changes(before, after) == ["demo 1.0 → 2.0", "- gone 1.0", "+ new new"]
    assert making.changes(None, before) == ["+ demo 1.0", "+ gone 1.0"]
    moved = dataclasses.replace(before, target=Target("3.13", "cpython", "linux-x86_64 glibc"))
    assert making.changes(before, moved) == [
        "for cpython 3.13 on linux-x86_64 glibc, until now for cpython 3.12 on linux-x86_64 glibc"
    ]


@pytest.mark.parametrize(
    ("installed", "told"),
    [
        ({}, "pip reported success, but did not install `demo`; locked is 1.0"),
        ({"demo": "2.0"}, "pip reported success, but installed `demo` 2.0; locked is 1.0"),
        ({"demo": "1.0", "more": "1.0"}, "pip reported success, but installed `more` 1.0; locked is another"),
        ({"demo": "1.0"}, ""),
    ],
)
def test_what_is_installed_is_what_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], told: str
) -> None:
    """pip's word is not enough: where anything else is there than what is locked, nothing is left of it."""

    def install(_order: Order, environment: str) -> Installed:
        for name, version in installed.items():
            info = Path(paths.site_packages(environment)) / f"{name}-{version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        return Installed((), {})

    monkeypatch.setattr(pip, "install", install)
    cache = location.open_cache({"SCRIPTRUN_CACHE_DIR": str(tmp_path / "cache")})[0]
    interpreter = interpreters.identify(sys.executable, cache, os.environ)
    assert interpreter is not None
    asked = (metadata.requirement("demo", "s.py:1"),)
    pin = pins.Pin("demo", "1.0", "demo==1.0", (f"sha256:{HASH}",))
    specified = spec.specify(interpreter, asked, Options())
    order = Order(specified, asked, Options(), os.environ, lambda _line: None, pins=(pin,))
    if told:
        with pytest.raises(InstallError) as caught:
            prepare.prepare(cache, order)
        assert caught.value.message == told
        assert not list((tmp_path / "cache/v1").glob("envs/*"))
    else:
        assert prepare.prepare(cache, order).distributions == []


@pytest.mark.parametrize(("failing", "embed"), [("unlink", True), ("replace", True), ("replace", False)])
def test_lock_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, *, embed: bool
) -> None:
    """Where a file cannot be removed or renamed, script and lock are as they were, and nothing else is left."""
    script = tmp_path / "s.py"
    script.write_text("# /// script\n# dependencies = []\n# ///\n")
    if embed:
        (tmp_path / "pylock.s.toml").write_text("old\n")
    read = document.read(str(script))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    remove = os.unlink

    def refuse(path: str, *_target: str) -> None:
        if failing == "unlink" and ".scriptrun-" in path:
            remove(path)
            return
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, failing, refuse)
    with pytest.raises(EditError, match="Permission denied"):
        locking.write(read, read.content, locking.Made("new\n", ()), embed=embed)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
