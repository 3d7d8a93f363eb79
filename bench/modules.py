"""Write `scriptrun/lint/modules.txt`: which distributions provide a module, the most downloaded first.

Run it before a release, with the latest of both sources: `python bench/modules.py PIGAR.whl PYIMPORT2PKG.whl`, which
`pip download --no-deps pigar pyimport2pkg` fetches. pigar's database (BSD licence) knows the top-level modules of all
distributions, pyimport2pkg's (MIT licence) those of the 15,000 most downloaded ones, and how often that is.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

TARGET = Path(__file__).parent.parent / "scriptrun" / "lint" / "modules.txt"
MOST = 8
"""How many distributions are named for a module; a namespace, as `google`, has all of those that are named after it."""

NOT_MEANT = frozenset(
    """
    benchmark benchmarks bin build config data dist doc docs example examples lib scripts setup shell src test tests
    testing tools util utils
    """.split()  # noqa: SIM905 - one name a line would fill a screen
)
"""What distributions install by mistake, or for themselves."""

PIGAR = """
select module.name, distribution.name from top_level_module_names as module
join distributions as distribution on distribution.id = module.distribution_id
"""


def main(pigar: str, pyimport2pkg: str) -> None:
    """Read both databases and write the table."""
    ranked = {canonicalize_name(name): count for name, count in rows(pyimport2pkg, "select * from packages")}
    found = defaultdict(set)
    for module, name in (*rows(pigar, PIGAR), *rows(pyimport2pkg, "select * from mappings")):
        canonical = canonicalize_name(name)
        if canonical in ranked and module.isidentifier() and module not in NOT_MEANT and not module.startswith("_"):
            found[module].add(canonical)
    lines = []
    for module, names in sorted(found.items()):
        best = sorted(names, key=lambda name: (-ranked[name], name))
        space = f"{canonicalize_name(module)}-"
        kept = [name for number, name in enumerate(best) if number < MOST or name.startswith(space)]
        lines.append(f"{module} {' '.join(kept)}\n")
    sources = f"{Path(pigar).name}, {Path(pyimport2pkg).name}"
    TARGET.write_text(f"# made by bench/modules.py from {sources}\n{''.join(lines)}", "utf-8")


def rows(wheel: str, query: str) -> Iterator[tuple[str, ...]]:
    """Yield the first two columns of what a query finds in the database that is in a wheel."""
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as directory:
        (member,) = (name for name in archive.namelist() if name.endswith((".sqlite3", ".db")))
        database = sqlite3.connect(archive.extract(member, directory))
        yield from (row[:2] for row in database.execute(query))


if __name__ == "__main__":
    main(*sys.argv[1:])
