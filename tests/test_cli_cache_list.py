"""`scriptrun cache list` and `scriptrun cache size`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from support import terminal
from support.index import Index
from support.user import LIMIT, User

from scriptrun import extent

KEYS = [
    "key",
    "path",
    "size",
    "freed",
    "last_used",
    "created",
    "python",
    "requirements",
    "scripts",
    "in_use",
    "current",
]


def listed(user: User, *options: str) -> list[dict[str, Any]]:
    """Return what `cache list --json` prints, which is nothing but an array."""
    status, out, err = user.run("scriptrun", "cache", "list", "--json", *options)
    assert (status, err) == (0, "")
    content = json.loads(out)
    assert isinstance(content, list)
    return content


def sized(user: User) -> dict[str, int]:
    """Return what `cache size --json` prints."""
    status, out, err = user.run("scriptrun", "cache", "size", "--json")
    assert (status, err) == (0, "")
    content: dict[str, int] = json.loads(out)
    return content


def on_terminal(user: User, *command: str, columns: int) -> str:
    """Return what a command writes to a terminal of this width, without any variable that tells it."""
    seen = terminal.run(user, *command, on=(1,), columns=columns)
    assert seen.status == 0
    return seen.shown


def test_empty_cache(user: User) -> None:
    """Without environments there is an empty array, a table with headings alone, and no bytes."""
    assert listed(user) == []
    table = user.run("scriptrun", "cache", "list")
    assert (table.status, table.err, len(table.out.splitlines())) == (0, "", 1)
    size = sized(user)
    assert (size["environments"], size["distributions"], size["size"], size["freed"]) == (0, 0, 0, 0)
    told = user.run("scriptrun", "cache", "size").out
    assert told.startswith("0 environments, 0 distributions, 0 B; to remove all would free 0 B\non disk: 0 B envir")


@pytest.mark.slow
def test_object_of_an_environment(user: User, shared_index: Index) -> None:
    """Each key is there, and says of the environment what its files, its stamp and the launch records say."""
    script = user.script("s.py", "Other", "DEMO >= 1")
    assert user.run("./s.py").status == 0
    (environment,) = user.environments()
    os.utime(environment / ".stamp", (0, 1_700_000_000))
    (one,) = listed(user)
    manifest = json.loads((environment / "scriptrun.json").read_text())
    top = (user.cache / "v1/store").stat().st_blocks * 512
    assert list(one) == KEYS
    assert one == {
        "key": environment.parent.name,
        "path": str(environment),
        "size": extent.measure(str(environment)).size,
        "freed": extent.measure(str(environment)).freed + extent.measure(str(user.cache / "v1/store")).taken - top,
        "last_used": "2023-11-14T22:13:20Z",
        "created": manifest["created"],
        "python": manifest["asked"]["interpreter"]["version"],
        "requirements": ["demo>=1", "other"],
        "scripts": [str(script)],
        "in_use": False,
        "current": True,
    }
    size = sized(user)
    assert (size["environments"], size["distributions"], size["freed"]) == (1, 2, one["freed"])
    assert shared_index.url.split("/")[2] not in user.run("scriptrun", "cache", "list").out


@pytest.mark.slow
def test_replaced_environment_stays_in_the_list(user: User) -> None:
    """What a refresh has replaced is listed, not as current, until it is removed, and its bytes count."""
    user.script("s.py")
    user.run("./s.py")
    user.run("scriptrun", "--refresh", "s.py")
    both = listed(user)
    assert sorted(one["current"] for one in both) == [False, True]
    assert len({one["key"] for one in both}) == 1
    assert sized(user)["size"] == sum(one["size"] for one in both)
    assert user.run("scriptrun", "cache", "list").out.count("  replaced  ") == 1


def test_what_is_being_built_is_not_listed(user: User) -> None:
    """An environment that is not complete is none."""
    (user.cache / "v1/envs" / ("0" * 32) / "11111111/lib").mkdir(parents=True)
    user.cache.chmod(0o700)
    assert listed(user) == []
    assert sized(user)["environments"] == 0


@pytest.mark.slow
def test_running_script_is_in_use(user: User) -> None:
    """An environment that a process runs from says so, also one that the launcher started; afterwards not."""
    user.script("s.py", body="import sys\nif sys.argv[1:]:\n    print('ready', flush=True)\n    sys.stdin.read()\n")
    user.run("./s.py")
    assert [one["in_use"] for one in listed(user)] == [False]
    command = [str(user.directory / "s.py"), "wait"]
    with subprocess.Popen(
        command, env=user.environment(), cwd=user.directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert [one["in_use"] for one in listed(user)] == [True]
        assert "in use" in user.run("scriptrun", "cache", "list").out
        process.communicate(timeout=LIMIT)
    assert [one["in_use"] for one in listed(user)] == [False]


@pytest.mark.slow
def test_orders(user: User, pythons: list[Path]) -> None:
    """The last used come first; else the largest, the newest, the newest Python, or keys by the alphabet."""
    user.script("s.py")
    for options in (("-p", str(pythons[0])), ("--pre",), ("-p", str(pythons[-1]), "--no-index")):
        assert user.run("scriptrun", *options, "s.py").status == 0
    for number, environment in enumerate(user.environments()):
        used = time.time() - 1000 * ((number + 1) % 3)
        (environment / "content").write_bytes(b"x" * ((number * 2 + 1) % 5))
        change(environment, created=f"2026-01-0{number + 1}T00:00:00Z")
        os.utime(environment / ".stamp", (used, used))
    everything = listed(user)
    assert len(everything) == 3
    assert listed(user, "--sort", "used") == everything
    for word, name in (("used", "last_used"), ("size", "size"), ("created", "created")):
        values = [one[name] for one in listed(user, "--sort", word)]
        assert values == sorted(values, reverse=True)
        assert len(set(values)) == 3
    versions = [[int(part) for part in one["python"].split(".")] for one in listed(user, "--sort=python")]
    assert versions == sorted(versions, reverse=True)
    keys = [one["key"] for one in listed(user, "--sort", "key")]
    assert keys == sorted(keys)


def change(environment: Path, **values: Any) -> None:
    """Change values in the manifest of an environment."""
    manifest = environment / "scriptrun.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **values}))


def test_unknown_order_is_refused(user: User) -> None:
    """A word that is no order is wrong use, and the words that are one are named."""
    status, out, err = user.run("scriptrun", "cache", "list", "--sort", "color")
    assert (status, out) == (2, "")
    assert "used, size, created, python, key" in err


def many(user: User) -> None:
    """Run a script whose requirements and path are long, and another."""
    long = "demo != 0.1, != 0.2, != 0.3, != 0.4, != 0.5, != 0.6, != 0.7, != 0.8"
    user.script(f"{'long' * 20}.py", long)
    user.script("short.py")
    assert user.run(f"./{'long' * 20}.py").status == 0
    assert user.run("./short.py").status == 0


@pytest.mark.slow
def test_table(user: User) -> None:
    """Elsewhere than on a terminal nothing is cut; on one each line fits, down to a narrow one, and nothing wraps."""
    many(user)
    lines = user.run("scriptrun", "cache", "list", COLUMNS="40").out.splitlines()
    headings = ["KEY", "SIZE", "FREED", "LAST USED", "CREATED", "PYTHON", "STATE", "REQUIREMENTS", "SCRIPTS"]
    assert re.split(r"\s{2,}", lines[0]) == headings
    by_key = {one["key"][:12]: one for one in listed(user)}
    assert [line[:12] for line in lines[1:]] == list(by_key)
    for line in lines[1:]:
        one = by_key[line[:12]]
        assert ", ".join(one["requirements"]) in line
        assert line.endswith(one["scripts"][0])
        assert f"  {one['created'][:10]}  {one['python']}  " in line
    for columns in (200, 120, 80, 30):
        shown = on_terminal(user, "scriptrun", "cache", "list", columns=columns).splitlines()
        assert [line[:12] for line in shown] == [line[:12] for line in lines]
        assert max(map(len, shown)) <= columns
        assert any("…" in line for line in shown)
        assert ("SCRIPTS" in shown[0]) == (columns >= 80)
        assert ("CREATED" in shown[0]) == (columns >= 120)
    wide = on_terminal(user, "scriptrun", "cache", "list", columns=1000)
    assert wide.splitlines() == lines


def test_text_that_is_not_ours_is_escaped(user: User) -> None:
    """Control characters of a script's name reach neither terminal nor table; JSON keeps what is no text."""
    name = os.fsdecode(b"a\x1b[31m\xff\nb.py")
    script = user.script(name)
    assert user.run(f"./{name}").status == 0
    table = user.run("scriptrun", "cache", "list").out
    assert "\x1b" not in table
    assert len(table.splitlines()) == 2
    assert "a\\x1b[31m\\xff\\x0ab.py" in table
    assert [one["scripts"] for one in listed(user)] == [[str(script)]]


@pytest.mark.slow
def test_credentials_are_not_shown(user: User, shared_index: Index) -> None:
    """Neither list holds the password that stands in a requirement's URL, also where an old manifest has it."""
    wheel = next(name for name in shared_index.files if name.startswith("demo-1.0"))
    url = shared_index.url_for("ada:secret").replace("simple/", f"files/{wheel}")
    user.script("s.py", f"demo @ {url}")
    assert user.run("./s.py").status == 0
    (environment,) = user.environments()
    assert "secret" not in (environment / "scriptrun.json").read_text()
    asked = json.loads((environment / "scriptrun.json").read_text())["asked"]
    change(environment, asked={**asked, "requirements": [f"demo @ {url}"]})
    assert "secret" not in user.run("scriptrun", "cache", "list").out
    assert [one["requirements"] for one in listed(user)] == [[f"demo @ {url.replace('ada:secret@', '')}"]]


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"format": 99}'])
def test_environment_that_cannot_be_read_is_listed(user: User, content: bytes) -> None:
    """Where the manifest tells nothing, what it would tell is null or empty, and the rest is there."""
    user.script("s.py")
    user.run("./s.py")
    (environment,) = user.environments()
    (environment / "scriptrun.json").write_bytes(content)
    (one,) = listed(user)
    assert list(one) == KEYS
    assert (one["created"], one["python"], one["requirements"]) == (None, None, [])
    assert one["size"] > 0
    assert user.run("scriptrun", "cache", "list").out.count("?") == 2


def test_reader_that_has_gone_is_no_error(user: User) -> None:
    """`scriptrun cache list | head` ends as other programs do."""
    user.script("s.py")
    user.run("./s.py")
    reading, writing = os.pipe()
    os.close(reading)
    command = ["scriptrun", "cache", "list"]
    process = subprocess.run(command, env=user.environment(), stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (process.returncode, process.stderr) == (-signal.SIGPIPE, b"")


def test_size_in_words(user: User) -> None:
    """A line tells numbers, bytes and what removing gives back, another one what takes how much room."""
    user.script("s.py")
    user.run("./s.py")
    (environment,) = user.environments()
    (environment / "content").write_bytes(b"x" * 1_234_567)
    first, second, end = user.run("scriptrun", "cache", "size").out.split("\n")
    assert re.fullmatch(r"1 environment, 0 distributions, 1\.2 MB; to remove all would free 1\.[23] MB", first)
    assert re.fullmatch(r"on disk: 1\.[23] MB environments, 0 B store, [\d.]+ kB other", second)
    assert end == ""
