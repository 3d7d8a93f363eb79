"""What may be remembered of a question, and what a launch record may prove."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scriptrun import arguments, launch, location, request, resolve
from scriptrun.resolve import Wanted

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with a wheel, a file of requirements and a private cache."""
    (tmp_path / "demo-1.0-py3-none-any.whl").touch()
    (tmp_path / "r.txt").touch()
    location.open_cache({"SCRIPTRUN_CACHE_DIR": str(tmp_path / "cache")})
    return tmp_path


def wanted(directory: Path, block: str, *options: str) -> Wanted:
    script = directory / "s.py"
    lines = "".join(f"# {line}\n" for line in block.replace("DIRECTORY", str(directory)).splitlines())
    script.write_text(f"# /// script\n{lines}# ///\n")
    environ = {"SCRIPTRUN_CACHE_DIR": str(directory / "cache"), "PATH": os.environ["PATH"]}
    options = tuple(option.replace("DIRECTORY", str(directory)) for option in options)
    return resolve.resolve(request.read(arguments.parse([*options, str(script)], environ), environ), environ)


@pytest.mark.parametrize(
    ("block", "options", "memorable", "provable"),
    [
        ("", (), True, True),
        ('dependencies = ["demo>=1"]', (), True, True),
        ('dependencies = ["demo @ https://host/demo-1.0-py3-none-any.whl"]', (), True, True),
        (f'dependencies = ["demo @ git+https://host/demo@{COMMIT}"]', (), True, True),
        ('dependencies = ["demo @ git+https://host/demo@main"]', (), True, False),
        ('dependencies = ["demo @ git+https://host/demo"]', (), True, False),
        ('dependencies = ["demo @ file://DIRECTORY/demo-1.0-py3-none-any.whl"]', (), False, False),
        ("", ("--with", "demo @ file://DIRECTORY/demo-1.0-py3-none-any.whl"), False, False),
        ('tool.scriptrun.with-requirements = ["r.txt"]', (), False, False),
        ('tool.scriptrun.with-requirements = ["DIRECTORY/r.txt"]', (), False, False),
        ('tool.scriptrun.constraint = ["DIRECTORY/r.txt"]', (), False, False),
        ('tool.scriptrun.find-links = ["wheels"]', (), False, False),
        ('tool.scriptrun.find-links = ["https://host/"]', (), True, True),
        ("tool.scriptrun.refresh = true", (), False, False),
        ("tool.scriptrun.isolated = true", (), False, False),
        ("", ("--isolated",), False, False),
        ("", ("--refresh",), True, True),
        ("", ("--with-requirements", "DIRECTORY/r.txt"), True, True),
        ("dependencie = []", (), False, False),
        ("unrelated = 1", (), True, True),
    ],
)
def test_what_may_be_remembered(
    directory: Path,
    block: str,
    options: tuple[str, ...],
    memorable: bool,  # noqa: FBT001 - a table
    provable: bool,  # noqa: FBT001 - a table
) -> None:
    """An answer is given again, or put into a record, only where nothing else than its question decides it."""
    found = wanted(directory, block, *options)
    valid = found.keepable and found.standing > launch.NOTED
    assert (valid, found.provable) == (memorable, provable)


def test_command_line_counts_before_the_block(directory: Path) -> None:
    """An option of the command line replaces that of the block, and the others stay."""
    found = wanted(directory, 'tool.scriptrun.exclude-newer = "1"\ntool.scriptrun.pre = true', "--exclude-newer", "2")
    assert (found.options.value("exclude-newer"), found.options.flag("pre")) == ("2", True)
