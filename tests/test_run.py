"""Running a script: the first run prepares, every later run only starts."""

from __future__ import annotations

from support.index import Index
from support.user import User


def test_first_run_prepares_and_second_does_not_ask_the_index(user: User, shared_index: Index) -> None:
    """The first run installs what the block asks for; the second opens no connection and prints nothing."""
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    assert user.run("./s.py") == (0, "2.0\n", "")
    asked = len(shared_index.requests)
    assert user.run("./s.py") == (0, "2.0\n", "")
    assert len(shared_index.requests) == asked
    assert len(user.records()) == 1
