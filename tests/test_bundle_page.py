"""Somebody follows what docs/fleet.md says of bundles, word for word: here a bundle is made, there it runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from support import hosts, pages
from support import index as indexes
from support.index import Index
from support.user import User

SECTION = pages.section("docs/fleet.md", "Without scriptrun, without network")

HUMANIZE = """\
def naturalsize(value):
    return f"{value} Bytes" if value < 1000 else f"{value / 10**6:.1f} MB"
"""
"""As much of that distribution as the script of the page uses."""


def shown(user: User, text: str, *around: str) -> tuple[list[pages.Step], list[str]]:
    """Return the steps of a block as they are for this user, and what each of them writes."""
    steps = [
        one._replace(shown=one.shown.replace("/home/ada/.cache", f"{user.cache.parent}")) for one in pages.steps(text)
    ]
    return steps, ["".join(user.run(*around, "sh", "-ec", one.command)[1:]) for one in steps]


def test_the_page_is_followed(user: User, index: Index, tmp_path: Path) -> None:
    """What the page shows is what is written, on the author's machine and on one that has a Python alone."""
    index.add(indexes.wheel("humanize", "4.9.0", files={"humanize.py": HUMANIZE}))
    user.variables["PIP_INDEX_URL"] = index.url
    user.variables["PATH"] = f"{user.variables['PATH']}:{Path(sys.executable).parent}"
    (script,) = pages.blocks(SECTION, "python")
    user.write("sizes.py", script)
    steps, written = shown(user, pages.commands(SECTION, 0).replace("/home/ada/pylock", f"{user.directory}/pylock"))
    assert pages.differing(steps, written) == []
    host = hosts.create(tmp_path / "host", Path(sys.executable).resolve())
    host.user.variables["PATH"] = f"{host.python.parent}:/usr/bin:/bin"
    shutil.copy2(user.directory / "sizes.pyz", host.user.directory)
    steps, written = shown(host.user, pages.commands(SECTION, 1), *hosts.alone())
    assert pages.differing(steps, written) == []
    assert str(host.environment()) in written[1]
