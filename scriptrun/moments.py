"""Until when uploads count (`exclude-newer`): a date, a time, or a span of time before now."""

from __future__ import annotations

import datetime as dt
import re

from scriptrun import quantities


def read(text: str) -> dt.datetime | dt.timedelta:
    """Return the moment that `text` says, or the span of time that it lies before now.

    A date means its first moment, and what names no zone is in this machine's. Raises ValueError.
    """
    try:
        if re.match(r"\d{4}-\d\d-\d\d([Tt ]|$)", text.strip()):
            moment = dt.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
            return moment.astimezone() if moment.tzinfo is None else moment
        return dt.timedelta(seconds=quantities.seconds(text))
    except (ValueError, OverflowError):
        raise ValueError(f"`{text}` is neither a date nor a span of time") from None


def absolute(text: str) -> dt.datetime:
    """Return the moment that `text` says; a span of time counts back from now. Raises ValueError."""
    found = read(text)
    return found if isinstance(found, dt.datetime) else dt.datetime.now(dt.timezone.utc) - found


def as_pip_reads_it(text: str) -> str:
    """Return `text` as pip's option wants it: a number of days, or a moment. Raises ValueError."""
    found = read(text)
    if isinstance(found, dt.timedelta) and not found.seconds:
        return f"P{found.days}D"
    return absolute(text).isoformat(timespec="seconds")
