"""Services and timers that `scriptrun systemd` makes, run by a real systemd."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support import machine, pages, watch
from support.index import Index, serve, wheel
from support.machine import Machine
from support.pages import Step

ROOT = Path(__file__).parent.parent
PAGE = "docs/cron.md"
SECTION = pages.section(PAGE, "For everybody: systemd")
UNITS = "/etc/systemd/system"
JOBS = "/srv/jobs"
DYNAMIC = range(61184, 65520)
"""The users that systemd makes up."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served() -> Iterator[Index]:
    """An index that has what scriptrun stands on, and what the scripts of these tests ask for."""
    with serve() as index:
        index.add(*((path.name, path.read_bytes()) for path in ROOT.glob(".work/wheels/*.whl")))
        index.add(wheel("demo", "1.0"))
        index.add(wheel("humanize", "4.0", files={"humanize.py": "def naturalsize(_n): return '182.5 GB'\n"}))
        yield index


@pytest.fixture(scope="module")
def booted(served: Index) -> Iterator[Machine]:
    """A machine without scriptrun, whose pip asks the index."""
    with machine.booted() as started:
        started.write("/etc/pip.conf", f"[global]\nindex-url = {served.url}\n")
        yield started


@pytest.fixture(scope="module")
def followed(booted: Machine) -> list[tuple[Step, str]]:
    """What came of the page, followed word for word: each step, and what it wrote."""
    (script,) = pages.blocks(pages.section(PAGE, "A user's job"), "python")
    booted.must("useradd", "--create-home", "ada")
    booted.write("/home/ada/report.py", script)
    pages.clone(booted.path("/srv/clone"))
    done = []
    for step in [*pages.steps(pages.section(PAGE, "Install for everybody")), *pages.steps(SECTION)]:
        booted.must("journalctl", "--sync")
        status, out, err = booted.run("sh", "-c", f"cd /srv/clone; {step.command}")
        done.append((step, out + err + (f"status {status}\n" if status else "")))
    return done


@pytest.fixture(scope="module")
def ready(booted: Machine, followed: list[tuple[Step, str]]) -> Machine:
    """The machine with scriptrun, as the page installs it."""
    assert followed
    return booted


def make(ready: Machine, name: str, body: str, *words: str, requirement: str = "") -> None:
    """Write a script for everybody, and units for it, of which none is started."""
    listed = f'"{requirement}"' if requirement else ""
    head = f"#!/usr/bin/env scriptrun\n# /// script\n# dependencies = [{listed}]\n# ///\n"
    ready.write(f"{JOBS}/{name}.py", head + body, 0o755)
    ready.must("scriptrun", "systemd", f"{JOBS}/{name}.py", "--output", UNITS, *words)
    ready.must("systemctl", "daemon-reload")


def journal(ready: Machine, name: str) -> str:
    """Return all that a service wrote."""
    ready.must("journalctl", "--sync")
    return ready.must("journalctl", "--quiet", "--output=cat", f"--identifier={name}")


def fifo(ready: Machine, name: str) -> Path:
    """Make a FIFO below /srv that everybody may use; return its path here."""
    path = ready.path(f"/srv/{name}")
    os.mkfifo(path)
    path.chmod(0o666)
    return path


def hear(told: Path) -> str:
    """Wait until somebody writes to a FIFO, from which the writer before may still have to go."""
    text = ""
    while not text:
        text = watch.receive(told)
    return text


def shown(ready: Machine, unit: str, *properties: str) -> list[str]:
    """Return properties of a unit."""
    found = [ready.must("systemctl", "show", "--value", f"--property={one}", unit).strip() for one in properties]
    assert found
    return found


def test_page(followed: list[tuple[Step, str]]) -> None:
    """Each command of the page succeeds, and writes what the page shows."""
    assert pages.differing(*map(list, zip(*followed, strict=True))) == []


BOTH = """\
import json, os, sys, demo
print(json.dumps([os.getuid(), sys.prefix, os.getcwd(), os.environ["HOME"], os.environ["XDG_CACHE_HOME"], demo.V]))
"""


def test_prepared_at_the_first_start_and_kept(ready: Machine, served: Index) -> None:
    """The first start asks the index, the second does not; the unit's directory is the cache, for pip too."""
    make(ready, "both", BOTH, "--on-calendar", "2040-01-01", requirement="demo")
    before = len(served.requests)
    ready.must("systemctl", "start", "both.service")
    asked = served.requests[before:]
    assert [path for path in asked if "demo" in path] == ["/simple/demo/", "/files/demo-1.0-py3-none-any.whl"]
    ready.must("systemctl", "start", "both.service")
    assert served.requests[before:] == asked
    first, second = (json.loads(line) for line in journal(ready, "both").splitlines())
    assert first == second
    uid, prefix, *others = first
    assert others == [
        "/var/lib/private/scriptrun-both",
        "/var/lib/scriptrun-both",
        "/var/cache/scriptrun-both",
        "1.0",
    ]
    assert uid in DYNAMIC
    kept = ready.path("/var/cache/private/scriptrun-both/scriptrun")
    assert [kept.stat().st_uid, kept.stat().st_mode & 0o777] == [uid, 0o700]
    (manifest,) = kept.glob("v1/envs/*/*/scriptrun.json")
    assert prefix == f"/var/cache/scriptrun-both/scriptrun/{manifest.parent.relative_to(kept)}"
    assert list(kept.glob("v1/launch/**/@record"))


PROBE = """\
import asyncio, ctypes, json, mmap, multiprocessing, os, socket, sqlite3, subprocess, sys, tempfile, threading
from concurrent.futures import ProcessPoolExecutor

def compare(a, b):
    return a[0] - b[0]

def sort():
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 3)(3, 1, 2)
    ctypes.CDLL(None).qsort(numbers, 3, ctypes.sizeof(ctypes.c_int), kind(compare))
    return list(numbers)

def serve():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client, server.accept()[0] as peer:
            peer.sendall(b"hello")
            return client.recv(5).decode()

def spread():
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        return sum(pool.map(abs, range(-3, 0)))

def thread():
    found = []
    one = threading.Thread(target=found.append, args=("ran",))
    one.start()
    one.join()
    return found[0]

def database():
    with sqlite3.connect("kept.db") as kept:
        return kept.execute("select 1 + 1").fetchone()[0]

def temporary():
    with tempfile.TemporaryFile() as file:
        return file.write(b"x")

def unshare():
    if ctypes.CDLL(None).unshare(0x20000):
        raise PermissionError

ORDINARY = {
    "threads": thread,
    "programs": lambda: subprocess.run(["date", "-u", "-d", "@0", "+%Y"], capture_output=True, text=True).stdout,
    "callbacks": sort,
    "databases": database,
    "processes": spread,
    "network": serve,
    "names": lambda: socket.getaddrinfo("127.0.0.1", 80)[0][4],
    "loops": lambda: asyncio.run(asyncio.sleep(0, "slept")),
    "memory": lambda: len(mmap.mmap(-1, 10)),
    "temporary": temporary,
    "interfaces": lambda: "lo" in dict(map(reversed, socket.if_nameindex())),
    "home": lambda: open(os.path.expanduser("~/kept"), "w").write("x"),
}
FORBIDDEN = {
    "script": lambda: open(__file__, "a"),
    "configuration": lambda: open("/etc/hostname", "a"),
    "homes": lambda: os.listdir("/home"),
    "root": lambda: os.setuid(0),
    "mounts": unshare,
    "raw network": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "devices": lambda: os.stat("/dev/kmsg"),
    "other jobs": lambda: os.listdir("/var/cache/private/scriptrun-both"),
}

def outcome(work):
    try:
        return work()
    except OSError:
        return "refused"

if __name__ == "__main__":
    done = {name: outcome(work) for part in (ORDINARY, FORBIDDEN) for name, work in part.items()}
    done["writers"] = oct(os.stat(__file__).st_mode & 0o777)
    print(json.dumps(done))
"""


def test_ordinary_programs_work_and_the_machine_is_safe(ready: Machine) -> None:
    """What the hardening forbids no ordinary script does: the rest works; what is not the script's is out of reach."""
    make(ready, "probe", PROBE, "--on-calendar", "2040-01-01")
    assert ready.run("systemctl", "start", "probe.service").status == 0, journal(ready, "probe")
    done = json.loads(journal(ready, "probe"))
    works = {
        "threads": "ran",
        "programs": "1970\n",
        "callbacks": [1, 2, 3],
        "databases": 2,
        "processes": 6,
        "network": "hello",
        "names": ["127.0.0.1", 80],
        "loops": "slept",
        "memory": 10,
        "temporary": 1,
        "interfaces": True,
        "home": 1,
        "writers": "0o755",
    }
    refused = ("script", "configuration", "homes", "root", "mounts", "raw network", "devices", "other jobs")
    assert done == {**works, **dict.fromkeys(refused, "refused")}


def test_timer_starts_it(ready: Machine) -> None:
    """A timer that is enabled starts the service at its time, and again at the next; the script waits for nobody."""
    told = fifo(ready, "tick")
    body = "import demo\nwith open('/srv/tick', 'w') as told:\n    told.write('tick ' + demo.V)\n"
    make(ready, "tick", body, "--on-calendar", "*-*-* *:*:*", requirement="demo")
    ready.must("systemctl", "enable", "--quiet", "--now", "tick.timer")
    assert [hear(told) for _ in range(2)] == ["tick 1.0", "tick 1.0"]
    ready.must("systemctl", "disable", "--quiet", "--now", "tick.timer")
    assert ready.path("/var/lib/systemd/timers/stamp-tick.timer").exists(), "a missed time is not made up for"


HARD = [
    "",
    " ",
    "a b",
    '"',
    "'",
    "\\",
    "a\\",
    "%h",
    "100%",
    "$HOME",
    "${HOME}",
    "$$",
    ";",
    "é",
    "\t",
    "a\nb",
    "\x01",
    "#",
]
HARD += ["@", "-x", "~", "*", "=", "\\x41", "\u2028", "|", "&&", "\udcff"]


def test_words_arrive_as_they_are(ready: Machine) -> None:
    """Path and arguments reach the script byte for byte, whatever they mean to systemd or to a shell."""
    name = 'hard $HOME %h "q" é'
    body = "import json, sys\nprint(json.dumps(sys.argv))\n"
    make(ready, name, body, "--name", "hard", "--on-calendar", "2040-01-01", "--", *HARD)
    ready.must("systemctl", "start", "hard.service")
    assert json.loads(journal(ready, "hard")) == [f"{JOBS}/{name}.py", *HARD]


def test_failures_are_systemds_to_see(ready: Machine) -> None:
    """The status is the script's; one that cannot be prepared fails with 125 and one block of text in the journal."""
    make(ready, "fails", "import sys\nsys.exit('no luck')\n", "--on-calendar", "2040-01-01")
    assert ready.run("systemctl", "start", "fails.service").status != 0
    assert shown(ready, "fails.service", "Result", "ExecMainStatus") == ["exit-code", "1"]
    assert journal(ready, "fails") == "no luck\n"
    make(ready, "lacks", "", "--on-calendar", "2040-01-01", requirement="nowhere")
    assert ready.run("systemctl", "start", "lacks.service").status != 0
    assert shown(ready, "lacks.service", "Result", "ExecMainStatus") == ["exit-code", "125"]
    assert journal(ready, "lacks").count("scriptrun: error: ") == 1
    failed = ready.must("systemctl", "--failed", "--plain", "--no-legend")
    assert re.findall(r"^(\S+)", failed, re.MULTILINE) == ["fails.service", "lacks.service"]


def test_failure_is_told(ready: Machine) -> None:
    """As the page has it, `OnFailure=` in a file beside the unit starts another one when the script fails."""
    told = fifo(ready, "failure")
    make(ready, "tell", "import sys\nopen('/srv/failure', 'w').write(sys.argv[1])\n", "broken")
    make(ready, "broken", "raise SystemExit(1)\n", "--on-calendar", "2040-01-01")
    assert "`OnFailure=` in the section `[Unit]`" in SECTION
    ready.write(f"{UNITS}/broken.service.d/tell.conf", "[Unit]\nOnFailure=tell.service\n")
    ready.must("systemctl", "daemon-reload")
    assert ready.run("systemctl", "start", "broken.service").status != 0
    assert hear(told) == "broken"


def test_missed_time_is_made_up_for(ready: Machine) -> None:
    """A timer whose last time was missed starts the service when it is started itself, as at a boot; others do not."""
    told = fifo(ready, "missed")
    body = "open('/srv/missed', 'w').write('ran')\n"
    make(ready, "missed", body, "--on-calendar", "*-01-01")
    stamp = ready.path("/var/lib/systemd/timers/stamp-missed.timer")
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.touch()
    ready.must("systemctl", "start", "missed.timer")
    assert shown(ready, "missed.service", "ExecMainStartTimestamp") == [""]
    ready.must("systemctl", "stop", "missed.timer")
    os.utime(stamp, (1, 1))  # 0 would mean "never"
    ready.must("systemctl", "start", "missed.timer")
    assert hear(told) == "ran"


def test_rights_of_a_user(ready: Machine) -> None:
    """As the page has it, a file beside the unit makes another user run the script, who may write somewhere else."""
    body = "import os, pwd, demo\nopen('/srv/www/page', 'w')\nprint(pwd.getpwuid(os.getuid()).pw_name, os.getcwd())\n"
    make(ready, "rights", body, "--on-calendar", "2040-01-01", requirement="demo")
    ready.must("install", "-d", "-o", "www-data", "/srv/www", "/srv/other")
    lines, _ = pages.blocks(SECTION, "ini")
    ready.write(f"{UNITS}/rights.service.d/rights.conf", lines)
    ready.must("systemctl", "daemon-reload")
    ready.must("systemctl", "start", "rights.service")
    assert journal(ready, "rights") == "www-data /var/lib/scriptrun-rights\n"
    ready.write(f"{JOBS}/rights.py", "open('/srv/other/page', 'w')\n")
    assert ready.run("systemctl", "start", "rights.service").status != 0
    assert "Read-only file system: '/srv/other/page'" in journal(ready, "rights")


STAYS = """\
import os, signal, sys
def end(number, frame):
    print("ending", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
with open("/srv/stays", "w") as told:
    told.write(str(os.getpid()))
while True:
    signal.pause()
"""


def test_without_a_time_it_stays(ready: Machine) -> None:
    """The script is the main process of its service, gets SIGTERM when that is stopped, and is started again."""
    told = fifo(ready, "stays")
    make(ready, "stays", STAYS)
    assert not ready.path(f"{UNITS}/stays.timer").exists()
    ready.write(f"{UNITS}/stays.service.d/soon.conf", "[Service]\nRestartSec=0\n")
    ready.must("systemctl", "daemon-reload")
    ready.must("systemctl", "start", "stays.service")
    first = hear(told)
    assert [first, "stays.py"] == [
        *shown(ready, "stays.service", "MainPID"),
        Path(ready.must("ps", "-o", "args=", "-p", first).split()[1]).name,
    ]
    ready.must("kill", "-KILL", first)
    second = hear(told)
    assert second != first
    ready.must("systemctl", "stop", "stays.service")
    assert shown(ready, "stays.service", "Result", "ExecMainStatus") == ["success", "0"]
    assert journal(ready, "stays") == "ending\n"


def test_started_once_at_a_time(ready: Machine) -> None:
    """A start while the service runs is one with it: the script is not started a second time."""
    told, gate = fifo(ready, "told"), fifo(ready, "gate")
    body = "open('/srv/told', 'w').write('ran')\nopen('/srv/gate').readline()\nprint('ran')\n"
    make(ready, "once", body, "--on-calendar", "2040-01-01")
    with ThreadPoolExecutor() as pool, open(os.open(gate, os.O_RDWR), "w") as opened:
        first = pool.submit(ready.must, "systemctl", "start", "once.service")
        assert hear(told) == "ran"
        ready.must("systemctl", "start", "--no-block", "once.service")
        opened.write("go on\n")
        opened.flush()
        first.result()
    assert shown(ready, "once.service", "ActiveState") == ["inactive"]
    assert journal(ready, "once") == "ran\n"


def test_service_of_a_user(ready: Machine) -> None:
    """With --user, the systemd of a user runs it as that user, with the user's own cache and variables."""
    uid = int(ready.must("id", "-u", "ada"))
    ready.must("install", "-d", "-o", "ada", "-m", "700", "/run/ada")
    ada = ["runuser", "-u", "ada", "--", "env", "HOME=/home/ada", "XDG_RUNTIME_DIR=/run/ada"]
    ready.must(
        *("systemd-run", "--quiet", "--unit=ada", "--uid=ada", "--property=Delegate=yes", "--property=Type=notify"),
        *("--setenv=XDG_RUNTIME_DIR=/run/ada", "--setenv=HOME=/home/ada", "/lib/systemd/systemd", "--user"),
    )
    body = "import os, sys, humanize\nprint(os.getuid(), sys.prefix, os.getcwd())\n"
    ready.write("/home/ada/report.py", f'# /// script\n# dependencies = ["humanize"]\n# ///\n{body}')
    variables = {"SCRIPTRUN_CACHE_DIR": "/home/ada/my cache"}
    expected = pages.steps(pages.section(PAGE, "For one user: systemd"))
    done = [ready.run(*ada, "sh", "-c", f"cd; {step.command}", **variables) for step in expected]
    assert pages.differing(expected, [one.out + one.err for one in done]) == []
    assert {one.status for one in done} == {0}
    assert re.search(rf"^{uid} /home/ada/my cache/v1/envs/\S+ /home/ada$", journal(ready, "report"), re.MULTILINE)


REFUSED: dict[str, tuple[str, str]] = {
    "/root/s.py": ("a service has a user of its own, for whom `/root` is closed: the script is `/root/s.py`", "put it"),
    "/tmp/s.py": ("the script is `/tmp/s.py`, and a service has a /tmp of its own", "put it"),
    "/srv/closed.py": ("a service has a user of its own, for whom `/srv/closed.py` is closed", "put it"),
    "/srv/link.py": (
        "a service has a user of its own, for whom `/root` is closed: the script is `/srv/link.py`",
        "put",
    ),
}


@pytest.mark.parametrize("path", REFUSED)
def test_what_a_service_could_not_read_is_refused(ready: Machine, path: str) -> None:
    """A script in a home that is closed, in /tmp, for its owner alone or behind such a link: an error."""
    ready.write("/root/s.py", "")
    if path == "/srv/link.py":
        ready.must("ln", "-sfn", "/root/s.py", path)
    else:
        ready.write(path, "", 0o600 if "closed" in path else 0o644)
    message, remedy = REFUSED[path]
    status, out, err = ready.run("scriptrun", "systemd", path, "--on-calendar", "daily")
    assert (status, out) == (125, "")
    assert err.startswith(f"scriptrun: error: {message}")
    assert f"hint: {remedy}" in err
    assert ready.run("scriptrun", "systemd", path, "--on-calendar", "daily", "--user").status == 0


def test_scriptrun_that_others_cannot_run_is_refused(ready: Machine) -> None:
    """Where scriptrun itself is in root's home, the service could not start it."""
    ready.must("cp", "-r", "/opt/scriptrun", "/root/own")
    finished = ready.run("/root/own/bin/scriptrun", "systemd", f"{JOBS}/report.py", PATH="/usr/bin:/bin")
    assert finished.status == 125
    assert "for whom `/root` is closed: scriptrun is `/root/own/bin/scriptrun`" in finished.err
    assert "hint: install scriptrun for everybody" in finished.err


@pytest.mark.parametrize(
    ("path", "words", "what"),
    [
        ("/root/requirements.txt", ["--with-requirements", "/root/requirements.txt"], "--with-requirements"),
        ("/srv/closed.env", ["--env-file", "/srv/closed.env"], "--env-file"),
        (f"{JOBS}/pylock.locked.toml", [], "its lock"),
    ],
)
def test_files_that_a_service_could_not_read_are_refused(
    ready: Machine, path: str, words: list[str], what: str
) -> None:
    """So it is with files that options name, and with a lock; where they are open, the units are printed."""
    ready.write(f"{JOBS}/locked.py", "", 0o755)
    ready.write(path, "", 0o600)
    command = ["scriptrun", "systemd", *words, f"{JOBS}/locked.py", "--on-calendar", "daily"]
    status, out, err = ready.run(*command)
    assert (status, out) == (125, "")
    barrier = "/root" if path.startswith("/root/") else path
    message = f"a service has a user of its own, for whom `{barrier}` is closed: {what} is `{path}`"
    assert err.startswith(f"scriptrun: error: {message}\nhint: put it where everybody can read it")
    ready.must("chmod", "755" if barrier == "/root" else "644", barrier)
    ready.must("chmod", "644", path)
    assert ready.run(*command).status == 0
    ready.must("chmod", "700", "/root")


def test_python_in_a_home_that_is_open(ready: Machine) -> None:
    """A scriptrun whose Python is in such a home can start it: homes can be read then."""
    ready.must("install", "-d", "-m", "755", "/home/grace", "/home/grace/bin")
    commands = """
    cp "$(readlink -f /opt/scriptrun/bin/python)" /home/grace/bin/python
    cp -r /opt/scriptrun /opt/graces
    ln -sfn /home/grace/bin/python /opt/graces/bin/python
    ln -sfn python /opt/graces/bin/python3
    grep -rlI /opt/scriptrun /opt/graces/bin | xargs sed -i s:/opt/scriptrun:/opt/graces:g
    """
    ready.must("sh", "-ec", commands)
    ready.write(f"{JOBS}/graces.py", "import os, sys\nprint(os.path.realpath(sys.executable))\n", 0o755)
    words = [f"{JOBS}/graces.py", "--on-calendar", "2040-01-01", "--output", UNITS]
    ready.must("env", "PATH=/usr/bin:/bin", "/opt/graces/bin/scriptrun", "systemd", *words)
    ready.must("systemctl", "daemon-reload")
    assert ready.run("systemctl", "start", "graces.service").status == 0, journal(ready, "graces")
    assert journal(ready, "graces") == "/home/grace/bin/python\n"


@pytest.mark.parametrize("name", ["systemd-journald", "systemd-tmpfiles-clean"])
def test_names_of_the_machines_units_are_refused(ready: Machine, name: str) -> None:
    """A unit that the machine has is not hidden, whether it is called so by the script's name or by --name."""
    ready.write(f"{JOBS}/{name}.py", "", 0o755)
    for words in ([f"{JOBS}/{name}.py"], [f"{JOBS}/report.py", "--name", name]):
        finished = ready.run("scriptrun", "systemd", *words, "--on-calendar", "daily", "--output", UNITS)
        found = f"`/usr/lib/systemd/system/{name}.service` is there, and not made by scriptrun"
        assert finished == (125, "", f"scriptrun: error: {found}\nhint: choose another name with --name\n")
    assert sorted(path.name for path in ready.path(UNITS).glob(f"{name}*")) == []


def test_directory_of_the_machine_is_not_made(ready: Machine) -> None:
    """Without --user, one that is not there is an error: its name may be wrong."""
    finished = ready.run("scriptrun", "systemd", f"{JOBS}/report.py", "--output", "/etc/systemd/sytem")
    message = "`/etc/systemd/sytem/report.service` cannot be made: No such file or directory"
    assert (finished.status, finished.err) == (125, f"scriptrun: error: {message}\n")


def test_script_in_a_home_that_is_open(ready: Machine) -> None:
    """A script in a home that everybody may look into runs; homes can be read then, and not written to."""
    ready.must("install", "-d", "-m", "755", "/home/grace")
    ready.write("/home/grace/seen.py", "open('/home/grace/x', 'w')\n", 0o644)
    ready.must("scriptrun", "systemd", "/home/grace/seen.py", "--on-calendar", "2040-01-01", "--output", UNITS)
    ready.must("systemctl", "daemon-reload")
    assert ready.run("systemctl", "start", "seen.service").status != 0
    assert "OSError: [Errno 30] Read-only file system: '/home/grace/x'" in journal(ready, "seen")


def test_cache_goes_with_systemctl_clean(ready: Machine) -> None:
    """`systemctl clean` empties the cache of a service, and the next start prepares again."""
    make(ready, "again", "print('ran')\n", "--on-calendar", "2040-01-01")
    ready.must("systemctl", "start", "again.service")
    ready.must("systemctl", "clean", "--what=cache", "again.service")
    assert not ready.path("/var/cache/private/scriptrun-again").exists()
    ready.must("systemctl", "start", "again.service")
    assert journal(ready, "again") == "ran\nran\n"


def test_output_replaces_its_own_files_alone(ready: Machine) -> None:
    """Written again, units are replaced; what somebody else made under that name stays, and nothing is written."""
    make(ready, "mine", "", "--on-calendar", "2040-01-01")
    make(ready, "mine", "", "--on-calendar", "2041-01-01")
    assert "OnCalendar=2041-01-01\n" in ready.path(f"{UNITS}/mine.timer").read_text()
    ready.write(f"{UNITS}/mine.timer", "[Timer]\nOnCalendar=daily\n")
    words = ["scriptrun", "systemd", f"{JOBS}/mine.py", "new", "--on-calendar", "2042-01-01", "--output", UNITS]
    before = ready.path(f"{UNITS}/mine.service").read_text()
    finished = ready.run(*words)
    assert (finished.status, finished.err) == (
        125,
        f"scriptrun: error: `{UNITS}/mine.timer` is there, and not made by scriptrun\n"
        "hint: choose another name with --name\n",
    )
    assert ready.path(f"{UNITS}/mine.timer").read_text() == "[Timer]\nOnCalendar=daily\n"
    assert ready.path(f"{UNITS}/mine.service").read_text() == before
    assert sorted(path.name for path in ready.path(UNITS).glob("mine*")) == ["mine.service", "mine.timer"]
    assert sorted(path.name for path in ready.path(UNITS).glob(".*")) == []


def test_password_of_an_index(ready: Machine, index: Index) -> None:
    """As the page has it, a file that root alone can read leads pip to an index; nothing shows the password."""
    index.add(wheel("hidden", "1.0"))
    index.credentials = "user:secret"
    ready.write("/etc/scriptrun/pip.conf", f"[global]\nindex-url = {index.url_for(index.credentials)}\n", 0o600)
    make(ready, "guarded", "import hidden\nprint(hidden.V)\n", "--on-calendar", "2040-01-01", requirement="hidden")
    _, lines = pages.blocks(SECTION, "ini")
    ready.write(f"{UNITS}/guarded.service.d/index.conf", lines)
    ready.must("systemctl", "daemon-reload")
    ready.run("systemctl", "start", "guarded.service")
    assert journal(ready, "guarded") == "1.0\n"
    assert "secret" not in ready.must("systemctl", "show", "guarded.service")


def test_what_is_set_here_alone_is_told(ready: Machine) -> None:
    """Variables for pip that a service does not have are named, without their values; options go along."""
    secret: dict[str, Any] = {"PIP_INDEX_URL": "http://u:secret@127.0.0.1/", "https_proxy": "http://secret"}
    finished = ready.run("scriptrun", "systemd", f"{JOBS}/report.py", SCRIPTRUN_OFFLINE="1", **secret)
    assert finished.err == (
        "scriptrun: note: set here, and not in a service: PIP_INDEX_URL, https_proxy; write it into pip.conf\n"
    )
    assert "secret" not in finished.out
    assert f"ExecStart=:/usr/local/bin/scriptrun --offline {JOBS}/report.py\n" in finished.out
