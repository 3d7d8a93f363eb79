"""What environments hold together, and what removing one gives back."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from scriptrun.extent import Extent, Shared
from scriptrun.upkeep.holdings import Holdings
from scriptrun.upkeep.inventory import Entry


def name(number: int) -> str:
    """Return the name of a distribution in a store."""
    return f"demo-{number}-{'0' * 32}"


def entry(own: int, *numbers: int) -> Entry:
    """Return an environment whose own files take so much, and that holds these distributions."""
    manifest = {"distributions": [{"kept": name(number)} for number in numbers] + [{"kept": ""}, {}, {"kept": 5}]}
    return Entry("key", "/path", manifest, 0.0, True, True, (), Extent(size=0, linked=0, taken=10 * own, freed=own))


def sharing(own: int, *files: int) -> Entry:
    """Return an environment that shares files, each with another number and size, with others alone."""
    return replace(entry(own, 0), loose={number: Shared(1, 2, number, 100 * number) for number in files})


def extents(count: int) -> dict[str, Extent]:
    """Return so many distributions, each of another size."""
    return {name(number): Extent(taken=1000 + number, freed=7) for number in range(count)}


def test_what_only_one_holds_goes_with_it() -> None:
    """Removing frees own files and what nobody else holds; a distribution that is not in the store frees nothing."""
    first, second = entry(1, 0, 1, 99), entry(2, 1)
    holdings = Holdings([first, second], extents(3))
    assert (holdings.taken, holdings.held) == (1 + 2 + 1000 + 1001, {name(0), name(1)})
    assert (holdings.freed(first), holdings.freed(second)) == (1 + 1000, 2)
    assert holdings.release(first) == 1 + 1000
    assert (holdings.freed(second), holdings.taken, holdings.held) == (2 + 1001, 2 + 1001, {name(1)})


def test_what_left_the_store_goes_with_its_last_holder() -> None:
    """Files that only environments share take their room once, and free it when the last of these goes."""
    first, second, third = sharing(1, 1, 2), sharing(2, 2, 4), sharing(3)
    holdings = Holdings([first, second, third], {})
    assert holdings.taken == 1 + 2 + 3 + 700
    assert [holdings.freed(one) for one in (first, second, third)] == [101, 402, 3]
    assert [holdings.release(one) for one in (first, second, third)] == [101, 602, 3]
    assert holdings.taken == 0


@pytest.mark.parametrize("seed", range(5))
def test_removals_add_up(seed: int) -> None:
    """Whatever environments share, in whichever order they go: what each frees sums up to all that there was."""
    chance = random.Random(seed)
    kept = extents(8)
    entries = [entry(number, *chance.sample(range(8), chance.randrange(5))) for number in range(20)]
    holdings = Holdings(entries, kept)
    held = {one for environment in entries for one in environment.kept}
    everything = sum(range(20)) + sum(kept[one].taken for one in held)
    assert holdings.taken == everything
    chance.shuffle(entries)
    assert sum(holdings.release(environment) for environment in entries) == everything
    assert (holdings.taken, holdings.held) == (0, set())
