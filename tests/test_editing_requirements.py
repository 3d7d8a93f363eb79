"""The text of a block with other dependencies: in any layout only these change, to what was asked for."""

from __future__ import annotations

import codecs

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptrun.editing import array, document, requirements
from scriptrun.errors import EditError


def test_list_is_made_where_there_is_none() -> None:
    """It stands after `requires-python`, else first."""
    added = requirements.insert("# note\n[tool.x]\na = 1\n", 0, "demo")
    assert added == 'dependencies = [\n  "demo",\n]\n# note\n[tool.x]\na = 1\n'
    added = requirements.insert('requires-python = ">=3.11" # why\n[tool.x]\n', 0, "demo")
    assert added == 'requires-python = ">=3.11" # why\ndependencies = [\n  "demo",\n]\n[tool.x]\n'


def test_place() -> None:
    """A new one goes to its place by the alphabet in a sorted list, else to the end; names count in canonical form."""
    assert requirements.place(["requests<3", "rich"], "anyio") == 0
    assert requirements.place(["A_b>=1", "c"], "a-c") == 1
    assert requirements.place(["b", "c", "a"], "aa") == 3
    assert requirements.place([], "b") == 0


def test_quotes() -> None:
    """A new entry has the quotes of the first, an entry that is replaced those that it had, unless they are in it."""
    assert requirements.insert("dependencies = ['a']\n", 1, "b") == "dependencies = ['a', 'b']\n"
    assert requirements.insert('dependencies = ["a"]\n', 1, 'b; x == "y"') == 'dependencies = ["a", \'b; x == "y"\']\n'
    assert requirements.insert("dependencies = ['a']\n", 1, "b; x == 'y'") == "dependencies = ['a', \"b; x == 'y'\"]\n"
    mixed = 'dependencies = [# "no"\n\'a\', "b"]\n'
    assert requirements.replace(mixed, 0, "a>1") == mixed.replace("a", "a>1")
    assert requirements.replace(mixed, 1, "b>1") == mixed.replace('"b"', '"b>1"')
    both = requirements.insert("dependencies = []\n", 0, "b; x == \"y'\" or 'y' == x")
    assert requirements.listed(both) == ["b; x == \"y'\" or 'y' == x"]


def test_name_is_spelled_as_before() -> None:
    """What replaces an entry takes its name over."""
    assert (
        requirements.replace("dependencies = ['SCEN_demo>=2']\n", 0, "scen-demo<3")
        == "dependencies = ['SCEN_demo<3']\n"
    )


OTHERS = st.sampled_from(
    [
        "",
        "# dependencies = ['no']\n",
        'requires-python = ">=3.11"\n',
        "\n\nrequires-python   =   '>=3.11'  # é\n",
    ]
)
TABLES = st.sampled_from(
    [
        "",
        "\n[tool.x]\ndependencies = ['no']\n",
        "[ tool . 'x' ]  # é\na={b=[1,2,],c='d'}\n\n[tool.scriptrun]\npre=true\n",
    ]
)
KEYS = st.sampled_from(["dependencies = ", '"dependencies"=', "'dependencies'  =\t", "  dependencies= "])
BLANKS = st.sampled_from(["", " ", "\n", "\n    ", "  # note, 'x' \"y\"\n  ", "\n# é\n"])
NAMES = st.sampled_from(["alpha", "beta>=1", "Gamma_x[y]", "delta; os_name == 'posix'", "eps @ https://localhost/x#y"])
QUOTES = st.sampled_from(['"', '"', '"""', "'", "'''"])


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str, str]:
    """Draw a block: what is before its list, the list, and what follows."""
    entries = []
    for entry in draw(st.lists(NAMES, max_size=5)):
        quote = draw(QUOTES)
        quote = '"' if quote == "'" and "'" in entry else quote
        entries.append(draw(BLANKS) + quote + entry + quote + draw(BLANKS))
    end = draw(st.sampled_from(["", ","] if entries else [""])) + draw(BLANKS)
    listed = f"[{','.join(entries)}{end}]"
    return draw(OTHERS) + draw(KEYS), listed, draw(st.sampled_from(["\n", "  # é\n"])) + draw(TABLES)


def changes(text: str, data: st.DataObject) -> tuple[str, list[str]]:
    """Return the text with one drawn change, and the list that this must make."""
    old = requirements.listed(text)
    kind = data.draw(st.sampled_from(["insert", "replace", "remove"] if old else ["insert"]))
    index = data.draw(st.integers(0, len(old) - (kind != "insert")))
    if kind == "insert":
        return requirements.insert(text, index, "new>=1"), [*old[:index], "new>=1", *old[index:]]
    if kind == "remove":
        return requirements.remove(text, index), [*old[:index], *old[index + 1 :]]
    name = requirements.NAME.match(old[index])
    assert name
    new = f"{name.group()}==7; os_name == 'x'"
    return requirements.replace(text, index, new), [*old[:index], new, *old[index + 1 :]]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    parts=texts(),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1"]),
    around=st.tuples(st.sampled_from(["", "#!/bin/x\n", "x = 'é'\r\n"]), st.sampled_from(["", "\n", "\r\n\nx = 'é'"])),
    data=st.data(),
)
def test_only_what_was_asked_for(
    parts: tuple[str, str, str], end: str, encoding: str, around: tuple[str, str], data: st.DataObject
) -> None:
    """In any file: the list is read as asked for, and every byte outside of the list is as it was."""
    before, listed, after = parts
    text = before + listed + after
    mark, encoding = (codecs.BOM_UTF8, "utf-8") if encoding == "utf-8-sig" else (b"", encoding)
    head = f"{around[0]}# coding: {encoding}\n"
    lines = "".join(f"# {line}{end}" if line else f"#{end}" for line in text.split("\n")[:-1])
    content = mark + f"{head}# /// script{end}{lines}# ///{around[1]}".encode(encoding)
    if document.encoding(content) != encoding:  # the coding line came third
        return
    new, wanted = changes(text, data)
    changed = document.with_block(content, new, "s.py")
    found = document.block_text(changed, "s.py")
    assert found is not None
    assert requirements.listed(found) == wanted
    assert {**tomli.loads(found), "dependencies": 0} == {**tomli.loads(text), "dependencies": 0}
    first = "".join(f"# {line}{end}" if line else f"#{end}" for line in before.split("\n")[:-1])
    assert changed.startswith(
        mark + f"{head}# /// script{end}{first}# {before.rpartition(chr(10))[2]}[".encode(encoding)
    )
    rest, *last = after.split("\n")[:-1]
    tail = "".join(f"{end}# {line}" if line else f"{end}#" for line in last)
    assert changed.endswith(f"]{rest}{tail}{end}# ///{around[1]}".encode(encoding))


def test_options() -> None:
    """A key of `[tool.scriptrun]` is set and taken away again, in a table that is there or in one of its own."""
    for text in (
        "",
        "[tool]\n",
        "dependencies = []\n",
        "dependencies = []\n\n[tool.other]\na = 1\n",
        "[tool.scriptrun] # é\npre = true # why\n\n[tool.other]\n",
        "tool.scriptrun.pre = true\n",
        "[tool]\nscriptrun = {pre = true}\n",
    ):
        changed = requirements.set_option(text, "lock", "sha256:1")
        wanted = tomli.loads(text)
        wanted.setdefault("tool", {}).setdefault("scriptrun", {})["lock"] = "sha256:1"
        assert tomli.loads(changed) == wanted
        assert requirements.set_option(changed, "lock", "sha256:2") == changed.replace("sha256:1", "sha256:2")
        assert requirements.set_option(changed, "lock", None).rstrip("\n") == text.rstrip("\n")
        assert requirements.set_option(text, "lock", None) == text
    assert requirements.set_option("", "lock", "x") == '[tool.scriptrun]\nlock = "x"\n'


def test_damage_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that would not be read as what was asked for, or is no TOML at all, is not returned."""
    for wrong in ("[]", "['demo', 'x']", "['demo'"):
        monkeypatch.setattr(array, "insert", lambda *_, wrong=wrong: wrong)
        with pytest.raises(EditError):
            requirements.insert("dependencies = []\n", 0, "demo")
