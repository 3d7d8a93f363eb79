"""Why a script does not run, in one sentence for somebody who does not program."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import scriptrun
from scriptrun import cli
from scriptrun.desktop import sentences
from scriptrun.errors import CacheError, InstallError, InterpreterError, Interrupted, MetadataError, ScriptrunError


def kinds(kind: type[ScriptrunError] = ScriptrunError) -> Iterator[type[ScriptrunError]]:
    """Yield every class of errors that there is."""
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


def test_every_error_has_a_sentence() -> None:
    """Each class that stands in `errors`, and each of pip's failures, has words of its own, with nothing left open."""
    for found in pkgutil.walk_packages(scriptrun.__path__, "scriptrun."):
        if not found.name.startswith(("scriptrun.pip_child", "scriptrun.__main__")):
            importlib.import_module(found.name)
    assert cli
    own = {kind for kind in kinds() if kind.__module__ in ("scriptrun.errors", "scriptrun.pip_messages")}
    assert own - sentences.CAUSES.keys() == set()
    assert len({*sentences.CAUSES.values()}) == len(sentences.CAUSES)
    for kind in kinds():
        error = Interrupted(15, "x") if issubclass(kind, Interrupted) else kind("message", place="x.py:7")
        said = sentences.of_error(error, "x.py")
        assert re.fullmatch(r"“x\.py” cannot start because [^{}.\n]+\.", said)


def test_a_sentence_names_line_and_part() -> None:
    """A mistake in the block comes with its line, and what cannot be installed with its name."""
    assert sentences.of_error(MetadataError("x", place="a:b.py:12"), "b.py") == (
        "“b.py” cannot start because there is a mistake in it, in line 12; whoever wrote it can correct that."
    )
    assert "mistake in it; whoever" in sentences.of_error(MetadataError("x", place="b.py"), "b.py")
    error = InstallError("x", name="numpy")
    assert sentences.of_error(error, "b.py") == (
        "“b.py” cannot start because a part that it needs, “numpy”, could not be installed."
    )


def test_a_refusal_of_the_system_counts_before_the_class() -> None:
    """That the disk is full is what there is to know, whatever it was for."""
    error = CacheError("x", reason="the disk is full")
    assert sentences.of_error(error, "b.py") == (
        "“b.py” cannot start because the disk is full; delete what you do not need any more, and try again."
    )


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (">=3.13", "Python 3.13 or newer"),
        ("<3.9", "a Python older than 3.9"),
        ("<=3.9", "Python 3.9 or older"),
        (">=3.8,<3.10", "Python 3.8 or newer, but older than 3.10"),
        ("==3.7.*", "Python 3.7"),
        ("3.7", "Python 3.7"),
        ("~=3.7.1", "another Python (~=3.7.1)"),
        (">=3.8,!=3.9.*,!=3.10.*", "another Python (>=3.8,!=3.9.*,!=3.10.*)"),
        ("pypy3.10", "the Python `pypy3.10`"),
    ],
)
def test_a_python_in_words(wanted: str, told: str) -> None:
    """Versions are told in words where there are words for them."""
    assert sentences.python(wanted) == told
    error = InterpreterError("x", wanted=wanted)
    assert f" needs {told}, which is not installed on this computer" in sentences.of_error(error, "b.py")


@pytest.mark.parametrize(
    ("status", "written", "told"),
    [
        (
            1,
            "Traceback (most recent call last):\n  …\nValueError: bad\n",
            "an error that it did not expect: ValueError: bad.",
        ),
        (1, "Traceback (most recent call last):\nModuleNotFoundError: No module named 'x.y'\n", "lacks a part, “x”,"),
        (1, '  File "x.py", line 1\n    (\nSyntaxError: never closed\n', "did not expect: SyntaxError: never closed."),
        (1, "no input file\n", "has ended with a failure: no input file."),
        (3, "", "has ended with a failure (3)."),
        (139, "", "has crashed (SIGSEGV)."),
        (137, "", "was ended from outside, perhaps because the computer ran out of memory."),
        (135, "", "has crashed (SIGBUS)."),
        (152, "", "was ended from outside (SIGXCPU)."),
        (255, "", "has ended with a failure (255)."),
        (200, "no key\n", "has ended with a failure: no key."),
        (
            1,
            "Traceback (most recent call last):\nModuleNotFoundError: No module named '_tkinter'\n",
            "has stopped because the Python of this computer lacks a part, “tkinter”; whoever looks after",
        ),
        (
            1,
            "Traceback (most recent call last):\n  …\nValueError: x\nPlease choose a file.\n",
            "has ended with a failure: Please choose a file.",
        ),
        (
            1,
            "  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: two\n  +-+------- 1 -------\n"
            "    | ValueError: one\n    +-----------\n",
            "an error that it did not expect: ValueError: one.",
        ),
        (1, "\x1b]0;x\x07\u202eError: y\n", r"failure: \x1b]0;x\x07\u202eError: y."),
    ],
)
def test_an_end_in_words(status: int, written: str, told: str) -> None:
    """How a script has ended is told by its last line, or by the signal; control characters show as such."""
    said = sentences.of_end(status, written, "b.py")
    assert said.startswith("“b.py” ")
    assert told in said


def test_a_name_is_shown_and_nothing_else() -> None:
    """Control characters of a file's name cannot do anything to a terminal or a window."""
    assert sentences.of_error(ScriptrunError("x"), "a\x1b\u202e.py").startswith("“a\\x1b\\u202e.py” ")
    assert sentences.of_no_terminal("a\n.py").startswith("“a\\x0a.py” ")
