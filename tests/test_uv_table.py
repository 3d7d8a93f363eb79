"""`[tool.uv]`: what docs/uv.md says of its keys is what the code does, and whose word counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.user import User

from scriptrun import sources, uv_table

DOCUMENT = (Path(__file__).parent.parent / "docs" / "uv.md").read_text("utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """Return the cells of the table whose first heading this is, by its first cell."""
    table = DOCUMENT.partition(f"| {heading} |")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_document_lists_the_keys() -> None:
    """Each key that is honoured or refused is in the table, and no other."""
    listed = rows("key")
    assert listed.pop("any other")[0] == "warned"
    honoured = {key for key, row in listed.items() if row[0] == "honoured"}
    assert (honoured, set(listed) - honoured) == (set(uv_table.HONOURED), set(uv_table.REFUSED))
    assert all(row[0] in ("honoured", "refused") for row in listed.values())


def test_document_lists_the_sources() -> None:
    """Each kind of source is in the table, with the keys that may stand beside it."""
    listed = {kind: tuple(re.findall(r"`([a-z]+)`", row[0])) for kind, row in rows("kind").items()}
    assert listed == sources.KINDS


@pytest.mark.slow
def test_whose_word_counts(user: User) -> None:
    """`[tool.uv]` counts after the command line, variables and `[tool.scriptrun]`, and before the configuration."""
    configuration = user.home / ".config" / "scriptrun" / "config.toml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text('exclude-newer = "2021-01-01"\n')
    uv = '# [tool.uv]\n# exclude-newer = "2022-01-01"\n'
    own = '# [tool.scriptrun]\n# exclude-newer = "2023-01-01"\n'
    for block, variable, option, expected in (
        ("", None, (), "2021-01-01"),
        (uv, None, (), "2022-01-02"),
        (uv + own, None, (), "2023-01-01"),
        (uv + own, "2024-01-01", (), "2024-01-01"),
        (uv, "2024-01-01", ("--exclude-newer", "2025-01-01"), "2025-01-01"),
    ):
        user.write("s.py", f"# /// script\n{block}# ///\n")
        finished = user.run("scriptrun", *option, "--explain", "s.py", SCRIPTRUN_EXCLUDE_NEWER=variable)
        assert f"exclude-newer = {expected}\n" in finished.out
