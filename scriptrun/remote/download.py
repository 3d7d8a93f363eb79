"""Fetch a file over HTTP, within limits of time and size, and never from where a redirect must not lead."""

from __future__ import annotations

import base64
import contextlib
import http.client
import ipaddress
import os
import queue
import re
import socket
import ssl
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scriptrun import quantities, signals
from scriptrun.errors import RemoteError, UsageError
from scriptrun.remote import kept

_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
"""Where systems keep certificates, for a Python that was built to look elsewhere."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Limits:
    """How large an answer may be, in bytes; how long it may stand still and take in all, in seconds; redirects."""

    size: int = 10 << 20
    stall: float = 10.0
    total: float = 30.0
    redirects: int = 5

    def within(self, seconds: float) -> Limits:
        """Return these limits with none of time above so many seconds."""
        return replace(self, stall=min(self.stall, seconds), total=min(self.total, seconds))


@dataclass(frozen=True)
class Fetched:
    """What was fetched, its media type, and the URL that it came from in the end, without credentials."""

    content: bytes
    kind: str
    url: str


class _Target:
    """A URL, taken apart. `authorization` is the header that its credentials make, `""`: it has none."""

    def __init__(self, url: str) -> None:
        self.url = kept.canonical(url)
        try:
            parts = urllib.parse.urlsplit(url.partition("#")[0])
            self.host = _host(parts)
            self.port = parts.port or _PORTS.get(parts.scheme.lower(), 80)
        except ValueError:  # a port that is no number, a name that cannot be one
            self.host = ""
        if not self.host:
            raise UsageError(f"`{kept.shown(self.url)}` is not a URL with a host")
        self.scheme = parts.scheme.lower()
        path = urllib.parse.quote(parts.path or "/", safe="/%:@!$&'()*+,;=~", errors="surrogateescape")
        query = urllib.parse.quote(parts.query, safe="/%:@!$&'()*+,;=~?", errors="surrogateescape")
        self.path = f"{path}?{query}" if query else path
        self.authorization = _basic(parts.username, parts.password)

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def absolute(self) -> str:
        """The URL as a proxy is asked for it, in ASCII."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    def moved(self, url: str) -> _Target:
        """Return the target to which a redirect leads from here; credentials go along within the same origin."""
        target = _Target(url)
        target.authorization = self.authorization if target.origin == self.origin else ""
        return target


def _host(parts: urllib.parse.SplitResult) -> str:
    """Return the host of a URL as it is looked up, `""`: there is none. Raises ValueError where it cannot be one."""
    host = parts.hostname or ""
    if re.search(r"[\x00-\x20\x7f]", host):
        return ""
    return host if ":" in host else host.encode("idna").decode("ascii")  # that of IPv6 may have a zone: fe80::1%eth0


def _basic(user: str | None, password: str | None) -> str:
    if user is None:
        return ""
    plain = f"{urllib.parse.unquote(user)}:{urllib.parse.unquote(password or '')}"
    return "Basic " + base64.b64encode(plain.encode("utf-8", "surrogateescape")).decode("ascii")


def fetch(url: str, *, plain: bool, limits: Limits = Limits()) -> Fetched:
    """Return what is at `url`; `plain` allows HTTP without TLS from anywhere, else from this machine only.

    Raises RemoteError, UsageError and Interrupted. All is done in a thread: nothing else can put a limit to the time
    that a look-up of a name takes, or that a server does which sends a byte a second.
    """
    target = _Target(url)
    outcome: queue.SimpleQueue[Fetched | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put(_follow(target, plain, limits))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            outcome.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        with signals.waiting():
            result = outcome.get(timeout=limits.total)
    except queue.Empty:
        name = kept.shown(target.url)
        raise RemoteError(f"`{name}` was not there after {quantities.shown_seconds(limits.total)}") from None
    if isinstance(result, BaseException):
        raise result
    return result


def _follow(target: _Target, plain: bool, limits: Limits) -> Fetched:  # noqa: FBT001 - handed on
    """Ask for `target`, and for where it leads to."""
    first = target
    for _ in range(limits.redirects + 1):
        addresses = _addresses(target, limits)
        if target.origin != first.origin:
            _refuse_private(target, addresses)
        elif target.scheme == "http" and not plain and not (addresses and all(one.is_loopback for one in addresses)):
            raise RemoteError(
                f"`{kept.shown(target.url)}` would come without any protection on its way",
                hint="use https://, or name the hash that it must have: --trust SHA256",
            )
        with (
            _explained(target, limits),
            contextlib.closing(_connection(target, addresses, limits)) as connection,
            _ask(connection, target) as response,
        ):
            if response.status not in _REDIRECTS:
                return _read(response, target, limits)
            target = _redirected(target, response.getheader("Location", ""))
    raise RemoteError(f"`{kept.shown(first.url)}` leads from one place to another, {limits.redirects} times and more")


def _redirected(target: _Target, location: str) -> _Target:
    """Return where an answer leads that names this `location`. Raises RemoteError."""
    try:
        moved = urllib.parse.urljoin(target.url, location)
        scheme = moved.partition("://")[0].lower()
        if scheme == target.scheme:
            return target.moved(moved)
    except (ValueError, UsageError):
        raise RemoteError(
            f"`{kept.shown(target.url)}` leads to `{kept.shown(location)}`, which is not a URL with a host"
        ) from None
    raise RemoteError(
        f"`{kept.shown(target.url)}` leads from {target.scheme} to {scheme}: `{kept.shown(kept.canonical(moved))}`",
        hint="if that is where you want it from, use that URL",
    )


def _addresses(target: _Target, limits: Limits) -> list[Address]:
    """Return the addresses of a host; none where a proxy is to find them, as nobody here knows the name."""
    try:
        return [ipaddress.ip_address(target.host)]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as error:
        if _proxy(target, []):
            return []
        raise _failure(target, error, limits) from None
    return list(dict.fromkeys(ipaddress.ip_address(str(one[4][0])) for one in found))


def _refuse_private(target: _Target, addresses: list[Address]) -> None:
    """Raise RemoteError where a redirect leads to this machine, or to a network that is not the public one."""
    for address in addresses:
        if not _is_public(address):
            raise RemoteError(
                f"a redirect leads to `{kept.shown(target.url)}`, which is not on the public network ({address})",
                hint="if that is where you want it from, use that URL",
            )


def _is_public(address: Address) -> bool:
    """Tell whether an address is one of the public network's; one that holds another is what that is."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner:
            return _is_public(inner)
        if int(address) >> 32 == 0 or address.is_site_local:  # IPv4-compatible: out of use since 2006
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _proxy(target: _Target, addresses: list[Address]) -> str:
    """Return the URL of the proxy for a target, from the environment, `""`: none."""
    if any(one.is_loopback for one in addresses) or urllib.request.proxy_bypass(target.host):
        return ""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all") or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def _connection(target: _Target, addresses: list[Address], limits: Limits) -> http.client.HTTPConnection:
    """Return a connection to one of the addresses, which are the ones that were checked, or to the proxy."""
    proxy = _proxy(target, addresses)
    if proxy:
        return _connection_through(proxy, target, limits)
    connection = _new_connection(target.scheme, target.host, target.port, limits)
    for address in addresses:
        try:
            plain = socket.create_connection((str(address), target.port), limits.stall)
            break
        except OSError:
            if address == addresses[-1]:
                raise
    connection.sock = plain
    if target.scheme == "https":
        connection.sock = _context().wrap_socket(plain, server_hostname=target.host)
    return connection


def _connection_through(proxy: str, target: _Target, limits: Limits) -> http.client.HTTPConnection:
    try:
        parts = urllib.parse.urlsplit(proxy)
        host, port = _host(parts), parts.port or 80
    except ValueError:
        host = ""
    if not host or parts.scheme != "http":
        shown = proxy.rpartition("@")[2]
        raise RemoteError(f"the proxy `{shown}` cannot be used: only http://HOST:PORT can")
    connection = _new_connection(target.scheme, host, port, limits)
    authorization = _basic(parts.username, parts.password)
    headers = {"Proxy-Authorization": authorization} if authorization else {}
    if target.scheme == "https":
        connection.set_tunnel(target.host, target.port, headers)
    else:
        target.path = target.absolute
    return connection


def _new_connection(scheme: str, host: str, port: int, limits: Limits) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=limits.stall, context=_context())
    return http.client.HTTPConnection(host, port, timeout=limits.stall)


def _context() -> ssl.SSLContext:
    """Return what decides which certificates count: the system's, or those that SSL_CERT_FILE and SSL_CERT_DIR name."""
    context = ssl.create_default_context()
    known = ssl.get_default_verify_paths()
    if not (known.cafile or known.capath or "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ):
        for bundle in filter(os.path.isfile, _BUNDLES):
            context.load_verify_locations(bundle)
            break
    return context


def _ask(connection: http.client.HTTPConnection, target: _Target) -> http.client.HTTPResponse:
    headers = {"Accept-Encoding": "identity", "User-Agent": "scriptrun"}
    if target.authorization:
        headers["Authorization"] = target.authorization
    connection.request("GET", target.path, headers=headers)
    return connection.getresponse()


def _read(response: http.client.HTTPResponse, target: _Target, limits: Limits) -> Fetched:
    """Return what an answer holds."""
    name = kept.shown(target.url)
    if response.status != 200:
        raise RemoteError(f"`{name}` cannot be fetched: {response.status} {response.reason}")
    if response.getheader("Content-Encoding", "identity") != "identity":
        raise RemoteError(f"`{name}` comes compressed, which was not asked for")
    content = response.read(limits.size + 1)
    announced = response.getheader("Content-Length", "")
    if len(content) > limits.size or (announced.isdecimal() and int(announced) > limits.size):
        raise RemoteError(f"`{name}` is larger than {quantities.shown_octets(limits.size)}: that is no script")
    if announced.isdecimal() and len(content) < int(announced):
        raise RemoteError(f"`{name}` came only in part: {len(content)} of {announced} bytes")
    return Fetched(content, response.getheader("Content-Type", ""), target.url)


@contextlib.contextmanager
def _explained(target: _Target, limits: Limits) -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise _failure(target, error, limits) from None


def _failure(target: _Target, error: Exception, limits: Limits) -> RemoteError:
    """Return in words why nothing can be fetched."""
    name, hint = kept.shown(target.url), ""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"the certificate of `{target.host}` is not trusted: {error.verify_message}"
        hint = _about_certificates()
    elif isinstance(error, TimeoutError):
        reason = f"nothing came for {quantities.shown_seconds(limits.stall)}"
    elif isinstance(error, http.client.HTTPException):
        reason = f"the answer is not HTTP ({re.sub(r'(?s)[(].*', '', repr(error))})"
    else:
        reason = getattr(error, "strerror", None) or str(error)
    return RemoteError(f"`{name}` cannot be fetched: {reason}", hint=hint)


def _about_certificates() -> str:
    file = os.environ.get("SSL_CERT_FILE", "")
    if file and not os.path.isfile(file):
        return f"SSL_CERT_FILE names `{file}`, which is not there"
    return "SSL_CERT_FILE may name the file with the certificates to be trusted"
