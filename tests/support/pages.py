"""Pages of the documentation, to be followed word for word: their sections, and the commands that these show."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent


class Step(NamedTuple):
    """A command that a page shows, and what it writes; `…` stands for whatever there may be."""

    command: str
    shown: str


def clone(directory: Path) -> None:
    """Make a directory that has what a clone of the project would have if all of it were committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in names:
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, directory / name)


def section(page: str, title: str) -> str:
    """Return the text of a section of the page at `page`, a path in the project."""
    text = (ROOT / page).read_text("utf-8")
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of code that are in this language."""
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found, f"the page shows no block of {language!r}"
    return found


def commands(text: str, number: int) -> str:
    """Return one of the blocks of a text that show commands, as it stands there."""
    return f"```console\n{blocks(text, 'console')[number]}```\n"


def steps(text: str) -> list[Step]:
    """Return the commands of a text, in their order."""
    shown = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(blocks(text, "console")), re.MULTILINE)
    assert shown, "the page shows no command"
    return [Step(*one) for one in shown]


def follow(text: str, must: Callable[[str], str], directory: str) -> None:
    """Run the commands of a text in one shell, by `must`; each has to write what is shown there."""
    expected = steps(text)
    lines = "".join(f"{{ {step.command}\n}} || echo status $?; printf '\\0'; " for step in expected)
    written = must(f"cd {directory}; exec 2>&1; {lines}").split("\0")
    assert written.pop() == ""
    assert differing(expected, written) == []


def differing(expected: list[Step], written: list[str]) -> list[tuple[Step, str]]:
    """Return the steps of which something else was written than is shown, with that."""
    pairs = zip(expected, written, strict=True)
    return [(step, got) for step, got in pairs if not re.fullmatch(_pattern(step.shown), got, re.DOTALL)]


def _pattern(shown: str) -> str:
    return ".*?".join(map(re.escape, shown.split("…")))
