"""`[tool.scriptrun.desktop]` and `[tool.scriptrun] gui`: what a block says of desktops."""

from __future__ import annotations

import re

import pytest
from support import pages

from scriptrun import block, desktop_table, metadata
from scriptrun.desktop_table import Desktop
from scriptrun.errors import MetadataError
from scriptrun.metadata import ScriptMetadata


def read(*lines: str) -> ScriptMetadata:
    """Return what a block with these lines says, of a script in /srv."""
    content = "# /// script\n" + "".join(f"# {line}\n" for line in lines) + "# ///\n"
    found, _ = block.cut(content.encode(), "s.py")
    return metadata.parse(found, "s.py", "/srv")


def shown(*lines: str) -> Desktop:
    """Return what `[tool.scriptrun.desktop]` with these lines says."""
    return read("[tool.scriptrun.desktop]", *lines).desktop


def test_every_key() -> None:
    """Each key is read, and nothing is said of what is right."""
    script = read(
        "[tool.scriptrun]",
        "gui = true",
        "[tool.scriptrun.desktop]",
        'name = "My Report"',
        'icon = "document-print"',
        'categories = ["Office", "Chart"]',
        "terminal = true",
        "keep-open = false",
    )
    assert Desktop("My Report", "document-print", ("Office", "Chart"), True, False, gui=True) == script.desktop
    assert script.warnings == ()


def test_nothing_is_said() -> None:
    """Without the table, and with an empty one, everything is as it comes."""
    assert Desktop() == read().desktop == shown()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x.png", "/srv/x.png"),
        ("X.SVG", "/srv/X.SVG"),
        ("icons/x", "/srv/icons/x"),
        ("./x.xpm", "/srv/x.xpm"),
        ("../x.png", "/x.png"),
        ("/usr/share/x.png", "/usr/share/x.png"),
        ("org.gnome.Calculator", "org.gnome.Calculator"),
        ("printer", "printer"),
        ("", ""),
    ],
)
def test_icon(value: str, expected: str) -> None:
    """An icon with a slash, or with the ending of a picture, is a file beside the script; else it is the theme's."""
    assert expected == shown(f'icon = "{value}"').icon


@pytest.mark.parametrize(
    ("lines", "script", "expected"),
    [
        ((), "a.py", True),
        ((), "a.pyw", False),
        ((), "A.PYW", False),
        (("gui = true",), "a.py", False),
        (("gui = false",), "a.pyw", False),
        (("desktop = { terminal = true }",), "a.pyw", True),
        (("gui = true", "desktop = { terminal = true }"), "a.py", True),
        (("desktop = { terminal = false }",), "a.py", False),
    ],
)
def test_terminal(lines: tuple[str, ...], script: str, expected: bool) -> None:  # noqa: FBT001 - a row of the table
    """`terminal` counts before `gui` and the ending; of these two each says that there is none."""
    assert expected is read("[tool.scriptrun]", *lines).desktop.in_terminal(script)


@pytest.mark.parametrize(
    ("said", "script", "expected"),
    [
        (Desktop(), "/x.py", ("new-terminal", "auto")),
        (Desktop(keep_open=True), "/x.py", ("new-terminal", "always")),
        (Desktop(keep_open=False), "/x.py", ("new-terminal", "never")),
        (Desktop(gui=True), "/x.py", ("window", "auto")),
        (Desktop(), "/x.pyw", ("window", "auto")),
        (Desktop(terminal=True), "/x.pyw", ("new-terminal", "auto")),
    ],
)
def test_how_it_is_attended(said: Desktop, script: str, expected: tuple[str, str]) -> None:
    """`gui`, `terminal` and the ending tell whether there is a terminal, `keep-open` whether it stays."""
    assert expected == (said.mode(script), said.keep)


@pytest.mark.parametrize(
    ("line", "place", "message"),
    [
        ("name = 1", "s.py:3", "`tool.scriptrun.desktop.name` is an integer, not a string"),
        ('icon = ["x"]', "s.py:3", "`tool.scriptrun.desktop.icon` is an array, not a string"),
        ('categories = "Office"', "s.py:3", "`tool.scriptrun.desktop.categories` is a string, not an array of strings"),
        ("terminal = 1", "s.py:3", "`tool.scriptrun.desktop.terminal` is an integer, not true or false"),
        ('keep-open = "yes"', "s.py:3", "`tool.scriptrun.desktop.keep-open` is a string, not true or false"),
        ('name = "a\\u0007"', "s.py:3", "`a\a` holds a control character"),
        ('categories = ["a\\n"]', "s.py:3", "`a\n` holds a control character"),
    ],
)
def test_mistakes(line: str, place: str, message: str) -> None:
    """A value of another kind is an error, which names the line."""
    with pytest.raises(MetadataError) as caught:
        shown(line)
    assert (place, message) == (caught.value.place, caught.value.message)


def test_mistakes_of_tables() -> None:
    """`gui` and the table itself must be what they are, too."""
    for lines, message in (
        (("gui = 1",), "`tool.scriptrun.gui` is an integer, not true or false"),
        (("desktop = 1",), "`tool.scriptrun.desktop` is an integer, not a table"),
    ):
        with pytest.raises(MetadataError) as caught:
            read("[tool.scriptrun]", *lines)
        assert message == caught.value.message


def test_slips() -> None:
    """A key that is nearly one is warned of, with the one that was meant."""
    (warned,) = read("[tool.scriptrun.desktop]", "keep_open = true").warnings
    assert warned.message == "`[tool.scriptrun.desktop]` has no key `keep_open`; it is ignored"
    assert (warned.place, warned.remedy) == ("s.py:3", "did you mean `keep-open`?")


def test_document_lists_the_keys() -> None:
    """The table of docs/desktop.md has each key, and no other."""
    section = pages.section("docs/desktop.md", "An entry in the menu")
    assert sorted(desktop_table.KEYS) == sorted(re.findall(r"^\| `([a-z][a-z-]*)` \|", section, re.MULTILINE))
