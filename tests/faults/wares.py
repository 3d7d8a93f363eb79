"""What is installed and run: wheels that take a moment to install, and scripts that look whether all is there."""

from __future__ import annotations

from pathlib import Path

from support import index as indexes
from support.index import Index
from support.user import User

MODULES = 60
"""How many modules the package `bulk` has."""

RIGHT = (0, "right\n", "")
"""How a run ends whose environment holds all that the script asked for."""

_LOOK = f"""\
import bulk, demo, importlib, leaf
versions = [demo.V, leaf.V] + [importlib.import_module(f"bulk.m{{n}}").V for n in range({MODULES})]
assert versions == ["2.0"] + ["1.0"] * {MODULES + 1}, versions
print("right")
"""


def stock(index: Index) -> None:
    """Publish what `write` asks for: `bulk` has many files and wants an old `leaf`."""
    modules = {f"bulk/m{number}.py": "V = '1.0'\n" for number in range(MODULES)}
    index.add(
        indexes.wheel(
            "demo", "2.0", files={"demo.py": "V = '2.0'\ndef main(): print(V)\n"}, scripts={"demo": "demo:main"}
        ),
        indexes.wheel("bulk", "1.0", requires=["leaf<2"], files={"bulk/__init__.py": "", **modules}),
        indexes.wheel("leaf", "1.0"),
        indexes.wheel("leaf", "2.0"),
    )


def write(user: User, index: Index) -> Path:
    """Write a script that says `right` once it has seen every file of its requirements."""
    user.variables["PIP_INDEX_URL"] = index.url
    return user.script("s.py", "demo==2.0", "bulk", body=_LOOK)


def write_many(user: User, index: Index, scripts: int, body: str, name: str = "ware") -> list[Path]:
    """Write scripts that each ask for a distribution of their own, whose module is `{module}` in `body`."""
    user.variables["PIP_INDEX_URL"] = index.url
    written = []
    for number in range(scripts):
        module = f"{name}_{number}"
        files = {f"{module}/__init__.py": "V = '1.0'\n", f"{module}/late.py": "V = '1.0'\n"}
        index.add(indexes.wheel(f"{name}-{number}", "1.0", files=files))
        written.append(user.script(f"{name}{number}.py", f"{name}-{number}", body=body.replace("{module}", module)))
    return written


def pips(index: Index) -> dict[str, int]:
    """Return how often the page of each project that was asked for was asked for: once by every pip that wants it."""
    pages = [path for path in index.requests if path.startswith("/simple/")]
    return {page: pages.count(page) for page in pages}
