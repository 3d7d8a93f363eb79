"""What pip is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scriptrun import markers
from scriptrun.arguments import Options
from scriptrun.metadata import Asked
from scriptrun.pinning.pins import Origin, Pin
from scriptrun.policy import Policy
from scriptrun.spec import EnvironmentSpec


@dataclass(frozen=True)
class Distribution:
    """An installed distribution: name, version, hash as `sha256=…` (`""`: unknown), and where it came from.

    `requested` says that it was asked for, and not by another distribution alone; `direct` is its direct_url.json
    (`""`: none); `kept` its name in the store (`""`: it is not there).
    """

    name: str
    version: str
    hash: str
    origin: str
    requested: bool = False
    direct: str = ""
    kept: str = ""


@dataclass(frozen=True)
class Described:
    """What the metadata of a distribution says: its requirements (PEP 508), Requires-Python, and its extras."""

    requires: tuple[str, ...] = ()
    requires_python: str = ""
    extras: tuple[str, ...] = ()


@dataclass(frozen=True)
class Installed:
    """What pip installed: the distributions, and by name what their metadata says."""

    distributions: tuple[Distribution, ...]
    described: Mapping[str, Described]


@dataclass(frozen=True)
class Candidate:
    """A distribution that pip chose without installing it.

    `hash` is `sha256=…` (`""`: unknown), `origin` the URL of its archive or source; `direct` says that a requirement
    named that URL. `requires` are its own requirements (PEP 508), with their markers.
    """

    name: str
    version: str
    hash: str
    origin: str
    direct: bool
    requires: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """An environment that is wanted: its specification, the requirements with their places, options, surroundings.

    `constraints` are those that stand in the block, as requirements; files of them are among the options. `routes` are
    those of the specification, their URLs as the user writes them. With `pins`, from a lock, these are installed and
    nothing that they need beside them, and then, without changing them, what is `unpinned`. Each step, and each line
    that pip writes, is given to `show`; `moved` is called again and again while pip gets on; `prepared` is told in the
    end how many distributions the environment holds. With `ask`, pip is asked whatever is remembered, unless the
    distributions are `known` and all of them are kept.
    """

    spec: EnvironmentSpec
    asked: tuple[Asked, ...]
    options: Options
    environ: Mapping[str, str]
    show: Callable[[str], None]
    constraints: tuple[Asked, ...] = ()
    routes: tuple[tuple[str, str], ...] = ()
    policy: Policy = field(default_factory=Policy)
    pins: tuple[Pin, ...] | None = None
    unpinned: tuple[Asked, ...] = ()
    origin: Origin | None = None
    moved: Callable[[], None] = lambda: None
    prepared: Callable[[int], None] = lambda _: None
    ask: bool = False
    known: tuple[Distribution, ...] | None = None

    @property
    def wanted(self) -> tuple[Asked, ...]:
        """What is asked for on this machine and Python: that without a marker, or with one that holds."""
        facts = markers.environment(self.spec.interpreter)
        return tuple(one for one in self.asked if markers.hold(one.requirement, facts))
