"""Schedules: the five fields of a line of a crontab, or a name such as `@daily`, as Debian's cron reads them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from scriptrun.errors import UsageError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
"""The fields in their order, each with its least and largest number, and the names of numbers from the least on."""

_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
REBOOT = "@reboot"

_ENTRY = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?P<step>/\w+)?", re.ASCII)
_HINT = 'for example --schedule "*/5 * * * *": minute, hour, day of the month, month, day of the week'
_PERIOD = 28 * 366
"""After so many days the days of the week fall on the same dates again."""


@dataclass(frozen=True)
class Schedule:
    """When a job is run: `text` as it stands in a crontab, and the longest pause between two days with runs, in days.

    The pause is infinite for what is run when the machine starts.
    """

    text: str
    pause: float


def read(text: str) -> Schedule:
    """Return the schedule that is written as `text`. Raises UsageError, which names the field that is wrong."""
    words = re.findall(r"[^ \t]+", text)
    shown = " ".join(words)
    if shown == REBOOT:
        return Schedule(shown, float("inf"))
    if len(words) == 1 and words[0].startswith("@"):
        if shown not in _NAMED:
            raise UsageError(f"there is no schedule `{shown}`", hint=f"there are: {', '.join([REBOOT, *_NAMED])}")
        words = _NAMED[shown].split()
    if len(words) != len(_FIELDS):
        raise UsageError(f"the schedule `{shown}` has {len(words)} fields, not five", hint=_HINT)
    numbers = [_numbers(word, *field) for word, field in zip(words, _FIELDS, strict=True)]
    # Either of the two days is enough, unless one of them begins with a star: then both have to fit.
    both = words[2].startswith("*") or words[4].startswith("*")
    pause = max(_pauses(numbers[2], numbers[3], {number % 7 for number in numbers[4]}, both=both))
    if pause == _PERIOD:
        raise UsageError(f"the schedule `{shown}` is for a day that never comes", hint=_HINT)
    return Schedule(shown, pause)


def _numbers(word: str, name: str, least: int, most: int, names: tuple[str, ...]) -> set[int]:
    """Return the numbers that one field stands for."""
    found: set[int] = set()
    for entry in word.split(","):
        match = _ENTRY.fullmatch(entry)
        values = _range(match, least, most, names) if match is not None else None
        if not values:
            between = f"numbers from {least} to {most}" + (f" or names such as {names[0]}" if names else "")
            raise UsageError(f"`{entry}` is no {name}", hint=f"{between}; lists 1,2, ranges 1-5 and steps */2, 1-5/2")
        found.update(values)
    return found


def _range(match: re.Match[str], least: int, most: int, names: tuple[str, ...]) -> range | None:
    """Return the numbers of one entry, None where it is not a valid one."""
    first, last, step = match["first"], match["last"], match["step"]
    if first == "*":
        numbers: list[int | None] = [least, most if last is None else None]
    else:
        numbers = [_number(one, least, names) for one in (first, first if last is None else last)]
    width = 1 if step is None else _number(step[1:], 0, ())
    begin, end = numbers
    if begin is None or end is None or not width or (step is not None and first != "*" and last is None):
        return None
    return range(begin, end + 1, width) if least <= begin <= end <= most else None


def _number(word: str, least: int, names: tuple[str, ...]) -> int | None:
    if word.lower() in names:
        return least + names.index(word.lower())
    return int(word) if word.isdigit() else None


def _pauses(days: set[int], months: set[int], weekdays: set[int], *, both: bool) -> Iterator[int]:
    """Yield how many days lie between one day with a run and the next."""
    since = 0
    start = dt.date(2000, 1, 1)
    for number in range(2 * _PERIOD):
        date = start + dt.timedelta(days=number)
        fits = (date.day in days, (date.weekday() + 1) % 7 in weekdays)
        if date.month in months and (all(fits) if both else any(fits)):
            yield number - since
            since = number
    if not since:
        yield _PERIOD
