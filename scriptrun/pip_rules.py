"""Keep pip to the indexes that it may ask: a program for `pip_child`, and the comparison of URLs for all others.

It runs in pip's own process, under any Python that a script may ask for, and wraps two small places of pip: where it
collects the pages of a name (`LinkCollector`), and where it meets a requirement that names a URL (`Factory`). A pip
in which these are not found is not used.
"""

import importlib
import os
import posixpath
import re
import sys
from copy import copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, NoReturn

_PORTS = {"http": 80, "https": 443}


def plain(url: str) -> str:
    """Return `url`, or a path, in one spelling: no credentials, no escapes in the path, no slash at its end.

    Raises ValueError for what is no URL, and for one that programs read in different ways.
    """
    if "://" not in url and not url.startswith("file:"):
        return "file://" + os.path.realpath(url)
    if re.search(r"[\s\\]", url):  # programs differ about where the host ends
        raise ValueError("white space, or a backslash")
    from urllib.parse import urlsplit  # with all of IP addresses, for those who have rules

    parts = urlsplit(re.sub(r"^[a-z]+\+", "", url))
    path = posixpath.normpath("/" + _unescaped(parts.path)).rstrip("/").replace("//", "/")
    scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    if scheme == "file":
        return "file://" + os.path.realpath(path or "/")
    return scheme + "://" + host + ("" if port in (None, _PORTS.get(scheme)) else ":%d" % port) + path


def _unescaped(path: str) -> str:
    """Return the path of a URL without escapes, also twofold ones: some server on the way may take them out twice."""
    from urllib.parse import unquote

    while True:
        if re.search(r"%2f|%5c|[;\\]|(^|/)\.\.?(/|$)", path, re.IGNORECASE):
            raise ValueError("an escaped slash, dots for a directory, or a semicolon")
        unescaped = unquote(path)
        if unescaped == path:
            return path
        path = unescaped


def lies_below(url: str, places: "Iterable[str]") -> bool:
    """Tell whether `url` is one of `places`, or below one; one that programs read in different ways never is."""
    try:
        own = plain(url).rstrip("/") + "/"
    except ValueError:
        return False
    return any(own.startswith(plain(place).rstrip("/") + "/") for place in places)


_FLAT = "flat+"
"""Before the URL of an index that is a page of links: what pip calls find-links."""


def keep(rules: "Mapping[str, Any]") -> None:
    """Let pip ask only where `rules` say.

    `routes` has the URL of the index for each name that must come from one, `first_index` says that every other name
    comes from the first index that has it, the extra ones before the one that is no extra one. With `order`, pairs of
    whether it is a page of links and a URL, each name comes from the first of these that has it, and from its route
    only if none has it of the first places in `order` whose number is the name's in `before`. `below` holds URLs below
    which a requirement's own URL must lie (None: anywhere), `wheels` says that it must be a wheel, `local` that it must
    be one of a file on this machine; `places` tells where these demands stand.
    """
    try:
        collector = importlib.import_module("pip._internal.index.collector")
        factory = importlib.import_module("pip._internal.resolution.resolvelib.factory").Factory
        if rules["routes"] or rules["first_index"] or rules["order"] is not None:
            _Indexes(collector, rules).install()
        _check_links(factory, rules)
    except (ImportError, AttributeError) as error:
        stop("", "this pip cannot be kept to the indexes that are allowed: %s" % error, "choose a newer Python")


def stop(name: str, text: str, hint: str) -> "NoReturn":
    """End pip with an error about the distribution `name`; pip itself would catch an exception, and go on."""
    print("ERROR: scriptrun: %s%s\nHINT: %s" % ("[%s] " % name if name else "", text, hint))
    sys.stdout.flush()
    os._exit(1)


def refuse_builds() -> None:
    """End pip when a build needs other distributions: an old pip fetches them with another pip, which knows no rules."""
    environment = importlib.import_module("pip._internal.build_env").BuildEnvironment
    install = environment.install_requirements

    def refuse(self: "Any", finder: "Any", requirements: "Iterable[str]", *args: "Any", **kwargs: "Any") -> "Any":
        requirements = list(requirements)
        if requirements:
            text = "a build needs `%s`, which this old pip would take from any index" % ", ".join(requirements)
            stop("", text, "choose a newer Python, or a version that has a wheel")
        return install(self, finder, requirements, *args, **kwargs)

    environment.install_requirements = refuse


def _check_links(factory: "Any", rules: "Mapping[str, Any]") -> None:
    """Check each URL that a requirement or a constraint names, also of a dependency, before pip fetches it."""
    check = factory._fail_if_link_is_unsupported_wheel

    def checked(self: "Any", link: "Any") -> "Any":
        url, name = link.url_without_fragment, link.egg_fragment or _distribution(link.filename)
        if rules["below"] is not None and not lies_below(url, rules["below"]):
            forbid(name, link, "lies below none of the indexes that %s allows" % rules["places"]["indexes"])
        if rules["local"] and link.scheme != "file":
            forbid(name, link, "has no time of upload, which %s must know" % rules["places"]["cooldown"])
        if rules["wheels"] and not link.is_wheel:
            forbid(
                name, link, "is no wheel, and code of it would run, which %s forbids" % rules["places"]["only-binary"]
            )
        return check(self, link)

    def forbid(name: str, link: "Any", why: str) -> None:
        stop(name, "`%s` %s" % (link, why), "ask for it from an index, or ask who keeps that file to change the policy")

    factory._fail_if_link_is_unsupported_wheel = checked


def _distribution(filename: str) -> str:
    """Return the name of the distribution whose file this is, or what comes closest."""
    name = filename.partition("-")[0] if filename.endswith(".whl") else re.sub(r"-[^-]*$|\.git(@.*)?$", "", filename)
    return _canonical(name)


class _Indexes:
    """Wraps the collection of links: pages are fetched once, one that is missing is told from one that fails."""

    def __init__(self, collector: "Any", rules: "Mapping[str, Any]") -> None:
        self.collector = collector
        self.rules = rules
        self.pages: "dict[str, Any]" = {}
        self.missing: "set[str]" = set()
        self.reason: "Any" = ""

    def install(self) -> None:
        kind, module = self.collector.LinkCollector, self.collector
        self.collect = kind.collect_sources
        fetch = "fetch_response" if hasattr(kind, "fetch_response") else "fetch_page"
        complain = "_handle_get_simple_fail" if hasattr(module, "_handle_get_simple_fail") else "_handle_get_page_fail"
        self.fetched, self.complained = getattr(kind, fetch), getattr(module, complain)
        own = self

        def fetch_page(collector: "Any", location: "Any", *args: "Any", **kwargs: "Any") -> "Any":
            return own.fetch(collector, location, *args, **kwargs)

        def collect_sources(collector: "Any", project_name: str, candidates_from_page: "Any") -> "Any":
            return own.choose(collector, project_name, candidates_from_page)

        setattr(kind, fetch, fetch_page)
        setattr(module, complain, self.note)
        kind.collect_sources = collect_sources

    def note(self, link: "Any", reason: "Any", *args: "Any", **kwargs: "Any") -> "Any":
        """Note which page the index does not have; all other reasons are failures."""
        if getattr(getattr(reason, "response", None), "status_code", None) == 404:
            self.missing.add(link.url)
        else:
            self.reason = reason
        return self.complained(link, reason, *args, **kwargs)

    def fetch(self, collector: "Any", location: "Any", *args: "Any", **kwargs: "Any") -> "Any":
        """Return a page, None where the index has none. An index that fails ends the run: no other takes its place."""
        if location.url not in self.pages:
            self.reason = "it is no page of an index"
            page = self.fetched(collector, location, *args, **kwargs)
            if page is None and location.url not in self.missing:
                self.fail(location, self.reason)
            self.pages[location.url] = page
        return self.pages[location.url]

    def fail(self, location: "Any", reason: "Any") -> "NoReturn":
        name = location.url.split("#")[0].rstrip("/").rpartition("/")[2]
        text = "the index at `%s` failed, and no other is asked in its place: %s" % (location, reason)
        stop(name, text, "check the network, and the index; user and password for it, if it needs them")

    def choose(self, collector: "Any", project_name: str, candidates_from_page: "Any") -> "Any":
        """Return the sources of a name: those of its own index, or of the first that has it."""
        indexes = collector.search_scope.index_urls
        name = _canonical(project_name)
        route = self.rules["routes"].get(name) if indexes else None
        if route is not None:
            self.respect_order(collector, project_name, candidates_from_page)
            places = ([route[len(_FLAT) :]], []) if route.startswith(_FLAT) else ([], [route])
            return self.sources(collector, project_name, candidates_from_page, *places)
        if self.rules["order"] is not None:
            found = self.first(collector, project_name, candidates_from_page, self.rules["order"])
            return found[0] if found else self.sources(collector, project_name, candidates_from_page, [], [])
        if not self.rules["first_index"]:
            return self.sources(collector, project_name, candidates_from_page, collector.find_links, indexes)
        for index in indexes[1:] + indexes[:1]:
            found = self.sources(collector, project_name, candidates_from_page, collector.find_links, [index])
            if any(self.answers(collector, index, source) for source in found.index_urls):
                return found
        return self.sources(collector, project_name, candidates_from_page, collector.find_links, [])

    def first(
        self, collector: "Any", project_name: str, candidates_from_page: "Any", order: "Sequence[Any]"
    ) -> "tuple[Any, str] | None":
        """Return the sources of a name in the first place that has it, and that place; None where none does."""
        for flat, url in order:
            places: "tuple[list[str], list[str]]" = ([url], []) if flat else ([], [url])
            found = self.sources(collector, project_name, candidates_from_page, *places)
            if any(_has(source, _canonical(project_name)) for source in found.find_links) or any(
                self.answers(collector, url, source) for source in found.index_urls
            ):
                return found, url
        return None

    def respect_order(self, collector: "Any", project_name: str, candidates_from_page: "Any") -> None:
        """End the run where a name is to come from one index, and one that is to be asked earlier has it."""
        name = _canonical(project_name)
        order = (self.rules["order"] or [])[: self.rules["before"].get(name, 0)]
        found = self.first(collector, project_name, candidates_from_page, order)
        if found:
            text = "`%s` is to come from `%s`, but `%s` has it, which %s puts first" % (
                name,
                _shown(self.rules["routes"][name]),
                _shown(found[1]),
                self.rules["places"]["indexes"],
            )
            stop(name, text, "take its source out, or ask who keeps that file to change the policy")

    def sources(
        self,
        collector: "Any",
        project_name: str,
        candidates_from_page: "Any",
        links: "Sequence[str]",
        indexes: "Sequence[str]",
    ) -> "Any":
        """Return the sources of a name, as pip makes them for these places of links and these indexes."""
        scope = copy(collector.search_scope)
        object.__setattr__(scope, "find_links", list(links))
        object.__setattr__(scope, "index_urls", list(indexes))
        other = type(collector)(session=collector.session, search_scope=scope)
        return self.collect(other, project_name=project_name, candidates_from_page=candidates_from_page)

    def answers(self, collector: "Any", index: str, source: "Any") -> bool:
        """Tell whether an index has the name, whatever files of it."""
        if source is None and index.startswith("file:"):  # there is no such directory
            return False
        if source is None or not collector.session.is_secure_origin(source.link):
            stop(
                "", "the index at `%s` cannot be asked: see pip's lines" % _shown(index), "correct it, or leave it out"
            )
        fetch = getattr(collector, "fetch_response", None) or collector.fetch_page
        return fetch(source.link) is not None


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _shown(url: str) -> str:
    """Return a URL without credentials."""
    return re.sub(r"://[^/]*@", "://", url[len(_FLAT) :] if url.startswith(_FLAT) else url)


def _has(source: "Any", name: str) -> bool:
    """Tell whether a place of links has files of this name that pip would take."""
    if source is None:
        return False
    return bool(list(source.page_candidates())) or any(
        _distribution(link.filename) == name for link in source.file_links()
    )
