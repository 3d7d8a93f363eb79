"""Launch records and answers, as Python writes and reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scriptrun import block, launch
from scriptrun.launch import Answer

HEADER = b"# scriptrun launch record 4\n"
BLOCK = b"# /// script\n# ///\n"


@pytest.mark.parametrize(
    ("after", "compared", "lines"),
    [
        (b"", b"", 3),
        (b"x\ny\n", b"x\n", 3),
        (b"x", b"x", 3),
        (b"x\n", b"x\n", 4),
        (b"\n\n\nx\n", b"\n\n\n", 5),
        (b"# a\n#\n#b\nx\ny\n", b"# a\n#\n#b\nx\n", 6),
        (b"x\n\ny\n", b"x\n\n", 4),
    ],
)
def test_head_goes_as_far_as_the_end_of_the_block_is_to_be_seen(after: bytes, compared: bytes, lines: int) -> None:
    """The compared text ends after the comments below the block, the line that ends them, and empty lines."""
    source = BLOCK + after
    assert launch.head(source, block.cut(source, "s.py")[0]) == (BLOCK + compared, lines)


@pytest.mark.parametrize("source", [BLOCK + b"x\0\n", b"\r" + BLOCK, b"x" * 8193, b"# " + b"x" * 8192 + b"\n" + BLOCK])
def test_head_that_a_shell_cannot_compare_is_none(source: bytes) -> None:
    """A NUL, a carriage return by itself, and more than the launcher reads in a few milliseconds prove nothing."""
    assert launch.head(source, block.cut(source, "s.py")[0]) is None


def test_longest_head() -> None:
    """8 KiB are not too long."""
    assert launch.head(b"x" * 8192, None) == (b"x" * 8192, 1)


@pytest.mark.parametrize("environment", ["/a/b", "/it's/'a'", "/new\nline", "/_sr_lines=/'\n_sr_lines=", "/\udcff"])
def test_recorded_environment_is_read_back(tmp_path: Path, environment: str) -> None:
    """Python reads from a record the environment that it wrote, whatever its path."""
    path = tmp_path / "@record"
    launch.record(str(path), b"x", 1, ("/s.py", "/l", None), Answer(environment, "", provable=True))
    assert launch.recorded(str(path)) == environment


def test_record_has_the_lock_that_it_is_for_beside_it(tmp_path: Path) -> None:
    """One copy is kept, of the last lock, byte for byte; none with a record for a script without a lock."""
    path, answer = tmp_path / "s.py/@record", Answer("/e", "", provable=True)
    for lock in (b"\xff\0one\r\n", b"two", b"two", b"", None, b"three", None):
        launch.record(str(path), b"x", 1, ("/s.py", "/l", lock), answer)
        copies = [Path(one) for one in launch.copies(str(path.parent))]
        assert [copy.read_bytes() for copy in copies] == ([] if lock is None else [lock])
        kept = copies[0].name if copies else ""
        assert f"\n_sr_lock='/l'\n_sr_kept='{kept}'\n" in path.read_text()
        assert sorted(path.parent.iterdir()) == sorted([path, *copies])


def test_copies_of_two_locks_have_two_names(tmp_path: Path) -> None:
    """What one process has written for its lock is not what another one's record leads to."""
    answer, kept = Answer("/e", "", provable=True), []
    for lock in (b"one", b"two"):
        launch.record(str(tmp_path / "@record"), b"x", 1, ("/s.py", "/l", lock), answer)
        kept += launch.copies(str(tmp_path))
    assert len(set(kept)) == 2


def test_record_without_a_copy_of_its_lock_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the lock cannot be kept, nothing is recorded: without a name of the copy, the record would want no lock."""
    monkeypatch.setattr(launch, "_name_of_copy", lambda _: b"x" * 1000)
    launch.record(str(tmp_path / "@record"), b"x", 1, ("/s.py", "/l", b"one"), Answer("/e", "", provable=True))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"x", HEADER, HEADER + b"{\n_sr_env='", HEADER + b"{\n_sr_lines=1"])
def test_damaged_record_names_nothing(tmp_path: Path, content: bytes) -> None:
    """From what is no record, no environment is read."""
    path = tmp_path / "@record"
    path.write_bytes(content)
    assert launch.recorded(str(path)) is None


def test_unwritable_cache_is_no_error(tmp_path: Path) -> None:
    """What cannot be written is not remembered, and nothing is raised."""
    (tmp_path / "v1").touch()
    launch.record(
        str(tmp_path / "v1/launch/s.py/@record"), b"x", 1, ("/s.py", "/l", None), Answer("/e", "", provable=True)
    )
    launch.remember(str(tmp_path), b"asked", Answer("/e", "", provable=True), launch.PROVABLE)
    assert launch.recall(str(tmp_path), b"asked", ["/"]) is None


@pytest.mark.parametrize("gone", ["pyvenv.cfg", "scriptrun.json", "bin/python"])
def test_answer_is_recalled_while_its_environment_is_usable(tmp_path: Path, gone: str) -> None:
    """An answer counts for the very same question only, and while its environment is whole and not condemned."""
    environment = tmp_path / "e"
    (environment / "bin").mkdir(parents=True)
    for name in ("pyvenv.cfg", "scriptrun.json", "bin/python"):
        (environment / name).touch(0o755)
    cache = str(tmp_path / "c")
    launch.remember(cache, b"asked\0", Answer(str(environment), "", provable=False), launch.VALID)
    answer = launch.recall(cache, b"asked\0", [str(tmp_path)])
    assert answer is not None
    assert (answer.environment, answer.provable) == (str(environment), False)
    assert launch.recall(cache, b"asked\0", ["", cache]) is None
    assert launch.recall(cache, b"asked", [str(tmp_path)]) is None
    (environment / "condemned").touch()
    assert launch.recall(cache, b"asked\0", [str(tmp_path)]) is None
    (environment / "condemned").unlink()
    (environment / gone).unlink()
    assert launch.recall(cache, b"asked\0", [str(tmp_path)]) is None


def test_variables_of_a_script() -> None:
    """What breaks an environment's Python is taken out, the environment is put in, the rest stays."""
    breaking = dict.fromkeys(("PYTHONHOME", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"), "/x")
    seen = launch.environment_for("/e", {**breaking, "PYTHONPATH": "/p", "PATH": "/bin", "VIRTUAL_ENV": "/other"})
    assert seen == {"PYTHONPATH": "/p", "PATH": "/e/bin:/bin", "VIRTUAL_ENV": "/e"}
