"""What a program imports, found by its syntax, by any Python from 3.8 on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scriptrun.lint import imports

CASES = {
    "import os": ["os 1:8"],
    "import a.b, c as d": ["a.b 1:8", "c 1:13"],
    "from a.b import c, d as e": ["a.b.c 1:1", "a.b.d 1:1"],
    "from a import *": ["a 1:1"],
    "from . import a\nfrom .b import c\nfrom ..d import *": [".a 1:1", ".b.c 2:1", "..d 3:1"],
    "def f():\n    class C:\n        import a": ["a 3:16"],
    "async def f():\n  async with x:\n    import a": ["a 3:12"],
    "try:\n  import a\nexcept ImportError:\n  import b\nelse:\n  import c\nfinally:\n  import d": [
        "a? 2:10",
        "b? 4:10",
        "c 6:10",
        "d 8:10",
    ],
    "try:\n  import a\nexcept (OSError, ModuleNotFoundError):\n  pass": ["a? 2:10"],
    "try:\n  import a\nexcept builtins.ImportError as e:\n  pass": ["a? 2:10"],
    "try:\n  import a\nexcept:\n  pass": ["a? 2:10"],
    "try:\n  import a\nexcept Exception:\n  pass": ["a? 2:10"],
    "try:\n  import a\nexcept ValueError:\n  import b": ["a 2:10", "b 4:10"],
    "try:\n  def f():\n    import a\nexcept ImportError: pass": ["a? 3:12"],
    "with contextlib.suppress(ImportError):\n  import a": ["a? 2:10"],
    "with suppress(ValueError), open(x):\n  import a": ["a 2:10"],
    "if TYPE_CHECKING:\n  import a": ["a? 2:10"],
    "if typing.TYPE_CHECKING:\n  import a\nelse:\n  import b": ["a? 2:10", "b? 4:10"],
    "if sys.version_info >= (3, 11):\n  import a\nelse:\n  import b": ["a? 2:10", "b? 4:10"],
    "if sys.platform == 'win32':\n  import a\nelif os.name == 'posix':\n  import b": ["a? 2:10", "b? 4:10"],
    "if platform.system() == 'Windows':\n  import a": ["a? 2:10"],
    "if verbose:\n  import a": ["a 2:10"],
    "x = importlib.import_module('a.b')": ["a.b 1:5"],
    "x = import_module('a')": ["a 1:5"],
    "x = __import__('a')": ["a 1:5"],
    "importlib.import_module(name)": [],
    "'''import a'''\n# import b": [],
    "é = 1; import a": ["a 1:15"],
    "# -*- coding: latin-1 -*-\n\xe9 = 1; import a": ["a 2:15"],
    "\ufeffimport a": ["a 1:8"],
    "x = 1\r\nimport a\rimport b": ["a 2:8", "b 3:8"],
    "": [],
}
"""A program, and what it imports: module, `?` where it can do without, line:column."""


def told(found: imports.Found) -> list[str]:
    """Return the imports as the table has them, without the columns of names: before Python 3.10 there are none."""
    return [f"{one.module}{'?' * one.optional} {one.line}:{one.column}" for one in found.imports]


def encoded(text: str) -> bytes:
    """Return a program as its first line says."""
    return text.encode("latin-1" if "latin-1" in text else "utf-8")


@pytest.mark.parametrize("text", CASES)
def test_imports(text: str) -> None:
    """Every import is found where it stands, and whether the program expects to do without it."""
    assert told(imports.find(encoded(text))) == CASES[text]


def test_words() -> None:
    """The words in strings are found, also in those that are formatted, and not those of long texts."""
    source = "run(['ruff', 'check'])\nx = f'postgresql+psycopg2://{host}'\ny = '" + "long " * 300 + "'"
    assert {"ruff", "check", "psycopg2"} <= imports.find(source.encode()).words
    assert "long" not in imports.find(source.encode()).words


@pytest.mark.parametrize(
    "source", [b"def", b"import a\n  import b", b"x = '\0'", b"(" * 10000, b"# coding: nothing\n", b"\xff = 1"]
)
def test_syntax_errors(source: bytes) -> None:
    """What cannot be parsed is a SyntaxError, whatever Python raises for it."""
    with pytest.raises(SyntaxError):
        imports.find(source)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["match x:\n  case 1: import a", "def f(:"])
def test_every_python_answers_for_itself(pythons: list[Path], tmp_path: Path, text: str) -> None:
    """Each Python says what it finds in a program, or why it cannot parse it, in one line that is read here."""
    path = tmp_path / "program"
    path.write_text(text)
    for python in pythons:
        command = [str(python), "-I", "-S", imports.__file__, str(path)]
        out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        answer = out.splitlines()[-1].removeprefix(imports.MARK)
        version = tuple(map(int, subprocess.check_output([python, "--version"], text=True).split()[1].split(".")))
        if version >= (3, 10) and text.startswith("match"):
            assert told(imports.restore(answer)) == ["a 2:18"]
            continue
        with pytest.raises(SyntaxError) as caught:
            imports.restore(answer)
        assert caught.value.lineno == 1
        assert caught.value.msg
