"""What pip's lines say of what it does: recorded ones of old and new pips, and single ones that are rare."""

from __future__ import annotations

from pathlib import Path

import pytest

from scriptrun import pip_progress
from scriptrun.pip_progress import BUILDING, DOWNLOADING, FINDING, INSTALLING, Event, Reader

RECORDED = sorted((Path(__file__).parent / "data/pip").glob("*.txt"), key=lambda path: int(path.name.partition(".")[0]))
SIZE = 3378712


def read(text: str) -> list[Event]:
    """Return what one reader sees in lines."""
    reader = Reader()
    return [event for line in text.splitlines() if (event := reader.read(line)) is not None]


def test_the_records_are_of_several_pips() -> None:
    """They are of old pips and of one that counts what comes."""
    assert [path.stem for path in RECORDED] == ["22.0.4", "23.2.1", "24.2", "26.3"]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_what_pip_said(path: Path) -> None:
    """Every pip is seen to do the same; from 24.1 on also how far a long download is."""
    counted = [Event(DOWNLOADING, ("big-one 1.0",), SIZE, received) for received in (0, 262144, SIZE)]
    assert read(path.read_text()) == [
        Event(FINDING, ("big-one",)),
        Event(DOWNLOADING, ("big-one 1.0",), 3_400_000),
        *(counted if "Progress" in path.read_text() else []),
        Event(FINDING, ("made",)),
        Event(DOWNLOADING, ("made 3.0",), 503),
        Event(BUILDING, ("made",)),
        Event(BUILDING, ("made",)),
        Event(FINDING, ("small",)),
        Event(DOWNLOADING, ("small 2.0",), 887),
        Event(BUILDING, ("made",)),
        Event(INSTALLING, ("small", "made", "big-one")),
    ]
    assert ("Progress" in path.read_text()) == (path.stem in ("24.2", "26.3"))


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("Collecting demo@ git+https://h/x.git (from -r /tmp/x.txt (line 1))", Event(FINDING, ("demo",))),
        ("Collecting demo[extra]>=1 (from -r x)", Event(FINDING, ("demo",))),
        ("Collecting https://host/a/demo-1.0-py3-none-any.whl#sha256=0", Event(FINDING, ("demo 1.0",))),
        (
            "Processing /opt/x/two_words-1.0-cp311-cp311-linux_x86_64.whl (from rich)",
            Event(FINDING, ("two-words 1.0",)),
        ),
        ("Processing ./local/dir/", Event(FINDING, ("dir",))),
        ("Obtaining file:///home/me/project", Event(FINDING, ("project",))),
        ("  Obtaining dependency information for demo from https://h/demo.whl.metadata", None),
        ("  Cloning https://h/me/project.git (to revision abc) to /tmp/x", Event(DOWNLOADING, ("project",))),
        ("Downloading demo-1.0-py3-none-any.whl.metadata (18 kB)", None),
        ("Downloading demo-1.0.tar.gz (1.5 MB)", Event(DOWNLOADING, ("demo 1.0",), 1_500_000)),
        ("Downloading demo-1.0-py3-none-any.whl", Event(DOWNLOADING, ("demo 1.0",))),
        (
            "Resuming download https://h/demo-1.0-py3-none-any.whl (8.2 MB/16.4 MB)",
            Event(DOWNLOADING, ("demo 1.0",), 16_400_000),
        ),
        ("  Using cached demo-1.0-py3-none-any.whl (12 kB)", None),
        ("    Running setup.py install for demo: started", Event(BUILDING, ("demo",))),
        ("  Building editable for demo (pyproject.toml): started", Event(BUILDING, ("demo",))),
        ("  Building wheel for demo (pyproject.toml): still running...", None),
        ("  Preparing metadata (pyproject.toml): started", None),  # of what, nobody has said
        ("Progress 5 of 10", None),  # of what, nobody has said
        ("Progress 5 of 10 files", None),
        ("Successfully installed demo-1.0", None),
        ("", None),
    ],
)
def test_what_a_line_says(line: str, event: Event | None) -> None:
    """Requirements, files, directories and URLs are named as people name them; what says nothing new is no event."""
    assert Reader().read(line) == event


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Event(FINDING, ("demo",)), "finding out what is needed: demo"),
        (Event(DOWNLOADING, ("demo 1.0",)), "downloading demo 1.0"),
        (Event(DOWNLOADING, ("demo 1.0",), 16_400_000), "downloading demo 1.0 (16.4 MB)"),
        (Event(DOWNLOADING, ("demo 1.0",), 16_400_000, 820_000), "downloading demo 1.0 (820 kB of 16.4 MB)"),
        (Event(BUILDING, ("demo",)), "building demo"),
        (Event(INSTALLING, ("a", "b", "c")), "installing a, b, c"),
        (Event(INSTALLING, ("a", "b", "c", "d", "e")), "installing a, b, c and 2 more"),
    ],
)
def test_what_is_done_in_words(event: Event, words: str) -> None:
    """Somebody who has never heard of pip is told what takes so long."""
    assert event.words == words


@pytest.mark.parametrize(
    ("line", "count"), [("Progress 1 of 2", True), ("Progress 1 of 2 files", False), ("In Progress 1 of 2", False)]
)
def test_lines_that_only_count(line: str, count: bool) -> None:  # noqa: FBT001 - a column of the table
    """How much has come is all that such a line says."""
    assert pip_progress.is_count(line) == count
