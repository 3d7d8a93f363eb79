"""What `check` can find, each kind with a code."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

ERROR, WARNING, INFORMATION = "error", "warning", "information"

CODES = {
    "SR101": (ERROR, "the block, or a value in it, is not valid: the script does not start"),
    "SR102": (WARNING, "something looks like a block, and is not read"),
    "SR103": (WARNING, "an unknown key in the block"),
    "SR201": (ERROR, "an entry of `dependencies` is no requirement: the script does not start"),
    "SR202": (WARNING, "a requirement without bounds: any version will do, tomorrow's too"),
    "SR203": (WARNING, "the same distribution is asked for twice"),
    "SR301": (ERROR, "a module is imported, and nothing declared provides it"),
    "SR302": (WARNING, "a module is imported that is there only because another distribution requires it"),
    "SR303": (WARNING, "a distribution is declared, and neither imported nor named in a string"),
    "SR304": (ERROR, "the Python that the script gets cannot parse it"),
    "SR305": (ERROR, "a relative import: a script is in no package"),
    "SR306": (ERROR, "the script has the name of a module that it imports"),
    "SR401": (WARNING, "it can be executed, and has no shebang"),
    "SR402": (WARNING, "the shebang starts something that does not read the block"),
    "SR403": (INFORMATION, "the shebang starts another runner, which reads the block too"),
    "SR404": (ERROR, "the shebang does not work: the system cannot find what it names"),
    "SR405": (WARNING, "scriptrun is in the shebang, and the file cannot be executed"),
    "SR406": (WARNING, "every start goes through Python: the launcher cannot answer by itself"),
    "SR501": (ERROR, "the lock cannot be used: it is stale, damaged, missing, or for a Python that is not here"),
}
"""Each code, with its severity and what it means. A code keeps its meaning; one that is given up is not used again."""

_IGNORED = re.compile(rb"#\s*scriptrun:\s*ignore\[([A-Za-z0-9, ]*)\]")


@dataclass(frozen=True)
class Finding:
    """Something about a script: where (line and column in characters, from 1), what, and what to do about it."""

    file: str
    line: int
    column: int
    code: str
    message: str
    remedy: str

    @property
    def severity(self) -> str:
        """ERROR, WARNING or INFORMATION; the last one does not count as a failed check."""
        return CODES[self.code][0]


def kept(findings: Iterable[Finding], source: bytes, ignored: Collection[str]) -> list[Finding]:
    """Return findings sorted by place, without those whose code is ignored: everywhere, or by a comment on the line."""
    lines = re.split(rb"\r\n|\r|\n", source)
    found = {one for one in findings if one.code not in ignored and one.code not in _codes(lines, one.line)}
    return sorted(found, key=lambda one: (one.line, one.column, one.code, one.message))


def _codes(lines: list[bytes], number: int) -> list[str]:
    """Return the codes that a comment `# scriptrun: ignore[SR202]` on a line names."""
    comment = _IGNORED.search(lines[number - 1]) if number <= len(lines) else None
    return [code.strip() for code in comment.group(1).decode("ascii").split(",")] if comment else []
