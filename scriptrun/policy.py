"""The policy: what `[policy]` in `config.toml` demands, and no script, option, variable or setting of pip loosens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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

_ASK = "leave that out, or ask who keeps that file to change the policy"


@dataclass(frozen=True)
class Policy:
    """What is demanded, and where: `places` has `file:line` of each key that demands something.

    `cooldown` is in seconds (0: none). `indexes`, URLs as written, are all that may be asked, in this order (None: any
    may).
    """

    cooldown: float = 0.0
    require_lock: bool = False
    only_binary: bool = False
    indexes: tuple[str, ...] | None = None
    url_scripts: bool = True
    places: Mapping[str, str] = field(default_factory=dict)

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

    def check(self, options: Options, routes: Iterable[tuple[str, str]] = ()) -> None:
        """Raise PolicyError for an option, or a route to an index, that the policy forbids."""
        if self.only_binary and options.many("no-binary"):
            raise self.violation("only-binary", options.place("no-binary"), "`no-binary` asks for a build")
        for name in ("index-url", "extra-index-url", "find-links"):
            urls = (options.value(name),) if name == "index-url" else options.many(name)
            self._check_urls(urls, options.place(name), f"`{name}`")
        for name, url in routes:
            self._check_urls((url,), "", f"the index of `{name}`")

    def check_settings(self, variables: Mapping[str, str]) -> None:
        """Raise PolicyError for what pip's own configuration must not say: all of it, as variables of pip."""
        if self.only_binary and variables.get("PIP_NO_BINARY", ":none:") != ":none:":
            raise self.violation("only-binary", "", "pip's setting `no-binary` asks for a build")
        for name in ("index-url", "pypi-url", "extra-index-url", "find-links"):
            urls = variables.get(f"PIP_{name.upper().replace('-', '_')}", "").split()
            self._check_urls(urls, "", f"pip's setting `{name}`")

    def _check_urls(self, urls: Iterable[str], place: str, what: str) -> None:
        for url in urls:
            if url and not self.allows(url):
                raise self.violation("indexes", place, f"{what} is `{without_credentials(url)}`")

    def in_order(self, named: Iterable[str]) -> list[str]:
        """Return the indexes to ask, of those that are `named` (all allowed): in the policy's order."""
        allowed = self.indexes or ()
        return sorted(dict.fromkeys(named), key=lambda url: next(at for at, one in enumerate(allowed) if _in(url, one)))

    def check_lock(self, *, locked: bool, place: str, remedy: str) -> None:
        """Raise PolicyError where a lock is demanded and there is none."""
        if self.require_lock and not locked:
            raise self.violation("require-lock", place, "there is no lock", remedy)

    def check_url_script(self, url: str) -> None:
        """Raise PolicyError where scripts must not come from URLs."""
        if not self.url_scripts:
            raise self.violation("url-scripts", "", f"`{without_credentials(url)}` is a script from a URL")

    def violation(self, key: str, place: str, what: str, remedy: str = _ASK) -> PolicyError:
        """Return the error for `what`, which stands at `place` and which the policy's `key` forbids."""
        return PolicyError(f"{what}, which {self.shown(key)} forbids", place=place, hint=remedy)


def _in(url: str, index: str) -> bool:
    return pip_rules.lies_below(url, (index,))


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
    return Policy(**{**vars(found), "places": {key: reader.place("policy", key) for key in _demanding(found)}})


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
    return tuple(anchored(entry, reader.directory) for entry in entries)


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
