"""Programs at URLs: the copies that are kept of them, by content."""

import hashlib
import os

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping

    from scriptrun.arguments import Options

from scriptrun import location, paths
from scriptrun.source import Source

_PORTS = {"http": ":80", "https": ":443"}


def read(url: str, options: "Options", environ: "Mapping[str, str]") -> Source:
    """Return the program at `url`: the copy that is kept, or what is fetched now, if it is trusted.

    Raises RemoteError, ConfigurationError, MetadataError, CacheError and UsageError.
    """
    cache = location.find(environ).writable()
    plain = canonical(url)
    program = find(cache, plain)
    if program is None or options.flag("refresh") or options.value("trust") or location.configured(environ):
        location.find_libraries()
        from scriptrun import acquisition  # all of HTTP

        program = acquisition.acquire(url, options, environ, cache)
    _touch(paths.remote_url(cache, _digest(os.fsencode(plain))))
    return program


def canonical(url: str) -> str:
    """Return `url` in one spelling, without credentials and fragment."""
    scheme, _, rest = url.partition("#")[0].partition("://")
    scheme = scheme.lower()
    end = min(rest.find(mark) % (len(rest) + 1) for mark in "/?")
    host = rest[:end].rpartition("@")[2].lower().removesuffix(_PORTS.get(scheme, ":"))
    path = rest[end:] if rest.startswith("/", end) else "/" + rest[end:]
    return f"{scheme}://{host}{path}"


def shown(url: str) -> str:
    """Return a canonical `url` for messages: what follows `?` may be a key to it."""
    plain, query, _ = url.partition("?")
    return plain + query + "…" * bool(query)


def find(cache: str, url: str) -> "Source | None":
    """Return the program that is kept for a canonical `url`, None where there is none, or it is damaged."""
    digest, name = trusted(cache, url)
    path = os.path.join(paths.remote_scripts(cache), digest, name)
    try:
        content = paths.read(path)
    except OSError:
        return None
    return Source(shown(url), content, [path], path) if _digest(content) == digest else None


def trusted(cache: str, url: str) -> "tuple[str, str]":
    """Return hash and file name of the content that is trusted at a canonical `url`, both `""` where none is."""
    try:
        line = paths.read(paths.remote_url(cache, _digest(os.fsencode(url))))
    except OSError:
        return "", ""
    digest, _, name = os.fsdecode(line).removesuffix("\n").partition(" ")
    sound = len(digest) == 64 and digest.isalnum() and name not in ("", ".", "..") and os.sep not in name
    return (digest, name) if sound else ("", "")


def keep(cache: str, url: str, content: bytes, name: str) -> Source:
    """Keep `content` as what is trusted at a canonical `url`, in a file of this name. Raises OSError."""
    digest = _digest(content)
    path = os.path.join(paths.remote_scripts(cache), digest, name)
    paths.replace(path, content)
    record = paths.remote_url(cache, _digest(os.fsencode(url)))
    paths.replace(record, os.fsencode(f"{digest} {name}\n"))
    return Source(shown(url), content, [path], path)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _touch(path: str) -> None:
    """Note the use: what is not used for long is removed."""
    try:
        os.utime(path)
    except OSError:
        pass
