"""Reading a block: what the files in `data/valid` say, and the exact messages about those in `data/invalid`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st
from support.index import Index
from support.user import User

from scriptrun import block, metadata, output, places
from scriptrun.errors import MetadataError
from scriptrun.sources import Source

DATA = Path(__file__).parent / "data"
VALID = sorted(DATA.glob("valid/*.py"))
INVALID = sorted(DATA.glob("invalid/*.py"))
DIRECTORY = "/home/ada/scripts"


def test_there_are_cases() -> None:
    """Every file has its expectation beside it, and every expectation its file."""
    assert len(VALID) > 90
    assert len(INVALID) > 80
    assert {path.stem for path in VALID} == {path.stem for path in DATA.glob("valid/*.json")}
    assert {path.stem for path in INVALID} == {path.stem for path in DATA.glob("invalid/*.txt")}


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What is read from a file is what the JSON beside it says."""
    assert json.loads(path.with_suffix(".json").read_bytes()) == _read(path, capfd)


def _read(path: Path, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return what is said by a file and about it; what is empty is left out."""
    found, misses = block.cut(path.read_bytes(), path.name)
    script = metadata.parse(found, path.name, DIRECTORY)
    for miss in misses:
        output.warn(miss.message, miss.remedy, f"{path.name}:{miss.line}")
    for warning in script.warnings:
        output.warn(warning.message, warning.remedy, warning.place)
    text = found.text(path.name).split("\n")[:-1] if found else []
    facts = {
        "lines": [found.first, found.last] if found else None,
        "text": text if len(text) < 100 else len(text),
        "dependencies": [
            [asked.place.removeprefix(path.name), str(asked.requirement)] for asked in script.dependencies
        ],
        "requires-python": str(script.requires_python),
        "options": {
            name: value if isinstance(value, (bool, str)) else list(value) for name, value in script.options.given()
        },
        "relative-paths": script.relative_paths,
        "constraints": [[asked.place.removeprefix(path.name), str(asked.requirement)] for asked in script.constraints],
        "first-index": script.first_index,
        "sources": {name: [_source(one) for one in found] for name, found in script.sources.items()},
        "warnings": capfd.readouterr().err.splitlines(),
        "slips": [warning.place.removeprefix(path.name) for warning in script.warnings if warning.slip],
    }
    return {name: value for name, value in facts.items() if value or (name == "text" and found)}


def _source(source: Source) -> list[str]:
    """Return what a source says: its line, the URL, what it is in words, and its marker."""
    line = source.place.partition(":")[2]
    kind = "editable" if source.editable else "index" if source.index else ""
    return [word for word in (line, kind, source.url or source.index, str(source.marker or "")) if word]


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid(path: Path) -> None:
    """A file that cannot be read is answered with the text beside it, and with status 125."""
    with pytest.raises(MetadataError) as caught:
        metadata.parse(block.cut(path.read_bytes(), path.name)[0], path.name, DIRECTORY)
    assert path.with_suffix(".txt").read_text("utf-8") == caught.value.render()
    assert caught.value.status == 125


FILLERS = (
    "# a comment with ] and \" and '''",
    "",
    "x{} = '''\ndependencies = [\n\"no\"]\n'''",
    'x{} = """\\\n  \\""" [\n"""',
    "x{} = ''''' '''''",
    "x{} = '''a''''",
    "x{} = [ # ]\n  1, [2, ']'],\n\n  {{dependencies = ['no', 1], b = \"}}\"}},\n]",
    "x{} . 'dependencies' = 1979-05-27 07:32:00",
    "'dependencies {}' = 1.5",
    '"#{}" = "#"',
)
ENTRIES = ('"demo"', "'demo'", '"""demo"""', "'''demo'''", '"demo; \'[\' != \\"]\\""', '\'demo; "#" != ","\'')
GAPS = ("", " ", "\n", "\n\n  ", " # ] \" '\n", "\t\n# [\n")


@given(
    st.lists(st.sampled_from(FILLERS), max_size=5),
    st.sampled_from(("dependencies", "'dependencies'", '"dependencies"', ' "depend\\u0065ncies" ')),
    st.lists(st.tuples(st.sampled_from(GAPS), st.sampled_from(ENTRIES), st.sampled_from(GAPS)), max_size=5),
    st.sampled_from(("\n", "\r\n", "\r")),
)
def test_places(fillers: list[str], key: str, entries: list[tuple[str, str, str]], end: str) -> None:
    """Each requirement is found on the line that it was written to, whatever stands around it."""
    text = "".join(f"{filler.format(number)}\n" for number, filler in enumerate(fillers))
    text += f"{key} = ["
    lines = []
    for before, entry, after in entries:
        text += before
        lines.append(text.count("\n") + 2)
        text += entry + after + ","
    text += "\n]\n[tool.x]\ndependencies = ['no']\n"
    content = "".join(f"# {line}\n" for line in text.removesuffix("\n").split("\n"))
    found, _ = block.cut(f"# /// script\n{content}# ///\n".replace("\n", end).encode(), "s.py")
    script = metadata.parse(found, "s.py", DIRECTORY)
    assert [f"s.py:{line}" for line in lines] == [asked.place for asked in script.dependencies]


TOML = st.text("a=[]{}.,\"'#\n \\t", max_size=40).map(lambda text: f"{text}\n")


@settings(max_examples=500)
@given(TOML)
def test_places_of_anything(text: str) -> None:
    """Every key that a parser finds has a line on which its value can begin, and nothing else has one."""
    try:
        table = tomli.loads(text)
    except tomli.TOMLDecodeError:
        return
    found = places.find(text)
    assert {path[:1] for path in found} == {(key,) for key in table}
    assert all(0 <= line < text.count("\n") for line in found.values())


def test_places_of_arrays_of_tables() -> None:
    """Entries of an array of tables are told apart, and so is what is in tables below them."""
    text = "[[a.b]]\nx = 1\n[[a.b]]\nx = 2\n[a.b.c]\ny = 1\n[[a.b.d]]\nz = 1\n[[ 'a' . b.d ]]\nz = 2\n[e]\nf = 1\n"
    found = places.find(text)
    assert (found["a", "b", 0, "x"], found["a", "b", 1, "x"], found["a", "b", 1, "c", "y"]) == (1, 3, 5)
    assert (found["a", "b", 1, "d", 0, "z"], found["a", "b", 1, "d", 1, "z"], found["e", "f"]) == (7, 9, 11)
    assert (found["a", "b"], found["a", "b", 1], found["e",]) == (0, 2, 10)


def test_places_of_deep_keys() -> None:
    """Of a key with a thousand parts only the first few are kept, so that no block takes much memory."""
    key = ".".join(["a"] * 1000)
    text = "".join(f"{key}.b{number} = [1, [2]]\n" for number in range(30))
    assert {("a",) * length: 0 for length in range(1, places.DEPTH + 1)} == places.find(text)


@pytest.mark.slow
def test_errors_of_a_block_end_the_run_with_125(user: User) -> None:
    """Each invalid file is answered by the command as by the library: no traceback, no stdout, nothing is run."""
    for path in (path for path in INVALID if path.stem.startswith(("bomb", "two-blocks", "undecod", "dependencies-s"))):
        script = user.write(path.name, path.read_bytes())
        expected = path.with_suffix(".txt").read_text("utf-8")
        assert (125, "", expected) == user.run("scriptrun", path.name, cwd=script.parent)
    assert user.environments() == []


def test_wrong_dependencies_never_reach_an_index(user: User, index: Index) -> None:
    """A string for `dependencies`, an option of pip or a second line in a URL open no connection."""
    for entry in (
        '"demo"',
        '["--index-url=x"]',
        '["-r /etc/hosts"]',
        '["demo @ http://h/x.whl\\n--index-url=x"]',
        "{a = 1}",
    ):
        script = user.write("s.py", f"# /// script\n# dependencies = {entry}\n# ///\nprint('ran')\n")
        status, out, err = user.run("scriptrun", script, PIP_INDEX_URL=index.url)
        assert (status, out) == (125, "")
        assert err.startswith(f"scriptrun: error: {script}:2: ")
    assert index.requests == []


def test_unknown_keys_are_told_and_slips_are_never_recorded(user: User) -> None:
    """An unknown key is told once per preparation; one that was probably meant as a known one, on every run."""
    warning = "scriptrun: warning: s.py:2: a block has no key `{}`; it is ignored{}\n"
    user.write("s.py", "# /// script\n# requires_python = '>=3.11'\n# ///\nprint('ran')\n")
    slip = warning.format("requires_python", "; did you mean `requires-python`?")
    for _ in range(2):
        assert (0, "ran\n", slip) == user.run("scriptrun", "s.py")
    assert user.records() == []
    user.write("s.py", "# /// script\n# frobnicate = 1\n# ///\nprint('ran')\n")
    assert (0, "ran\n", warning.format("frobnicate", "")) == user.run("scriptrun", "s.py")
    assert user.run("scriptrun", "s.py") == (0, "ran\n", "")
    assert len(user.records()) == 1


@pytest.mark.slow
def test_file_without_block_sees_nothing_but_the_standard_library(user: User) -> None:
    """A file without a block runs in an environment that holds no distribution; with --with, in one that does."""
    user.write("s.py", "import importlib.metadata as m; print([d.name for d in m.distributions()])\n")
    assert user.run("scriptrun", "s.py") == (0, "[]\n", "")
    assert user.run("scriptrun", "--with", "demo", "s.py") == (0, "['demo']\n", "")
