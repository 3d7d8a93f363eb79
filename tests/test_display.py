"""What is drawn of what pip does, on terminals of all sizes, and on one that can show ASCII only."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.cells import cell_len
from support import terminal

from scriptrun import output
from scriptrun.cli import drawing, scene
from scriptrun.cli.display import Display
from scriptrun.cli.scene import Download, Scene
from scriptrun.pip_progress import BUILDING, DOWNLOADING, FINDING, INSTALLING, Event

DOWNLOADS = (
    Download("small 2.0", 887, 887, 1.0, 1.5),
    Download("numpy 2.1.0", 16_400_000, 8_200_000, 1.0, 0.0),
    Download("of-unknown-size 1.0", 0, 0, 1.0, 0.0),
)


@pytest.fixture(autouse=True)
def known_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of this machine say what a terminal can do."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("COLORTERM", "COLUMNS", "LINES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written to stderr."""
    texts: list[str] = []
    monkeypatch.setattr(output, "tell", texts.append)
    return texts


def show_only(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """Let stderr have an encoding."""
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding))


def drawn(written: list[str], shown: Scene, size: tuple[int, int] = (77, 24)) -> list[str]:
    """Return the lines that are drawn, two seconds after the begin."""
    written.clear()
    with drawing.begin() as draw:
        draw(shown, 2.0, size)
        text = "".join(written)
    text.encode(sys.stderr.encoding)
    assert terminal.screen("".join(written)) == [""]
    return terminal.screen(text)


def test_a_line_for_each_download(monkeypatch: pytest.MonkeyPatch, written: list[str]) -> None:
    """Each has a bar, how much has come of how much, and its rate; one that has ended, its size."""
    show_only(monkeypatch, "utf-8")
    monkeypatch.setattr(scene, "time", SimpleNamespace(monotonic=lambda: 3.0))
    assert [line.split() for line in drawn(written, Scene("downloading numpy 2.1.0", DOWNLOADS))] == [
        ["⠋", "downloading", "numpy", "2.1.0", "2", "s"],
        ["small", "2.0", "━" * 20, "887", "B", "1.8", "kB/s"],
        ["numpy", "2.1.0", "━" * 10 + "╺" + "━" * 9, "8.2", "MB", "of", "16.4", "MB", "4.1", "MB/s"],
        ["of-unknown-size", "1.0", "━" * 20, "0", "B", "of", "0", "B"],
    ]


@pytest.mark.parametrize("columns", [1, 2, 5, 17, 39, 40, 69, 70, 77, 300])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "iso-8859-1"])
def test_it_fits_every_width(monkeypatch: pytest.MonkeyPatch, written: list[str], columns: int, encoding: str) -> None:
    """No line is longer than there is room, whatever the names, and all can be shown."""
    show_only(monkeypatch, encoding)
    name = scene.fit("grün-\u6f22\u5b57-\x1b[2J-" + "long" * 50)
    long = Scene(name, (*DOWNLOADS, Download(name, 10**15, 10**14, 2.0, 0.0)))
    for one in (Scene(""), long):
        lines = drawn(written, one, (columns, 24))
        assert max(cell_len(line) for line in lines) <= columns
        assert len(lines) == 1 + len(one.downloads)


@pytest.mark.parametrize(("height", "lines"), [(1, 1), (2, 1), (3, 2), (4, 3), (24, 4)])
def test_it_fits_every_height(monkeypatch: pytest.MonkeyPatch, written: list[str], height: int, lines: int) -> None:
    """Where there is little room the last downloads are shown, or none."""
    show_only(monkeypatch, "utf-8")
    found = drawn(written, Scene("building", DOWNLOADS), (77, height))
    assert len(found) == lines
    assert ("of-unknown-size" in found[-1]) == (lines > 1)


def test_the_last_of_many_downloads(monkeypatch: pytest.MonkeyPatch, written: list[str]) -> None:
    """Five lines are enough."""
    show_only(monkeypatch, "utf-8")
    many = tuple(Download(f"d{number}", 9, 9, 1.0, 2.0) for number in range(9))
    assert [line.split()[0] for line in drawn(written, Scene("x", many))[1:]] == ["d4", "d5", "d6", "d7", "d8"]


def test_what_can_be_seen_after_each_event() -> None:
    """A download goes on until pip does something else; what is installed leaves nothing of the downloads."""
    first = Scene("").after(Event(FINDING, ("a\x1b",)))
    assert (first.words, first.downloads) == ("finding out what is needed: a\\x1b", ())
    begun = first.after(Event(DOWNLOADING, ("a 1",), 3_400_000))
    half = begun.after(Event(DOWNLOADING, ("a 1",), 3_378_712, 262_144))
    other = half.after(Event(DOWNLOADING, ("b 1",), 503))
    assert [(one.name, one.size, one.received, bool(one.ended)) for one in half.downloads] == [
        ("a 1", 3_378_712, 262_144, False)
    ]
    built = other.after(Event(BUILDING, ("b",)))
    assert (other.words, built.words) == ("downloading b 1", "building b")
    assert [(one.name, one.received, bool(one.ended)) for one in built.downloads] == [
        ("a 1", 3_378_712, True),
        ("b 1", 503, True),
    ]
    again = built.after(Event(DOWNLOADING, ("b 1",), 503))
    assert [(one.name, bool(one.ended)) for one in again.downloads] == [("a 1", True), ("b 1", True), ("b 1", False)]
    assert again.after(Event(INSTALLING, ("a", "b"))) == Scene("installing a, b")


def test_the_size_of_a_terminal_that_does_not_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A terminal of no size, or none at all, is taken for one of the usual size."""
    ours, theirs = os.openpty()
    with open(theirs, "w", encoding="ascii") as unsized, (tmp_path / "file").open("w") as file:
        for stream in (unsized, file, None):
            monkeypatch.setattr(sys, "stderr", stream)
            assert scene.room() == (77, 24)
        monkeypatch.setattr(sys, "stderr", unsized)
        for columns, room in ((20, 17), (2, 1)):
            terminal.resize(theirs, columns, 5)
            assert scene.room() == (room, 5)
    os.close(ours)


def test_a_display_that_ends_at_once(monkeypatch: pytest.MonkeyPatch, written: list[str]) -> None:
    """One that was never started, or had no time to draw, can be ended, and leaves nothing on the terminal."""
    show_only(monkeypatch, "utf-8")
    Display(Event(FINDING, ("a",)), 0.0).end()
    assert written == []
    begun = Display(Event(FINDING, ("a",)), 0.0)
    begun.start()
    begun.end()
    assert terminal.screen("".join(written)) == [""]
