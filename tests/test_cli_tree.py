"""`scriptrun tree`."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import index as indexes
from support import user as users
from support.index import Index
from support.user import User

TREE = """\
top[x] 1.0
  one 1.0 (>=1)
    ring 1.0
      one 1.0, see above
  leaf 2.0
leaf 2.0 (>=1)
ring 1.0, see above
"""


@pytest.fixture
def own(index: Index, tmp_path: Path, command: Path) -> User:
    """A user whose index has distributions with extras, markers, and one that needs itself in a circle."""
    index.add(
        indexes.wheel(
            "top",
            "1.0",
            requires=["one>=1; extra == 'x'", "two; extra == 'y'", "Leaf", "no; os_name == 'x'"],
            extras=["x", "y"],
        ),
        indexes.wheel("one", "1.0", requires=["ring"]),
        indexes.wheel("ring", "1.0", requires=["one"]),
        indexes.wheel("leaf", "2.0"),
    )
    return users.create(tmp_path / "own", command, index.url)


def test_tree_says_what_is_there_because_of_which(own: User, index: Index) -> None:
    """Names, versions and nesting are the same from pip's answer, the environment and the lock; circles end.

    Nothing is installed; where the environment is ready, nobody is asked.
    """
    script = own.script("s.py", "top[X]", "leaf>=1", "ring", "absent; os_name == 'x'")
    assert own.run("scriptrun", "tree", script) == (0, TREE, "")
    assert own.environments() == []
    assert own.run(script).status == 0
    index.requests.clear()
    index.add(indexes.wheel("leaf", "3.0"))
    assert own.run("scriptrun", "tree", "--offline", script) == (0, TREE, "")
    assert index.requests == []
    assert own.run("scriptrun", "-q", "lock", script).status == 0
    newer = TREE.replace("leaf 2.0", "leaf 3.0")
    assert own.run("scriptrun", "tree", script) == (0, newer, "")
    index.add(indexes.wheel("leaf", "4.0"))
    assert own.run("scriptrun", "tree", script) == (0, newer, "")
    assert len(own.environments()) == 1


def test_wrong_use(own: User) -> None:
    """One script is shown; without an environment, --offline fails; without requirements there is nothing to show."""
    script = own.script("s.py", "leaf")
    assert own.run("scriptrun", "tree").status == 2
    assert own.run("scriptrun", "tree", "--offline", script).status == 125
    assert own.run("scriptrun", "tree", own.script("t.py")) == (0, "", "")
