"""The policy: what `[policy]` in `config.toml` demands, and no script, option, variable or setting of pip loosens."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from scriptrun import pip_rules, quantities, values
from scriptrun.arguments import Options, anchored
from scriptrun.errors import ConfigurationError, PolicyError, without_credentials

_FLAG = "true or false"

KEYS = {
    "cooldown": ('cooldown = "7d"', "text", "take nothing that was uploaded within that time"),
    "require-lock": ("require-lock = true", _FLAG, "install only what is in a lock"),
    "only-binary": ("only-binary = true", _FLAG, "install wheels only: run no code of a distribution"),
    "indexes": ('indexes = ["https://index.example/simple"]', "list of texts", "ask no others, each name of one"),
    "url-scripts": ("url-scripts = false", _FLAG, "run no script from a URL"),
}
"""The keys of `[policy]`, each with an example, the type of its value, and its meaning."""

_ASKING = ("index-url", "pypi-url", "extra-index-url", "find-links", "constraint", "build-constraint")
"""The options and settings of pip that name a place from which it would fetch something."""

_FILES = ("constraint", "build-constraint")
"""Those of which a file on this machine is the user's own."""

_FLAT = "flat+"
"""Before a route to a page of links."""

_FETCH = "download it, read it, and run the file, or ask who keeps that file to change the policy"

_ASK = "leave that out, or ask who keeps that file to change the policy"


class Policy(NamedTuple):
    """What is demanded, and where: `places` has `file:line` of each key that demands something.

    `cooldown` is in seconds (0: none). `indexes`, URLs as written, are all that may be asked, in this order (None: any
    may).
    """

    cooldown: float = 0.0
    require_lock: bool = False
    only_binary: bool = False
    indexes: tuple[str, ...] | None = None
    url_scripts: bool = True
    places: Mapping[str, str] = MappingProxyType({})

    def statement(self) -> tuple[str, ...]:
        """Return what an environment owes to the policy, without credentials: a part of its key."""
        stated = [f"cooldown {self.cooldown:.0f}"] if self.cooldown else []
        if self.indexes is not None:
            stated.append(" ".join(["indexes", *(pip_rules.plain(url) for url in self.indexes)]))
        return (*stated, "only-binary") if self.only_binary else tuple(stated)

    def shown(self, key: str) -> str:
        """Return a key with its place, as messages name it."""
        return f"the policy's `{key}` ({self.places[key]})"

    def hiding(self) -> list[str]:
        """Return what keeps pip from seeing all there is, as messages name it."""
        return [self.shown(key) for key in ("cooldown", "only-binary", "indexes") if key in self.places]

    def allows(self, url: str) -> bool:
        """Tell whether an index, a place of links or a file may be asked for."""
        return self.indexes is None or pip_rules.lies_below(url, self.indexes)

    def check(
        self, options: Options, routes: Iterable[tuple[str, str]] = (), route_places: Mapping[str, str] | None = None
    ) -> None:
        """Raise PolicyError for an option, or a route to an index, that the policy forbids."""
        if self.only_binary and options.many("no-binary"):
            raise self.violation("only-binary", options.place("no-binary"), "`no-binary` asks for a build")
        for name in _ASKING:
            urls = (options.value(name),) if name == "index-url" else options.many(name)
            for url in urls:
                self._check_place(name, url, options.place(name, url), f"`{name}`")
        for name, url in routes:
            kind = "find-links" if url.startswith(_FLAT) else "index-url"
            self._check_place(
                kind, url.removeprefix(_FLAT), (route_places or {}).get(name, ""), f"the index of `{name}`"
            )

    def check_settings(self, variables: Mapping[str, str], origins: Mapping[str, str], options: Options) -> None:
        """Raise PolicyError for what pip's own configuration must not say: all of it, as variables of pip.

        `origins` has where each setting stands. What `options` say in its place was checked before.
        """
        if self.only_binary and variables.get("PIP_NO_BINARY", ":none:") != ":none:":
            raise self.violation(
                "only-binary", origins.get("no-binary", ""), "pip's setting `no-binary` asks for a build"
            )
        overridden = {name for name, value in options.given() if value and name != "constraint"}
        for name in _ASKING:
            urls = variables.get(f"PIP_{name.upper().replace('-', '_')}", "").split()
            for url in urls if name not in overridden else ():
                self._check_place(name, url, origins.get(name, ""), f"pip's setting `{name}`")

    def _check_place(self, kind: str, url: str, place: str, what: str) -> None:
        """Raise PolicyError for a place that pip would ask: `what` names it, in the manner of the option `kind`."""
        if not url or (kind in _FILES and ("://" not in url or url.startswith("file:"))):
            return
        what = f"{what} is `{without_credentials(url)}`"
        if not self.allows(url):
            raise self.violation("indexes", place, what)
        if kind == "find-links" and self.cooldown and self.indexes is None:
            raise self.violation("cooldown", place, f"{what}, where files have no time of upload")

    def arranged(self, named: Iterable[tuple[bool, str]], *, no_index: bool = False) -> list[tuple[bool, str]]:
        """Return all places to ask, in the policy's order: pairs of whether it is a page of links, and the URL.

        These are the indexes of the policy, a local one also as a directory of files; after each one, what is `named`
        (and allowed) below it. With `no_index`, these are places of links alone, and none after an index that is not
        asked; raises PolicyError where one of those is named.
        """
        named = tuple(named)
        places = {index: _places_of(index, [url for _, url in named]) for index in self.indexes or ()}
        for flat, url in named:
            own = places[self._index_of(url)]
            if (flat, pip_rules.plain(url)) not in [(kind, pip_rules.plain(one)) for kind, one in own]:
                own.append((flat, url))
        if not no_index:
            return [one for own in places.values() for one in own]
        return self._before_gap(places, [url for flat, url in named if flat])

    def _index_of(self, url: str) -> str:
        """Return the index of the policy that `url` is, or is below: the nearest one."""
        return max(
            (index for index in self.indexes or () if _in(url, index)), key=lambda one: len(pip_rules.plain(one))
        )

    def _before_gap(self, places: Mapping[str, list[tuple[bool, str]]], named: list[str]) -> list[tuple[bool, str]]:
        """Return the places of links up to the first index that is not on this machine."""
        found = []
        unasked = ""
        for index, own in places.items():
            if unasked:
                for url in (one for one in named if self._index_of(one) == index):
                    why = f"`{without_credentials(url)}` would be asked and `{without_credentials(unasked)}` not"
                    raise self.violation("indexes", "", f"with `no-index`, {why}")
                continue
            found += [one for one in own if one[0]]
            unasked = "" if pip_rules.plain(index).startswith("file:") else index
        return found

    def rank(self, route: str, places: Sequence[tuple[bool, str]]) -> int:
        """Return how many of the `places` come before the index that is a route."""
        url = route.removeprefix(_FLAT)
        own = self._index_of(url)
        return next((at for at, (_, one) in enumerate(places) if self._index_of(one) == own), len(places))

    def check_lock(self, *, locked: bool, place: str, remedy: str) -> None:
        """Raise PolicyError where a lock is demanded and there is none."""
        if self.require_lock and not locked:
            raise self.violation("require-lock", place, "there is no lock", remedy)

    def check_url_script(self, url: str) -> None:
        """Raise PolicyError where scripts must not come from URLs."""
        if not self.url_scripts:
            raise self.violation("url-scripts", "", f"`{without_credentials(url)}` is a script from a URL", _FETCH)

    def violation(self, key: str, place: str, what: str, remedy: str = _ASK) -> PolicyError:
        """Return the error for `what`, which stands at `place` and which the policy's `key` forbids."""
        return PolicyError(f"{what}, which {self.shown(key)} forbids", place=place, hint=remedy)


def _in(url: str, index: str) -> bool:
    return pip_rules.lies_below(url, (index,))


def _places_of(index: str, named: Iterable[str]) -> list[tuple[bool, str]]:
    """Return an index of the policy as places to ask, with the credentials that a `named` URL has for it."""
    from pathlib import PurePath  # for those who have a policy
    from urllib.parse import urlsplit

    plain = pip_rules.plain(index)
    if plain.startswith("file:"):
        url = index if index.startswith("file:") else PurePath(index).as_uri()
        return [(False, url), *([(True, url)] if os.path.isdir(plain.removeprefix("file://")) else [])]
    for url in named if index == without_credentials(index) else ():
        if pip_rules.plain(url) == plain and url != without_credentials(url):
            user = urlsplit(url).netloc.rpartition("@")[0]
            return [(False, index.replace("://", f"://{user}@", 1))]
    return [(False, index)]


def read(table: Mapping[str, object], reader: values.Reader) -> Policy:
    """Return what the table `[policy]` of one file says.

    Raises ConfigurationError for a key that does not exist: a policy with a slip in it would be none. Raises
    MetadataError for a value of another type.
    """
    for key in table:
        if key not in KEYS:
            raise ConfigurationError(
                f"there is no policy `{key}`",
                place=reader.place("policy", key),
                hint=f"there are: {', '.join(KEYS)}",
            )

    def flag(key: str, *, default: bool) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            raise reader.wrong(("policy", key), value, "true or false", KEYS[key][0])
        return value

    found = Policy(
        _cooldown(table, reader),
        flag("require-lock", default=False),
        flag("only-binary", default=False),
        _indexes(table, reader),
        flag("url-scripts", default=True),
    )
    return Policy(**{**found._asdict(), "places": {key: reader.place("policy", key) for key in _demanding(found)}})


def _demanding(found: Policy) -> list[str]:
    """Return the keys that demand something."""
    demands = (found.cooldown, found.require_lock, found.only_binary, found.indexes is not None, not found.url_scripts)
    return [key for key, demand in zip(KEYS, demands, strict=True) if demand]


def _cooldown(table: Mapping[str, object], reader: values.Reader) -> float:
    if "cooldown" not in table:
        return 0.0
    path = ("policy", "cooldown")
    text = reader.string(path, table["cooldown"], KEYS["cooldown"][0])
    try:
        return quantities.seconds(text)
    except ValueError as error:
        raise ConfigurationError(f"`policy.cooldown`: {error}", place=reader.place(*path)) from None


def _indexes(table: Mapping[str, object], reader: values.Reader) -> tuple[str, ...] | None:
    if "indexes" not in table:
        return None
    path = ("policy", "indexes")
    entries = reader.strings(path, table["indexes"], KEYS["indexes"][0])
    for number, entry in enumerate(entries):
        values.refuse_control_characters(entry, reader.place(*path, number))
        if not _is_index(entry):
            raise ConfigurationError(
                f"`{without_credentials(entry)}` in `policy.indexes` is neither a URL nor a path",
                place=reader.place(*path, number),
                hint=f"an example: {KEYS['indexes'][0]}; a path begins with a slash or a dot",
            )
    return tuple(anchored(entry, reader.directory) for entry in entries)


def _is_index(text: str) -> bool:
    """Tell whether a URL, or a path, is one that others can be compared with."""
    if "://" not in text and not text.startswith("file:"):
        return os.path.isabs(text) or text.startswith(".")
    try:
        return bool(re.match(r"https?://[^/]|file:///", pip_rules.plain(text)))
    except ValueError:
        return False


def strictest(one: Policy, other: Policy) -> Policy:
    """Return the policy that demands what either does."""
    longer = one if one.cooldown >= other.cooldown else other
    indexes, places = one.indexes, {**other.places, **one.places}
    if longer.cooldown:
        places["cooldown"] = longer.places["cooldown"]
    if indexes is None or other.indexes is None:
        indexes = other.indexes if indexes is None else indexes
    else:
        indexes = tuple(url for url in indexes if other.allows(url))
        places["indexes"] = " and ".join(dict.fromkeys((one.places["indexes"], other.places["indexes"])))
    return Policy(
        longer.cooldown,
        one.require_lock or other.require_lock,
        one.only_binary or other.only_binary,
        indexes,
        one.url_scripts and other.url_scripts,
        places,
    )
