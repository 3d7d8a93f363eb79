"""What README.md shows is run word for word, in a fresh clone and a scrubbed environment, with the real index."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest
from support.user import Finished, User

ROOT = Path(__file__).parent.parent

pytestmark = [pytest.mark.network, pytest.mark.slow]

HELLO = "Hello, world!"


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user in a fresh clone, with nothing but a home and the system's programs."""
    home, clone = tmp_path / "home", tmp_path / "clone"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    return User(home, clone, {"HOME": str(home), "PATH": "/usr/bin:/bin"})


def snippets(user: User, title: str, language: str = "sh") -> list[str]:
    """Return the snippets of a section of the README in the clone; `""` is what stands before the first title."""
    sections = dict.fromkeys([""], "")
    for part in re.split(r"^## ", (user.directory / "README.md").read_text(), flags=re.MULTILINE):
        name, _, text = part.partition("\n")
        sections["" if name.startswith("# ") else name] = text
    found = re.findall(rf"```{language}\n(.*?)```", sections[title], flags=re.DOTALL)
    assert found, f"no snippet in section {title!r}"
    return found


def shell(user: User, command: str, **variables: str) -> Finished:
    """Run a command line; it must succeed."""
    user.variables |= {"PYTHONIOENCODING": "utf-8", **variables}
    finished = user.run("sh", "-ec", command)
    assert finished.status == 0, finished
    return finished


def test_try_it_and_use(user: User) -> None:
    """The first command runs a script with a dependency; then the script on top and the examples of use work, too."""
    (first,) = snippets(user, "Try it")
    assert HELLO in user.run("sh", "-ec", first).out
    path = f"{user.directory}/.venv/bin:/usr/bin:/bin"
    (script,) = snippets(user, "", "python")
    user.write("hello.py", script, executable=True)
    assert shell(user, "./hello.py", PATH=path) == (0, "Hello!\n", "")
    (use,) = snippets(user, "Use")
    outputs = [shell(user, line, PATH=path).out for line in use.splitlines()]
    expected = [
        "Hello, Ada!",
        "|_| |_|",
        HELLO,
        HELLO,
        HELLO,
        "Box Constants",
        "answer:      hit",
        "environment:",
        "SETTING",
    ]
    expected += ["", "pylock.fetch.toml", "hello.pyz", "", "ok       start"]
    assert [wanted for wanted, out in zip(expected, outputs, strict=True) if wanted not in out] == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_install(user: User, number: int) -> None:
    """Each way to install puts a command into `~/.local/bin` that runs a script from its shebang."""
    tools = user.home / "tools"
    tools.mkdir()
    for name in ("pipx", "uv"):
        (tools / name).symlink_to(Path(sysconfig.get_path("scripts")) / name)
    kept = ("PIP_", "UV_", "SSL_")  # how this machine reaches its index
    user.variables |= {name: value for name, value in os.environ.items() if name.startswith(kept)}
    commands = snippets(user, "Install")
    assert len(commands) == 3
    shell(user, commands[number], PATH=f"{tools}:/usr/bin:/bin", PIPX_DEFAULT_BACKEND="pip")
    assert HELLO in shell(user, "samples/hello.py", PATH=f"{user.home}/.local/bin:/usr/bin:/bin").out


def test_run_tests(user: User) -> None:
    """The command for the tests makes all they need and ends with pytest's closing line, here for one file of them."""
    (command,) = snippets(user, "Read on")
    finished = shell(user, f"{command.strip()} tests/test_run.py")
    assert re.search(r"== \d+ passed in [\d.]+s", finished.out)
    assert not (user.directory / ".work" / "lint").exists(), "the linters are not needed for that"


def test_links(user: User) -> None:
    """What the README links to is there."""
    links = re.findall(r"\]\(([^)]+)\)", (user.directory / "README.md").read_text())
    assert links
    assert [link for link in links if not (user.directory / link).exists()] == []
