"""Spans of time and amounts of bytes, as people write them."""

from __future__ import annotations

import re

_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SECONDS.update({"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400})
_PART = r"(\d+(?:\.\d+)?)\s*([a-z]+)[\s,]*"
_ISO = re.compile(r"p(?=[\dt])((?:\d+w)?(?:\d+d)?)(?:t(?=\d)((?:\d+h)?(?:\d+m)?(?:\d+s)?))?")
"""A duration as ISO 8601 writes it, without years and months, whose length varies: dates, then times."""

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


LONGEST = 1000 * 365 * 86400.0
"""As many seconds are for ever: a file system can still write down when they will be over."""

_LARGEST = 2**63
"""As many bytes are no limit."""


def seconds(text: str) -> float:
    """Return the seconds in a span of time: `30d`, `90 days`, `1 day 12 hours`, `PT36H`; a bare number is days.

    What is longer than LONGEST is that long. Raises ValueError.
    """
    written = text.strip().lower()
    iso = _ISO.fullmatch(written)
    if iso:
        written = "".join(part or "" for part in iso.groups())
    elif not written.endswith(tuple("abcdefghijklmnopqrstuvwxyz")):
        written += "d"
    parts = re.findall(_PART, written)
    if not re.fullmatch(f"({_PART})+", written) or not all(_unit(unit) for _, unit in parts):
        raise ValueError(f"`{text}` is not a span of time; examples: 30d, 12h, 90 days")
    return min(sum(float(number) * _unit(unit) for number, unit in parts), LONGEST)


def _unit(name: str) -> int:
    """Return the seconds in a unit, 0 where there is none of that name."""
    return _SECONDS.get(name) or _SECONDS.get(name.removesuffix("s"), 0)


def octets(text: str) -> int:
    """Return the bytes in an amount: `2G` and `2 GiB` are powers of 1024, `2 GB` of 1000. Raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b)?", text.strip().lower())
    if not found or (found.group(3) == "ib" and not found.group(2)):
        raise ValueError(f"`{text}` is not an amount of bytes; examples: 500M, 2G, 1.5 GB")
    base = 1000 if found.group(2) and found.group(3) == "b" else 1024
    return int(min(float(found.group(1)) * base ** _POWERS[found.group(2)], _LARGEST))


def shown_octets(number: float) -> str:
    """Return an amount of bytes as people read it, in powers of 1000: `1.2 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def shown_seconds(number: float) -> str:
    """Return a number of seconds in words."""
    return f"{number:g} second{'' if number == 1 else 's'}"


def shown_duration(number: float) -> str:
    """Return how many seconds something took: `1.9 s`, `2 min 5 s`."""
    if number < 60:
        return f"{number:.1f} s"
    minutes, left = divmod(round(number), 60)
    return f"{minutes} min {left} s"
