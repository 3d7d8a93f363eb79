"""What a bundle is made of: the wheels of a lock, and where in the store each of their files goes."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

from support.index import Index
from support.user import User

from scriptrun import arguments, request, resolve
from scriptrun.bundle import contents, locking, wheels
from scriptrun.bundle.contents import Wheel
from scriptrun.bundle.wheels import Collected
from scriptrun.resolve import Wanted

EXTRA = contents.extra(0).removesuffix("0")


def silent(_line: str) -> None:
    """Nobody waits for this."""


def wanted(user: User, script: Path, *options: str) -> Wanted:
    """Return what a bundle of a script is made from, with a lock."""
    environ = user.environment()
    invocation = arguments.parse([*options, str(script)], environ)
    found = resolve.resolve(request.read(invocation, environ), environ)
    return locking.lock(found, environ, silent)


def collect(user: User, directory: Path, found: Wanted) -> Collected:
    """Collect the wheels for what is wanted, in a directory that is made."""
    directory.mkdir()
    return wheels.collect(found, user.environment(), str(directory), silent)


def stored(directory: Path, collected: Collected, wheel: Wheel) -> dict[str, bytes]:
    """Return what each file of a wheel holds, by where it goes, read as a bundle is read."""
    found = {}
    with zipfile.ZipFile(directory / wheel.file) as archive:
        sources = [(one.stored, one.source) for one in wheel.files]
        for place, source in [*sources, *((one.stored, one.source) for one in wheel.programs)]:
            number = source.removeprefix(EXTRA)
            found[place] = archive.read(source) if number == source else collected.extras[int(number)]
    return found


def test_wheels_of_a_lock(user: User, shared_index: Index, tmp_path: Path) -> None:
    """Each wheel is there as the index has it, and each of its files goes where pip put it; commands are extras."""
    collected = collect(user, tmp_path / "wheels", wanted(user, user.script("job.py", "tool", "other")))
    names = [f"{one}-py3-none-any.whl" for one in ("demo-1.0", "other-1.0", "tool-1.0")]
    assert names == [one.file for one in collected.wheels] == sorted(os.listdir(tmp_path / "wheels"))
    for one in collected.wheels:
        content = (tmp_path / "wheels" / one.file).read_bytes()
        assert content == shared_index.files[one.file]
        assert one.sha256 == hashlib.sha256(content).hexdigest() == one.distribution.hash.removeprefix("sha256=")
    tool = collected.wheels[2]
    found = stored(tmp_path / "wheels", collected, tool)
    assert b"print('tool in'" in found["site/tool.py"]
    assert found["site/tool-1.0.dist-info/INSTALLER"] == b"pip\n"
    assert [(one.stored, one.mode & 0o100) for one in tool.programs] == [("prefix/bin/tool", 0o100)]
    assert b"from tool import main" in found["prefix/bin/tool"]
    assert not found["prefix/bin/tool"].startswith(b"#!")
    assert collected.wheels[1].described.requires == ("demo<2",)
