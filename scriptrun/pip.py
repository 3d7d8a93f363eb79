"""Let pip install: the only module that knows pip's command line and what pip says when it fails."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from scriptrun import paths, pip_settings, process, spec
from scriptrun.arguments import Options
from scriptrun.errors import InstallError
from scriptrun.metadata import Asked
from scriptrun.spec import EnvironmentSpec, without_credentials

if TYPE_CHECKING:
    import importlib.metadata

SHOWN_LINES = 15
"""How many of pip's last lines are shown when it fails."""


@dataclass(frozen=True)
class Distribution:
    """An installed distribution: name, version, hash as `sha256=…` (`""`: unknown), and where it came from."""

    name: str
    version: str
    hash: str
    origin: str


@dataclass(frozen=True)
class Order:
    """An environment that is wanted: its specification, the requirements with their places, options, surroundings.

    Each step, and each line that pip writes, is given to `show`.
    """

    spec: EnvironmentSpec
    asked: tuple[Asked, ...]
    options: Options
    environ: Mapping[str, str]
    show: Callable[[str], None]


def load() -> None:
    """Import what `install` needs and what takes long to import, while there is nothing else to do."""
    import importlib.metadata  # noqa: F401 - for later


def install(order: Order, environment: str) -> tuple[Distribution, ...]:
    """Install what is ordered into `environment`, a virtual environment without pip; return what is there then.

    Raises InstallError, and OSError where pip cannot be started.
    """
    work = os.path.join(environment, "tmp")
    os.mkdir(work, 0o700)
    report = os.path.join(work, "report.json")
    variables = _variables(order.environ, order.options)
    finished = process.run(
        [*_program(environment), *_arguments(report, order.options), "--", *spec.requirements(order.asked)],
        environment={**variables, "TMPDIR": work, "TEMP": work, "TMP": work},
        directory=work,
        show=lambda line: order.show(redacted(line)),
    )
    if finished.status != 0:
        raise explain(redacted(finished.output), order.asked)
    distributions = _installed(report, environment)
    shutil.rmtree(work)
    return distributions


def _program(environment: str) -> list[str]:
    """Return the command that runs scriptrun's pip under the environment's own Python.

    pip's `--python` option does the same with one more interpreter start.
    """
    import importlib.metadata

    found = importlib.util.find_spec("pip")
    if found is None or not found.submodule_search_locations:
        raise InstallError("pip is missing from scriptrun's own installation", hint="install scriptrun again")
    runner = os.path.join(found.submodule_search_locations[0], "__pip-runner__.py")
    requires = importlib.metadata.metadata("pip")["Requires-Python"] or ""
    oldest = re.search(r">=\s*(\d+\.\d+)", requires)
    child = os.path.join(os.path.dirname(__file__), "pip_child.py")
    return [
        paths.python(environment),
        "-I",  # neither PYTHON* variables nor the current directory
        "-X",
        "utf8",  # whatever the locale
        child,
        environment,
        runner,
        oldest.group(1) if oldest else "3.0",
    ]


def _arguments(report: str, options: Options) -> list[str]:
    arguments = [
        "install",
        "--report",  # what was installed, from where, with which hash
        report,
        "--progress-bar",  # its lines are read, not shown
        "off",
        "--no-warn-script-location",  # PATH is scriptrun's to set
    ]
    if options.flag("pre"):
        arguments.append("--pre")
    if options.flag("no-build"):
        arguments += ["--only-binary", ":all:"]
    if options.value("exclude-newer"):
        arguments += ["--uploaded-prior-to", _moment(options.value("exclude-newer"))]
    for path in options.many("constraint"):
        arguments += ["--constraint", path]
    for path in options.many("find-links"):
        if "://" not in path:
            arguments += ["--find-links", path]
    return arguments


def _moment(text: str) -> str:
    """Return a date as it is, and a number of days as the ISO 8601 duration that pip reads."""
    days = re.fullmatch(r"(\d+)\s*(d|days?)?", text.strip())
    return f"P{days.group(1)}D" if days else text


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


def redacted(text: str) -> str:
    """Return what pip wrote without credentials."""
    return without_credentials(text)


def _installed(report: str, environment: str) -> tuple[Distribution, ...]:
    try:
        with open(report, "rb") as file:
            entries = json.load(file)["install"]
    except FileNotFoundError:  # an old pip
        entries = []
    origins = {canonicalize_name(entry["metadata"]["name"]): entry.get("download_info", {}) for entry in entries}
    found = []
    for distribution in distributions(environment):
        name = canonicalize_name(distribution.name)
        origin = origins.get(name, {})
        found.append(
            Distribution(name, distribution.version, _hash(origin), without_credentials(origin.get("url", "")))
        )
    return tuple(sorted(found, key=lambda one: one.name))


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


def explain(output: str, asked: Sequence[Asked]) -> InstallError:
    """Return what pip's output means, in one line, with the place that asked for it and pip's own last lines."""
    message, culprits, hint = _meaning(output)
    place = next(
        (one.place for name in culprits for one in asked if canonicalize_name(one.requirement.name) == name), ""
    )
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("[notice]")]
    return InstallError(message, place=place, details="\n".join(lines[-SHOWN_LINES:]), hint=hint)


def _meaning(output: str) -> tuple[str, list[str], str]:
    """Return message, names of the distributions it is about, and hint."""
    for pattern, message, hint in _MEANINGS:
        found = re.search(pattern, output)
        if found:
            groups = {name: value or "" for name, value in found.groupdict().items()}
            names = _names(groups.get("what", "") + " " + groups.get("why", ""))
            return message.format(**groups), names, hint.format(**groups)
    return "pip could not install what the script asks for", [], ""


def _names(text: str) -> list[str]:
    return [canonicalize_name(word) for word in re.findall(r"[A-Za-z0-9][A-Za-z0-9._-]*", text)]


_REQUIRED = r"(?P<what>[^\n]*?)(?: \(from (?P<why>(?!versions)[^)]*)\))?"
_MEANINGS = (
    (
        r"No space left on device|\[Errno 28\]|Disk quota exceeded",
        "the disk is full",
        "free some space, or set SCRIPTRUN_CACHE_DIR to another place",
    ),
    (
        r"DO NOT MATCH THE HASHES[\s\S]*?\n\s+(?P<what>[A-Za-z0-9._-]+)|Hash mismatch|Hashes are required",
        "refused: a distribution does not have the hash it should have {what}",
        "the file was changed after its hash was written down: do not run it",
    ),
    (
        r"Cannot install (?P<what>.+?) because these package versions have conflicting dependencies",
        "conflict: {what} cannot be installed together",
        "loosen one of the requirements",
    ),
    (
        r"40[13] (?:Client )?Error|Credentials not correct",
        "the index refused access",
        "check user and password for the index in pip's configuration",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        "the index cannot be trusted: its certificate is not valid",
        "name the right certificates in pip's configuration (`cert`)",
    ),
    (
        r"after connection broken by|NewConnectionError|ConnectTimeout|ReadTimeout|Connection refused"
        r"|Max retries exceeded|Name or service not known|Temporary failure in name resolution"
        r"|Network is unreachable|5\d\d Server Error",
        "the index cannot be reached",
        "check the network, and the index in pip's configuration",
    ),
    (
        r"command '(?:\S*/)?(?:\S*-)?(?:gcc|cc|g\+\+|c\+\+|clang)\S*' failed"
        r"|unable to execute '?(?:\S*-)?(?:gcc|cc|clang)|Unknown compiler"
        r"|Microsoft Visual C\+\+ [\d.]+ or greater is required",
        "a distribution must be compiled here, and that needs a compiler",
        "install a compiler, or ask for a version that has a wheel for this Python",
    ),
    (
        rf"Could not find a version that satisfies the requirement {_REQUIRED} \(from versions: none\)",
        "no such distribution: `{what}`, or none for this Python and platform",
        "check the spelling of the name",
    ),
    (
        rf"Could not find a version that satisfies the requirement {_REQUIRED} \(from versions: (?P<versions>[^)]*)\)",
        "no version satisfies `{what}`",
        "there are: {versions}",
    ),
    (
        r"(?:Failed to build|Failed building wheel for) '?(?P<what>[A-Za-z0-9._-]+)",
        "`{what}` cannot be built here",
        "see the lines of its build, or ask for a version that has a wheel for this Python",
    ),
    (r"[Mm]etadata-generation-failed|subprocess-exited-with-error", "a distribution cannot be built here", ""),
)
"""What pip's output means: pattern, message, hint. The first that is found counts, causes before consequences."""
