"""Put everything that decides an environment's content together, and hash it into a key."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from scriptrun import project
from scriptrun.errors import MetadataError, UsageError, without_credentials
from scriptrun.interpreter import Interpreter
from scriptrun.policy import Policy

if TYPE_CHECKING:  # who restores what was specified, as a bundle does, has no need of them
    from packaging.requirements import Requirement

    from scriptrun.arguments import Options
    from scriptrun.metadata import Asked, ScriptMetadata

FORMAT = 1
"""The version of what is hashed; another one makes other keys."""

KEY_LENGTH = 32
"""Hexadecimal digits of a key: 128 bits, short enough for the path of a console script's shebang."""

URL_FOLLOWS = "\0url"
"""Among constraints: what follows is not a line of a file, but the URL of one."""

_CAME_LATER = frozenset(("no_binary", "only_final", "routes", "first_index", "policy", "lock", "editable"))

_COMMIT = re.compile(r"@[0-9a-f]{40}($|#)")

_DESCRIPTIONS = ("pyproject.toml", "setup.py", "setup.cfg")
"""What of a project decides how a link to it is installed: the rest is read where it is."""


class Resolution(NamedTuple):
    """The options that change what pip answers. URLs carry no credentials here.

    `routes` pairs names of distributions with the index that each must come from. With `first_index`, each comes from
    the first index that has it, and not from whichever has the highest version. `policy` is what Policy states.
    """

    index_url: str = ""
    extra_index_url: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    exclude_newer: str = ""
    pre: bool = False
    no_build: bool = False
    no_binary: tuple[str, ...] = ()
    only_final: bool = False
    routes: tuple[tuple[str, str], ...] = ()
    first_index: bool = False
    policy: tuple[str, ...] = ()


class EnvironmentSpec(NamedTuple):
    """What an environment is made from: canonical requirements, sorted, no repeats, and all that bears on them.

    `lock` is the digest of the lock that it is installed from (`""`: none), `editable` names the distributions that are
    installed as links to their source. URLs carry no credentials here: this is hashed, stored and shown.
    """

    interpreter: Interpreter
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    resolution: Resolution
    fingerprints: tuple[tuple[str, str], ...]
    lock: str = ""
    editable: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {**self._asdict(), "interpreter": self.interpreter._asdict(), "resolution": self.resolution._asdict()}

    @property
    def key(self) -> str:
        """The key: sha256 over canonical JSON of the format and every field, shortened to KEY_LENGTH digits."""
        return digest(self.facts)


def digest(stored: Mapping[str, Any]) -> str:
    """Return the key of a specification with these `facts`, perhaps stored as JSON by another version."""
    stored = {**_said(stored), "resolution": _said(stored["resolution"])}
    content = json.dumps([FORMAT, stored], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(content.encode("ascii")).hexdigest()[:KEY_LENGTH]


def _said(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table without those fields that came later and say nothing in it: keys outlive them."""
    return {name: value for name, value in stored.items() if value or name not in _CAME_LATER}


def restore(stored: Mapping[str, Any]) -> EnvironmentSpec | None:
    """Return the specification whose `facts` were stored as JSON, None where it is not one of this format."""
    try:
        resolution = {name: _tuples(one) for name, one in stored["resolution"].items()}
        return EnvironmentSpec(
            interpreter=Interpreter(**stored["interpreter"]),
            requirements=tuple(stored["requirements"]),
            constraints=tuple(stored["constraints"]),
            resolution=Resolution(**resolution),
            fingerprints=_tuples(stored["fingerprints"]),
            lock=stored.get("lock", ""),
            editable=_tuples(stored.get("editable", [])),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _tuples(value: Any) -> Any:
    """Return what JSON made a list as the tuple that it was."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def specify(
    interpreter: Interpreter,
    asked: Iterable[Asked],
    options: Options,
    script: ScriptMetadata | None = None,
    policy: Policy | None = None,
) -> EnvironmentSpec:
    """Return the specification of an environment that holds what is `asked`, by `script` among others.

    Raises MetadataError where a local path does not exist, UsageError where a file of constraints cannot be read or
    a URL is none, PolicyError for an option that `policy` forbids.
    """
    from scriptrun.metadata import ScriptMetadata

    asked = tuple(asked)
    script, policy = script or ScriptMetadata(), policy or Policy()
    policy.check(options, script.routes, script.route_places)
    return EnvironmentSpec(
        interpreter=interpreter,
        requirements=tuple(sorted({without_credentials(one) for one in requirements(asked)})),
        constraints=tuple(constraints(script, options)),
        resolution=resolution(script, options, policy),
        fingerprints=tuple(sorted(set(_fingerprints(asked)))),
        editable=tuple(sorted({_canonical_name(one.requirement.name) for one in asked if one.editable})),
    )


def constraints(script: ScriptMetadata, options: Options) -> list[str]:
    """Return the constraints of block and options, without credentials: requirements, lines of files, URLs of files.

    Raises UsageError where a file cannot be read.
    """
    found = requirements(script.constraints)
    for path in options.many("constraint"):
        lines = [URL_FOLLOWS, path] if "://" in path else [text for _, text in _entries(path)]
        found += [without_credentials(line) for line in lines]
    return found


def resolution(script: ScriptMetadata, options: Options, policy: Policy) -> Resolution:
    """Return what of block, options and policy changes what pip answers. Raises UsageError where a URL is none."""
    _refuse_blanks(options)
    return Resolution(
        index_url=without_credentials(options.value("index-url")),
        extra_index_url=tuple(without_credentials(url) for url in options.many("extra-index-url")),
        find_links=tuple(without_credentials(url) for url in options.many("find-links")),
        no_index=options.flag("no-index"),
        exclude_newer=options.value("exclude-newer"),
        pre=options.flag("pre"),
        no_build=options.flag("no-build") or policy.only_binary,
        no_binary=tuple(sorted(options.many("no-binary"))),
        only_final=options.flag("only-final"),
        routes=tuple(sorted((name, without_credentials(url)) for name, url in script.routes)),
        first_index=script.first_index or policy.indexes is not None,
        policy=policy.statement(),
    )


def _refuse_blanks(options: Options) -> None:
    """Raise UsageError for a URL with white space: where a password in it ends, could not be told."""
    for name in ("index-url", "extra-index-url", "find-links"):
        values = (options.value(name),) if name == "index-url" else options.many(name)
        if any("://" in value and re.search(r"\s", value) for value in values):
            raise UsageError(f"the URL of `--{name}` holds white space", hint="in a URL, a space is written %20")


def collect(script: ScriptMetadata, options: Options) -> tuple[Asked, ...]:
    """Return what block and options ask for together. Raises MetadataError and UsageError."""
    return (
        *script.dependencies,
        *(_from_option(text, options.place("with")) for text in options.many("with")),
        *(asked for path in options.many("with-requirements") for asked in _from_file(path)),
    )


def _from_option(text: str, place: str) -> Asked:
    from scriptrun import metadata

    try:
        return metadata.requirement(text, place)
    except MetadataError as error:
        raise UsageError(error.message, hint=error.hint, place=error.place) from None


def _from_file(path: str) -> Iterator[Asked]:
    """Yield the requirements of a file: one a line, with comments; options of pip are refused."""
    for number, text in _entries(path):
        yield _from_option(text, f"{path}:{number}")


def _entries(path: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of each entry of a file: other files that it includes would not be in the key."""
    for number, line in _lines(path):
        text = re.sub(r"(^|\s)#.*$", "", line).strip()
        if text.startswith("-"):
            raise UsageError(
                f"`{text}` is an option of pip, which is not read from a file",
                place=f"{path}:{number}",
                hint="`scriptrun --help` lists the options there are; a file holds one requirement a line",
            )
        if text:
            yield number, text


def _lines(path: str) -> Iterator[tuple[int, str]]:
    if "://" in path:
        raise UsageError(
            f"`{path}` is a URL, from which no requirements are read", hint="download it, and name the file"
        )
    if stat.S_ISFIFO(_mode(path)):
        raise UsageError(f"`{path}` is a pipe, which can be read only once", hint="write it to a file, and name that")
    try:
        with open(path, encoding="utf-8-sig") as file:
            yield from enumerate(file.read().split("\n"), 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"`{path}` cannot be read: {reason}") from None


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode
    except OSError:
        return 0


def requirements(asked: Iterable[Asked]) -> list[str]:
    """Return what is `asked` in canonical spelling, sorted, without repeats, as pip is to read it."""
    return sorted({canonical(one.requirement) for one in asked})


def canonical(requirement: Requirement) -> str:
    """Return a requirement in one spelling: PEP 503 names, extras and specifiers sorted; marker and URL as they are."""
    extras = ",".join(sorted({_canonical_name(extra) for extra in requirement.extras}))
    name = _canonical_name(requirement.name) + (f"[{extras}]" if extras else "")
    specifier = ",".join(sorted(str(one) for one in requirement.specifier))
    text = f"{name} @ {requirement.url}" if requirement.url else name + specifier
    return f"{text} ; {requirement.marker}" if requirement.marker else text


def _canonical_name(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def holds_credentials(text: str) -> bool:
    """Tell whether a password, or a token, stands in a URL in `text`. The user in an `ssh:` URL is no secret."""
    return bool(re.search(r"""(?<!ssh)://[^/?#\s"']*@""", text))


def is_settled(requirement: Requirement) -> bool:
    """Tell whether the requirement means the same tomorrow: no local path, no branch of a repository."""
    url = requirement.url or ""
    return not local_path(url) and (not re.match(r"[a-z]+\+", url) or bool(_COMMIT.search(url)))


def local_path(url: str) -> str:
    """Return the path that a `file:` URL names, or `""`."""
    if not url.lower().startswith("file:"):
        return ""
    import urllib.parse  # rare, and with all of IP addresses

    path = urllib.parse.urlsplit(url).path
    if os.name == "nt":
        from urllib.request import url2pathname  # with all of HTTP

        return url2pathname(path)
    return urllib.parse.unquote(path)


def is_local(place: str) -> bool:
    """Tell whether a URL, perhaps that of a repository (`git+file:`), or a path in its place, is of this machine."""
    url = re.sub(r"^([A-Za-z]+\+)*", "", place)
    return "://" not in url or bool(local_path(url))


def _fingerprints(asked: Iterable[Asked]) -> Iterator[tuple[str, str]]:
    """Yield path and fingerprint of each requirement that is a local file or directory."""
    for one in asked:
        path = local_path(one.requirement.url or "")
        if path and not os.path.exists(path):
            raise MetadataError(f"`{one.requirement}` names a path that does not exist: `{path}`", place=one.place)
        if one.editable and not os.path.isdir(path):
            raise MetadataError(f"`{one.requirement}` is editable, and no directory", place=one.place)
        if path:
            yield path, _fingerprint(path, _DESCRIPTIONS if one.editable else None)


def _fingerprint(path: str, names: tuple[str, ...] | None) -> str:
    """Return a digest of what a file holds, or files below a directory: those with `names`, or all (None)."""
    digest = hashlib.sha256()
    below = [os.path.join(path, name) for name in names] if names else project.files(path)
    for file in below if os.path.isdir(path) else [path]:
        with contextlib.suppress(OSError), open(file, "rb") as content:  # it may have gone, or be somebody else's
            size = os.fstat(content.fileno()).st_size
            digest.update(json.dumps([os.path.relpath(file, path), size]).encode("ascii"))
            for chunk in iter(lambda: content.read(1 << 20), b""):
                digest.update(chunk)
    return digest.hexdigest()
