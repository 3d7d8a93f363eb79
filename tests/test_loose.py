"""What environments share with one another and not with the store."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from scriptrun.extent import Shared
from scriptrun.upkeep import loose
from scriptrun.upkeep.loose import Suspect

SIZE = 5000
LONG_AGO = time.time() - 1000


class Place:
    """Environments `a` and `b` that share a file, and a distribution in a store that shares another with both."""

    def __init__(self, directory: Path) -> None:
        self.root = directory
        for name in ("a", "b", "store"):
            (directory / name).mkdir()
        for name, others in (("shared", ["b"]), ("kept", ["b", "store"])):
            (directory / "a" / name).write_bytes(b"x" * SIZE)
            for other in others:
                os.link(directory / "a" / name, directory / other / name)
        self.status = (directory / "a/shared").stat()

    def look(self, *names: str, lost: tuple[str, ...] = ("gone",)) -> dict[str, list[int]]:
        """Return the numbers of the files that are found, by environment."""
        suspects = {name: Suspect(str(self.root / name), LONG_AGO, lost) for name in names}
        found = loose.measure(str(self.root / "cache"), suspects, [str(self.root / "store")])
        return {name: list(files) for name, files in found.items()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Environments and a store."""
    return Place(tmp_path)


def test_what_only_environments_share(place: Place) -> None:
    """It is what has no name in the store, and all of whose names are in environments; it is told with its room."""
    number = place.status.st_ino
    assert place.look("a", "b") == {"a": [number], "b": [number]}
    suspects = {name: Suspect(str(place.root / name), LONG_AGO, ()) for name in ("a", "b")}
    found = loose.measure(str(place.root / "other"), suspects, [str(place.root / "store")])
    assert found["a"][number] == Shared(1, 2, SIZE, place.status.st_blocks * 512)
    assert place.look("a") == {"a": []}, "the other name is somewhere else"


def test_nothing_is_walked_through_twice(place: Place) -> None:
    """What was written down counts while all is as it was, and no longer."""
    number = place.status.st_ino
    place.look("a", "b")
    os.link(place.root / "a/shared", place.root / "elsewhere")
    assert place.look("a", "b") == {"a": [number], "b": [number]}
    assert place.look("a", "b", lost=("gone", "another")) == {"a": [], "b": []}


def test_who_shared_has_gone(place: Place) -> None:
    """When an environment was removed, the others' files are looked at again: they have a name less."""
    place.look("a", "b")
    os.link(place.root / "b/shared", place.root / "b/again")
    (place.root / "a/shared").unlink()
    assert place.look("b") == {"b": [place.status.st_ino]}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 5}', '{"a": [1, [], {"x": []}]}', "[" * 100000])
def test_notes_that_cannot_be_read(place: Place, text: str) -> None:
    """Whatever is written there, all is measured again."""
    expected = place.look("a", "b")
    (place.root / "cache/v1/extents/loose").write_text(text)
    assert place.look("a", "b") == expected


def test_nothing_is_written_where_there_is_nothing(place: Place) -> None:
    """Without suspects nothing is looked at; what was written down before goes."""
    assert place.look() == {}
    assert not (place.root / "cache").exists()
    place.look("a", "b")
    assert place.look() == {}
    assert (place.root / "cache/v1/extents/loose").read_text() == "{}"
