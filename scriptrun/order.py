"""What pip is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from scriptrun import interpreter
from scriptrun.policy import Policy

if TYPE_CHECKING:
    from scriptrun.arguments import Options
    from scriptrun.interpreter import Interpreter
    from scriptrun.metadata import Asked
    from scriptrun.pinning.pins import Origin, Pin
    from scriptrun.platforms import Target
    from scriptrun.spec import EnvironmentSpec


class Distribution(NamedTuple):
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


class Described(NamedTuple):
    """What the metadata of a distribution says: its requirements (PEP 508), Requires-Python, and its extras."""

    requires: tuple[str, ...] = ()
    requires_python: str = ""
    extras: tuple[str, ...] = ()


class Offer(NamedTuple):
    """What pip found of a project, at the time `asked` or later: by version, newest first, the files to choose from.

    A file is the sha256 that its index announces (`""`: none), after `!` where it was yanked.
    """

    name: str
    asked: float
    versions: Mapping[str, tuple[str, ...]]


class Installed(NamedTuple):
    """What pip installed: the distributions, by name what their metadata says, and what pip found of projects.

    `asked` is when it began, in seconds since the epoch.
    """

    distributions: tuple[Distribution, ...]
    described: Mapping[str, Described]
    asked: float = 0.0
    offers: tuple[Offer, ...] = ()


class Candidate(NamedTuple):
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


class Former(NamedTuple):
    """What an environment held that is made once more in the same versions, and when pip had said so.

    The distributions are None where not all of them are kept.
    """

    distributions: tuple[Distribution, ...] | None
    asked: float


class Supply(NamedTuple):
    """The distributions to put together (None: pip has to be asked), and why it is so, in words.

    `asked` is when pip said so.
    """

    distributions: tuple[Distribution, ...] | None
    reason: str
    asked: float = 0.0


class Order(NamedTuple):
    """An environment that is wanted: its specification, the requirements with their places, options, surroundings.

    `constraints` are those that stand in the block, as requirements; files of them are among the options. `routes` are
    those of the specification, their URLs as the user writes them. With `pins`, from a lock, these are installed and
    nothing that they need beside them, and then, without changing them, what is `unpinned`. Each step, and each line
    that pip writes, is given to `show`; `moved` is called again and again while pip gets on; `prepared` is told in the
    end how many distributions the environment holds. With `ask`, pip is asked whatever is remembered. Of what there was
    in a `former` environment nothing new is remembered. What is in the `store`, by its name there, pip need not unpack.
    An answer older than `max_age` is none (0: it counts for ever), nor are answers to other questions that are older
    than `answers_max_age` (0: they never count), both in seconds. The directory `wheels` gets a copy of each wheel that
    is installed (`""`: none does). With a `target`, a Python on another machine, the specification's interpreter is not
    here, and what is for that one alone is taken.
    """

    spec: EnvironmentSpec
    asked: tuple[Asked, ...]
    options: Options
    environ: Mapping[str, str]
    show: Callable[[str], None]
    constraints: tuple[Asked, ...] = ()
    routes: tuple[tuple[str, str], ...] = ()
    policy: Policy = Policy()
    pins: tuple[Pin, ...] | None = None
    unpinned: tuple[Asked, ...] = ()
    origin: Origin | None = None
    moved: Callable[[], None] = lambda: None
    prepared: Callable[[int], None] = lambda _: None
    ask: bool = False
    store: tuple[str, ...] = ()
    max_age: float = 0.0
    answers_max_age: float = 0.0
    former: Former | None = None
    wheels: str = ""
    target: Target | None = None

    @property
    def builder(self) -> Interpreter:
        """The interpreter that pip runs on: the one that is wanted, if it is here."""
        return self.spec.interpreter if self.target is None else interpreter.own()

    @property
    def wanted(self) -> tuple[Asked, ...]:
        """What is asked for on this machine and Python: that without a marker, or with one that holds."""
        from scriptrun import markers  # who puts together what is known asks for nothing

        facts = markers.environment(self.spec.interpreter)
        return tuple(one for one in self.asked if markers.hold(one.requirement, facts))
