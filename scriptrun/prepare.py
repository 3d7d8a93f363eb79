"""Make an environment that holds what a specification says."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import importlib.metadata  # takes as long as all of Python's start: imported while pip runs

    from packaging.requirements import Requirement

    from scriptrun.metadata import Asked

from scriptrun import cache as caches
from scriptrun import deletion, expiry, generations, layout, location, locks, paths, patience, refusals, virtual
from scriptrun import supply as supplies
from scriptrun.answers import recipes
from scriptrun.answers.memory import Answer
from scriptrun.cache import Environment
from scriptrun.errors import CacheError, InstallError
from scriptrun.order import Distribution, Installed, Order
from scriptrun.store import kept
from scriptrun.store.listing import Unusable


def prepare(cache: str, order: Order) -> Environment:
    """Return the environment that is ordered, made now unless it is there already and no refresh is wanted.

    One that is older than the order allows is made anew. Nothing is left behind by a failure. What is being built is
    begun once more where somebody, who need not know of locks, removed the cache meanwhile. Raises InstallError,
    CacheError and Interrupted.
    """
    try:
        return _prepare(cache, order)
    except _Removed:
        order.show("the cache was removed: beginning once more")
        return _prepare(cache, order)


def _prepare(cache: str, order: Order) -> Environment:
    key, lock = order.spec.key, paths.lock(cache, order.spec.key)
    order = order._replace(moved=functools.partial(locks.touch, lock))
    wait = functools.partial(order.show, "waiting for another run to prepare it")
    with private_files(), caches.lock(cache, key, wait, patience.limit(order.options)) as alone, _left_word(lock):
        if alone:
            caches.reclaim(cache, key)
        environment = None if order.options.flag("refresh") else caches.lookup(cache, key)
        if environment is not None and expiry.is_due(environment, order.max_age):
            expiry.postpone(environment, order.max_age)  # who waits for the lock need not ask too, should pip fail
            environment, order = None, order._replace(ask=True)
        if environment is None:
            if alone:
                caches.remove_leavings(cache, key)
            with caches.generation(cache, key) as path, _explained(cache):
                location.tag(cache)
                environment = build(path, order, cache)
                generations.publish(cache, key, environment.path)
                recipes.keep(cache, order, environment)
        return environment


@contextlib.contextmanager
def _left_word(lock: str) -> Iterator[None]:
    """Tell those who wait for `lock` when what they wait for was given up: each would do the same in its turn."""
    try:
        yield
    except InstallError as error:
        from scriptrun.pip_messages import GivenUp  # only on the way to an error

        if isinstance(error, GivenUp):
            locks.leave(lock, error.message)
        raise


def find(cache: str, key: str, show: Callable[[str], None], allowed: float) -> Environment | None:
    """Return the environment of `key`, if there is one when nobody is building or removing it any more.

    Raises CacheError, Interrupted, and InstallError where whoever does so stands still for `allowed` seconds.
    """
    if not os.path.isdir(paths.environments(cache, key)):
        return None
    wait = functools.partial(show, "waiting for another run")
    with private_files(), caches.lock(cache, key, wait, allowed) as alone:
        if alone:
            caches.reclaim(cache, key)
        return caches.lookup(cache, key)


def prepare_isolated(path: str, order: Order, cache: str) -> Environment:
    """Return a fresh environment at `path`, for one run. Raises InstallError, CacheError and Interrupted."""
    with private_files(), caches.new_directory(path), _explained(cache):
        location.tag(cache)
        return build(path, order, cache)


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Let what is made within the block be its owner's alone, and that for certain, whatever the umask."""
    umask = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(umask)


def build(path: str, order: Order, cache: str) -> Environment:
    """Build the environment in the empty directory `path`: from the store, or by pip; then the manifest."""
    order.show("creating a virtual environment")
    virtual.create(path, order.spec.interpreter, order.environ)
    with _still_there(path):
        answer = Answer((), time.time())
        if order.spec.requirements:
            answer = _put_together(path, order, cache) or _install(path, order, cache)
            _refuse_noexec(path)
        else:
            generations.settle(path)
        made = caches.complete(order.spec, path, answer.distributions, answer.asked)
    order.prepared(len(answer.distributions))
    return made


def _put_together(path: str, order: Order, cache: str) -> Answer | None:
    """Put the environment together without pip, if what pip would answer is known and kept, else return None."""
    supply = supplies.find(cache, order)
    if supply.distributions is None:
        order.show(f"asking pip: {supply.reason}")
        return None
    order.show(f"putting together what is kept: {supply.reason}")
    if not _link(path, order, cache, supply.distributions):
        return None
    generations.settle(path)
    return Answer(supply.distributions, supply.asked)


def _link(path: str, order: Order, cache: str, distributions: Iterable[Distribution]) -> bool:
    """Put distributions from the store into the environment.

    Where one is damaged, it is removed from the store, the environment is bare again, and False is returned.
    """
    from scriptrun.store import assembly  # loaded while pip runs, if it does

    try:
        _look_up(cache, distributions)
        assembly.put_together(cache, path, distributions)
    except Unusable as why:
        order.show(f"what is kept cannot be used: {why}")
        if why.name:
            kept.remove(cache, why.name)
        deletion.empty(path)
        virtual.create(path, order.spec.interpreter, order.environ)
        return False
    return True


def _install(path: str, order: Order, cache: str) -> Answer:
    """Let pip install what is ordered and is not kept, check it, and keep it. Raises Offline where it may not."""
    if order.options.flag("offline"):
        from scriptrun import pip_messages  # rare

        raise pip_messages.offline("")
    order.show("finding out what is needed")
    installed = _ask(path, order, cache)
    order.moved()
    order.show("checking what was installed")
    overwritten = check(path, order, installed.distributions)
    from scriptrun.store.gathering import Gathering  # loaded while pip ran

    with contextlib.closing(Gathering(cache, order.spec.interpreter, order.show)) as gathering:
        distributions = gathering.keep(path, installed, overwritten)
        generations.settle(path)
        distributions = gathering.publish(distributions)
    if order.former is not None:  # pip was told which versions
        return Answer(distributions, order.former.asked)
    from scriptrun.answers import known  # loaded while pip ran

    try:
        known.keep(cache, order, installed, distributions)
    except OSError as error:
        order.show(f"pip's answer is not remembered: {error}")
    return Answer(distributions, installed.asked)


def _ask(path: str, order: Order, cache: str) -> Installed:
    """Let pip install what is ordered; what of that is kept comes from the store."""
    from scriptrun import pip  # not needed where all is kept

    # What is asked for beyond a lock is installed by another pip, which would not see what the first one left out.
    store = () if order.pins is not None and order.unpinned else kept.names(cache)
    installed = pip.install(order._replace(store=store), path)
    left_out = [one for one in installed.distributions if one.kept]
    if not left_out or _link(path, order, cache, left_out):
        return installed
    return pip.install(order, path)


def _look_up(cache: str, distributions: Iterable[Distribution]) -> None:
    """Raise Unusable where what is known of a distribution in the store cannot be read."""
    for one in distributions:
        if kept.find(cache, one.kept) is None:
            raise Unusable("what is known of it is damaged", one.kept)


class _Removed(CacheError):
    """What was being built is not there any more."""


@contextlib.contextmanager
def _still_there(path: str) -> Iterator[None]:
    """Raise _Removed where the virtual environment at `path` is not there when the block ends, or fails for that."""
    try:
        yield
    except (InstallError, OSError):
        _look_for(path)
        raise
    _look_for(path)


def _look_for(path: str) -> None:
    if not all(os.path.lexists(part) for part in (os.path.join(path, "pyvenv.cfg"), paths.python(path))):
        raise _Removed(f"the environment was removed while it was being built: `{path}`") from None


def check(path: str, order: Order, distributions: Iterable[Distribution]) -> set[str]:
    """Raise InstallError unless every requirement is there and every file is as its RECORD says, or another one's.

    Returns the names of distributions that another one has overwritten a file of, as pip lets it.

    pip's own word is not enough: there are settings under which it installs elsewhere, or nothing, and reports success.
    What comes from the store was checked when it was put there. Raises OSError where a file cannot be read.
    """
    from packaging.utils import canonicalize_name

    from scriptrun import pip

    found = {str(canonicalize_name(one.name)): one for one in pip.distributions(path)}
    if order.pins is not None:
        _check_pins(order, {name: one.version for name, one in found.items()})
    for one in order.wanted:
        _check_requirement(one, found)
    from scriptrun import integrity  # loaded while pip ran

    overwritten: set[str] = set()
    for finding in integrity.findings(path, [one for one in distributions if not one.kept], overwritten=overwritten):
        raise InstallError(
            f"`{finding.distribution}` {finding.version} is not what its list of files says: "
            f"`{finding.file}` {finding.what}",
            hint="the distribution is damaged or was tampered with; tell its index",
        )
    return overwritten


def _check_pins(order: Order, found: Mapping[str, str]) -> None:
    """Raise InstallError unless just what is locked is there, and beside it only what was asked for beyond it."""
    locked = {one.name: one.version for one in order.pins or ()}
    wrong = [name for name, version in locked.items() if name not in found or version not in ("", found[name])]
    wrong += [name for name in found if name not in locked and not order.unpinned]
    for name in wrong:
        told = f"installed `{name}` {found[name]}" if name in found else f"did not install `{name}`"
        raise InstallError(f"pip reported success, but {told}; locked is {locked.get(name) or 'another'}")


def _check_requirement(one: Asked, found: Mapping[str, importlib.metadata.Distribution]) -> None:
    from packaging.utils import canonicalize_name

    requirement: Requirement = one.requirement
    distribution = found.get(canonicalize_name(requirement.name))
    if distribution is None:
        raise InstallError(
            f"pip reported success, but `{requirement.name}` is not installed",
            place=one.place,
            hint=f"the project at {requirement.url} may have another name" if one.editable else "",
        )
    if not requirement.specifier.contains(distribution.version, prereleases=True):
        raise InstallError(
            f"pip reported success, but installed `{requirement.name}` {distribution.version} for `{requirement}`",
            place=one.place,
        )


def _refuse_noexec(path: str) -> None:
    """Raise CacheError where what is in the environment could not be run: the file system is mounted `noexec`.

    The Python in it is a link that leads elsewhere, so pure distributions work there.
    """
    if not layout.is_noexec(path):
        return
    for program in _programs(path):
        while layout.is_noexec(os.path.dirname(path)) and path != "/":
            path = os.path.dirname(path)
        raise CacheError(
            f"`{program}` could not be run: the file system at `{path}` is mounted `noexec`",
            hint="set SCRIPTRUN_CACHE_DIR to a directory on another file system, or mount this one without `noexec`",
        )


def _programs(path: str) -> Iterator[str]:
    """Yield the commands in an environment, and its native libraries."""
    with os.scandir(paths.programs(path)) as entries:
        yield from (entry.name for entry in entries if not entry.is_symlink())
    for _, _, names in os.walk(os.path.join(path, "lib")):
        yield from (name for name in names if re.search(r"\.(so|dylib)(\.|$)", name))


@contextlib.contextmanager
def _explained(cache: str) -> Iterator[None]:
    """Say in words what the operating system refused while an environment was built."""
    try:
        yield
    except OSError as error:
        raise refusals.explain(f"the environment cannot be built in `{cache}`", error) from None
