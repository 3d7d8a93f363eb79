"""When the index is down, or so slow that it might as well be: what is prepared runs, and nothing waits for ever."""

from __future__ import annotations

import shlex
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from support import generations, mounts, outage, pages, watch, web
from support import index as indexes
from support.index import Index
from support.user import User

PRINT = "import demo; print(demo.V)\n"
AGE = '# tool.scriptrun.max-age = "7 days"\n'


def kept(user: User) -> set[str]:
    """Return the files and directories in the cache, but locks and what is known of interpreters."""
    found = [path.relative_to(user.cache / "v1") for path in user.cache.glob("v1/**/*")]
    return {
        str(path)
        for path in found
        if path.parts[0] not in ("locks", "interpreters") and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize(
    "kind", [name if name == "silent" else pytest.param(name, marks=pytest.mark.slow) for name in outage.KINDS]
)
def test_index_that_is_down(user: User, kind: str) -> None:
    """What is not prepared fails with one clear message and leaves nothing; what is prepared runs and asks nobody.

    Where pip is due to be asked again, the old environment stays, with one warning, and is used from then on.
    """
    user.script("ready.py", "demo<2", head=AGE, body=PRINT)
    user.script("s.py", "demo", body=PRINT)
    assert user.run("./ready.py") == (0, "1.0\n", "")
    before = kept(user)
    with outage.KINDS[kind]() as down:
        user.variables.update(outage.IMPATIENT, PIP_INDEX_URL=down.url)
        status, out, err = user.run("./s.py")
        assert (status, out) == (125, "")
        first, *details, hint = err.splitlines()
        assert first == "scriptrun: error: ./s.py:4: pip made no progress for 1 second"
        assert details[0] == f"  Looking in indexes: {down.url}"
        assert [line for line in details if not line.startswith("  ")] == []
        assert hint == (
            "hint: the index may be down: check the network; "
            "--prepare-timeout (SCRIPTRUN_PREPARE_TIMEOUT) sets for how many seconds to be patient"
        )
        assert watch.processes(user.cache) == []
        assert kept(user) == before
        down.asked()

        assert user.run("./ready.py") == (0, "1.0\n", "")
        assert down.asked() == 0
        generations.age(user)
        assert user.run("./ready.py") == (
            0,
            "1.0\n",
            "scriptrun: warning: ./ready.py:5: pip was to be asked again, as its answer is older than 7 days, but: "
            "pip made no progress for 1 second; going on with the old one\n",
        )
        down.asked()
        assert user.run("./ready.py") == (0, "1.0\n", "")
        assert down.asked() == 0
        assert watch.processes(user.cache) == []


@pytest.mark.slow
def test_what_the_documentation_shows(user: User) -> None:
    """The command in `docs/cron.md` does what it says there, for another index."""
    (step,) = pages.steps(pages.section("docs/cron.md", "When the index is down"))
    user.write("report.py", '# /// script\n# dependencies = [\n#   "demo",\n# ]\n# ///\n')
    with outage.silent() as down:
        expected = step.shown.replace("https://index.example/simple/", down.url)
        finished = user.run(*shlex.split(step.command), PIP_INDEX_URL=down.url)
    assert finished == (125, "", expected)


@pytest.mark.slow
def test_quiet_run_keeps_the_old_environment_in_silence(user: User) -> None:
    """With -q nothing is said of an index that is down, as long as there is an environment."""
    user.script("s.py", "demo", head=AGE, body=PRINT)
    assert user.run("./s.py") == (0, "2.0\n", "")
    generations.age(user)
    with outage.silent() as down:
        user.variables.update(outage.IMPATIENT, PIP_INDEX_URL=down.url)
        assert user.run("scriptrun", "-q", "s.py") == (0, "2.0\n", "")
        assert down.asked() > 0


@pytest.mark.slow
def test_name_that_is_looked_up_for_ever(user: User) -> None:
    """A name server that does not answer is no other outage: the run gives up, and what is prepared runs."""
    user.script("ready.py", "demo<2", body=PRINT)
    user.script("s.py", "demo", body=PRINT)
    assert user.run("./ready.py") == (0, "1.0\n", "")
    user.variables.update(outage.IMPATIENT, PIP_INDEX_URL="https://index.invalid/simple/")
    user.write("resolv.conf", "nameserver 127.0.0.1\noptions attempts:5 timeout:30\n")
    server = (
        "import os, socket\n"
        "server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "server.bind(('127.0.0.1', 53))\n"
        "os.system('./ready.py; scriptrun s.py; echo $?')\n"
        "server.setblocking(False)\n"
        "print(b'index' in server.recv(1000))\n"
    )
    finished = mounts.in_namespace(
        user,
        f"ip link set lo up; mount --bind resolv.conf $(realpath /etc/resolv.conf); python3 -c {shlex.quote(server)}",
        "-n",
    )
    assert (finished.status, finished.out) == (0, "1.0\n125\nTrue\n")
    assert finished.err.startswith("scriptrun: error: s.py:4: pip made no progress for 1 second\n")
    assert "Retrying" not in finished.err


@pytest.mark.slow
def test_program_at_a_url_that_comes_a_byte_a_second(user: User) -> None:
    """What a URL has must be there within the limit too."""
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not ended.wait(1):
            handler.wfile.write(b"#")

    with web.serve() as site:
        site.pages["/s.py"] = drip
        finished = user.run("scriptrun", "--prepare-timeout", "2", f"{site.url}/s.py")
        ended.set()
    assert finished == (125, "", f"scriptrun: error: `{site.url}/s.py` was not there after 2 seconds\n")


BODY = (
    "import demo, signal; print(demo.V, signal.getitimer(signal.ITIMER_REAL), signal.getsignal(signal.SIGALRM).name)\n"
)


@pytest.mark.slow
def test_slow_download_that_gets_on(user: User, index: Index) -> None:
    """A download that takes longer than the limit succeeds, also for who waits for it; the script sees no timer."""
    index.add(indexes.wheel("demo", "1.0", files={"demo.py": f"V = '1.0'\n{'#' * 2_000_000}\n"}))
    user.variables.update(PIP_INDEX_URL=index.url, SCRIPTRUN_PREPARE_TIMEOUT="2")
    user.script("s.py", "demo", body=BODY)
    with outage.paced(index, "/files/", size=400_000, pause=0.7):
        first = watch.start(user, "./s.py")
        second = watch.start(user, "./s.py")
        for one in (first, second):
            assert watch.end(one) == (0, "1.0 (0.0, 0.0) SIG_DFL\n", "")
    assert index.requests == ["/simple/demo/", "/files/demo-1.0-py3-none-any.whl"]


BACKEND = """\
import os, subprocess, sys
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    subprocess.run([sys.executable, "-c", {code!r}], start_new_session=True, check=True)
    import shutil
    return os.path.basename(shutil.copy({wheel!r}, wheel_directory))
"""


def publish_build(index: Index, directory: Path, code: str) -> None:
    """Publish a source whose build runs code in a silent process of another session."""
    name, content = indexes.wheel("demo", "1.0")
    (directory / name).write_bytes(content)
    index.add(
        indexes.sdist(
            "demo",
            "1.0",
            {
                "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
                "backend.py": BACKEND.format(code=code, wheel=str(directory / name)),
            },
        )
    )


@pytest.mark.slow
def test_silent_compiler_that_works(user: User, index: Index) -> None:
    """A build that says nothing for longer than the limit succeeds as long as it uses the processor."""
    publish_build(index, user.directory, "import time\nwhile time.process_time() < 3: pass")
    user.variables.update(PIP_INDEX_URL=index.url, SCRIPTRUN_PREPARE_TIMEOUT="1")
    user.script("s.py", "demo", body=PRINT)
    assert user.run("./s.py") == (0, "1.0\n", "")


@pytest.mark.slow
def test_build_that_sleeps(user: User, index: Index) -> None:
    """A build that does nothing is given up, and the message says that it is the build."""
    publish_build(index, user.directory, "import time; time.sleep(100000)")
    user.variables.update(PIP_INDEX_URL=index.url, SCRIPTRUN_PREPARE_TIMEOUT="1")
    user.script("s.py", "demo", body=PRINT)
    status, out, err = user.run("./s.py")
    assert (status, out) == (125, "")
    assert err.startswith("scriptrun: error: ./s.py:4: pip made no progress for 1 second\n")
    assert "\nhint: see what its build waits for; --prepare-timeout" in err
    assert kept(user) == {"envs"}


@pytest.mark.slow
def test_git_server_that_says_nothing(user: User) -> None:
    """A repository that never answers is given up as an index is, and git ends."""
    with outage.silent() as down:
        repository = f"git+{down.url.replace('/simple/', '/demo.git')}"
        user.variables.update(outage.IMPATIENT, PIP_INDEX_URL=down.url)
        user.script("s.py", f"demo @ {repository}", body=PRINT)
        status, out, err = user.run("./s.py")
        assert (status, out) == (125, "")
        assert "pip made no progress for 1 second\n" in err
        assert "\nhint: the index may be down: check the network; " in err
    assert watch.processes(user.cache) == []


@pytest.mark.slow
@pytest.mark.parametrize("option", [(), ("--offline",)])
def test_run_that_prepares_is_stopped(user: User, index: Index, option: tuple[str, ...]) -> None:
    """Who waits for a run that was stopped gives up, and names it; the other one may go on later."""
    index.add(indexes.wheel("demo", "1.0"))
    gate = watch.Gate(index)
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", body=PRINT)
    first = watch.start(user, "./s.py")
    gate.wait()
    first.send_signal(signal.SIGSTOP)
    assert user.run("scriptrun", *option, "--prepare-timeout", "1", "s.py") == (
        125,
        "",
        f"scriptrun: error: process {first.pid}, which prepares it, made no progress for 1 second\n"
        "hint: --prepare-timeout (SCRIPTRUN_PREPARE_TIMEOUT) sets for how many seconds to be patient\n",
    )
    first.send_signal(signal.SIGCONT)
    gate.open()
    assert watch.end(first) == (0, "1.0\n", "")


def await_line(process: subprocess.Popen[str], line: str) -> None:
    """Wait until a process has written this line to stderr."""
    assert process.stderr is not None
    assert line in iter(process.stderr.readline, "")


@pytest.mark.slow
def test_page_that_comes_slowly_but_steadily(user: User, index: Index) -> None:
    """A page of an index takes longer than the limit, and pip keeps it in memory: that is progress all the same."""
    wheel = indexes.wheel("demo", "1.0")
    index.add(wheel, *((f"demo-0.{number}-py3-none-any.whl", b"") for number in range(300)))
    user.variables.update(PIP_INDEX_URL=index.url, SCRIPTRUN_PREPARE_TIMEOUT="2")
    user.script("s.py", "demo", body=PRINT)
    with outage.paced(index, "/simple/", size=len(index.page("demo")[1]) // 6, pause=0.8):
        assert user.run("./s.py") == (0, "1.0\n", "")


@pytest.mark.slow
def test_those_who_wait_end_where_pip_itself_gives_up(user: User) -> None:
    """That pip's own time limit is the shorter one changes nothing: the index is asked by one run, not by each."""
    user.script("s.py", "demo", body=PRINT)
    with outage.silent() as down:
        user.variables.update(PIP_INDEX_URL=down.url, PIP_DEFAULT_TIMEOUT="1", PIP_RETRIES="0")
        first = watch.start(user, "scriptrun", "-v", "s.py")
        await_line(first, "scriptrun: creating a virtual environment\n")
        first.send_signal(signal.SIGSTOP)
        others = [watch.start(user, "scriptrun", "-v", "s.py") for _ in range(2)]
        for one in others:
            await_line(one, "scriptrun: waiting for another run to prepare it\n")
        first.send_signal(signal.SIGCONT)
        reason = "the index cannot be reached, or failed to answer, when pip asked for `demo`"
        status, _, err = watch.end(first)
        assert (status, f"error: s.py:4: {reason}\n" in err) == (125, True)
        for one in others:
            status, _, err = watch.end(one)
            assert status == 125
            assert err.startswith(f"scriptrun: error: another run, which this one waited for, gave up: {reason}\n")
        assert down.asked() == 1


@pytest.mark.slow
def test_those_who_wait_give_up_with_the_first(user: User) -> None:
    """Many runs of a script give up together, not one after the other: the index is asked once."""
    user.script("s.py", "demo", body=PRINT)
    with outage.silent() as down:
        user.variables.update(outage.IMPATIENT, PIP_INDEX_URL=down.url)
        first = watch.start(user, "scriptrun", "-v", "s.py")
        await_line(first, "scriptrun: creating a virtual environment\n")
        first.send_signal(signal.SIGSTOP)
        others = [watch.start(user, "scriptrun", "-v", "--prepare-timeout=300", "s.py") for _ in range(3)]
        for one in others:
            await_line(one, "scriptrun: waiting for another run to prepare it\n")
        first.send_signal(signal.SIGCONT)
        assert watch.end(first)[0] == 125
        for one in others:
            assert watch.end(one) == (
                125,
                "",
                "scriptrun: error: another run, which this one waited for, gave up: pip made no progress for 1 second\n"
                "hint: --prepare-timeout (SCRIPTRUN_PREPARE_TIMEOUT) sets for how many seconds to be patient\n",
            )
        assert down.asked() == 1
