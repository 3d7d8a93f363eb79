"""Spans of time and amounts of bytes."""

from __future__ import annotations

import pytest

from scriptrun import quantities


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d", 30 * 86400),
        ("90 days", 90 * 86400),
        ("1 day", 86400),
        ("12h", 43200),
        ("1.5 hours", 5400),
        ("45m", 2700),
        ("45 min", 2700),
        ("30s", 30),
        ("2 weeks", 14 * 86400),
        ("7", 7 * 86400),
        ("1d2h", 26 * 3600),
        ("1 week, 2 days 12 h", 9 * 86400 + 43200),
        ("P7D", 7 * 86400),
        ("PT36H", 36 * 3600),
        ("p1w2dt3h4m5s", 9 * 86400 + 3 * 3600 + 4 * 60 + 5),
        (" 0 ", 0),
        ("999999999999999999 days", 1000 * 365 * 86400),
        ("9" * 400, 1000 * 365 * 86400),
    ],
)
def test_span_of_time(text: str, seconds: float) -> None:
    """Numbers with units, or one without: days; a duration of ISO 8601; more than a thousand years are no more."""
    assert quantities.seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "d", "-1d", "1 month", "1d 2x", "1e3", "inf", "nan", "9s9.x", "1 dayss", "P", "PT", "P1Y", "P1M"]
)
def test_no_span_of_time(text: str) -> None:
    """Anything else is refused, with examples."""
    with pytest.raises(ValueError, match="is not a span of time; examples: 30d"):
        quantities.seconds(text)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("0", 0),
        ("1024", 1024),
        ("7 b", 7),
        ("100k", 102_400),
        ("500M", 500 * 1024**2),
        ("2G", 2 * 1024**3),
        ("1.5 GiB", int(1.5 * 1024**3)),
        ("5 GB", 5 * 1000**3),
        ("1t", 1024**4),
        ("9" * 400, 2**63),
    ],
)
def test_amount_of_bytes(text: str, octets: int) -> None:
    """A letter alone, and one with `iB`, is a power of 1024; one with `B` is a power of 1000."""
    assert quantities.octets(text) == octets


@pytest.mark.parametrize("text", ["", "G", "-1", "1 X", "1 ib", "1 GiBB", "1e3", "many"])
def test_no_amount_of_bytes(text: str) -> None:
    """Anything else is refused, with examples."""
    with pytest.raises(ValueError, match="is not an amount of bytes; examples: 500M"):
        quantities.octets(text)


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (1_234_567_890, "1.2 GB"), (5e15, "5000.0 TB")],
)
def test_bytes_are_shown_in_three_digits(octets: float, text: str) -> None:
    """An amount is shown with the unit that keeps it short."""
    assert quantities.shown_octets(octets) == text
