"""Read the configuration: `config.toml` of the machine and of the user, whose word counts first."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tomli

from scriptrun import location, places, quantities
from scriptrun.arguments import Options
from scriptrun.errors import ConfigurationError
from scriptrun.metadata import Warned

MAX_IDLE = 90 * 86400.0
"""After how many seconds without use an environment goes, unless the configuration says otherwise."""


@dataclass(frozen=True)
class Configuration:
    """What the configuration says.

    `max_idle`, in seconds, and `max_size`, in bytes (None: no limit), bound the cache. `options` count after those of
    the command line, of variables and of the block.
    """

    max_idle: float
    max_size: int | None
    options: Options
    warnings: tuple[Warned, ...]


def read(environ: Mapping[str, str]) -> Configuration:
    """Return what both files say together. Raises ConfigurationError, which names file and line."""
    values: dict[tuple[str, ...], Any] = {}
    warnings: list[Warned] = []
    for path in location.configurations(environ):
        if os.path.isfile(path):
            file = _File(path)
            values.update(file.values())
            warnings += file.warnings
    age = values.get(("max-age",))
    return Configuration(
        max_idle=values.get(("cache", "max-idle"), MAX_IDLE),
        max_size=values.get(("cache", "max-size")),
        options=Options({} if age is None else {"max-age": age}),
        warnings=tuple(warnings),
    )


def _age(text: str) -> str:
    quantities.seconds(text)
    return text


_KEYS: dict[tuple[str, ...], Callable[[str], object]] = {
    ("max-age",): _age,
    ("cache", "max-idle"): quantities.seconds,
    ("cache", "max-size"): quantities.octets,
}
"""Each key that is known, and what reads its value."""


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

    def values(self) -> dict[tuple[str, ...], Any]:
        """Return the values of all known keys, read; note what is not known."""
        found: dict[tuple[str, ...], Any] = {}
        tables = {keys[0] for keys in _KEYS if len(keys) > 1}
        for key, value in self.table.items():
            if key not in tables:
                self._take(found, (key,), value)
            elif isinstance(value, dict):
                for name, inner in value.items():
                    self._take(found, (key, name), inner)
            else:
                raise ConfigurationError(f"`{key}` is not a table", place=self._place((key,)), hint=f"write [{key}]")
        return found

    def _take(self, found: dict[tuple[str, ...], Any], keys: tuple[str, ...], value: object) -> None:
        if keys not in _KEYS:
            name = ".".join(keys)
            self.warnings.append(
                Warned(self._place(keys), f"there is no setting `{name}`; it is ignored", "", slip=False)
            )
            return
        if not isinstance(value, str):
            raise ConfigurationError(
                f"`{'.'.join(keys)}` is not a string", place=self._place(keys), hint=f"an example: {_EXAMPLES[keys]}"
            )
        try:
            found[keys] = _KEYS[keys](value)
        except ValueError as error:
            raise ConfigurationError(f"`{'.'.join(keys)}`: {error}", place=self._place(keys)) from None

    def _place(self, keys: tuple[str, ...]) -> str:
        return f"{self.path}:{self.lines.get(keys, self.lines.get(keys[:1], 0)) + 1}"


_EXAMPLES = {
    ("max-age",): 'max-age = "7 days"',
    ("cache", "max-idle"): 'max-idle = "90 days"',
    ("cache", "max-size"): 'max-size = "5 GB"',
}
