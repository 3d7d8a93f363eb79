"""What has to be on disk before anything vouches for it."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import pytest

from scriptrun import generations

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there, `sync` has to do")


def refuse(kind: type[Exception]) -> object:
    """Return a function that only fails."""

    def fail(*_: object) -> None:
        raise kind("missing")

    return fail


@pytest.mark.parametrize(("name", "kind"), [("dlsym", OSError), ("dlopen", OSError), ("call_function", AttributeError)])
@pytest.mark.parametrize("library", [True, False])
def test_settling_without_what_is_quick(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    name: str,
    kind: type[Exception],
    library: bool,
) -> None:
    """Where `syncfs` cannot be called without `ctypes`, that calls it; without that, `sync` has to do."""
    called = []

    class Library:
        def __init__(self, *_: object, **__: object) -> None:
            if library:
                self.syncfs = self.sync

        def sync(self, _descriptor: int) -> int:
            called.append("syncfs")
            return 0

    monkeypatch.setattr(ctypes, "CDLL", Library)
    monkeypatch.setattr(os, "sync", lambda: called.append("sync"))
    generations.settle(str(tmp_path))
    assert called == []
    monkeypatch.setattr(f"_ctypes.{name}", refuse(kind))
    generations.settle(str(tmp_path))
    assert called == ["syncfs" if library else "sync"]
