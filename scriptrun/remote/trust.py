"""Decide whether a program from a URL may be run: by its hash, or by what the user says who sees where it is from."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from scriptrun import demands, output, signals, spec
from scriptrun.arguments import OPTIONS, Options, is_path
from scriptrun.config import Configuration
from scriptrun.errors import MetadataError, RemoteError, UsageError, escape
from scriptrun.metadata import ScriptMetadata
from scriptrun.pinning import embedded, pylock
from scriptrun.pinning.pins import Pin
from scriptrun.remote import kept

_OPTIONS = {option.name: option for option in OPTIONS}
_URLS = ("constraint", "extra-index-url", "find-links", "index-url")
"""The options whose values may be URLs as well as paths."""


@dataclass(frozen=True)
class Wanted:
    """A hash that a program must have, and who says so."""

    digest: str
    source: str


@dataclass(frozen=True)
class Candidate:
    """What came from a URL, and from where in the end.

    `held` is what the lock inside it holds, `before` the hash of what was trusted there (`""`: nothing was).
    """

    url: str
    origin: str
    content: bytes
    digest: str
    script: ScriptMetadata
    held: tuple[Pin, ...]
    before: str


def wanted(url: str, options: Options, configuration: Configuration) -> tuple[Wanted, ...]:
    """Return the hashes that the program at a canonical `url` must have: of `--trust`, of the configuration.

    Raises UsageError.
    """
    given = options.value("trust")
    key = {kept.canonical(one): one for one in configuration.trust}.get(url, "")
    place = configuration.places.get(f"trust.{key}", "")
    if given and not re.fullmatch(r"(?i)(sha256:)?[0-9a-f]{64}", given):
        raise UsageError(f"`--trust {given}` is no SHA-256 hash", hint="it has 64 hexadecimal digits")
    both = (Wanted(given, "--trust"), Wanted(configuration.trust.get(key, ""), f"[trust] in {place}"))
    return tuple(Wanted(one.digest.lower().removeprefix("sha256:"), one.source) for one in both if one.digest)


def compare(url: str, digest: str, hashes: tuple[Wanted, ...]) -> None:
    """Raise RemoteError where `digest` is not what it must be."""
    for one in hashes:
        if one.digest != digest:
            raise RemoteError(
                f"`{kept.shown(url)}` is not what {one.source} says that it must be",
                details=f"expected sha256 {one.digest}\nbut it is {digest}",
                hint="look at what has changed before you trust it",
            )


def locked(content: bytes, name: str) -> tuple[Pin, ...]:
    """Return what the lock inside a program holds, for whichever Python. Raises LockError."""
    text = embedded.text(content, name)
    return () if text is None else demands.held(pylock.parse(text.encode("ascii"), name, os.sep))


def refuse_local(script: ScriptMetadata, held: Iterable[Pin], name: str) -> None:
    """Raise MetadataError where a program from elsewhere, or the lock that it holds, names files of this machine."""
    for key, value in script.options.given():
        for one in value if isinstance(value, tuple) else (str(value),):
            if spec.is_local(one) if key in _URLS else key in _OPTIONS and is_path(_OPTIONS[key], one):
                raise _local(f"{key} = {one}", name)
    for asked in (*spec.collect(script, script.options), *script.constraints):
        if asked.requirement.url and spec.is_local(asked.requirement.url):
            raise _local(str(asked.requirement), asked.place)
    for source in (one for alternatives in script.sources.values() for one in alternatives):
        if spec.is_local(source.url or source.index):
            raise _local(source.url or source.index, source.place)
    for pin in held:
        _, direct, url = pin.requirement.partition(" @ ")
        if direct and spec.is_local(url):
            raise _local(pin.requirement, name)


def _local(what: str, place: str) -> MetadataError:
    return MetadataError(
        f"`{what}` is about files of this machine, which a program from a URL may not name",
        place=place,
        hint="save it to a file, and run that",
    )


def ask(candidate: Candidate) -> None:
    """Show what came from a URL and let the user decide. Raises RemoteError unless they trust it, and Interrupted."""
    if not (_is_terminal(0) and _is_terminal(2)):
        raise RemoteError(
            f"`{kept.shown(candidate.url)}` is {'not what was' if candidate.before else 'not yet'} trusted, "
            "and there is no terminal to ask at",
            details="\n".join(_told(candidate)),
            hint="look at it, then run it once at a terminal, or with --trust SHA256, or put its hash under [trust] in "
            "config.toml",
        )
    news = "has changed since it was trusted" if candidate.before else "was not run here before"
    lines = [f"scriptrun: `{escape(kept.shown(candidate.url))}` {news}", *(f"  {one}" for one in _told(candidate))]
    output.tell("\n".join([*lines, "trust it? [y/N] "]))
    with signals.waiting():
        answer = os.read(0, 1024)  # what follows the line is the script's
    if answer.strip().lower() not in (b"y", b"yes"):
        raise RemoteError(f"`{kept.shown(candidate.url)}` is not trusted, so it is not kept")


def _told(candidate: Candidate) -> list[str]:
    """Return lines that say where it comes from and what it wants."""
    rows = (
        ("from", kept.shown(candidate.origin)),
        ("sha256", candidate.digest),
        ("before", candidate.before),
        *demands.rows(candidate.content, candidate.script, candidate.held),
    )
    return [f"{label + ':':<12}{text}" for label, text in demands.shown(rows)]


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor) and sys.stderr is not None
    except OSError:
        return False
