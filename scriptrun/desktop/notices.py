"""Notifications, and a private log: what is left where no window can be shown."""

from __future__ import annotations

from collections.abc import Mapping

from scriptrun.desktop.messages import Failure


def leave(failure: Failure, environ: Mapping[str, str]) -> None:
    """Keep what failed in the log, and notify of it."""
