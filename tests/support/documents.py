"""Write those parts of `docs/` that are made from the code: `python tests/support/documents.py`.

Run it with the Python of `.work/test-…/bin`, after a change of options or of the configuration; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = ROOT / "docs" / "settings.md"
BEGIN, END = "<!-- made from the code by tests/support/documents.py -->\n", "<!-- end -->\n"


def settings() -> str:
    """Return the table of all settings, in Markdown."""
    from scriptrun import arguments

    rows = [row(*_option(option)) for option in arguments.OPTIONS]
    rows += [row(*cells) for cells in _others()]
    return "".join([row("option", "variable", "key", "type", "meaning", "example"), row(*["---"] * 6), *rows])


def row(*cells: str) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _option(option: object) -> tuple[str, ...]:
    from scriptrun import settings
    from scriptrun.arguments import FLAG, LIST, NUMBER, Option

    assert isinstance(option, Option)
    letter = f"`-{option.letter}`, " if option.letter else ""
    flag = f"`--{option.name}{' ' + option.placeholder if option.placeholder else ''}`"
    kind = {FLAG: "true or false", LIST: "list of texts", NUMBER: "number"}.get(option.kind, "text")
    example = settings.toml(option.name)
    if not option.everywhere:
        example = f"--{option.name} {settings.EXAMPLES.get(option.name, '')}".strip()
    variable, key = (f"`{option.variable}`", f"`{option.name}`") if option.everywhere else ("", "")
    return letter + flag, variable, key, kind, option.help, f"`{example}`"


def _others() -> Iterator[tuple[str, ...]]:
    """Yield the settings that are no options."""
    from scriptrun import config, policy

    for table, keys in (("cache", config.BOUNDS), ("answers", config.ANSWERS)):
        for name, (_, example, meaning) in keys.items():
            yield "", "", f"`[{table}] {name}`", "text", meaning, f"`{example}`"
    for name, (example, kind, meaning) in policy.KEYS.items():
        yield "", "", f"`[policy] {name}`", kind, meaning, f"`{example}`"
    yield "", "", "`[trust] URL`", "text", "the sha256 of the script that may come from there", f"`{config.TRUSTED}`"
    yield "", "`SCRIPTRUN_CACHE_DIR`", "", "path", "where environments are kept", "`/var/tmp/scriptrun`"
    yield "", "`SCRIPTRUN_SYSTEM_CACHE`", "", "path", "what `sync --system` fills for all", "`/srv/scriptrun`"
    yield "", "`SCRIPTRUN_BUNDLE`", "", "text", "what a bundle does: `sync` or `python`; empty: the script", "`sync`"


def replaced(text: str) -> str:
    """Return the text of `docs/settings.md` with its table as the code says now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{settings()}\n{END}{after}"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    SETTINGS.write_text(replaced(SETTINGS.read_text("utf-8")), "utf-8")
