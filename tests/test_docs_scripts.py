"""The examples of docs/scripts.md, run word for word, with an index on loopback."""

from __future__ import annotations

import re

import pytest
from support import pages
from support.index import Index, wheel
from support.user import User


@pytest.mark.slow
def test_make_and_change_a_block(user: User, index: Index) -> None:
    """Each command writes what the page shows; the Python that runs the tests stands for the one on the page."""
    index.add(
        *(wheel(*one) for one in (("httpx", "0.27.0"), ("httpx", "0.28.1"), ("rich", "15.0.0"), ("six", "1.17.0")))
    )
    user.variables["PIP_INDEX_URL"] = index.url
    for command, expected in pages.steps(pages.section("docs/scripts.md", "Make and change a block")):
        status, out, err = user.run("sh", "-c", command)
        assert (status, re.sub(r">=3\.\d+", ">=3.11", out + err)) == (0, expected)
