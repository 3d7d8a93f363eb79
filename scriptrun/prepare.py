"""Make an environment that holds what a specification says."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import importlib.metadata  # takes as long as all of Python's start: imported while pip runs

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scriptrun import cache as caches
from scriptrun import expiry, integrity, pip, virtual
from scriptrun.cache import Environment
from scriptrun.errors import CacheError, InstallError
from scriptrun.metadata import Asked
from scriptrun.pip import Order
from scriptrun.spec import EnvironmentSpec


def prepare(cache: str, order: Order, max_age: float = 0.0) -> Environment:
    """Return the environment that is ordered, made now unless it is there already and no refresh is wanted.

    One that is older than `max_age`, in seconds (0: none is), is made anew. Nothing is left behind by a failure. Raises
    InstallError, CacheError and Interrupted.
    """
    key = order.spec.key
    wait = functools.partial(order.show, "waiting for another run to prepare it")
    with _private_files(), caches.lock(cache, key, wait) as alone:
        environment = None if order.options.flag("refresh") else caches.lookup(cache, key)
        if environment is not None and expiry.is_due(environment, max_age):
            expiry.postpone(environment, max_age)  # who waits for the lock need not ask too, should pip fail
            environment = None
        if environment is None:
            if alone:
                caches.remove_leavings(cache, key)
            with caches.generation(cache, key) as path, _explained(cache):
                environment = build(path, order)
                caches.publish(cache, environment)
        return environment


def prepare_isolated(path: str, order: Order, cache: str) -> Environment:
    """Return a fresh environment at `path`, for one run. Raises InstallError, CacheError and Interrupted."""
    with _private_files(), caches.new_directory(path), _explained(cache):
        return build(path, order)


@contextlib.contextmanager
def _private_files() -> Iterator[None]:
    """Let what is made within the block be its owner's alone, and that for certain, whatever the umask."""
    umask = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(umask)


def build(path: str, order: Order) -> Environment:
    """Build the environment in the empty directory `path`: a virtual environment, pip's work, a check, the manifest."""
    order.show("creating a virtual environment")
    virtual.create(path, order.spec.interpreter, order.environ)
    distributions: tuple[pip.Distribution, ...] = ()
    if order.spec.requirements:
        order.show("asking pip")
        distributions = pip.install(order, path)
        order.show("checking what was installed")
        _check(path, order, distributions)
    return caches.complete(order.spec, path, distributions)


def _check(path: str, order: Order, distributions: Iterable[pip.Distribution]) -> None:
    """Raise InstallError unless every requirement is there and every file is as its RECORD says.

    pip's own word is not enough: there are settings under which it installs elsewhere, or nothing, and reports success.
    """
    found = {str(canonicalize_name(one.name)): one for one in pip.distributions(path)}
    markers = _marker_environment(order.spec)
    for one in order.asked:
        if one.requirement.marker is None or one.requirement.marker.evaluate(markers):
            _check_requirement(one, found)
    for finding in integrity.findings(path, distributions):
        raise InstallError(
            f"`{finding.distribution}` {finding.version} is not what its list of files says: "
            f"`{finding.file}` {finding.what}",
            hint="the distribution is damaged or was tampered with; tell its index",
        )


def _check_requirement(one: Asked, found: Mapping[str, importlib.metadata.Distribution]) -> None:
    requirement: Requirement = one.requirement
    distribution = found.get(canonicalize_name(requirement.name))
    if distribution is None:
        raise InstallError(f"pip reported success, but `{requirement.name}` is not installed", place=one.place)
    if not requirement.specifier.contains(distribution.version, prereleases=True):
        raise InstallError(
            f"pip reported success, but installed `{requirement.name}` {distribution.version} for `{requirement}`",
            place=one.place,
        )


def _marker_environment(spec: EnvironmentSpec) -> dict[str, str]:
    """Return what markers are judged by: this machine's platform, and the Python of the environment."""
    interpreter = spec.interpreter
    names = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalVM"}
    return {
        **{name: str(value) for name, value in default_environment().items()},
        "implementation_name": interpreter.implementation,
        "platform_python_implementation": names.get(interpreter.implementation, interpreter.implementation),
        "python_full_version": interpreter.version,
        "python_version": ".".join(interpreter.version.split(".")[:2]),
    }


@contextlib.contextmanager
def _explained(cache: str) -> Iterator[None]:
    """Say in words what the operating system refused while an environment was built."""
    try:
        yield
    except OSError as error:
        reasons = {
            errno.ENOSPC: "the disk is full",
            errno.EDQUOT: "the disk quota is used up",
            errno.EMFILE: "too many open files (`ulimit -n`)",
            errno.ENFILE: "too many open files on this machine",
            errno.EROFS: "the file system is read-only",
        }
        reason = reasons.get(error.errno or 0, error.strerror or str(error))
        where = f" (`{error.filename}`)" if error.filename else ""
        raise CacheError(
            f"the environment cannot be built in `{cache}`: {reason}{where}",
            hint="free some space, or set SCRIPTRUN_CACHE_DIR to another place",
        ) from None
