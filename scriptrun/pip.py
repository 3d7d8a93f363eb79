"""Let pip install, resolve and lock: the only module that knows pip's command line.

What pip says when it fails, `pip_messages` explains.
"""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scriptrun import git_credentials, markers, moments, paths, pip_messages, pip_settings, process, spec
from scriptrun.arguments import Options
from scriptrun.errors import InstallError, without_credentials
from scriptrun.metadata import Asked
from scriptrun.spec import EnvironmentSpec

if TYPE_CHECKING:
    import importlib.metadata


@dataclass(frozen=True)
class Distribution:
    """An installed distribution: name, version, hash as `sha256=…` (`""`: unknown), and where it came from."""

    name: str
    version: str
    hash: str
    origin: str


@dataclass(frozen=True)
class Candidate:
    """A distribution that pip chose without installing it.

    `hash` is `sha256=…` (`""`: unknown), `origin` the URL of its archive or source; `direct` says that a requirement
    named that URL. `requires` are its own requirements (PEP 508), with their markers.
    """

    name: str
    version: str
    hash: str
    origin: str
    direct: bool
    requires: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """An environment that is wanted: its specification, the requirements with their places, options, surroundings.

    `constraints` are those that stand in the block, as requirements; files of them are among the options. Each step,
    and each line that pip writes, is given to `show`.
    """

    spec: EnvironmentSpec
    asked: tuple[Asked, ...]
    options: Options
    environ: Mapping[str, str]
    show: Callable[[str], None]
    constraints: tuple[Asked, ...] = ()

    @property
    def wanted(self) -> tuple[Asked, ...]:
        """What is asked for on this machine and Python: that without a marker, or with one that holds."""
        environment = markers.environment(self.spec.interpreter)
        return tuple(
            one for one in self.asked if one.requirement.marker is None or one.requirement.marker.evaluate(environment)
        )


def load() -> None:
    """Import what is needed after pip, while it runs."""
    import importlib.metadata  # noqa: F401 - for later


def install(order: Order, environment: str) -> tuple[Distribution, ...]:
    """Install what is ordered into `environment`, a virtual environment without pip; return what is there then.

    Raises InstallError, and OSError where pip cannot be started.
    """
    with _work(environment) as work:
        report = os.path.join(work, "report.json")
        _run(order, environment, ["install", *_reported(report)])
        return _installed(report, environment)


def resolve(order: Order, environment: str) -> tuple[Candidate, ...]:
    """Return what pip would install for the order into `environment`, which stays as it is, sorted by name.

    Raises InstallError, and OSError where pip cannot be started.
    """
    with _work(environment) as work:
        report = os.path.join(work, "report.json")
        _run(order, environment, ["install", "--dry-run", "--ignore-installed", *_reported(report)])
        return tuple(sorted((_candidate(entry) for entry in _entries(report)), key=lambda one: one.name))


@contextlib.contextmanager
def _work(environment: str) -> Iterator[str]:
    """Provide pip's directory of work in an environment; it is removed when pip has succeeded."""
    work = os.path.join(environment, "tmp")
    paths.make_directories(work)
    yield work
    shutil.rmtree(work)


def _reported(report: str) -> list[str]:
    """Return the options by which pip writes down what is installed, from where, with which hash."""
    return ["--report", report, "--no-warn-script-location"]  # PATH is scriptrun's to set


def _run(order: Order, environment: str, command: list[str]) -> None:
    """Let pip do `command` for what is ordered, in the directory of work. Raises InstallError and OSError."""
    work = os.path.join(environment, "tmp")
    variables = _variables(order.environ, order.options)
    asked = (one for one in order.asked if not one.editable)
    requirements, for_git = git_credentials.take(spec.requirements(asked))
    options = _options(order, work, hiding=_hold_credentials(variables))
    finished = process.run(
        [*_program(environment), _hidden([*command, *options, "--", *requirements], work)],
        environment={**variables, **for_git, "TMPDIR": work, "TEMP": work, "TMP": work},
        directory=work,
        show=lambda line: order.show(without_credentials(line)),
        meanwhile=load,
    )
    if finished.status != 0:
        raise pip_messages.explain(without_credentials(finished.output), order.asked, order.options)


def _program(environment: str) -> list[str]:
    """Return the command that runs scriptrun's pip under the environment's own Python.

    pip's `--python` option does the same with one more interpreter start.
    """
    found = importlib.util.find_spec("pip")
    if found is None or not found.submodule_search_locations:
        raise InstallError("pip is missing from scriptrun's own installation", hint="install scriptrun again")
    package = found.submodule_search_locations[0]
    child = os.path.join(os.path.dirname(__file__), "pip_child.py")
    return [
        paths.python(environment),
        "-I",  # neither PYTHON* variables nor the current directory
        "-X",
        "utf8",  # whatever the locale
        child,
        environment,
        os.path.join(package, "__pip-runner__.py"),
        _oldest_python(package),
    ]


def _oldest_python(package: str) -> str:
    """Return the oldest Python that the pip at `package` runs on, as `3.10`: what its metadata requires."""
    for path in glob.glob(f"{glob.escape(package)}-*.dist-info/METADATA"):
        with open(path, encoding="utf-8") as file:
            found = re.search(r"^Requires-Python: >=\s*(\d+\.\d+)", file.read(4096), re.MULTILINE)
        if found:
            return found.group(1)
    return "3.0"


def _hidden(arguments: list[str], work: str) -> str:
    """Return a file that holds `arguments`, which everybody could read on a command line."""
    path = os.path.join(work, "arguments.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump(arguments, file)
    return path


_FLAGS = {
    "pre": ["--pre"],
    "only-final": ["--only-final", ":all:"],
    "no-build": ["--only-binary", ":all:"],
}


def _options(order: Order, work: str, *, hiding: bool) -> list[str]:
    options = order.options
    arguments = ["--progress-bar", "off"]  # its lines are read, not shown
    if hiding:  # otherwise pip names the index on the command line of the pip that installs what a build needs
        arguments += ["--use-feature", "inprocess-build-deps"]
    for flag, meaning in _FLAGS.items():
        arguments += meaning if options.flag(flag) else []
    for name in options.many("no-binary"):
        arguments += ["--no-binary", name]
    if options.value("exclude-newer"):
        arguments += ["--uploaded-prior-to", _moment(options.value("exclude-newer"))]
    if order.constraints:
        arguments += ["--constraint", _written(spec.requirements(order.constraints), work)]
    for path in options.many("constraint"):
        arguments += ["--constraint", path]
    for path in options.many("find-links"):
        if "://" not in path:
            arguments += ["--find-links", path]
    for directory in sorted(_directory(one.requirement) for one in order.wanted if one.editable):
        arguments += ["--editable", directory]
    return arguments


def _directory(requirement: Requirement) -> str:
    """Return what is to be installed as a link to its source as every pip reads it: markers are unknown to old ones."""
    extras = ",".join(sorted(requirement.extras))
    return f"{requirement.url}[{extras}]" if extras else str(requirement.url)


def _written(constraints: list[str], work: str) -> str:
    """Return a file that holds `constraints`; each is a requirement that was parsed, so it is one line."""
    path = os.path.join(work, "constraints.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"{one}\n" for one in constraints))
    return path


def _hold_credentials(variables: Mapping[str, str]) -> bool:
    return any(value != without_credentials(value) for name, value in variables.items() if name.startswith("PIP_"))


def _moment(text: str) -> str:
    """Return what `exclude-newer` says as pip reads it."""
    try:
        return moments.as_pip_reads_it(text)
    except ValueError as error:
        raise InstallError(f"`exclude-newer`: {error}", hint="examples: 2026-01-31, 2026-01-31T12:00:00Z, 7") from None


def _variables(environ: Mapping[str, str], options: Options) -> dict[str, str]:
    """Return pip's variables. URLs go this way, as everybody can read a command line, and credentials stand in URLs."""
    variables = pip_settings.environment(environ)
    urls = {
        "PIP_INDEX_URL": options.value("index-url"),
        "PIP_EXTRA_INDEX_URL": " ".join(options.many("extra-index-url")),
        "PIP_FIND_LINKS": " ".join(url for url in options.many("find-links") if "://" in url),
        "PIP_NO_INDEX": "1" if options.flag("no-index") else "",
    }
    variables.update({name: value for name, value in urls.items() if value})
    return variables


def _installed(report: str, environment: str) -> tuple[Distribution, ...]:
    entries = _entries(report)
    origins = {canonicalize_name(entry["metadata"]["name"]): entry.get("download_info", {}) for entry in entries}
    found = []
    for distribution in distributions(environment):
        name = canonicalize_name(distribution.name)
        origin = origins.get(name, {})
        found.append(
            Distribution(name, distribution.version, _hash(origin), without_credentials(origin.get("url", "")))
        )
    return tuple(sorted(found, key=lambda one: one.name))


def _entries(report: str) -> list[dict[str, Any]]:
    try:
        with open(report, "rb") as file:
            entries: list[dict[str, Any]] = json.load(file)["install"]
    except FileNotFoundError:  # an old pip
        return []
    return entries


def _candidate(entry: Mapping[str, Any]) -> Candidate:
    described, origin = entry["metadata"], entry.get("download_info", {})
    return Candidate(
        canonicalize_name(described["name"]),
        described["version"],
        _hash(origin),
        without_credentials(origin.get("url", "")),
        bool(entry.get("is_direct", False)),
        tuple(described.get("requires_dist", ())),
    )


def _hash(origin: Mapping[str, Any]) -> str:
    archive = origin.get("archive_info", {})
    hashes = archive.get("hashes") or {}
    return f"sha256={hashes['sha256']}" if "sha256" in hashes else str(archive.get("hash", ""))


def distributions(environment: str) -> Iterator[importlib.metadata.Distribution]:
    """Yield the distributions in an environment."""
    import importlib.metadata

    return iter(importlib.metadata.distributions(path=site_packages(environment)))


def site_packages(environment: str) -> list[str]:
    """Return the directories of an environment that are on its `sys.path`."""
    if os.name == "nt":
        return [os.path.join(environment, "Lib", "site-packages")]
    library = os.path.join(environment, "lib")
    return [os.path.join(library, name, "site-packages") for name in sorted(os.listdir(library))]
