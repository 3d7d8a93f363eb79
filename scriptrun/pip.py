"""Let pip install, resolve and lock: the only module that starts it.

Its options come from `pip_options`; what it says when it fails, `pip_messages` explains.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import importlib.util
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scriptrun import extent, git_credentials, paths, patience, pip_options, process, spec
from scriptrun.errors import InstallError, without_credentials
from scriptrun.metadata import Asked
from scriptrun.order import Candidate, Described, Distribution, Installed, Offer, Order

if TYPE_CHECKING:
    import importlib.metadata


_LISTINGS = "listings.json"


def load() -> None:
    """Import what is needed after pip, while it runs."""
    import ctypes  # noqa: F401 - to settle what was installed
    import importlib.metadata  # noqa: F401 - to see what there is
    import shutil  # noqa: F401 - to remove its directory of work

    from scriptrun import pip_messages  # noqa: F401 - to explain a failure
    from scriptrun.store import gathering  # noqa: F401 - to check and to keep what was installed


def install(order: Order, environment: str) -> Installed:
    """Install what is ordered into `environment`, a virtual environment without pip; return what is there then.

    What the order says to be kept may be left out: it is returned with its name in the store, for others to put in.
    Raises InstallError, and OSError where pip cannot be started.
    """
    asked = time.time()
    with _work(environment) as work:
        reports = [os.path.join(work, f"report-{number}.json") for number in range(len(_PASSES))]
        for report, step in zip(reports, _PASSES, strict=True):
            step(order, environment, ["install", *_reported(report)])
        offers = _offers(work, asked) if order.pins is None else ()
        return _installed(reports, environment, _left_out(work))._replace(asked=asked, offers=offers)


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
        requirements, editable = _arguments(order, order.asked)
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
        requirements, editable = _arguments(order, asked)
        _run(order, environment, [*command, *editable, *_holding(order, environment)], requirements)


def _holding(order: Order, environment: str) -> list[str]:
    """Return the options that keep what is locked as it is."""
    if order.pins is None:
        return []
    versions = {one.name: one.version for one in order.pins if one.version}
    versions.update({canonicalize_name(one.name): one.version for one in distributions(environment)})
    return ["--constraint", _written([f"{name}=={versions[name]}" for name in sorted(versions)], environment, "pins")]


_PASSES = (_install_hashed, _install_unhashed, _install_unpinned)


def _arguments(order: Order, asked: Iterable[Asked]) -> tuple[list[str], list[str]]:
    """Return the requirements, and the options for those that are editable, of what is `asked`."""
    asked, wanted = tuple(asked), order.wanted
    directories = sorted(_directory(one.requirement) for one in asked if one.editable and one in wanted)
    editable = [word for directory in directories for word in ("--editable", directory)]
    return spec.requirements(one for one in asked if not one.editable), editable


@contextlib.contextmanager
def _work(environment: str) -> Iterator[str]:
    """Provide pip's directory of work in an environment; it is removed when pip has succeeded."""
    work = os.path.join(environment, "tmp")
    paths.make_directories(work)
    yield work
    import shutil  # loaded while pip ran

    shutil.rmtree(work)


def _reported(report: str) -> list[str]:
    """Return the options by which pip writes down what is installed, from where, with which hash, and does no more.

    What is imported is compiled then. PATH is scriptrun's to set, and a warning of conflicts would be read by nobody.
    """
    return ["--report", report, "--no-compile", "--no-warn-script-location", "--no-warn-conflicts"]


def _run(
    order: Order, environment: str, command: list[str], requirements: Sequence[str] = (), directory: str = ""
) -> str:
    """Let pip do `command` for `requirements`, in the directory of work or another one; return what it says.

    Raises InstallError and OSError.
    """
    work = os.path.join(environment, "tmp")
    variables, rules = pip_options.variables(order), pip_options.rules(order)
    requirements, for_git = git_credentials.take(requirements)
    # Otherwise another pip installs what a build needs: it has the index on its command line, and knows no rules.
    alone = ["--use-feature", "inprocess-build-deps"] if rules or pip_options.hold_credentials(variables) else []
    options = [*alone, *pip_options.arguments(order)]
    if order.constraints:
        options += ["--constraint", _written(spec.requirements(order.constraints), environment, "block")]
    told = {
        "arguments": [*command, *options, "--", *requirements],
        "rules": rules,
        "kept": order.store,
        "wheels": order.wheels,
        "target": None if order.target is None else order.target.told,
        "listings": os.path.join(work, _LISTINGS),
    }
    finished = _converse(
        order,
        [*_program(order, environment), _hidden(told, work)],
        {**variables, **for_git, "TMPDIR": work, "TEMP": work, "TMP": work},
        directory or work,
        functools.partial(_size, environment),
    )
    if finished.status != 0:
        from scriptrun import pip_messages

        output = without_credentials(finished.output)
        raise pip_messages.explain(output, order.asked, order.options, order.policy, order.origin)
    return finished.output


def _converse(
    order: Order, command: list[str], variables: Mapping[str, str], directory: str, size: Callable[[], int]
) -> process.Finished:
    """Run pip, listening to what it says, until it has ended or stands still. Raises InstallError and OSError."""
    lines: list[str] = []
    watchdog = patience.Watchdog(patience.limit(order.options), size, order.moved)

    def show(line: str) -> None:
        from scriptrun import pip_messages  # pip is about to be started, or runs

        lines.append(without_credentials(line))
        if not pip_messages.is_idle(line):
            watchdog.mark()
        order.show(lines[-1])

    try:
        return process.run(
            command,
            environment=variables,
            directory=directory,
            show=show,
            meanwhile=load,
            watchdog=watchdog,
            ends_its_own=True,
        )
    except patience.Stalled as why:
        from scriptrun import pip_messages

        raise pip_messages.stalled("\n".join(lines), order.asked, why) from None


def _size(environment: str) -> int:
    """Return how many bytes there are in an environment: pip downloads and unpacks into it too."""
    return extent.measure(environment).size


def _program(order: Order, environment: str) -> list[str]:
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
        *_byte_code(order, environment, package),
        child,
        environment,
        os.path.join(package, "__pip-runner__.py"),
        _oldest_python(package),
    ]


def _byte_code(order: Order, environment: str, package: str) -> list[str]:
    """Return the option that has byte code in the cache, where that of the pip at `package` is missing for a Python.

    So it is where others have installed scriptrun, for another Python: to compile pip at each start takes longer than
    all that it does.
    """
    tag = order.builder.abi.partition(" ")[0]
    ready = os.path.join(package, "_internal", "__pycache__", f"__init__.{tag}.pyc")
    if os.access(ready, os.R_OK) or os.access(package, os.W_OK):
        return []
    return ["-X", f"pycache_prefix={paths.byte_code(environment)}"]


def _oldest_python(package: str) -> str:
    """Return the oldest Python that the pip at `package` runs on, as `3.10`: what its metadata requires."""
    for path in glob.glob(f"{glob.escape(package)}-*.dist-info/METADATA"):
        with open(path, encoding="utf-8") as file:
            found = re.search(r"^Requires-Python: >=\s*(\d+\.\d+)", file.read(4096), re.MULTILINE)
        if found:
            return found.group(1)
    return "3.0"


def _hidden(told: dict[str, Any], work: str) -> str:
    """Return a file that holds what is `told`, which everybody could read on a command line."""
    path = os.path.join(work, "arguments.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump(told, file)
    return path


def _directory(requirement: Requirement) -> str:
    """Return what is to be installed as a link to its source as every pip reads it: markers are unknown to old ones."""
    extras = ",".join(sorted(requirement.extras))
    return f"{requirement.url}[{extras}]" if extras else str(requirement.url)


def _written(lines: Iterable[str], environment: str, name: str) -> str:
    """Return a file for pip that holds `lines`; each was read and checked before, so it is one line."""
    path = os.path.join(environment, "tmp", f"{name}.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def _left_out(work: str) -> dict[str, str]:
    """Return the names, in the store, of the distributions that pip left out, by their own."""
    try:
        with open(os.path.join(work, "kept.txt"), encoding="utf-8") as file:
            return {canonicalize_name(name): kept for name, kept in (line.split() for line in file)}
    except FileNotFoundError:
        return {}


def _offers(work: str, asked: float) -> tuple[Offer, ...]:
    """Return what pip found of the projects that it looked at; an old one tells nothing."""
    try:
        with open(os.path.join(work, _LISTINGS), "rb") as file:
            found = json.load(file)
    except FileNotFoundError:
        return ()
    return tuple(
        Offer(name, asked, {version: tuple(files) for version, files in versions})
        for name, versions in sorted(found.items())
    )


def _installed(reports: Iterable[str], environment: str, left_out: Mapping[str, str]) -> Installed:
    entries = {str(canonicalize_name(one["metadata"]["name"])): one for report in reports for one in _entries(report)}
    found = [_distribution(one, entries.get(canonicalize_name(one.name), {})) for one in distributions(environment)]
    found += [_kept(entries[name], kept) for name, kept in left_out.items()]
    described = {name: _described(entry["metadata"]) for name, entry in entries.items()}
    return Installed(tuple(sorted(found, key=lambda one: one.name)), described)


def _distribution(one: importlib.metadata.Distribution, entry: Mapping[str, Any]) -> Distribution:
    """Return what is installed, of which pip's report has this entry."""
    origin = entry.get("download_info", {})
    return Distribution(
        canonicalize_name(one.name),
        one.version,
        _hash(origin),
        without_credentials(origin.get("url", "")),
        bool(entry.get("requested", False)),
        one.read_text("direct_url.json") or "",
    )


def _kept(entry: Mapping[str, Any], name: str) -> Distribution:
    """Return what pip would have installed, and is in the store by this name."""
    one = _candidate(entry)
    return Distribution(one.name, one.version, one.hash, one.origin, bool(entry.get("requested", False)), kept=name)


def _described(metadata: Mapping[str, Any]) -> Described:
    return Described(
        tuple(metadata.get("requires_dist", ())),
        metadata.get("requires_python", ""),
        tuple(metadata.get("provides_extra", ())),
    )


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

    return iter(importlib.metadata.distributions(path=[paths.site_packages(environment)]))
