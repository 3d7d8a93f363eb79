"""An index on loopback that tools keep in their caches as they would a public one."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class _Handler(SimpleHTTPRequestHandler):
    """Serves files; those that never change may be kept for ever, pages for ten minutes, as public indexes say it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are written one after the other

    def end_headers(self) -> None:
        lifetime = "max-age=600, public" if self.path.startswith("/simple") else "max-age=365000000, immutable, public"
        self.send_header("Cache-Control", lifetime)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        pass


def write(wheels: Path, directory: Path) -> None:
    """Lay the wheels in a directory out as the simple repository API (PEP 503) has it, with metadata (PEP 658)."""
    shutil.rmtree(directory, ignore_errors=True)
    files = directory / "files"
    shutil.copytree(wheels, files)
    links = defaultdict(list)
    for wheel in sorted(files.glob("*.whl")):
        metadata = files / f"{wheel.name}.metadata"
        metadata.write_bytes(_metadata(wheel))
        project = wheel.name.partition("-")[0].replace("_", "-").replace(".", "-").lower()
        links[project].append(
            f'<a href="/files/{wheel.name}#sha256={_digest(wheel)}" '
            f'data-dist-info-metadata="sha256={_digest(metadata)}">{wheel.name}</a><br>'
        )
    for project, lines in links.items():
        page = directory / "simple" / project / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"<!DOCTYPE html><html><body>{''.join(lines)}</body></html>")


def _metadata(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def serve(directory: Path) -> Iterator[str]:
    """Serve what `write` made, on a free port of 127.0.0.1, and yield the index's URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
