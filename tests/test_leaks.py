"""What must not get out: passwords, control characters, files outside the cache; and what must not get in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support import index as indexes
from support import watch
from support.index import Index
from support.user import User

from scriptrun import git_credentials

HOSTILE = "\x1b[31m\x9b31m\u202e"
"""A colour as terminals know it, the same as a C1 control, and a change of the direction of text."""


@pytest.fixture
def served(user: User, index: Index) -> Index:
    """An index of the test's own, which the user's pip asks."""
    user.variables.update(PIP_INDEX_URL=index.url, PIP_RETRIES="0")
    return index


CREATING = re.compile(
    r'(?:openat\([^,]*, "(?P<opened>[^"]*)", [^)]*O_CREAT|(?:mkdir|mknod)(?:at)?\([^"]*"(?P<made>[^"]*)"'
    r'|(?:rename|link|symlink)(?:at2?|at)?\([^"]*"[^"]*", [^"]*"(?P<named>[^"]*)")'
)


def created(trace: str) -> set[Path]:
    """Return the paths that system calls in a trace create, or try to."""
    return {Path(next(filter(None, found.groups()))) for found in CREATING.finditer(trace)}


@pytest.mark.slow
def test_nothing_is_made_outside_the_cache(user: User, served: Index) -> None:
    """A first run, with a build, creates nothing but in the cache and pip's own: nothing in /tmp or TMPDIR."""
    served.add(indexes.sdist("built", "1.0", {"pyproject.toml": PROJECT, "backend.py": BACKEND}))
    user.script("s.py", "built", body="import built; print('ran')\n")
    temporary = user.directory / "tmp"
    temporary.mkdir()
    calls = (
        "trace=openat,open,creat,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,symlinkat,rename,renameat,renameat2"
    )
    strace = ("strace", "-f", "--seccomp-bpf", "-s", "4096", "-o", user.home / "trace", "-e", calls)
    assert user.run(*strace, "scriptrun", "s.py", TMPDIR=str(temporary)) == (0, "ran\n", "")
    paths = created((user.home / "trace").read_text())
    allowed = (user.cache, user.home / ".cache" / "pip", Path("/dev"))
    assert len([path for path in paths if path.is_relative_to(user.cache / "v1")]) > 50
    outside = [path for path in paths if path.is_absolute() and not any(path.is_relative_to(one) for one in allowed)]
    assert [path for path in outside if path not in user.cache.parents] == []
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in user.directory.iterdir()) == ["s.py", "tmp"]


PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'

BACKEND = """\
import json, logging, os, random, ssl, tempfile, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "built-1.0-py3-none-any.whl"
    tempfile.NamedTemporaryFile().close()
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        wheel.writestr("built.py", "")
        wheel.writestr("built-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: built\\nVersion: 1.0\\n")
        wheel.writestr("built-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("built-1.0.dist-info/RECORD", "built.py,,\\n")
    return name
"""

POISONED = ("json", "ssl", "pip", "random", "logging", "runpy", "zipfile", "tempfile", "encodings", "backend", "typing")


@pytest.mark.slow
def test_nothing_is_imported_from_where_the_user_is(user: User, served: Index) -> None:
    """Neither scriptrun nor pip nor a build imports what is in the current directory or beside the script."""
    served.add(indexes.sdist("built", "1.0", {"pyproject.toml": PROJECT, "backend.py": BACKEND}))
    script = user.script("beside/s.py", "built", body="print('ran')\n")
    for directory in ("beside", "here"):
        for name in POISONED:
            user.write(f"{directory}/{name}.py", "import os\nos.write(2, b'PWNED\\n')\n")
    for cwd in ("here", "beside"):
        assert user.run("scriptrun", "--refresh", script, cwd=user.directory / cwd) == (0, "ran\n", "")


@pytest.mark.slow
def test_password_of_a_repository(user: User, served: Index) -> None:
    """git gets the password that stands in the URL of a requirement; no command line and no output shows it."""
    seen = []
    served.credentials = "bob:hush hush"
    served.asked = lambda _path: seen.append(watch.command_lines())
    user.script("s.py", f"demo @ git+{served.url_for('bob:hush%20hush')}")
    runs = [user.run("scriptrun", "-v", "s.py"), user.run("scriptrun", "env", "--json", "s.py")]
    assert [run.status for run in runs] == [125, 0]  # there is no such repository
    assert f"fatal: repository '{served.url}' not found" in runs[0].err
    assert any("Authorization" in headers for headers in served.headers)
    assert any("git" in lines for lines in seen)
    assert [lines for lines in seen if "hush" in lines] == []
    assert [run for run in runs if "hush" in run.out + run.err] == []


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        ("bob:p%40ss%27%25%20", ["username=bob", "password=p@ss'% "]),
        ("t%2Fok", ["username=t/ok", "password=of another helper"]),
        ("bob:", ["username=bob", "password="]),
        (":token", ["username=", "password=token"]),
    ],
)
def test_git_learns_user_and_password(user: User, credentials: str, told: list[str]) -> None:
    """What stands in a URL is decoded; without a password git may ask others, with one it does not."""
    others = '[credential]\nhelper = "!f() { touch asked; echo password=of another helper; }; f"\n'
    user.home.joinpath(".gitconfig").write_text(others)
    requirements = ["demo==1", f"two @ git+https://{credentials}@two.invalid/r@main ; python_version > '3'"]
    plain, variables = git_credentials.take(["one @ git+https://one.invalid/r", *requirements])
    assert plain == [
        "one @ git+https://one.invalid/r",
        "demo==1",
        "two @ git+https://two.invalid/r@main ; python_version > '3'",
    ]
    user.variables.update(variables)
    finished = user.run("git", "credential", "fill", stdin=b"protocol=https\nhost=two.invalid\n\n")
    assert [line for line in finished.out.splitlines() if line.startswith(("user", "pass"))] == told
    assert user.run("git", "credential", "approve", stdin=finished.out.encode()) == (0, "", "")
    assert (user.directory / "asked").exists() == (":" not in credentials)


def test_control_characters_of_a_distribution(user: User, served: Index) -> None:
    """The name of a file in a wheel cannot make a terminal do anything, neither in a failure nor as progress."""
    wheel = indexes.wheel("demo", "1.0", files={f"{HOSTILE}.py": "right"})
    served.add(indexes.repacked(wheel, {f"{HOSTILE}.py": "wrong"}))
    user.script("s.py", "demo")
    finished = user.run("scriptrun", "-v", "s.py")
    assert (finished.status, finished.out) == (125, "")
    assert "`\\x1b[31m\\x9b31m\\u202e.py` differs" in finished.err
    assert [line for line in finished.err.split("\n") if not line.isprintable()] == []
