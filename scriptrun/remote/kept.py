"""The copies that are kept of programs at URLs, by content."""

import hashlib
import os

from scriptrun import paths
from scriptrun.source import Source

_PORTS = {"http": ":80", "https": ":443"}


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


def touch(cache: str, url: str) -> None:
    """Note the use of what is kept for a canonical `url`: what is not used for long is removed."""
    try:
        os.utime(paths.remote_url(cache, _digest(os.fsencode(url))))
    except OSError:
        pass
