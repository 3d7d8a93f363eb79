"""Schedules as text: what is refused, and how long a job rests."""

from __future__ import annotations

import pytest

from scriptrun.errors import UsageError
from scriptrun.jobs import schedule


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("60 * * * *", "`60` is no minute"),
        ("1,,2 * * * *", "`` is no minute"),
        ("5/10 * * * *", "`5/10` is no minute"),
        ("*/0 * * * *", "`*/0` is no minute"),
        ("30-10 * * * *", "`30-10` is no minute"),
        ("0~5 * * * *", "`0~5` is no minute"),
        ("٣ * * * *", "`٣` is no minute"),
        ("* 24 * * *", "`24` is no hour"),
        ("* * 0 * *", "`0` is no day of the month"),
        ("* * * 13 *", "`13` is no month"),
        ("* * * januar *", "`januar` is no month"),
        ("* * * * 8", "`8` is no day of the week"),
        ("* * * mon *", "`mon` is no month"),
        ("", "has 0 fields"),
        ("* * * * * *", "has 6 fields"),
        ("*\n* * * *", "has 4 fields"),
        ("@fortnightly", "there is no schedule `@fortnightly`"),
        ("@Daily", "there is no schedule `@Daily`"),
        ("0 0 30 2 *", "for a day that never comes"),
        ("0 0 31 apr,jun *", "for a day that never comes"),
    ],
)
def test_schedule_is_refused(text: str, name: str) -> None:
    """The error names the field that is wrong."""
    with pytest.raises(UsageError) as caught:
        schedule.read(text)
    assert name in caught.value.message


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("* * * * *", 1),
        ("0 0 * * mon-fri", 3),
        ("0 0 * * 7", 7),
        ("0 0 1 * *", 31),
        ("0 0 31 * *", 61),
        ("0 0 1 */3 *", 92),
        ("0 0 1 1 1", 342),
        ("0 0 */31 * fri", 427),
        ("0 0 13 * */1", 31),
        ("0 0 29 2 *", 1461),
        ("@weekly", 7),
        ("@yearly", 366),
        ("@reboot", float("inf")),
    ],
)
def test_pause(text: str, days: float) -> None:
    """The longest pause between two days with runs is known, also where one of two days is enough, and where not."""
    assert schedule.read(text).pause == days
