"""The modules that a bundle starts with, as files: those of scriptrun, and of the libraries that it stands on there."""

from __future__ import annotations

import ast
import importlib.util
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from scriptrun import process
from scriptrun.errors import ScriptrunError

_PACKAGES = ("scriptrun", "packaging", "tomli")
"""Where what is imported is taken from; the standard library is there, and the rest is not needed there."""

_ROOTS = ("scriptrun.bundle.start", "scriptrun.bundle.unpacking")
"""What a start and a first start begin with."""

_COMPILE = """\
import py_compile, sys
for name in sys.argv[1:]:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(name, name + "c", dfile=name, doraise=True, invalidation_mode=mode)
"""


class Code(NamedTuple):
    """Files by their names in a bundle; `first` are the names of those that a first start loads in any case."""

    files: Mapping[str, bytes]
    first: frozenset[str]


def collect(python: str, directory: str, environ: Mapping[str, str]) -> Code:
    """Return the modules with their byte code for the program `python` (`""`: none), made below an empty directory.

    Raises ScriptrunError and OSError.
    """
    sources = _closure(_ROOTS, lazily=True)
    for name, content in sources.items():
        os.makedirs(os.path.dirname(os.path.join(directory, name)), exist_ok=True)
        with open(os.path.join(directory, name), "xb") as file:
            file.write(content)
    files = dict(sources)
    if python:
        names = sorted(sources)
        _compile(python, names, directory, environ)
        files.update({f"{name}c": _content(os.path.join(directory, f"{name}c")) for name in names})
    form = "c" if python else ""
    return Code(files, frozenset(f"{name}{form}" for name in _closure(_ROOTS, lazily=False)))


def _compile(python: str, names: Iterable[str], directory: str, environ: Mapping[str, str]) -> None:
    finished = process.run(
        [python, "-I", "-S", "-c", _COMPILE, *names], environment=environ, directory=directory, timeout=300.0
    )
    if finished.status != 0:
        raise ScriptrunError(f"`{python}` cannot compile the bundle's code", details=finished.output.strip()[-2000:])


def _closure(roots: Iterable[str], *, lazily: bool) -> dict[str, bytes]:
    """Return the modules that some come to import, by the names of their files; `lazily`: within functions, too."""
    found: dict[str, bytes] = {}
    pending = list(roots)
    while pending:
        module = pending.pop()
        name, path = _file(module)
        if path and name not in found:
            found[name] = _content(path)
            package = module if name.endswith("/__init__.py") else module.rpartition(".")[0]
            pending += [module.rpartition(".")[0], *_imports(ast.parse(found[name]), package, lazily=lazily)]
    return found


def _file(module: str) -> tuple[str, str]:
    """Return the name in a bundle, and the path, of the file of a module of ours; `""` where that is none."""
    top, _, rest = module.partition(".")
    spec = importlib.util.find_spec(top) if top in _PACKAGES else None
    below = rest.replace(".", "/")
    for name in (f"{below}.py", f"{below}/__init__.py") if below else ("__init__.py",):
        path = os.path.join(os.path.dirname(spec.origin or ""), name) if spec is not None else ""
        if path and os.path.isfile(path):
            return f"{top}/{name}", path
    return "", ""


def _imports(tree: ast.AST, package: str, *, lazily: bool) -> Iterator[str]:
    """Yield the full names that are imported, of modules and of what is in them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from (one for part in node.orelse for one in _imports(part, package, lazily=lazily))
        elif lazily or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _imports(node, package, lazily=lazily)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
