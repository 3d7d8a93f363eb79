"""What the harness in `tests/faults` does at length, in short: builders killed, crowds, removals beside launches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faults import crowd, kills
from support.index import Index
from support.user import User

SEED = 3


@pytest.mark.slow
def test_builder_killed_at_random_moments(new_user: Callable[[str], User], index: Index) -> None:
    """After a builder's death at any moment the next run succeeds, and leaves what an undisturbed one leaves."""
    tally = kills.builders(new_user, index, 8, SEED)
    assert (tally.losses, tally.counts["moments"]) == ([], 8)


@pytest.mark.slow
def test_pip_killed_at_random_moments(new_user: Callable[[str], User], index: Index) -> None:
    """After pip's death the run fails and leaves nothing; the next one succeeds."""
    tally = kills.pips(new_user, index, 8, SEED)
    assert (tally.losses, tally.counts["moments"]) == ([], 8)


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [1, 16])
def test_simultaneous_first_runs(user: User, index: Index, scripts: int) -> None:
    """Of 64 first runs at once, one for each key starts pip; all succeed and say nothing."""
    tally = crowd.first_runs(user, index, scripts, 64)
    assert (tally.losses, tally.counts["runs"]) == ([], 64)
