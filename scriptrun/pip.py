"""Let pip install, resolve and lock: the only module that knows pip's command line.

What pip says when it fails, `pip_messages` explains.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import glob
import importlib.util
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from scriptrun import git_credentials, paths, pip_messages, pip_settings, process, spec
from scriptrun.arguments import Options
from scriptrun.errors import InstallError, without_credentials
from scriptrun.metadata import Asked
from scriptrun.pinning.pins import Pin
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

    `constraints` are those that stand in the block, as requirements; files of them are among the options. With `pins`,
    from a lock, these are installed and nothing that they need beside them, and then, without changing them, what is
    `unpinned`. Each step, and each line that pip writes, is given to `show`.
    """

    spec: EnvironmentSpec
    asked: tuple[Asked, ...]
    options: Options
    environ: Mapping[str, str]
    show: Callable[[str], None]
    constraints: tuple[Asked, ...] = ()
    pins: tuple[Pin, ...] | None = None
    unpinned: tuple[Asked, ...] = ()


def load() -> None:
    """Import what is needed after pip, while it runs."""
    import importlib.metadata  # noqa: F401 - for later


def install(order: Order, environment: str) -> tuple[Distribution, ...]:
    """Install what is ordered into `environment`, a virtual environment without pip; return what is there then.

    Raises InstallError, and OSError where pip cannot be started.
    """
    with _work(environment) as work:
        reports = [os.path.join(work, f"report-{number}.json") for number in range(len(_PASSES))]
        for report, step in zip(reports, _PASSES, strict=True):
            step(order, environment, ["install", *_reported(report)])
        return _installed(reports, environment)


def resolve(order: Order, environment: str) -> tuple[Candidate, ...]:
    """Return what pip would install for the order into `environment`, which stays as it is, sorted by name.

    Raises InstallError, and OSError where pip cannot be started.
    """
    with _work(environment) as work:
        reports = [os.path.join(work, f"report-{number}.json") for number in range(len(_PASSES))]
        for report, step in zip(reports, _PASSES, strict=True):
            step(order, environment, ["install", "--dry-run", "--ignore-installed", *_reported(report)])
        found = {one.name: one for report in reversed(reports) for one in map(_candidate, _entries(report))}
        return tuple(sorted(found.values(), key=lambda one: one.name))


def lock(order: Order, environment: str) -> str:
    """Return pip's lock for the order, as PEP 751 has it, with paths that start at the root.

    pip wants local directories below the one that the lock is for, so that is the root. Raises InstallError, and
    OSError where pip cannot be started.
    """
    with _work(environment):
        requirements, editable = _arguments(order.asked)
        command = ["lock", "--output", "-", *editable]
        output = _run(order, environment, command, requirements, directory=os.sep)
    found = re.search(r"^lock-version = .*", output, re.MULTILINE | re.DOTALL)
    return found.group() if found else ""


def _install_hashed(order: Order, environment: str, command: list[str]) -> None:
    """Install what is locked with hashes, which pip verifies before it looks into a file."""
    lines = [one.line for one in order.pins or () if one.hashes]
    if lines:
        path = _written(lines, environment, "locked")
        _run(order, environment, [*command, "--no-deps", "--require-hashes", "--requirement", path])


def _install_unhashed(order: Order, environment: str, command: list[str]) -> None:
    """Install what is locked as a commit or a directory: of these pip knows no hash."""
    pins = [one for one in order.pins or () if not one.hashes]
    if pins:
        editable = [word for one in pins if one.editable for word in one.line.split(" ", 1)]
        _run(order, environment, [*command, "--no-deps", *editable], [one.line for one in pins if not one.editable])


def _install_unpinned(order: Order, environment: str, command: list[str]) -> None:
    """Install what is in no lock: all that is asked for where there is none, else what was added to what is locked."""
    asked = order.asked if order.pins is None else order.unpinned
    if asked:
        requirements, editable = _arguments(asked)
        _run(order, environment, [*command, *editable, *_holding(order, environment)], requirements)


def _holding(order: Order, environment: str) -> list[str]:
    """Return the options that keep what is locked as it is."""
    if order.pins is None:
        return []
    versions = {one.name: one.version for one in order.pins if one.version}
    versions.update({canonicalize_name(one.name): one.version for one in distributions(environment)})
    return ["--constraint", _written([f"{name}=={versions[name]}" for name in sorted(versions)], environment, "pins")]


_PASSES = (_install_hashed, _install_unhashed, _install_unpinned)


def _arguments(asked: Iterable[Asked]) -> tuple[list[str], list[str]]:
    """Return the requirements, and the options for those that are editable."""
    editable = [word for one in asked if one.editable for word in ("--editable", one.requirement.url or "")]
    return spec.requirements(one for one in asked if not one.editable), editable


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


def _run(
    order: Order, environment: str, command: list[str], requirements: Sequence[str] = (), directory: str = ""
) -> str:
    """Let pip do `command` for `requirements`, in the directory of work or another one; return what it says.

    Raises InstallError and OSError.
    """
    work = os.path.join(environment, "tmp")
    variables = _variables(order.environ, order.options)
    requirements, for_git = git_credentials.take(requirements)
    options = _options(order, work, hiding=_hold_credentials(variables))
    finished = process.run(
        [*_program(environment), _hidden([*command, *options, "--", *requirements], work)],
        environment={**variables, **for_git, "TMPDIR": work, "TEMP": work, "TMP": work},
        directory=directory or work,
        show=lambda line: order.show(without_credentials(line)),
        meanwhile=load,
    )
    if finished.status != 0:
        raise pip_messages.explain(without_credentials(finished.output), order.asked, order.options)
    return finished.output


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


def _options(order: Order, work: str, *, hiding: bool) -> list[str]:
    options = order.options
    arguments = ["--progress-bar", "off"]  # its lines are read, not shown
    if hiding:  # otherwise pip names the index on the command line of the pip that installs what a build needs
        arguments += ["--use-feature", "inprocess-build-deps"]
    if options.flag("pre"):
        arguments.append("--pre")
    if options.flag("no-build"):
        arguments += ["--only-binary", ":all:"]
    for name in options.many("no-binary"):
        arguments += ["--no-binary", name]
    if options.value("exclude-newer"):
        arguments += ["--uploaded-prior-to", _moment(options.value("exclude-newer"))]
    if order.constraints:
        arguments += ["--constraint", _written(spec.requirements(order.constraints), os.path.dirname(work), "block")]
    for path in options.many("constraint"):
        arguments += ["--constraint", path]
    for path in options.many("find-links"):
        if "://" not in path:
            arguments += ["--find-links", path]
    return arguments


def _written(lines: Iterable[str], environment: str, name: str) -> str:
    """Return a file for pip that holds `lines`; each was read and checked before, so it is one line."""
    path = os.path.join(environment, "tmp", f"{name}.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def _hold_credentials(variables: Mapping[str, str]) -> bool:
    return any(value != without_credentials(value) for name, value in variables.items() if name.startswith("PIP_"))


def _moment(text: str) -> str:
    """Return a date as it is, and a number of days as the ISO 8601 duration that pip reads."""
    days = re.fullmatch(r"P?(\d+)\s*(d|days?)?", text.strip(), re.IGNORECASE)
    if days:
        return f"P{days.group(1)}D"
    try:
        dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise InstallError(
            f"`exclude-newer` is `{text}`, which is neither a date nor a number of days",
            hint="examples: 2026-01-31, 2026-01-31T12:00:00Z, 7",
        ) from None
    return text


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


def _installed(reports: Iterable[str], environment: str) -> tuple[Distribution, ...]:
    entries = [entry for report in reports for entry in _entries(report)]
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
