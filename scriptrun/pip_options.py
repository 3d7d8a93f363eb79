"""What of an order becomes options, variables and rules of pip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from scriptrun import pip_settings
from scriptrun.errors import InstallError, without_credentials
from scriptrun.order import Order

T = TypeVar("T")

_ON = ("1", "true", "yes", "on", "y", "t")
"""What pip takes for a yes."""

_FLAGS = {
    "pre": ["--pre"],
    "only-final": ["--only-final", ":all:"],
}


def rules(order: Order) -> dict[str, Any] | None:
    """Return what `pip_rules.keep` is to see to, None where there is nothing."""
    policy = order.policy
    arranged = None if policy.indexes is None else _arranged(order)
    told = {
        "routes": dict(order.routes),
        "before": {name: policy.rank(url, arranged) for name, url in order.routes if arranged},
        "first_index": order.spec.resolution.first_index,
        "order": arranged,
        "below": policy.indexes,
        "wheels": policy.only_binary,
        "local": bool(policy.cooldown),
        "places": {key: policy.shown(key) for key in policy.places},
    }
    demanding = arranged is not None or any(told[name] for name in ("routes", "first_index", "wheels", "local"))
    return told if demanding else None


def arguments(order: Order) -> list[str]:
    """Return the options of the command line; none of them holds a URL. Raises InstallError."""
    options = order.options
    found = ["--progress-bar", "raw"]  # its lines are read by `pip_progress`, not shown
    for flag, meaning in _FLAGS.items():
        found += meaning if options.flag(flag) else []
    if order.spec.resolution.no_build or order.target is not None:
        found += ["--only-binary", ":all:"]
    for name in options.many("no-binary"):
        found += ["--no-binary", name]
    moment = _latest(order)
    if moment:
        found += ["--uploaded-prior-to", moment]
    for path in options.many("constraint"):
        found += ["--constraint", path]
    for path in options.many("find-links"):
        if "://" not in path:
            found += ["--find-links", path]
    return found


def hold_credentials(found: Mapping[str, str]) -> bool:
    """Tell whether user or password stand in these variables."""
    return any(value != without_credentials(value) for name, value in found.items() if name.startswith("PIP_"))


def asks_no_index(order: Order) -> bool:
    """Tell whether pip is told to ask no index at all."""
    return _said(order).get("PIP_NO_INDEX", "").lower() in _ON


def _latest(order: Order) -> str:
    """Return the moment before which all must have been uploaded, `""` where that does not matter."""
    asked = order.options.value("exclude-newer")
    if not (asked or order.policy.cooldown):
        return ""
    import datetime as dt  # rare, as all that bounds uploads

    from scriptrun import moments

    if not order.policy.cooldown:
        return _moment(asked, moments.as_pip_reads_it)
    asked = asked or pip_settings.settings(order.environ).get("uploaded-prior-to", "")
    cooled = dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=order.policy.cooldown)
    return min([cooled, _moment(asked, moments.absolute)] if asked else [cooled]).isoformat()


def _moment(text: str, read: Callable[[str], T]) -> T:
    """Return what `exclude-newer` says, as `read` reads it."""
    try:
        return read(text)
    except ValueError:
        raise InstallError(
            f"`exclude-newer` is `{text}`, which is neither a date nor a number of days",
            hint="examples: 2026-01-31, 2026-01-31T12:00:00Z, 7",
        ) from None


def variables(order: Order) -> dict[str, str]:
    """Return pip's variables. URLs go this way, as everybody can read a command line, and credentials stand in URLs.

    Raises PolicyError for a setting of pip's that the policy forbids.
    """
    found = _said(order)
    order.policy.check(order.options, order.routes)
    order.policy.check_settings(found, pip_settings.origins(order.environ), order.options)
    if order.policy.indexes is not None:
        _name_indexes(found, [url for flat, url in _arranged(order) if not flat])
    if rules(order):
        found.pop("PIP_USE_DEPRECATED", None)  # the old resolver goes ways of its own, past the rules
    return found


def _said(order: Order) -> dict[str, str]:
    """Return pip's variables as settings and options say."""
    options = order.options
    found = pip_settings.environment(order.environ)
    urls = {
        "PIP_INDEX_URL": options.value("index-url"),
        "PIP_EXTRA_INDEX_URL": " ".join(options.many("extra-index-url")),
        "PIP_FIND_LINKS": " ".join(url for url in options.many("find-links") if "://" in url),
        "PIP_NO_INDEX": "1" if options.flag("no-index") else "",
    }
    found.update({name: value for name, value in urls.items() if value})
    return found


def _arranged(order: Order) -> list[tuple[bool, str]]:
    """Return all places that the policy lets pip ask, in the policy's order."""
    return order.policy.arranged(places(order), no_index=asks_no_index(order))


def places(order: Order) -> list[tuple[bool, str]]:
    """Return all places that settings and options name: whether each is one of links, and its URL or path."""
    said = _said(order)
    links = [*said.get("PIP_FIND_LINKS", "").split(), *order.options.many("find-links")]
    names = ("PIP_INDEX_URL", "PIP_PYPI_URL", "PIP_EXTRA_INDEX_URL")
    indexes = [url for name in names for url in said.get(name, "").split()]
    return [*((False, url) for url in indexes), *((True, url) for url in dict.fromkeys(links))]


def _name_indexes(variables: dict[str, str], indexes: list[str]) -> None:
    """Let pip's variables name these indexes, and no others."""
    for name in ("PIP_INDEX_URL", "PIP_PYPI_URL", "PIP_EXTRA_INDEX_URL"):
        variables.pop(name, None)
    if not indexes:
        variables["PIP_NO_INDEX"] = "1"
        return
    variables["PIP_INDEX_URL"] = indexes[0]
    if indexes[1:]:
        variables["PIP_EXTRA_INDEX_URL"] = " ".join(indexes[1:])
