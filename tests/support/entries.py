"""Desktop entries, as the desktop's own programs see them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.user import LIMIT


def validated(path: Path) -> str:
    """Return what the desktop's own check has against an entry, without hints."""
    finished = subprocess.run(
        ["desktop-file-validate", "--no-hints", str(path)], capture_output=True, text=True, check=False, timeout=LIMIT
    )
    return finished.stdout + finished.stderr
