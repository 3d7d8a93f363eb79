"""Find what a lock demands in the store: each distribution by one of its hashes, in a file that the Python can use."""

from __future__ import annotations

import functools
import platform
import sysconfig
import urllib.parse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from packaging import tags
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from scriptrun import pip_settings
from scriptrun.interpreter import Interpreter
from scriptrun.order import Distribution, Order
from scriptrun.store import kept
from scriptrun.store.kept import Kept

if TYPE_CHECKING:
    from scriptrun.pinning.pins import Pin

_RULING = ("only-binary", "no-binary", "only-final", "uploaded-prior-to")
"""Settings of pip that it keeps to with a lock, too."""

_SOURCE = "source.tar.gz"
"""A name of an archive that something is built from; any other one means the same here."""


def find(cache: str, order: Order) -> tuple[Distribution, ...] | None:
    """Return what the lock of an order demands, None where not all of it is kept, or pip's rules may be against it."""
    if order.pins is None or order.unpinned or _has_rules(order):
        return None
    found = []
    for pin in order.pins:
        one = _best(cache, pin, order) if pin.requirement == f"{pin.name}=={pin.version}" else None
        if one is None:
            return None
        facts = one.facts
        found.append(Distribution(pin.name, pin.version, facts["hash"], facts["origin"], requested=True, kept=one.name))
    return tuple(sorted(found, key=lambda one: one.name))


def _has_rules(order: Order) -> bool:
    """Tell whether more than its content counts of a file: where it is from, since when, of which kind it is."""
    policy, resolution = order.policy, order.spec.resolution
    ruled = policy.indexes is not None or policy.cooldown or policy.only_binary or resolution.exclude_newer
    chosen = resolution.no_build or resolution.no_binary or resolution.only_final or resolution.routes
    said = pip_settings.settings(order.environ)
    return bool(ruled or chosen or any(said.get(name) for name in _RULING))


def _best(cache: str, pin: Pin, order: Order) -> Kept | None:
    """Return what is kept for a pin and can be used: the wheel that pip would take, else what was built here."""
    interpreter = order.spec.interpreter
    ranked = []
    for digest in (one.replace(":", "=", 1) for one in pin.hashes):
        for origin in ("source.whl", _SOURCE):
            one = kept.find(cache, kept.directory(pin.name, pin.version, digest, origin, interpreter))
            if one is not None and one.facts["hash"] == digest and _allows(one, interpreter):
                ranked.append((rank(one, interpreter), one))
    usable = [(rank, one) for rank, one in ranked if rank is not None]
    return min(usable, key=lambda pair: pair[0])[1] if usable else None


def _allows(one: Kept, interpreter: Interpreter) -> bool:
    try:
        return SpecifierSet(one.facts["requires_python"]).contains(interpreter.version, prereleases=True)
    except InvalidSpecifier:
        return False


def rank(one: Kept, interpreter: Interpreter) -> int | None:
    """Return how good a file is for an interpreter, less is better; None where it cannot be used."""
    tags_here = supported(interpreter)
    name = urllib.parse.unquote(one.facts["origin"].partition("#")[0].partition("?")[0].rpartition("/")[2])
    if not name.endswith(".whl"):  # its place in the store says that it was built by this very interpreter
        return len(tags_here)
    try:
        ranks = [tags_here[tag] for tag in parse_wheel_filename(name)[3] if tag in tags_here]
    except InvalidWheelFilename:
        return None
    return min(ranks, default=None)


@functools.lru_cache(maxsize=1)
def supported(interpreter: Interpreter) -> dict[tags.Tag, int]:
    """Return the tags of wheels that an interpreter can use, the best first.

    Those of machines count where it has the ABI of CPython's releases, and is for the platform of this process.
    """
    numbers = [int(one) for one in interpreter.version.split(".")[:2]]
    short = "".join(map(str, numbers))
    threads = "t" if interpreter.free_threaded else ""
    found: Iterable[tags.Tag] = tags.compatible_tags(numbers, f"cp{short}", [])
    released = interpreter.abi.startswith(f"cpython-{short} cpython-{short}{threads}-")
    here = f"{sysconfig.get_platform()} {'-'.join(platform.libc_ver())}"
    if interpreter.implementation == "cpython" and released and interpreter.platform == here:
        platforms = list(tags.platform_tags())
        own = tags.cpython_tags(numbers, [f"cp{short}{threads}"], platforms)
        found = [*own, *tags.compatible_tags(numbers, f"cp{short}", platforms)]
    return {tag: rank for rank, tag in enumerate(dict.fromkeys(found))}
