"""What a user reads when pip fails: the real pip's output against an index on loopback, and the message for it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import index as indexes
from support.index import Index
from support.user import User

from scriptrun import pip_messages
from scriptrun.arguments import Options
from scriptrun.policy import Policy

ZEROS = "0" * 64
DEMO = "demo-1.0-py3-none-any.whl"


def source(build: str, *, requires: str = "", backend: str = "backend") -> dict[str, str]:
    """Return the files of a source distribution whose build backend is in it, and does this to build a wheel."""
    return {
        "pyproject.toml": (
            f'[build-system]\nrequires = [{requires}]\nbuild-backend = "{backend}"\nbackend-path = ["."]\n'
        ),
        "backend.py": f"""\
import os, sys
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    os.mkdir(directory + "/ext-1.0.dist-info")
    with open(directory + "/ext-1.0.dist-info/METADATA", "w") as file:
        file.write("Metadata-Version: 2.1\\nName: ext\\nVersion: 1.0\\n")
    return "ext-1.0.dist-info"
def build_wheel(directory, config_settings=None, metadata_directory=None):
    {build}
""",
    }


def compiler_fails(message: str) -> dict[str, str]:
    """Return the files of a source distribution that fails as setuptools does with this message of its compiler."""
    return source(f"print({message!r}); sys.exit(1)")


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


Case = Callable[[Index, User], "list[str]"]
CASES: dict[str, tuple[Case, str, str]] = {}


def case(message: str, hint: str) -> Callable[[Case], Case]:
    """Register a case: what goes wrong, and the message and hint expected for it."""

    def register(arrange: Case) -> Case:
        CASES[arrange.__name__] = (arrange, message, hint)
        return arrange

    return register


SPELLING = "check the spelling of the name"
ELSEWHERE = "another Python, or another version, may have it"
BUILD_LINES = "see the lines of its build, or ask for a version that has a wheel for this Python"
COMPILER = "install a compiler, or ask for a version that has a wheel for this Python"
NETWORK = "check the network, and the index in pip's configuration"
UNREACHABLE = "the index cannot be reached, or failed to answer, when pip asked for `demo`"
ACCESS = "check user and password for the index in pip's configuration"
HASH = "it was changed after the hash was written down: do not use it, and tell its index"
OTHER_PYTHON = "ask for another version, or another Python"
WHEEL = "ask for another version, and tell its index"


@case("{4}: no such distribution: `nosuch`", SPELLING)
def no_such_distribution(_index: Index, _user: User) -> list[str]:
    return ["nosuch"]


@case("{5}: no such distribution: `gone`, which `mid` needs", SPELLING)
def no_such_dependency_of_a_dependency(index: Index, _user: User) -> list[str]:
    index.add(
        indexes.wheel("fine", "1.0"),
        indexes.wheel("top", "1.0", requires=["mid"]),
        indexes.wheel("mid", "1.0", requires=["gone"]),
    )
    return ["fine", "top"]


@case("{4}: no version satisfies `demo>5`", "there are: 1.0, 2.0")
def no_version(index: Index, _user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("demo", "2.0"))
    return ["demo>5"]


@case(
    "{4}: no version satisfies `demo>5`",
    "there are: …, 0.8, 0.9, 0.10, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.17, 0.18, 0.19",
)
def no_version_of_many(index: Index, _user: User) -> list[str]:
    index.add(*(indexes.wheel("demo", f"0.{number}") for number in range(20)))
    return ["demo>5"]


@case(
    "{4}: conflict: the script asks for `demo>=2`, `other` 1.0 needs `demo<2`",
    "loosen one of them: `other` ({4}), `demo>=2` ({5})",
)
def conflict(index: Index, _user: User) -> list[str]:
    index.add(
        indexes.wheel("demo", "1.0"), indexes.wheel("demo", "2.0"), indexes.wheel("other", "1.0", requires=["demo<2"])
    )
    return ["other", "demo>=2"]


@case(
    "{5}: conflict: `c` 1.0 needs `demo>=2`, `b` 1.0 needs `demo<2`",
    "loosen one of them: `a` ({5}), `c` ({6})",
)
def conflict_of_a_dependency_of_a_dependency(index: Index, _user: User) -> list[str]:
    index.add(
        indexes.wheel("fine", "1.0"),
        indexes.wheel("demo", "1.0"),
        indexes.wheel("demo", "2.0"),
        indexes.wheel("a", "1.0", requires=["b"]),
        indexes.wheel("b", "1.0", requires=["demo<2"]),
        indexes.wheel("c", "1.0", requires=["demo>=2"]),
    )
    return ["fine", "a", "c"]


@case(
    "{4}: conflict: the script asks for `demo>=2`, a constraint says `demo<2`",
    "loosen one of them: `demo>=2` ({4})",
)
def conflict_with_a_constraint(index: Index, user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("demo", "2.0"))
    user.variables["SCRIPTRUN_CONSTRAINT"] = str(user.write("constraints.txt", "demo<2\n"))
    return ["demo>=2"]


@case("{4}: " + UNREACHABLE, NETWORK)
def closed(_index: Index, user: User) -> list[str]:
    user.variables["PIP_INDEX_URL"] = f"http://127.0.0.1:{closed_port()}/simple/"
    return ["demo"]


@case("{4}: " + UNREACHABLE, NETWORK)
def failing_index(index: Index, _user: User) -> list[str]:
    index.status = 500
    return ["demo"]


@case("{4}: " + UNREACHABLE, NETWORK)
def failing_download(index: Index, _user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0"))

    def fail(path: str) -> None:
        index.status = 500 if path.startswith("/files") else 0

    index.asked = fail
    return ["demo"]


@case("{4}: " + UNREACHABLE, NETWORK)
def closed_proxy(_index: Index, user: User) -> list[str]:
    user.variables["http_proxy"] = f"http://127.0.0.1:{closed_port()}"
    return ["demo"]


@case("{4}: the index refused access to `demo`", ACCESS)
def missing_credentials(index: Index, _user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0"))
    index.credentials = "bob:right"
    return ["demo"]


@case("{4}: the index refused access to `demo`", ACCESS)
def wrong_credentials(index: Index, user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0"))
    index.credentials = "bob:right"
    user.variables["PIP_INDEX_URL"] = index.url_for("bob:wrong")
    return ["demo"]


@case("{4}: the index refused access to `demo`", ACCESS)
def forbidden_file(index: Index, _user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0"))

    def forbid(path: str) -> None:
        index.status = 403 if path.startswith("/files") else 0

    index.asked = forbid
    return ["demo"]


@case("{4}: refused: the file of `demo` does not have the hash that was announced for it", HASH)
def wrong_hash(index: Index, _user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("top", "1.0", requires=["demo"]))
    index.hashes[DEMO] = ZEROS
    return ["top"]


@case("{4}: refused: the file of `demo` does not have the hash that was announced for it", HASH)
def wrong_hash_in_the_script(index: Index, _user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0"))
    return [f"demo @ {index.url.replace('/simple/', '/files/')}{DEMO}#sha256={ZEROS}"]


@case("{4}: `demo` is not for this Python: it requires >=3.99", OTHER_PYTHON)
def other_python(index: Index, _user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0", requires_python=">=3.99"))
    return ["demo"]


@case("{4}: `demo` is not for this Python: it requires >=3.99", OTHER_PYTHON)
def other_python_by_the_index(index: Index, _user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("top", "1.0", requires=["demo"]))
    index.requires_python[DEMO] = ">=3.99"
    return ["top"]


@case("{4}: no distribution of `demo` was found for this Python and platform", ELSEWHERE)
def other_platform(index: Index, _user: User) -> list[str]:
    index.add(("demo-1.0-cp27-cp27m-win32.whl", indexes.wheel("demo", "1.0")[1]))
    return ["demo"]


@case(
    "{4}: no distribution of `ext` was found for this Python and platform",
    f"{ELSEWHERE}; SCRIPTRUN_NO_BUILD may hide what there is",
)
def nothing_but_a_source(index: Index, user: User) -> list[str]:
    index.add(indexes.sdist("ext", "1.0", source("pass")))
    user.variables["SCRIPTRUN_NO_BUILD"] = "1"
    return ["ext"]


@case("{4}: `ext` must be compiled here, and that needs a compiler", COMPILER)
def compiler_missing(index: Index, _user: User) -> list[str]:
    index.add(indexes.sdist("ext", "1.0", compiler_fails("error: command 'gcc' failed: No such file or directory")))
    return ["ext"]


@case(
    "{4}: `ext` must be compiled here, and the compiler failed", "see its lines: a header or a library may be missing"
)
def compiler_failing(index: Index, _user: User) -> list[str]:
    index.add(indexes.sdist("ext", "1.0", compiler_fails("error: command '/usr/bin/gcc' failed with exit code 1")))
    return ["ext"]


@case("{4}: `ext` cannot be built here", BUILD_LINES)
def failing_build(index: Index, _user: User) -> list[str]:
    index.add(indexes.sdist("ext", "1.0", source("raise SystemExit('broken')")))
    return ["ext"]


@case("{4}: `ext` cannot be built here", BUILD_LINES)
def failing_metadata(index: Index, _user: User) -> list[str]:
    files = source("pass") | {"backend.py": "def prepare_metadata_for_build_wheel(*_): raise ValueError('none')\n"}
    index.add(indexes.wheel("top", "1.0", requires=["ext"]), indexes.sdist("ext", "1.0", files))
    return ["top"]


@case("{4}: `ext` cannot be built here", BUILD_LINES)
def missing_backend(index: Index, _user: User) -> list[str]:
    index.add(indexes.sdist("ext", "1.0", source("pass", backend="nowhere")))
    return ["ext"]


@case(
    "{4}: `ext` cannot be built here: what its build needs cannot be installed",
    "ask for a version that has a wheel for this Python",
)
def missing_build_requirement(index: Index, _user: User) -> list[str]:
    index.add(indexes.sdist("ext", "1.0", source("pass", requires='"gone"')))
    return ["ext"]


@case("{4}: the wheel of `demo` cannot be used", WHEEL)
def wheel_that_is_no_archive(index: Index, _user: User) -> list[str]:
    index.add((DEMO, b"nothing like it"))
    return ["demo"]


@case("{4}: the wheel of `demo` cannot be used", WHEEL)
def wheel_of_something_else(index: Index, _user: User) -> list[str]:
    index.add((DEMO, indexes.wheel("else", "1.0")[1]))
    return ["demo"]


@case("{4}: the wheel of `demo` is not for this Python and platform", "ask for another file, or another Python")
def url_of_a_wheel_for_another_platform(index: Index, _user: User) -> list[str]:
    name = "demo-1.0-cp27-cp27m-win32.whl"
    index.add((name, indexes.wheel("demo", "1.0")[1]))
    return [f"demo @ {index.url.replace('/simple/', '/files/')}{name}"]


GIT = "see git's lines: check the URL, the branch, tag or commit, and the network"


@case("{4}: the repository of `demo` cannot be fetched, or what is asked for is not in it", GIT)
def repository_that_is_none(_index: Index, user: User) -> list[str]:
    return [f"demo @ git+file://{user.directory}/nowhere"]


@case("{4}: the repository of `demo` cannot be fetched, or what is asked for is not in it", GIT)
def branch_that_is_none(_index: Index, user: User) -> list[str]:
    subprocess.run(["git", "init", "-q", user.directory / "empty"], check=True)
    return [f"demo @ git+file://{user.directory}/empty@gone"]


@case("{4}: there is nothing at the URL of `demo`", "check the URL")
def url_that_leads_nowhere(index: Index, _user: User) -> list[str]:
    return [f"demo @ {index.url.replace('/simple/', '/files/')}{DEMO}"]


@case(
    "{4}: the index does not say when the files of `demo` were uploaded, which SCRIPTRUN_EXCLUDE_NEWER must know",
    "leave SCRIPTRUN_EXCLUDE_NEWER out, or ask an index that tells it",
)
def no_upload_times(index: Index, user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0"))
    user.variables["SCRIPTRUN_EXCLUDE_NEWER"] = "2026-01-01"
    return ["demo"]


@case(
    "`exclude-newer` is `yesterday`, which is neither a date nor a number of days",
    "examples: 2026-01-31, 2026-01-31T12:00:00Z, 7",
)
def no_date(_index: Index, user: User) -> list[str]:
    user.variables["SCRIPTRUN_EXCLUDE_NEWER"] = "yesterday"
    return ["demo"]


@case(
    "the index cannot be trusted: its certificate is not one that pip is told to accept",
    "name the right certificates in pip's configuration (`cert`)",
)
def missing_certificates(index: Index, user: User) -> list[str]:
    user.variables.update(PIP_CERT="/missing.pem", PIP_INDEX_URL=index.url.replace("http:", "https:"))
    return ["demo"]


def failure(user: User, index: Index, arrange: Case) -> list[str]:
    """Return the lines on stderr of a run that fails, which must leave nothing behind."""
    user.variables.update(PIP_INDEX_URL=index.url, PIP_RETRIES="0")
    user.script("s.py", *arrange(index, user))
    finished = user.run("./s.py")
    assert (finished.status, finished.out) == (125, "")
    assert list(user.cache.glob("v1/envs/*/*")) == []
    return finished.err.splitlines()


def placed(text: str) -> str:
    """Return `text` with the script's place for each `{line}`."""
    for line in range(4, 7):
        text = text.replace(f"{{{line}}}", f"./s.py:{line}")
    return text


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
def test_a_failure_says_what_it_means(user: User, index: Index, kind: str) -> None:
    """One line says what pip's failure means and which line asked for it; pip's last lines and a hint follow."""
    arrange, message, hint = CASES[kind]
    lines = failure(user, index, arrange)
    assert lines[0] == f"scriptrun: error: {placed(message)}"
    assert lines[-1] == f"hint: {placed(hint)}"
    assert kind == "no_date" or any(line.startswith("  ") for line in lines[1:-1])


OLD = (
    no_such_dependency_of_a_dependency,
    no_version,
    conflict,
    failing_index,
    missing_credentials,
    wrong_hash,
    compiler_missing,
    failing_metadata,
    missing_build_requirement,
    wheel_of_something_else,
)
"""What a pip of years ago says in other words."""


@pytest.mark.slow
@pytest.mark.parametrize("arrange", OLD, ids=lambda arrange: arrange.__name__)
def test_a_failure_of_an_old_pip_means_the_same(user: User, index: Index, pythons: list[Path], arrange: Case) -> None:
    """The pip that the oldest Python brings along is understood as well."""
    user.variables["SCRIPTRUN_PYTHON"] = str(pythons[0])
    lines = failure(user, index, arrange)
    message = placed(CASES[arrange.__name__][1])
    if arrange is no_such_dependency_of_a_dependency:  # an old pip does not tell who asked for `mid`
        message = message.replace("./s.py:5: ", "")
    assert lines[0] == f"scriptrun: error: {message}"


def test_pips_last_lines_are_shown(user: User, index: Index) -> None:
    """Under the message stand the last lines that pip wrote, indented, as they are."""
    assert failure(user, index, no_version)[1:-1] == [
        f"  Looking in indexes: {index.url}",
        "  ERROR: Could not find a version that satisfies the requirement demo>5 (from versions: 1.0, 2.0)",
        "  ERROR: No matching distribution found for demo>5",
    ]


def escapes_of_a_backend(index: Index, _user: User) -> list[str]:
    index.add(indexes.sdist("ext", "1.0", source(r"raise SystemExit('\x1b]0;own\x07 \x1b[31m \x9b31m \u202e')")))
    return ["ext"]


def escapes_of_metadata(index: Index, _user: User) -> list[str]:
    index.add(indexes.wheel("demo", "1.0", requires=["other\x1b[31m"]))
    return ["demo"]


@pytest.mark.slow
@pytest.mark.parametrize("arrange", [escapes_of_a_backend, escapes_of_metadata], ids=lambda arrange: arrange.__name__)
def test_control_characters_are_shown_escaped(user: User, index: Index, arrange: Case) -> None:
    """Whatever a backend, a wheel or an index says, no control character of theirs reaches the terminal."""
    for line in failure(user, index, arrange):
        assert line.isprintable()


@pytest.mark.slow
def test_a_failing_run_fails_the_same_way_again(user: User, index: Index) -> None:
    """Nothing of a failure is kept: the next run asks the index again, and says the same."""
    first = failure(user, index, conflict)
    asked = len(index.requests)
    assert user.run("./s.py").err.splitlines()[0] == first[0]
    assert len(index.requests) > asked


def test_a_hint_names_the_line_that_hides() -> None:
    """Where the block keeps pip from seeing all, the hint names its line, and not an option that nobody gave."""
    options = Options({"exclude-newer": "2022-01-01"}, {"exclude-newer": "s.py:4"})
    output = "ERROR: Could not find a version that satisfies the requirement demo>=2 (from versions: 1.0)"
    error = pip_messages.explain(output, [], options, Policy())
    assert error.hint == "there are: 1.0; `exclude-newer` (s.py:4) may hide what there is"


@pytest.mark.parametrize(
    ("line", "idle"),
    [
        ("WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'X': /simple/demo/", True),
        ("  WARNING: Retrying (Retry(total=0)) after connection broken by 'X': /simple/demo/", True),
        ("  Installing build dependencies: still running...", True),
        ("Progress 262144 of 3378712", True),  # what comes is seen, also where pip says nothing
        ("  Building wheel for demo (pyproject.toml): finished with status 'done'", False),
        ("WARNING: Could not fetch URL http://127.0.0.1/simple/demo/: 500 Server Error", False),
        ("Collecting demo", False),
    ],
)
def test_lines_that_are_no_progress(line: str, idle: bool) -> None:  # noqa: FBT001 - a column of the table
    """That pip tries once more, or that something still runs, says nothing of getting on."""
    assert pip_messages.is_idle(line) == idle
