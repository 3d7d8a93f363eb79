"""Web servers on loopback that hold programs: with HTTP, or with TLS and a certificate of a private authority."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from support import loopback


class Page(NamedTuple):
    """An answer. Its length is announced unless `length` is another one, or "" for none."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}
    length: str | None = None


class Site:
    """A server: what it answers at each path, or does, and the requests that came, each path with its headers.

    `connect` handles CONNECT, as proxies do.
    """

    def __init__(self) -> None:
        self.url = ""
        self.pages: dict[str, Page | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.connect: Callable[[BaseHTTPRequestHandler], None] = lambda handler: handler.send_error(405)

    def put(self, path: str, text: str) -> str:
        """Have this program at a path, and return its URL."""
        self.pages[path] = Page(text.encode(), headers={"Content-Type": "text/plain"})
        return self.url + path

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])


@contextlib.contextmanager
def serve(certificate: Path | None = None) -> Iterator[Site]:
    """Serve on a free port of 127.0.0.1: with TLS where there is a certificate, a file that holds the key, too."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append((self.path, dict(self.headers)))
            page = site.pages.get(self.path, Page(b"", 404))
            with contextlib.suppress(OSError):  # who asked has gone
                if not isinstance(page, Page):
                    page(self)
                    return
                self.send_response(page.status)
                length = str(len(page.body)) if page.length is None else page.length
                for name, value in {"Content-Length": length, **page.headers}.items():
                    if value:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(page.body)

        def do_CONNECT(self) -> None:
            site.connect(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: tests let clients go away in the midst of a handshake."""

    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    site.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    with loopback.running(server):
        yield site


def certify(directory: Path) -> tuple[Path, Path]:
    """Make an authority and a certificate for this machine and `scripts.invalid`; return the files of both."""
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:scripts.invalid\nauthorityKeyIdentifier=keyid\n"
    (directory / "names").write_text(names)
    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    usage = ["-addext", "keyUsage=critical,keyCertSign"]
    for words in (
        [*new, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", *usage],
        [*new, "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=scripts.invalid"],
        ["x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "own.crt", "-extfile", "names"],
    ):
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True, timeout=60)
    both = directory / "own.pem"
    both.write_text((directory / "own.key").read_text() + (directory / "own.crt").read_text())
    return directory / "ca.pem", both
