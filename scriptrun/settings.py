"""Every setting there is, its value, and where that stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scriptrun import location, moments, paths, quantities
from scriptrun.arguments import FLAG, LIST, OPTIONS, Option, Options
from scriptrun.config import Configuration
from scriptrun.errors import UsageError, without_credentials

EXAMPLES: Mapping[str, str | int | list[str]] = {
    "with": ["rich", "httpx>=0.27"],
    "with-requirements": ["requirements.txt"],
    "python": "3.12",
    "exclude-newer": "2026-01-31",
    "max-age": "7 days",
    "index-url": "https://index.example/simple",
    "extra-index-url": ["https://more.example/simple"],
    "find-links": ["wheels"],
    "constraint": ["constraints.txt"],
    "no-binary": ["lxml"],
    "env-file": [".env"],
    "prepare-timeout": 300,
    "overlap-status": 75,
    "trust": "2cf24dba…",
    "script": "tool.py",
}
"""What a value of each option may look like; of a flag it is true."""

Value = bool | str | list[str] | None


def toml(name: str) -> str:
    """Return an example of an option, as it may stand in `config.toml` or in a block."""
    return f"{name} = {json.dumps(EXAMPLES.get(name, True), ensure_ascii=False)}"


@dataclass(frozen=True)
class Setting:
    """A setting: its name, as in `config.toml`, its value without credentials (None: none), and where it stands."""

    name: str
    value: Value
    place: str


def check(options: Options) -> None:
    """Raise UsageError for a value that no run would accept: those of variables are not read before."""
    for name, read in (("exclude-newer", moments.read), ("max-age", quantities.seconds)):
        text = options.value(name)
        try:
            _ = read(text) if text else None
        except ValueError:
            remedy = f"an example: {toml(name)}"
            raise UsageError(f"`{options.place(name)}` is `{text}`, which cannot be read", hint=remedy) from None


def effective(options: Options, configuration: Configuration, environ: Mapping[str, str]) -> Iterator[Setting]:
    """Yield all settings: `options` are those of all places together."""
    for option in OPTIONS:
        if option.everywhere:
            yield _of_option(option, options)
    for name, number in (("max-idle", configuration.max_idle), ("max-size", configuration.max_size)):
        place = configuration.places.get(f"cache.{name}", "default")
        yield Setting(f"cache.{name}", None if number is None else _amount(name, number), place)
    yield Setting(
        "answers.max-age",
        f"{configuration.answers_max_age / 86400:g} days",
        configuration.places.get("answers.max-age", "default"),
    )
    yield from _of_policy(configuration)
    for url, digest in configuration.trust.items():
        yield Setting(f"trust.{without_credentials(url)}", digest, configuration.places[f"trust.{url}"])
    yield from _of_places(environ)


def _of_option(option: Option, options: Options) -> Setting:
    name = option.name
    place = options.place(name) if name in dict(options.given()) else "default"
    if option.kind == FLAG:
        return Setting(name, options.flag(name), place)
    if option.kind == LIST:
        return Setting(name, [without_credentials(one) for one in options.many(name)], place)
    return Setting(name, without_credentials(options.value(name)) or None, place)


def _amount(name: str, number: float) -> str:
    return f"{number / 86400:g} days" if name == "max-idle" else f"{number:.0f}B"


def _of_policy(configuration: Configuration) -> Iterator[Setting]:
    policy = configuration.policy
    indexes = None if policy.indexes is None else [without_credentials(url) for url in policy.indexes]
    values: dict[str, Value] = {
        "cooldown": f"{policy.cooldown / 86400:g} days" if policy.cooldown else None,
        "require-lock": policy.require_lock,
        "only-binary": policy.only_binary,
        "indexes": indexes,
        "url-scripts": policy.url_scripts,
    }
    for key, value in values.items():
        yield Setting(f"policy.{key}", value, policy.places.get(key, "default"))


def _of_places(environ: Mapping[str, str]) -> Iterator[Setting]:
    """Yield where the caches are: only variables move them."""
    variable = next((name for name in ("SCRIPTRUN_CACHE_DIR", "XDG_CACHE_HOME") if environ.get(name)), "default")
    yield Setting("cache-dir", location.cache_directory(environ) or None, variable)
    system = environ.get("SCRIPTRUN_SYSTEM_CACHE")
    place = "default" if system is None else "SCRIPTRUN_SYSTEM_CACHE"
    yield Setting("system-cache", (paths.SYSTEM_CACHE if system is None else system) or None, place)
