"""`docs/fleet.md`, "An image": a real engine follows the page, builds the Dockerfile of the samples, and runs it."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support import engine, pages, watch
from support import index as indexes
from support.pages import Step
from support.user import Finished, User

pytestmark = [pytest.mark.slow, pytest.mark.together]

PAGE = pages.section("docs/fleet.md", "An image")
FLEET = "samples/fleet"
HARDENED = ("--rm", "--read-only", "--read-only-tmpfs=false", "--network=none", "--passwd=false")
"""Nothing can be written, nothing reached, and the user is not in `/etc/passwd`. (Docker has no such `/tmp` anyway.)"""

SECRET = "user:very-secret"

PLAIN = """\
#!/usr/bin/env scriptrun
# /// script
# ///
import os, sys
print(os.getpid(), os.listdir("/tmp"), sys.argv[1:], sys.stdin.read())
sys.exit(3)
"""

STOPS = """\
#!/usr/bin/env scriptrun
# /// script
# ///
import signal, sys
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(7))
print("ready", flush=True)
signal.pause()
"""

MORE = """\
FROM report
USER 0
COPY *.py /app/
RUN scriptrun sync --system plain.py stops.py
USER 10001
"""

LINKED = """\
FROM report
USER 0
RUN scriptrun sync --system --venv-link report.py
USER 10001
ENTRYPOINT ["/app/.venv/bin/python", "/app/report.py"]
"""


class Followed(NamedTuple):
    """Somebody with an engine and a clone, the steps of the page, and what they wrote."""

    user: User
    steps: list[Step]
    written: list[str]


@pytest.fixture(scope="module")
def followed(pythons: list[Path]) -> Iterator[Followed]:
    """Follow the page, with an index that wants a password."""
    with indexes.serve() as index:
        index.credentials = SECRET
        index.add(indexes.wheel("demo", "1.0"))
        with engine.start(index, pythons) as user:
            pages.clone(user.directory)
            steps = pages.steps(PAGE)
            written = []
            for step in steps:
                finished = user.run("sh", "-c", step.command)
                assert finished.status == 0, (step.command, finished)
                written.append(finished.err + finished.out)
            yield Followed(user, steps, written)


def build(user: User, tag: str, directory: str) -> Finished:
    """Build an image, telling every step."""
    return user.run("docker", "build", "--tag", tag, directory)


def test_the_page_leads_to_an_image_that_runs_its_script(followed: Followed) -> None:
    """What the page shows is what is written, and the base image in the Dockerfile is that of the page."""
    assert pages.differing(followed.steps, followed.written) == []
    text = (pages.ROOT / FLEET / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+:\S+)", text, re.MULTILINE)) == {engine.BASE}
    assert engine.BASE in followed.steps[0].command


@pytest.mark.parametrize(
    "options",
    [
        ("--user=54321",),
        ("--user=54321", "--unsetenv=HOME"),
        ("--user=54321:0", "--env=HOME=/"),
        ("--user=54321", "--env=HOME=/nonexistent"),
        ("--user=54321", "--tmpfs=/tmp"),
        ("--user=0",),
    ],
    ids=" ".join,
)
def test_whoever_it_is_who_can_write_nowhere(followed: Followed, options: tuple[str, ...]) -> None:
    """Read-only, without network, with whatever user and home: the script's own output, no word more, status 0."""
    finished = followed.user.run("docker", "run", *HARDENED, *options, "report", "a", "title")
    assert (finished.status, finished.err) == (0, "")
    rows = dict(re.findall(r"^│ (\w+) +│ (\S+) +│$", finished.out, re.MULTILINE))
    assert rows["user"] == re.findall(r"\d+", options[0])[0]
    assert rows["process"] == "1"
    assert rows["environment"] in followed.written[-1]
    assert finished.out.split("\n")[0].strip() == "a title"


def test_a_container_that_could_write_hardly_does(followed: Followed) -> None:
    """Where the root file system is writable, a user without a home gets a directory in /tmp, and nothing in it."""
    user = followed.user
    assert user.run("docker", "run", "--name=kept", "--user=54321", "--network=none", "report").status == 0
    changed = user.run("docker", "diff", "kept").out.splitlines()
    own = [line for line in changed if not re.fullmatch(r"[AC] /(etc|run|proc|sys|dev)(/.*)?", line)]
    assert own == ["C /tmp", "A /tmp/scriptrun-54321"]


def test_only_what_decides_is_prepared_again(followed: Followed) -> None:
    """A changed script comes into the image as it is, the environment stays; a new requirement needs a new lock."""
    user = followed.user
    script = user.directory / FLEET / "report.py"
    before = script.read_text()
    try:
        script.write_text(f"{before}print('changed')\n")
        finished = build(user, "changed", FLEET)
        assert finished.status == 0
        shown = user.run("docker", "run", *HARDENED, "changed")
        assert shown.out == followed.written[-1].replace("54321", "10001") + "changed\n"
        script.write_text(before.replace('["rich"]', '["rich", "demo"]'))
        finished = build(user, "changed", FLEET)
        assert finished.status != 0
        assert "the lock is stale: `demo` was added since it was made\n" in finished.err
    finally:
        script.write_text(before)


def test_nothing_of_pip_stays_in_the_image(followed: Followed) -> None:
    """Neither the password of the index, nor what pip downloaded, nor its settings."""
    user = followed.user
    assert user.run("podman", "create", "--name=looked-at", "report").status == 0
    root = Path(user.run("podman", "mount", "looked-at").out.strip())
    history = user.run("docker", "history", "--no-trunc", "report").out
    assert SECRET.partition(":")[2] not in history
    assert (
        subprocess.run(["grep", "-rlF", SECRET.partition(":")[2], root], capture_output=True, check=False).stdout == b""
    )
    left = [path for kind in (".cache", "wheels", "*.whl", "pip.conf") for path in root.rglob(kind)]
    assert [path for path in left if "ensurepip" not in path.parts] == []
    assert list((root / "var/cache/scriptrun").rglob("site-packages/rich/__pycache__/table.*.pyc"))


@pytest.fixture(scope="module")
def more(followed: Followed) -> User:
    """The same user, with an image `more` that has other scripts, too."""
    user = followed.user
    for name, text in (("plain.py", PLAIN), ("stops.py", STOPS), ("Dockerfile", MORE)):
        user.write(f"more/{name}", text, executable=True)
    new = PLAIN.replace("# ///\nimport", '# dependencies = ["demo"]\n# ///\nimport')
    user.write("more/new.py", new, executable=True)
    finished = build(user, "more", "more")
    assert finished.status == 0, finished.err
    return user


def test_another_script_in_the_same_image(more: User) -> None:
    """Arguments, stdin and the status are the script's; it is process 1, and `/tmp` is as it was."""
    command = (
        "docker",
        "run",
        "--interactive",
        *HARDENED,
        "--user=54321",
        "--entrypoint=/app/plain.py",
        "more",
        "a",
        "b c",
    )
    assert more.run(*command, stdin=b"in") == (3, "1 [] ['a', 'b c'] in\n", "")


def test_signal(more: User) -> None:
    """SIGTERM from the engine is the script's, which is process 1."""
    words = ["docker", "run", *HARDENED, "--name=stops", "--user=54321", "--entrypoint=/app/stops.py", "more"]
    running = watch.start(more, *words)
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    assert more.run("docker", "kill", f"--signal={signal.SIGTERM.name}", "stops").status == 0
    assert watch.end(running) == (7, "", "")


def test_a_script_that_was_not_prepared(more: User) -> None:
    """It fails with what is to be done about it, whether it can write to `/tmp` or not; stdout gets nothing."""
    command = ("--user=54321", "--entrypoint=/app/new.py", "more")
    status, out, err = more.run("docker", "run", *HARDENED, *command)
    assert (status, out) == (125, "")
    assert err.startswith("scriptrun: error: no place for the cache: `/.cache/scriptrun` cannot be made: Read-only")
    assert "\nhint: have it prepared for everybody, by `scriptrun sync --system`; or set SCRIPTRUN_CACHE_DIR" in err
    status, out, err = more.run("docker", "run", *HARDENED, "--tmpfs=/tmp", *command)
    assert (status, out) == (125, "")
    assert "No matching distribution found for demo\nhint: check the network" in err


def test_environments_in_a_volume(followed: Followed) -> None:
    """One container fills a volume, others, whose image holds scriptrun alone, run from it without writing to it."""
    user = followed.user
    app = ("--volume", f"{user.directory}/{FLEET}:/app:ro")
    volume = "environments:/var/cache/scriptrun"
    sync = ("scriptrun", "scriptrun", "sync", "--system", "report.py")
    assert user.run("docker", "run", "--rm", *app, "--volume", volume, *sync).status == 0
    shown = user.run(
        "docker", "run", *HARDENED, *app, "--volume", f"{volume}:ro", "--user=54321", "scriptrun", "/app/report.py"
    )
    assert (shown.status, shown.err) == (0, "")
    assert [line for line in shown.out.splitlines() if "environment" not in line] == [
        line for line in followed.written[-1].splitlines() if "environment" not in line
    ]


def test_start_without_scriptrun(followed: Followed) -> None:
    """The link beside the script leads to the environment, for an entry point that is its Python."""
    user = followed.user
    user.write("linked/Dockerfile", LINKED)
    assert build(user, "linked", "linked").status == 0
    finished = user.run("docker", "run", *HARDENED, "--user=54321", "linked")
    assert (finished.status, finished.err) == (0, "")
    assert re.search(r"rich +│ \d+", finished.out)
