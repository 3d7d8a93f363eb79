"""Ask pip what it would install, with nothing installed: in an empty environment that is removed afterwards."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from scriptrun import deletion, locks, paths, pip, prepare
from scriptrun.order import Candidate, Order


def candidates(order: Order, cache: str) -> tuple[Candidate, ...]:
    """Return all that pip would install for the order, sorted by name.

    Raises InstallError, CacheError and Interrupted.
    """
    if not order.spec.requirements:
        return ()
    with empty_environment(order, cache) as environment:
        order.show("finding out what is needed")
        return pip.resolve(order, environment)


@contextlib.contextmanager
def empty_environment(order: Order, cache: str) -> Iterator[str]:
    """Provide a virtual environment with nothing in it, below `cache`, for the Python that pip is to run on."""
    directory = paths.isolated(cache)
    paths.make_directories(directory)
    path = os.path.join(directory, os.urandom(8).hex())
    nothing = order._replace(spec=order.spec._replace(interpreter=order.builder, requirements=()))
    with locks.hold(f"{path}.lock", waiting=lambda: None):
        try:
            prepare.prepare_isolated(path, nothing, cache)
            yield path
        finally:
            deletion.delete(path)
            os.unlink(f"{path}.lock")
