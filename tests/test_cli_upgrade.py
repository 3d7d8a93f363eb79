"""`scriptrun upgrade`: bounds are raised to what pip chooses now."""

from __future__ import annotations

import pytest
from support.index import Index, wheel
from support.user import User


def test_upgrade(user: User, index: Index) -> None:
    """All bounds are raised, each of its kind, and what has none, or is not for this Python, stays."""
    for name in ("a", "b", "c", "d"):
        index.add(wheel(name, "1.0"), wheel(name, "2.1"))
    user.variables["PIP_INDEX_URL"] = index.url
    path = user.script("s.py", "a >= 1.0", "b>=1.0,<2", "c", "d~=1.0", "a>=0.5; python_version < '3'")
    before = path.read_text()
    finished = user.run("scriptrun", "upgrade", "s.py")
    assert finished == (0, "", "a >= 1.0 → >= 2.1\nb>=1.0,<2 → >=2.1,<3\nd~=1.0 → ~=2.1\n")
    after = path.read_text()
    assert after == before.replace("a >= 1.0", "a >= 2.1").replace("b>=1.0,<2", "b>=2.1,<3").replace("d~=1.0", "d~=2.1")
    assert user.run("scriptrun", "upgrade", "s.py").err == "scriptrun: note: nothing to change in `s.py`\n"
    assert path.read_text() == after


@pytest.mark.slow
def test_named_and_limited(user: User) -> None:
    """Only what is named is raised, and it must be in the block; what has no version left is told."""
    user.script("s.py", "demo>=1.0", "tool>=0.1")
    assert user.run("scriptrun", "upgrade", "s.py", "demo") == (0, "", "demo>=1.0 → >=2.0\n")
    user.script("s.py", "demo>=1.5", "tool>=0.1")
    user.write("limits.txt", "demo<2\n")
    finished = user.run("scriptrun", "upgrade", "--constraint=limits.txt", "s.py")
    assert (finished.status, finished.out) == (125, "")
    assert "the script asks for `demo>=1.5`, a constraint says `demo<2`" in finished.err
    assert user.run("scriptrun", "upgrade", "s.py", "six").status == 2
    assert user.run("scriptrun", "upgrade").status == 2


@pytest.mark.slow
def test_never_lower(user: User, index: Index) -> None:
    """Where pip without the bound would choose less, the bound stays, and the others are raised beside it."""
    index.add(wheel("a", "1.0"), wheel("a", "2.0b1"), wheel("b", "1.0"), wheel("b", "2.0"))
    path = user.script("s.py", "a>=2.0b1", "b>=1.0")
    finished = user.run("scriptrun", "upgrade", "s.py", PIP_INDEX_URL=index.url)
    assert finished == (0, "", "b>=1.0 → >=2.0\n")
    assert '"a>=2.0b1"' in path.read_text()
