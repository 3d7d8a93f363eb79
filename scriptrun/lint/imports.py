"""Find what a program imports, by its syntax; nothing of it is run.

Also a program of its own, for any Python from 3.8 on: what this Python cannot parse, the script's may. It is given a
file, and prints a line `scriptrun: ` with JSON.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
import warnings
from typing import Any, NamedTuple

MARK = "scriptrun: "

_DECIDING = re.compile(r"\b(version_info|platform|os\.name|TYPE_CHECKING)\b")
"""What a condition asks that decides which import is the right one here."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MOST_OF_A_STRING = 1000


class Import(NamedTuple):
    """A module, dotted, that is imported at a line and column (in characters), both from 1.

    `optional` says that the program expects to do without it. The name of a relative import begins with dots.
    """

    module: str
    line: int
    column: int
    optional: bool


class Found(NamedTuple):
    """What is imported, and the words that stand in strings: names of commands and plugins among them."""

    imports: tuple[Import, ...]
    words: frozenset[str]


def find(source: bytes) -> Found:
    """Return what the program imports. Raises SyntaxError where this Python cannot parse it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            text = _decoded(source)
            tree = ast.parse(text)
        except ValueError as error:  # a NUL, before Python 3.12
            raise SyntaxError(str(error)) from None
        except (RecursionError, MemoryError):
            raise SyntaxError("it is nested too deeply to be read") from None
    visitor = _Visitor(text)
    try:
        visitor.visit(tree)
    except RecursionError:
        raise SyntaxError("it is nested too deeply to be read") from None
    return Found(tuple(visitor.imports), frozenset(visitor.words))


def _decoded(source: bytes) -> str:
    """Return the text of a program: of bytes, Python counts columns in bytes. Raises SyntaxError."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    return source.decode(encoding)


class _Visitor(ast.NodeVisitor):
    def __init__(self, text: str) -> None:
        self.lines = [line.encode("utf-8") for line in re.split("\r\n|\r|\n", text)]  # as columns of a tree count
        self.imports: list[Import] = []
        self.words: set[str] = set()
        self.optional = False

    def note(self, module: str, node: Any) -> None:
        before = self.lines[node.lineno - 1][: node.col_offset] if node.lineno <= len(self.lines) else b""
        column = len(before.decode("utf-8", "replace")) + 1
        self.imports.append(Import(module, node.lineno, column, self.optional))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.note(alias.name, alias if hasattr(alias, "lineno") else node)  # from Python 3.10 on

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = "." * node.level + (node.module or "")
        for alias in node.names:
            joint = "" if base.endswith(".") else "."
            self.note(base if alias.name == "*" else f"{base}{joint}{alias.name}", node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0] if node.args else None
        if name in ("import_module", "__import__") and isinstance(first, ast.Constant) and isinstance(first.value, str):
            self.note(first.value, node)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and len(node.value) <= _MOST_OF_A_STRING:
            self.words.update(_WORD.findall(node.value))

    def visit_Try(self, node: Any) -> None:
        caught = any(_catches(handler.type) for handler in node.handlers)
        self.within(node.body, optional=caught)
        for handler in node.handlers:
            self.within(handler.body, optional=_catches(handler.type))
        self.within([*node.orelse, *node.finalbody], optional=False)

    def visit_TryStar(self, node: Any) -> None:
        self.visit_Try(node)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item)
        calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
        caught = any("suppress" in ast.dump(call.func) and any(map(_catches, call.args)) for call in calls)
        self.within(node.body, optional=caught)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.within([*node.body, *node.orelse], optional=bool(_DECIDING.search(_dotted(node.test))))

    def within(self, nodes: list[Any], optional: bool) -> None:  # noqa: FBT001 - always by name
        before, self.optional = self.optional, self.optional or optional
        for node in nodes:
            self.visit(node)
        self.optional = before


def _catches(node: Any) -> bool:
    """Tell whether an `except` with this expression catches an import that fails."""
    if isinstance(node, ast.Tuple):
        return any(_catches(element) for element in node.elts)
    names = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")
    return node is None or _dotted(node).rpartition(".")[2] in names


def _dotted(node: Any) -> str:
    """Return the names in an expression, those that belong together joined by dots."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Name):
        return node.id
    return " ".join(_dotted(child) for child in ast.iter_child_nodes(node))


def restore(answer: str) -> Found:
    """Return what another Python found, from the JSON in its line. Raises SyntaxError if it could not parse it."""
    facts = json.loads(answer)
    if "error" in facts:
        raise SyntaxError(facts["error"], (None, facts["line"], facts["column"], None))
    return Found(tuple(Import(*one) for one in facts["imports"]), frozenset(facts["words"]))


def main(path: str) -> None:
    """Print what the program in the file `path` imports."""
    with open(path, "rb") as file:
        source = file.read()
    try:
        found = find(source)
        facts: dict[str, Any] = {"imports": found.imports, "words": sorted(found.words)}
    except SyntaxError as error:
        facts = {"error": error.msg, "line": error.lineno, "column": error.offset}
    print(f"\n{MARK}{json.dumps(facts)}")  # noqa: T201 - it is for the process that started this one


if __name__ == "__main__":
    main(sys.argv[1])
