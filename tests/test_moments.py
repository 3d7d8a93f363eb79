"""Until when uploads count."""

from __future__ import annotations

import datetime as dt

import pytest

from scriptrun import moments


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("7", "P7D"),
        ("7 days", "P7D"),
        ("1 week", "P7D"),
        ("P7D", "P7D"),
        ("PT48H", "P2D"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00+00:00"),
        ("2026-01-31 12:00:00+02:00", "2026-01-31T12:00:00+02:00"),
    ],
)
def test_moments_that_pip_knows(text: str, asked: str) -> None:
    """Whole days are handed on as days, and a time with its zone as it is."""
    assert moments.as_pip_reads_it(text) == asked


def test_dates_and_times_are_of_this_machine() -> None:
    """A date is the beginning of the day, in the zone of this machine."""
    assert moments.read("2026-01-31") == dt.datetime(2026, 1, 31).astimezone()
    assert moments.read("2026-01-31T12:00") == dt.datetime(2026, 1, 31, 12).astimezone()


def test_hours_become_a_moment() -> None:
    """pip knows no hours: it is told the moment."""
    before = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    asked = dt.datetime.fromisoformat(moments.as_pip_reads_it("36 hours"))
    after = dt.datetime.now(dt.timezone.utc)
    assert before <= asked + dt.timedelta(hours=36) <= after


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-1-1", "1 month", "P1Y", "2026-01-31Tx", "-7"])
def test_no_moment(text: str) -> None:
    """Anything else is refused, months and years too, whose length varies."""
    with pytest.raises(ValueError, match="is neither a date nor a span of time"):
        moments.read(text)
