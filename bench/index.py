"""An index on loopback that tools keep in their caches as they would a public one, and that counts what it is asked."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LATENCY = 0.03
"""How long the index takes to say that a stale page has not changed, in seconds: it is far away."""


class Requests:
    """What an index was asked: how often, and how many bytes it answered with, by kind: `KINDS`."""

    KINDS = ("pages", "metadata", "files")

    def __init__(self) -> None:
        self.number: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, path: str, size: int) -> None:
        """Count a request for a path."""
        kind = "pages" if not path.startswith("/files/") else "metadata" if path.endswith(".metadata") else "files"
        with self._lock:
            self.number[kind] += 1
            self.sent[kind] += size

    def clear(self) -> None:
        """Begin anew."""
        self.number.clear()
        self.sent.clear()


class _Handler(SimpleHTTPRequestHandler):
    """Serves files, which never change and may be kept for ever, and pages, of two kinds.

    Pages below `/simple/` may be kept for ten minutes, as public indexes say it. Those below `/stale/` are the same ten
    minutes later: who has them has to ask whether they changed.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are written one after the other

    def __init__(self, *arguments: Any, requests: Requests, directory: str) -> None:
        self._requests = requests
        super().__init__(*arguments, directory=directory)

    def do_GET(self) -> None:
        if self.path.startswith("/files/"):
            super().do_GET()
        else:
            self._send_page(*self.path.strip("/").split("/"))

    def _send_page(self, kind: str, project: str = "") -> None:
        page = Path(self.directory, "simple", project, "index.html")
        if not page.is_file():
            self.send_error(404)
            return
        if kind == "stale":
            time.sleep(LATENCY)
        content = page.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        known = self.headers.get("If-None-Match") == tag
        self.send_response(304 if known else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(0 if known else len(content)))
        self.end_headers()
        self.wfile.write(b"" if known else content)

    def send_header(self, keyword: str, value: str) -> None:
        if keyword == "Content-Length":  # which every answer has
            self._requests.add(self.path, int(value) if self.command == "GET" else 0)
        super().send_header(keyword, value)

    def end_headers(self) -> None:
        lifetimes = {"files": "max-age=365000000, immutable, public", "stale": "max-age=0, public"}
        kind = self.path.strip("/").partition("/")[0]
        self.send_header("Cache-Control", lifetimes.get(kind, "max-age=600, public"))
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 256  # many connections at once; one that does not fit is tried again after a second


def write(wheels: Path, directory: Path) -> None:
    """Lay the wheels in a directory out as the simple repository API (PEP 503) has it, with metadata (PEP 658)."""
    shutil.rmtree(directory, ignore_errors=True)
    files = directory / "files"
    shutil.copytree(wheels, files)
    links = defaultdict(list)
    for wheel in sorted(files.glob("*.whl")):
        metadata = files / f"{wheel.name}.metadata"
        metadata.write_bytes(_metadata(wheel))
        links[project(wheel)].append(
            f'<a href="/files/{wheel.name}#sha256={_digest(wheel)}" '
            f'data-dist-info-metadata="sha256={_digest(metadata)}">{wheel.name}</a><br>'
        )
    for name, lines in links.items():
        page = directory / "simple" / name / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"<!DOCTYPE html><html><body>{''.join(lines)}</body></html>")


def project(wheel: Path) -> str:
    """Return the name that an index has for the distribution in a wheel."""
    return wheel.name.partition("-")[0].replace("_", "-").replace(".", "-").lower()


def _metadata(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stale(url: str) -> str:
    """Return the URL of the same index where what was kept of its pages has to be asked for again."""
    return url.replace("/simple/", "/stale/")


@contextlib.contextmanager
def serve(directory: Path, requests: Requests | None = None) -> Iterator[str]:
    """Serve what `write` made, on a free port of 127.0.0.1, and yield the index's URL; count requests if wanted."""
    handler = partial(_Handler, requests=requests or Requests(), directory=str(directory))
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
