"""Many nodes that share nothing but an index: homes of their own, all prepared at once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from support import index as indexes
from support import watch
from support.index import Index
from support.user import LIMIT, User

HOMES = 16
BODY = "import demo\nprint(demo.V)\n"


@pytest.mark.slow
def test_homes_that_prepare_at_once(new_user: Callable[[str], User], index: Index) -> None:
    """Each home asks the index once, and gets an environment with the same key, whatever becomes of another one.

    One that dies meanwhile prepares again, and asks again, at its next start.
    """
    index.add(indexes.wheel("demo", "1.0"))
    arrived, opened = threading.Semaphore(0), threading.Event()

    def hold(_path: str) -> None:
        arrived.release()
        assert opened.wait(LIMIT)

    index.asked = hold
    users = [new_user(f"home{number}") for number in range(HOMES)]
    for user in users:
        user.variables |= {"PIP_INDEX_URL": index.url, "PIP_TIMEOUT": str(LIMIT)}
        user.script("s.py", "demo", body=BODY)
    running = [watch.start(user, "./s.py") for user in users]
    for _ in users:
        assert arrived.acquire(timeout=LIMIT)
    running[0].kill()
    assert watch.end(running[0])[0] == -9
    opened.set()
    assert [watch.end(one) for one in running[1:]] == [(0, "1.0\n", "")] * (HOMES - 1)
    page, file = "/simple/demo/", "/files/demo-1.0-py3-none-any.whl"
    assert Counter(index.requests) == {page: HOMES, file: HOMES - 1}
    assert users[0].environments() == []
    assert users[0].run("./s.py") == (0, "1.0\n", "")
    assert Counter(index.requests) == {page: HOMES + 1, file: HOMES}
    manifests = [json.loads((one / "scriptrun.json").read_text()) for user in users for one in user.environments()]
    assert len(manifests) == HOMES
    assert len({one["key"] for one in manifests}) == 1
