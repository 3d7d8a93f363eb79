"""Indexes that are down, each in its own way."""

from __future__ import annotations

import contextlib
import io
import select
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from support import index as indexes
from support.index import Index

IMPATIENT = {"SCRIPTRUN_PREPARE_TIMEOUT": "1", "PIP_DEFAULT_TIMEOUT": "180", "PIP_RETRIES": "50"}
"""The variables of a user who waits for a second, whatever pip is told to do."""


@dataclass
class Outage:
    """An index that is down: its URL, and what returns how often it was asked since the last time, where that shows."""

    url: str
    asked: Callable[[], int] = lambda: 0


@contextlib.contextmanager
def _port(backlog: int | None) -> Iterator[tuple[socket.socket, str]]:
    """Provide a socket of 127.0.0.1 that listens, unless `backlog` is None, and the URL that leads there."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        if backlog is not None:
            server.listen(backlog)
        yield server, f"http://127.0.0.1:{server.getsockname()[1]}/simple/"


@contextlib.contextmanager
def refused() -> Iterator[Outage]:
    """Nobody listens."""
    with _port(None) as (_, url):
        yield Outage(url)


@contextlib.contextmanager
def silent() -> Iterator[Outage]:
    """Connections are made, and nothing comes."""
    with contextlib.ExitStack() as stack:
        server, url = stack.enter_context(_port(100))

        def asked() -> int:
            for number in range(100):
                try:
                    stack.enter_context(server.accept()[0])
                except BlockingIOError:
                    return number
            return 100

        yield Outage(url, asked)


@contextlib.contextmanager
def unanswered() -> Iterator[Outage]:
    """Not even a connection is made, as with a host that drops what comes: the queue of connections is full."""
    with contextlib.ExitStack() as stack:
        server, url = stack.enter_context(_port(0))
        connected = True
        while connected:
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            connected = bool(select.select([], [client], [], 0.5)[1])
        yield Outage(url)


@contextlib.contextmanager
def _index(change: Callable[[Index], None]) -> Iterator[Outage]:
    with indexes.serve() as index:
        index.add(indexes.wheel("demo", "1.0"), indexes.wheel("demo", "2.0"))
        change(index)

        def asked() -> int:
            number = len(index.requests)
            index.requests.clear()
            return number

        yield Outage(index.url, asked)


@contextlib.contextmanager
def failing() -> Iterator[Outage]:
    """Every request is answered with the status 500."""
    with _index(lambda index: setattr(index, "status", 500)) as outage:
        yield outage


@contextlib.contextmanager
def paced(index: Index, below: str, size: int, pause: float) -> Iterator[None]:
    """Let an index send what is `below` a path in pieces of so many bytes, each after a pause."""
    ended = threading.Event()

    def send(path: str, file: io.BufferedIOBase, body: bytes) -> None:
        slow = path.startswith(below)
        for start in range(0, len(body), size if slow else len(body)):
            if slow and ended.wait(pause):
                return
            file.write(body[start : start + size] if slow else body)

    index.send = send
    try:
        yield
    finally:
        ended.set()


@contextlib.contextmanager
def _dripping(below: str) -> Iterator[Outage]:
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(_index(lambda index: stack.enter_context(paced(index, below, size=1, pause=1.0))))


def dripping_page() -> contextlib.AbstractContextManager[Outage]:
    """The page of a project comes with one byte a second."""
    return _dripping("/simple/")


def dripping_wheel() -> contextlib.AbstractContextManager[Outage]:
    """A wheel comes with one byte a second."""
    return _dripping("/files/")


KINDS = {
    "silent": silent,
    "refused": refused,
    "unanswered": unanswered,
    "failing": failing,
    "dripping-page": dripping_page,
    "dripping-wheel": dripping_wheel,
}
