"""The hook that this repository offers to pre-commit is a command line that exists."""

from __future__ import annotations

import re
from pathlib import Path

from support.user import User

from scriptrun.arguments import COMMANDS

ROOT = Path(__file__).parent.parent


def fields() -> dict[str, str]:
    """Return the keys of the only hook."""
    text = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    assert text.count("- id: ") == 1
    return dict(line.lstrip("- ").split(": ", 1) for line in text.splitlines())


def test_entry(user: User) -> None:
    """The hook's command, with the arguments that the documentation shows, checks the files that are handed to it."""
    hook = fields()
    words = hook["entry"].split()
    assert words[1] in COMMANDS
    page = (ROOT / "docs" / "check.md").read_text("utf-8")
    (arguments,) = re.findall(rf"- id: {hook['id']}\n +args: \[(.*)\]", page)
    user.write("s.py", "# /// script\n# dependencies = ['x y']\n# ///\n")
    user.write("other.py", "import nobody_knows_this\n")
    status, out, err = user.run(*words, *arguments.split(", "), "other.py", "s.py")
    assert (status, out.count("\n"), err) == (1, 1, "")
    assert user.run(*words, *arguments.split(", "), "other.py") == (0, "", "")


def test_files() -> None:
    """The hook gets Python files and files without an extension, whatever their directory."""
    hook = fields()
    assert hook["types"] == "[text]"
    names = ("a.py", "b/a.pyw", "tool", "b.d/tool", "a.pyc", "README.md", "b/.hidden", "x.py.txt")
    assert [bool(re.search(hook["files"], name)) for name in names] == [True] * 4 + [False] * 4
