"""What has to be on disk before anything vouches for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from scriptrun import generations

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there, `sync` has to do")


def refuse(*_: object) -> None:
    """Fail as the linker does."""
    raise OSError("missing")


@pytest.mark.parametrize("name", ["dlsym", "dlopen"])
def test_settling_without_syncfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Where the C library has no `syncfs`, all disks are waited for."""
    called = []
    monkeypatch.setattr(os, "sync", lambda: called.append("sync"))
    generations.settle(str(tmp_path))
    assert called == []
    monkeypatch.setattr(f"_ctypes.{name}", refuse)
    generations.settle(str(tmp_path))
    assert called == ["sync"]
