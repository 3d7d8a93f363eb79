"""Build a damaged environment anew from its own manifest: what was asked for, in the versions that were there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packaging.utils import canonicalize_name

from scriptrun import cache as caches
from scriptrun import expiry, interpreters, metadata, prepare, sharing, spec
from scriptrun.arguments import Options
from scriptrun.cache import Environment
from scriptrun.errors import CacheError, InstallError, without_credentials
from scriptrun.metadata import Asked, ScriptMetadata
from scriptrun.order import Distribution, Former, Order
from scriptrun.policy import Policy
from scriptrun.spec import EnvironmentSpec
from scriptrun.store import kept
from scriptrun.upkeep.inventory import Entry


def rebuild(cache: str, entry: Entry, given: Options, policy: Policy, environ: Mapping[str, str]) -> Environment:
    """Publish a new environment of the entry's key and return it; who runs in the damaged one goes on in that.

    It is put together from the store, which is sound (see `soundness`), or else by pip. `given` is what the user says
    beside: whether pip may be asked, and URLs with the credentials that no manifest has. Raises InstallError where it
    cannot be the same, or the policy was another, and what `prepare.prepare` raises.
    """
    if entry.manifest is None or not entry.is_sound:
        raise InstallError("its manifest is damaged")
    stored = spec.restore(entry.manifest["asked"])
    if stored is None or stored.key != entry.key:
        raise InstallError("another version of scriptrun made it")
    if stored.lock:
        raise InstallError("it was installed from the lock of a script, which runs of that script read")
    held = _kept(cache, entry.manifest["distributions"])
    former = Former(held, expiry.answered(Environment(entry.path, entry.manifest)))
    if stored.requirements and held is None and given.flag("offline"):
        raise InstallError("pip would have to be asked, which --offline forbids")
    if interpreters.identify(stored.interpreter.path, cache, environ) != stored.interpreter:
        raise InstallError(f"{stored.interpreter}, which it was made for, has gone or changed")
    if stored.resolution.policy != policy.statement():
        raise InstallError("it was made under another policy")
    policy.check_lock(locked=bool(stored.lock) or not stored.requirements, place="", remedy="make a lock of the script")
    versions = [f"{one['name']}=={one['version']}" for one in entry.manifest["distributions"]]
    with tempfile.TemporaryDirectory(prefix="scriptrun-") as directory:
        options = Options({**_resolution(stored, given), "constraint": tuple(_constraints(stored, directory))})
        asked = tuple(_asked(text, entry.key, stored) for text in stored.requirements)
        routes = tuple((name, _completed(url, given)) for name, url in stored.resolution.routes)
        script = ScriptMetadata(routes=routes, first_index=stored.resolution.first_index)
        if spec.specify(stored.interpreter, asked, options, script, policy) != stored:
            raise InstallError("a file or directory that it was made from has changed")
        constraints = (*options.many("constraint"), _write(directory, "versions", versions))
        options = Options({"constraint": constraints, "refresh": True}).below(options)
        try:
            order = Order(stored, asked, options, environ, _show_nothing, (), routes, policy, former=former)
            environment = prepare.prepare(cache, order)
        except InstallError as error:  # its hint is for the author of a script
            raise InstallError(f"not in the versions that were there: {error.message}", details=error.details) from None
    _share_alike(cache, entry.path, environment.path)
    return environment


def _kept(cache: str, listed: Iterable[Mapping[str, Any]]) -> tuple[Distribution, ...] | None:
    """Return the distributions of a manifest, None where one of them is not kept."""
    distributions = tuple(
        Distribution(
            **{name: one[name] for name in ("name", "version", "hash", "origin")},
            requested=bool(one.get("requested")),
            direct=str(one.get("direct", "")),
            kept=str(one.get("kept", "")),
        )
        for one in listed
    )
    return distributions if all(one.kept and kept.find(cache, one.kept) for one in distributions) else None


def _share_alike(cache: str, before: str, after: str) -> None:
    """Let everybody read the new environment where everybody could read the old one: the cache is the system's."""
    try:
        if os.stat(before).st_mode & 0o005:
            sharing.open_to_readers(cache, after)
    except OSError as error:
        raise CacheError(f"`{error.filename}` cannot be opened to all: {error.strerror}") from None


def withdraw(cache: str, entry: Entry) -> None:
    """Take a damaged environment out of use, so that the next run that needs it prepares it. Raises CacheError."""
    with caches.lock(cache, entry.key, lambda: None):
        try:
            caches.withdraw(cache, entry.path, entry.key)
        except OSError as error:
            raise CacheError(f"`{entry.path}` cannot be taken out of use: {error.strerror}") from None


def _resolution(stored: EnvironmentSpec, given: Options) -> dict[str, Any]:
    """Return the options that the environment was made with, their URLs as the user gives them now, if they do."""
    resolution = stored.resolution
    return {
        "index-url": _completed(resolution.index_url, given),
        "extra-index-url": tuple(_completed(url, given) for url in resolution.extra_index_url),
        "find-links": tuple(_completed(url, given) for url in resolution.find_links),
        "no-index": resolution.no_index,
        "exclude-newer": resolution.exclude_newer,
        "pre": resolution.pre,
        "no-build": resolution.no_build,
        "no-binary": resolution.no_binary,
        "only-final": resolution.only_final,
    }


def _completed(url: str, given: Options) -> str:
    """Return `url` as the user gives it now, with credentials, if they do."""
    known = (given.value("index-url"), *given.many("extra-index-url"), *given.many("find-links"))
    return next((one for one in known if without_credentials(one) == url), url)


def _asked(text: str, place: str, stored: EnvironmentSpec) -> Asked:
    """Return a requirement of a specification as it was asked for."""
    asked = metadata.requirement(text, place)
    return asked._replace(editable=canonicalize_name(asked.requirement.name) in stored.editable)


def _constraints(stored: EnvironmentSpec, directory: str) -> Iterator[str]:
    """Yield files, made in `directory`, and URLs that hold the constraints of a specification, in their order."""
    left = iter(stored.constraints)
    for number, line in enumerate(left):
        yield next(left) if line == spec.URL_FOLLOWS else _write(directory, str(number), [line])


def _write(directory: str, name: str, lines: Iterable[str]) -> str:
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def _show_nothing(_line: str) -> None:
    """Nobody waits for this step by step."""
