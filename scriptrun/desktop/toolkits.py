"""What can show windows here: several toolkits, each in its own way, none of which is taken for granted."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from scriptrun.desktop import tk
from scriptrun.desktop.tk import Tk

Toolkit = Tk


def usable(environ: Mapping[str, str]) -> Iterator[Toolkit]:
    """Yield what may be able to show windows, the best first. None is where there is no screen."""
    if sys.platform.startswith("linux") and not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return
    yield from tk.found(environ)
