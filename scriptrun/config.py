"""Read the configuration: `config.toml` of the machine and of the user, whose word counts first."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import tomli

from scriptrun import location, metadata, places, policy, quantities, values
from scriptrun.arguments import Options
from scriptrun.block import one_edit_apart
from scriptrun.errors import ConfigurationError, MetadataError
from scriptrun.metadata import Warned
from scriptrun.policy import Policy

MAX_IDLE = 90 * 86400.0
"""After how many seconds without use an environment goes, unless the configuration says otherwise."""

BOUNDS: Mapping[str, tuple[Callable[[str], float], str, str]] = {
    "max-idle": (quantities.seconds, 'max-idle = "90 days"', "remove environments not used for as long"),
    "max-size": (quantities.octets, 'max-size = "5 GB"', "remove the least recently used above that"),
}
"""The keys of `[cache]`, each with what reads its value, an example, and its meaning."""

ANSWERS_MAX_AGE = 86400.0
"""After how many seconds pip's answers stop counting for other questions, unless the configuration says otherwise."""

ANSWERS: Mapping[str, tuple[Callable[[str], float], str, str]] = {
    "max-age": (
        quantities.seconds,
        'max-age = "1 day"',
        "answer new sets of requirements by what pip answered others within that time; `0`: always ask pip",
    ),
}
"""The keys of `[answers]`, likewise."""

TRUSTED = f'"https://host/x.py" = "{"0" * 64}"'
"""An example of a line of `[trust]`."""

_TABLES = ("cache", "answers", "policy", "trust")


class Configuration(NamedTuple):
    """What the configuration says.

    `max_idle`, in seconds, and `max_size`, in bytes (None: no limit), bound the cache. `options` count after those of
    the command line, of variables and of the block. `trust` pairs URLs of scripts with the sha256, in hexadecimal
    digits, of what they may be. `places` has `file:line` of what is set in `[cache]`, `[answers]` and `[trust]`:
    `cache.max-idle`. `answers_max_age` is for how many seconds an answer of pip's counts for other questions.
    """

    max_idle: float
    max_size: int | None
    options: Options
    warnings: tuple[Warned, ...]
    policy: Policy = Policy()
    trust: Mapping[str, str] = MappingProxyType({})
    places: Mapping[str, str] = MappingProxyType({})
    answers_max_age: float = ANSWERS_MAX_AGE


def read(environ: Mapping[str, str]) -> Configuration:
    """Return what both files say together. Raises ConfigurationError, which names file and line."""
    found = Configuration(MAX_IDLE, None, Options(), ())
    for path in location.configurations(environ):
        if location.is_there(path):
            found = _File(path).over(found)
    return found


def _resembles_policy(key: str) -> bool:
    """Tell whether a key is the name of the policy with a slip in it: to ignore that would be to have no policy."""
    plain = key.strip().lower()
    return key != "policy" and (plain in ("policy", "policies") or one_edit_apart(plain, "policy"))


class _File:
    """One file: its text, and which line each value stands on."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.warnings: list[Warned] = []
        try:
            with open(path, encoding="utf-8-sig", newline="") as file:
                self.text = file.read().replace("\r\n", "\n")
            self.table = tomli.loads(self.text)
        except tomli.TOMLDecodeError as error:
            raise ConfigurationError(f"not valid TOML: {error.msg}", place=f"{path}:{error.lineno}") from None
        except (UnicodeDecodeError, RecursionError) as error:
            raise ConfigurationError(f"not valid TOML: {error}", place=path) from None
        except OSError as error:
            raise ConfigurationError(f"`{path}` cannot be read: {error.strerror}") from None
        self.lines = places.find(self.text)
        self.values = values.Reader(self._place, os.path.dirname(path), metadata.requirement)

    def over(self, lower: Configuration) -> Configuration:
        """Return what this file says, and where it says nothing, what `lower` does. The policies of both hold."""
        try:
            bounds = self._quantities("cache", BOUNDS)
            answers = self._quantities("answers", ANSWERS)
            options = self._options().below(lower.options)
            own_policy = policy.read(self._inner("policy"), self.values)
            trust = {url: self._digest(url, value) for url, value in self._inner("trust").items()}
        except MetadataError as error:
            raise ConfigurationError(error.message, hint=error.hint, place=error.place) from None
        return Configuration(
            max_idle=bounds.get("max-idle", lower.max_idle),
            max_size=bounds.get("max-size", lower.max_size),
            options=options,
            warnings=(*lower.warnings, *self.warnings),
            policy=policy.strictest(lower.policy, own_policy),
            trust={**lower.trust, **trust},
            places={
                **lower.places,
                **self._places("cache", bounds),
                **self._places("answers", answers),
                **self._places("trust", trust),
            },
            answers_max_age=answers.get("max-age", lower.answers_max_age),
        )

    def _places(self, table: str, keys: Iterable[str]) -> dict[str, str]:
        return {f"{table}.{key}": self._place(table, key) for key in keys}

    def _inner(self, name: str) -> dict[str, Any]:
        table = self.table.get(name, {})
        if not isinstance(table, dict):
            raise ConfigurationError(f"`{name}` is not a table", place=self._place(name), hint=f"write [{name}]")
        return table

    def _options(self) -> Options:
        found = {}
        for key, value in self.table.items():
            if key in values.KNOWN:
                found[key] = self.values.option((key,), values.KNOWN[key], value)
            elif _resembles_policy(key):
                raise ConfigurationError(
                    f"there is no setting `{key}`", place=self._place(key), hint="the table is called [policy]"
                )
            elif key not in _TABLES:
                self._warn_unknown((key,), (*values.KNOWN, *_TABLES))
        return Options(found, self.values.places)

    def _quantities(self, table: str, known: Mapping[str, tuple[Callable[[str], float], str, str]]) -> dict[str, Any]:
        found: dict[str, float] = {}
        for key, value in self._inner(table).items():
            if key not in known:
                self._warn_unknown((table, key), tuple(known))
                continue
            read_value, example, _ = known[key]
            text = self.values.string((table, key), value, example)
            try:
                found[key] = read_value(text)
            except ValueError as error:
                raise ConfigurationError(f"`{table}.{key}`: {error}", place=self._place(table, key)) from None
        return found

    def _digest(self, url: str, value: object) -> str:
        """Return the sha256 that stands for a URL in `[trust]`."""
        text = self.values.string(("trust", url), value, TRUSTED)
        if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
            raise ConfigurationError(
                f"`{text}` is not a sha256: 64 hexadecimal digits",
                place=self._place("trust", url),
                hint=f"an example: {TRUSTED}",
            )
        return text.lower()

    def _warn_unknown(self, keys: tuple[str, ...], known: tuple[str, ...]) -> None:
        near = [name for name in known if one_edit_apart(keys[-1].replace("_", "-").lower(), name)]
        message = f"there is no setting `{'.'.join(keys)}`; it is ignored"
        remedy = f"did you mean `{near[0]}`?" if near else ""
        self.warnings.append(Warned(self._place(*keys), message, remedy, slip=False))

    def _place(self, *path: str | int) -> str:
        """Return `file:line` of a key or an entry; where there is none, of what it would be in."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.path}:{self.lines.get(path, 0) + 1}"
