"""Get a program from a URL: fetch it, let it be trusted, keep it."""

from __future__ import annotations

import hashlib
import re
import urllib.parse
from collections.abc import Mapping

from scriptrun import block, config, metadata, patience, refusals
from scriptrun.arguments import Options
from scriptrun.errors import RemoteError, ScriptrunError, UsageError
from scriptrun.remote import download, kept, trust
from scriptrun.remote.download import Fetched, Limits
from scriptrun.remote.trust import Candidate, Wanted
from scriptrun.source import Source

_LONGEST = 100
"""The most characters of a file name that are taken from a URL."""

_PAGE = re.compile(rb"(?i)(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b")


def acquire(url: str, options: Options, environ: Mapping[str, str], cache: str) -> Source:
    """Return the program at `url`: what is kept, unless a hash says otherwise or a refresh is wanted, or what is there.

    Raises RemoteError, ConfigurationError, MetadataError, CacheError and UsageError.
    """
    _refuse_scheme(url)
    plain = kept.canonical(url)
    configuration = config.read(environ)
    configuration.policy.check_url_script(kept.shown(plain))
    options = options.below(configuration.options)
    hashes = trust.wanted(plain, options, configuration)
    program = kept.find(cache, plain)
    if options.flag("offline"):
        return _unfetched(plain, program, hashes)
    fits = program is not None and all(one.digest == _digest(program.content) for one in hashes)
    if program is not None and fits and not options.flag("refresh"):
        return program
    try:
        return _fetch(url, hashes, cache, Limits().within(patience.limit(options)))
    except ScriptrunError as error:
        if program is not None and fits and not isinstance(error, UsageError):
            error.hint = "what was kept before stays: it runs without --refresh"
        raise


def _refuse_scheme(url: str) -> None:
    scheme = url.partition("://")[0].lower()
    if scheme == "file":
        raise UsageError(
            "a file is run by its path, not by a file: URL", hint="write the path: scriptrun /path/to/it.py"
        )
    if scheme not in ("http", "https"):
        raise UsageError(f"there is no running of `{scheme}:` URLs", hint="https:// ones can be run, and files by path")


def _unfetched(url: str, program: Source | None, hashes: tuple[Wanted, ...]) -> Source:
    if program is None:
        raise RemoteError(
            f"`{kept.shown(url)}` is not kept here, and --offline forbids to fetch it",
            hint="run it once when online",
        )
    trust.compare(url, _digest(program.content), hashes)
    return program


def _fetch(url: str, hashes: tuple[Wanted, ...], cache: str, limits: Limits) -> Source:
    """Fetch the program at `url` and keep it, if it is trusted."""
    plain = kept.canonical(url)
    fetched = download.fetch(url, plain=bool(hashes), limits=limits)
    digest = _digest(fetched.content)
    trust.compare(plain, digest, hashes)
    _refuse_pages(plain, fetched)
    shown = kept.shown(plain)
    found, _ = block.cut(fetched.content, shown)
    script = metadata.parse(found, shown, "")
    locked = trust.locked(fetched.content, shown)
    trust.refuse_local(script, locked, shown)
    before = kept.trusted(cache, plain)[0]
    if digest != before and not hashes:
        trust.ask(Candidate(plain, fetched.url, fetched.content, digest, script, locked, before))
    try:
        return kept.keep(cache, plain, fetched.content, _name(plain))
    except OSError as error:
        raise refusals.explain(f"`{shown}` cannot be kept in `{cache}`", error) from None


def _refuse_pages(url: str, fetched: Fetched) -> None:
    """Raise RemoteError for a page about the program in its place."""
    if "html" in fetched.kind.lower() or _PAGE.match(fetched.content):
        raise RemoteError(
            f"`{kept.shown(url)}` is a page (HTML), not a program",
            hint="a page that shows a file usually links to the file itself, as `raw`",
        )
    if not fetched.content.strip():
        raise RemoteError(f"`{kept.shown(url)}` is empty")


def _name(url: str) -> str:
    """Return the file name in a URL, as far as it can be one."""
    name = urllib.parse.unquote(url.partition("?")[0].rpartition("/")[2], errors="surrogateescape")
    name = re.sub(r"[/\x00-\x1f\x7f]", "_", name)[-_LONGEST:]
    return name if name.strip(".") else "script.py"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
