"""Fetching over HTTP: redirects, addresses, limits, proxies and certificates."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from support import web
from support.user import User
from support.web import Page, Site

from scriptrun.errors import RemoteError
from scriptrun.remote import download
from scriptrun.remote.download import Limits

SCRIPT = b"print('ran')\n"
TRUSTED = ("--trust", hashlib.sha256(SCRIPT).hexdigest())
IMPATIENT = Limits(stall=0.3, total=1.0)


@pytest.fixture
def site() -> Iterator[Site]:
    """A server with HTTP on loopback."""
    with web.serve() as served:
        yield served


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The files of a private authority, and of a certificate by it."""
    return web.certify(tmp_path_factory.mktemp("certificates"))


def refusal(url: str, limits: Limits | None = None) -> str:
    """Return why a URL is not fetched."""
    with pytest.raises(RemoteError) as caught:
        download.fetch(url, plain=False, limits=limits or Limits())
    return caught.value.message


def redirect(site: Site, location: str) -> str:
    """Let a path lead elsewhere, and return its URL."""
    site.pages["/from"] = Page(b"", 307, {"Location": location})
    return f"{site.url}/from"


def test_redirects_within_the_origin_are_followed(site: Site) -> None:
    """A redirect to the same server, with a path of any form, leads to what is there, with the credentials."""
    site.pages["/to?x=1"] = Page(SCRIPT)
    for location in ("/to?x=1", "to?x=1", f"{site.url}/to?x=1"):
        fetched = download.fetch(redirect(site, location).replace("://", "://jo:pw@"), plain=False)
        assert (fetched.content, fetched.url) == (SCRIPT, f"{site.url}/to?x=1")
        assert "Authorization" in site.requests[-1][1]


def test_redirects_to_another_scheme_are_refused(site: Site) -> None:
    """From http to https, to a file and to nothing known: none is followed."""
    for location, scheme in (("https://127.0.0.1/x", "https"), ("file:///etc/passwd", "file"), ("ftp://x/", "ftp")):
        assert f"leads from http to {scheme}" in refusal(redirect(site, location))


@pytest.mark.parametrize(
    "place", ["http://[::1/x", "http://a\x01b/x", "http://a:b/x", "http://a:99999/x", "http://../x"]
)
def test_redirects_to_no_url_are_refused(site: Site, place: str) -> None:
    """A redirect whose host or port cannot be one is an error of the server's, and told as a redirect."""
    assert refusal(redirect(site, place)) == f"`{site.url}/from` leads to `{place}`, which is not a URL with a host"


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://münchen.invalid/a%20b.py", "xn--mnchen-3ya.invalid", "/a%20b.py"),
        ("https://münchen.invalid/ä b?ö=%C3", "xn--mnchen-3ya.invalid", "/%C3%A4%20b?%C3%B6=%C3"),
        ("https://[fe80::1%eth0]/x", "fe80::1%eth0", "/x"),
    ],
)
def test_host_and_path_are_sent_in_ascii(url: str, host: str, path: str) -> None:
    """A host has its international name's form, a path is quoted, and what is quoted already stays."""
    target = download._Target(url)  # noqa: SLF001 - these hosts are nowhere
    assert (target.host, target.path) == (host, path)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "0.0.0.0"])
def test_redirects_to_private_addresses_are_refused(site: Site, host: str) -> None:
    """A redirect to another port of this machine, by whatever name, or to a private network, is not followed."""
    with web.serve() as other:
        other.pages["/x"] = Page(SCRIPT)
        assert "which is not on the public network" in refusal(redirect(site, f"http://{host}:{other.port}/x"))
        assert other.requests == []


def test_redirects_end(site: Site) -> None:
    """A loop of redirects is given up."""
    assert "leads from one place to another" in refusal(redirect(site, "/from"))
    assert len(site.requests) == 6


def test_connection_is_made_to_the_address_that_was_checked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once: what it means a moment later has no part in it."""
    asked = []
    real = socket.getaddrinfo

    def rebind(host: Any, *rest: Any, **more: Any) -> Any:
        if host == "rebind.invalid":
            asked.append(host)
            return real("127.0.0.1" if len(asked) == 1 else "127.0.0.9", *rest, **more)
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    site.pages["/x"] = Page(SCRIPT)
    url = f"http://rebind.invalid:{site.port}/x"
    assert download.fetch(url, plain=False).content == SCRIPT
    assert asked == ["rebind.invalid"]
    assert site.requests[0][1]["Host"] == f"rebind.invalid:{site.port}"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("2002:808:808::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("::7f00:1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::1", False),
        ("2002:a9fe:a9fe::1", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:  # noqa: FBT001 - a table's column
    """Only addresses of the public network are public, also where one holds another."""
    assert download._is_public(ipaddress.ip_address(address)) is public  # noqa: SLF001 - too many for real connections


def trickle(opening: bytes, more: bytes, over: threading.Event) -> Any:
    """Return what answers with `opening`, and then `more`, a little at a time, until it is over."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(opening)
        while not over.wait(0.05):
            handler.wfile.write(more)

    return answer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opening", "more", "message"),
    [
        (b"", b"", "nothing came for 0.3 seconds"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n#", b"", "nothing came for 0.3 seconds"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n#", b"#", "was not there after 1 second"),
        (b"HTTP/1.0 200 OK\r\n", b"X", "was not there after 1 second"),
        (b"HTTP/1.0 200 OK\r\n", b"A: b\r\n", "was not there after 1 second"),
        (b"", b"H", "was not there after 1 second"),
    ],
    ids=["silent", "stalls", "a byte at a time", "endless header", "endless headers", "endless status"],
)
def test_server_that_takes_its_time(site: Site, opening: bytes, more: bytes, message: str) -> None:
    """A server that is silent, or never comes to an end, is given up."""
    over = threading.Event()
    site.pages["/x"] = trickle(opening, more, over)
    try:
        assert message in refusal(f"{site.url}/x", IMPATIENT)
    finally:
        over.set()


def test_limits_are_as_documented() -> None:
    """A run waits ten seconds for a byte and thirty for all, and takes ten mebibytes and five redirects."""
    assert Limits() == Limits(size=10 << 20, stall=10.0, total=30.0, redirects=5)


@pytest.mark.slow
def test_name_that_takes_too_long_to_find(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds for the look-up of a name, too, which nothing can interrupt."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60))
    try:
        assert "was not there after 1 second" in refusal("https://scripts.invalid/x.py", IMPATIENT)
    finally:
        over.set()


@pytest.mark.parametrize(
    ("page", "message"), [(b"SSH-2.0-OpenSSH\r\n", "the answer is not HTTP"), (b"", "the answer is not HTTP")]
)
def test_what_is_no_http_server(site: Site, page: bytes, message: str) -> None:
    """Another protocol, or none, is told."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(page)

    site.pages["/x"] = answer
    assert message in refusal(f"{site.url}/x")


def test_nobody_listens() -> None:
    """A port where nobody is, and a name that nobody has, are told in words."""
    with contextlib.closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert "cannot be fetched: Connection refused" in refusal(f"http://127.0.0.1:{port}/x.py")
    assert "cannot be fetched: " in refusal("https://scripts.invalid/x.py")


@pytest.mark.slow
def test_certificates(user: User, certificates: tuple[Path, Path], tmp_path: Path) -> None:
    """With TLS a program runs if SSL_CERT_FILE names the authority; else the error says what is wrong."""
    authority, own = certificates
    with web.serve(own) as site:
        site.pages["/x.py"] = Page(SCRIPT)
        url = f"{site.url}/x.py"
        unknown = user.run("scriptrun", url)
        assert unknown.status == 125
        assert "the certificate of `127.0.0.1` is not trusted: " in unknown.err
        assert "hint: SSL_CERT_FILE may name" in unknown.err
        nowhere = user.run("scriptrun", url, SSL_CERT_FILE=str(tmp_path / "no.pem"))
        assert f"hint: SSL_CERT_FILE names `{tmp_path / 'no.pem'}`, which is not there\n" in nowhere.err
        assert "sha256" in user.run("scriptrun", url, SSL_CERT_FILE=str(authority)).err
        expected = (0, "ran\n", "")
        assert user.run("scriptrun", *TRUSTED, url, SSL_CERT_FILE=str(authority)) == expected
        wrong = user.run("scriptrun", url.replace("127.0.0.1", "127.0.0.2"), SSL_CERT_FILE=str(authority))
        assert wrong.status == 125


def tunnel(site: Site, refused: list[str]) -> Any:
    """Return what handles CONNECT: a way to the site, for whoever has the password."""

    def connect(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("Proxy-Authorization") != "Basic am86czNjcmV0":
            refused.append(handler.path)
            handler.send_error(407)
            return
        with socket.create_connection(("127.0.0.1", site.port)) as there:
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.flush()
            back = threading.Thread(target=pump, args=(there, handler.connection))
            back.start()
            pump(handler.connection, there)
            back.join()

    return connect


def pump(source: socket.socket, target: socket.socket) -> None:
    """Hand on all that comes, and the end."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.mark.slow
def test_proxies(user: User, certificates: tuple[Path, Path]) -> None:
    """https_proxy is used, its password is not shown, and no_proxy is heeded."""
    authority, own = certificates
    with web.serve(own) as site, web.serve() as proxy:
        site.pages["/x.py"] = Page(SCRIPT)
        refused: list[str] = []
        proxy.connect = tunnel(site, refused)
        through: dict[str, Any] = {
            "SSL_CERT_FILE": str(authority),
            "https_proxy": proxy.url.replace("://", "://jo:s3cret@"),
        }
        url = "https://scripts.invalid/x.py"
        assert user.run("scriptrun", *TRUSTED, url, **through) == (0, "ran\n", "")
        assert [headers["Host"] for _, headers in site.requests] == ["scripts.invalid"]
        for more in ({"no_proxy": "scripts.invalid"}, {"https_proxy": proxy.url.replace("://", "://jo:wr0ng@")}):
            failed = user.run("scriptrun", "--refresh", url, **{**through, **more})
            assert failed.status == 125
            assert [secret for secret in ("s3cret", "wr0ng") if secret in failed.err] == []
        assert refused == ["scripts.invalid:443"]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://10.1.1.1/café.py", "http://10.1.1.1/caf%C3%A9.py"),
        ("http://10.1.1.1:8080/a b.py?c d", "http://10.1.1.1:8080/a%20b.py?c%20d"),
        ("http://münchen.invalid/a%20b.py", "http://xn--mnchen-3ya.invalid/a%20b.py"),
    ],
)
def test_proxy_is_asked_in_ascii(user: User, url: str, path: str) -> None:
    """A proxy gets a URL with everything quoted that cannot stand in a request."""
    with web.serve() as proxy:
        proxy.pages[path] = Page(SCRIPT)
        assert user.run("scriptrun", *TRUSTED, url, http_proxy=proxy.url) == (0, "ran\n", "")


@pytest.mark.parametrize(
    "proxy", ["http://u:s3cret@h:xx", "http://u:s3cret@[::1", "https://u:s3cret@h:1", "socks5://h"]
)
def test_proxy_that_cannot_be_used(user: User, proxy: str) -> None:
    """What is no proxy's URL, or another kind of proxy, is told without its password."""
    status, out, err = user.run("scriptrun", *TRUSTED, "http://10.1.1.1/x.py", http_proxy=proxy)
    assert (status, out) == (125, "")
    assert "cannot be used: only http://HOST:PORT can\n" in err
    assert "s3cret" not in err


def test_redirect_through_a_proxy_is_checked(user: User) -> None:
    """A proxy does not lead to addresses that are private, or to names that mean one here."""
    with web.serve() as proxy:
        for target in ("http://169.254.169.254/x", "http://localhost/x"):
            proxy.pages["http://scripts.invalid/x.py"] = Page(b"", 302, {"Location": target})
            failed = user.run("scriptrun", *TRUSTED, "http://scripts.invalid/x.py", http_proxy=proxy.url)
            assert failed.status == 125
            assert "which is not on the public network" in failed.err
        assert [path for path, _ in proxy.requests] == ["http://scripts.invalid/x.py"] * 2
