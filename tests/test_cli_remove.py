"""`scriptrun remove`: requirements are taken out of a script."""

from __future__ import annotations

from support.user import User


def test_remove(user: User) -> None:
    """The line of each goes, with all entries of the name; the rest is as before."""
    path = user.write(
        "s.py", "# /// script\n# dependencies = [\n#   'tool',  # why\n#   \"De_mo>=1\", # x\n#   # y\n# ]\n# ///\nx"
    )
    assert user.run("scriptrun", "remove", "s.py", "de.mo") == (0, "", "- De_mo>=1\n")
    assert path.read_text() == "# /// script\n# dependencies = [\n#   'tool',  # why\n#   # y\n# ]\n# ///\nx"
    path = user.script("t.py", "demo>=1", "demo<3", "tool")
    assert user.run("scriptrun", "remove", "t.py", "tool", "demo", PIP_INDEX_URL="http://127.0.0.1:9/").status == 0
    assert "# dependencies = []\n" in path.read_text()


def test_result_that_cannot_be_resolved(user: User) -> None:
    """What is left must be something that pip can resolve."""
    path = user.script("s.py", "demo", "nope2")
    before = path.read_bytes()
    assert user.run("scriptrun", "remove", "s.py", "demo").status == 125
    assert path.read_bytes() == before


def test_what_is_not_there(user: User) -> None:
    """A name that is not in the block, and a file without one: status 2, nothing changes, and what to do is told."""
    path = user.script("s.py", "demo", "other")
    before = path.read_bytes()
    finished = user.run("scriptrun", "remove", "s.py", "demo", "six")
    error = "scriptrun: error: s.py: the block does not ask for `six`\nhint: it asks for: demo, other\n"
    assert finished == (2, "", error)
    assert path.read_bytes() == before
    user.write("plain.py", "x = 1\n")
    finished = user.run("scriptrun", "remove", "plain.py", "six")
    error = "scriptrun: error: plain.py: the file has no `script` block\nhint: scriptrun init plain.py\n"
    assert finished == (2, "", error)
    assert user.run("scriptrun", "remove", "s.py").status == 2
    assert user.run("scriptrun", "remove", "missing.py", "six").status == 127
