"""Debian's cron runs scripts: one tick, and what came of it; before, users follow docs/cron.md word for word."""

from __future__ import annotations

import errno
import fcntl
import functools
import json
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from support import cron, everybody, pages
from support import index as indexes
from support.cron import Machine, Mail
from support.index import Index

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PAGE = "docs/cron.md"
HEAD = "#!/usr/bin/env scriptrun\n# /// script\n# dependencies = [{}]\n# ///\n"
ALONE = "#!/usr/bin/env scriptrun\n# /// script\n# dependencies = []\n# tool.scriptrun.no-overlap = true\n# ///\n"
CROWD = 30

FACTS = """\
import json, os, stat, sys
def terminal():
    try:
        return os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        return error.errno
facts = {
    "environment": dict(os.environ), "directory": os.getcwd(), "umask": os.umask(0), "user": os.getresuid(),
    "groups": os.getgroups(), "streams": [stat.S_IFMT(os.fstat(one).st_mode) for one in range(3)],
    "input": sys.stdin.read(), "terminal": terminal(), "session": os.getsid(0) != os.getpid(), "nice": os.nice(0),
    "signals": [line for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn"))],
    "descriptors": sorted(one for one in os.listdir("/proc/self/fd")),
}
with open(sys.argv[1], "w") as file:
    json.dump(facts, file)
"""
"""Writes what a program finds into a file."""

SCRIPTS = {
    "facts": HEAD.format("") + FACTS,
    "silent": HEAD.format("'demo==1.0'") + "import demo\nassert demo.V == '1.0'\n",
    "failing": HEAD.format("'demo==1.0'") + "import sys\nprint('disk full', file=sys.stderr)\nsys.exit(3)\n",
    "first": HEAD.format("'early'") + "import early\nprint('early', early.V)\n",
    "unpreparable": HEAD.format("'nowhere'"),
    "crowd": HEAD.format("'herd'") + "import herd, sys\nopen(sys.argv[1], 'w').write(sys.prefix)\n",
    "alone": ALONE
    + "import glob, time\nwhile not glob.glob('/run/done/alone*'):\n    time.sleep(0.05)\nprint('alone')\n",
}
PREPARED = ("facts", "silent", "failing")

ODD = ["50%", "\\%", "a\\\\b\\", "it's", '"$HOME"', "`id`", "--", "-q", "", "#", "ü", "a;b&c|d>e", "*", "!1", " x "]
ODD_SCRIPT = "/home/dave/a b/100% \\n $x.py"
"""What has a meaning to cron, to the shell, or to scriptrun."""

JOBS = {
    "plain": "/usr/bin/python3 ~/facts.py plain.json",
    "shebang": "~/facts.py shebang.json",
    "named": "/home/bob/.local/bin/scriptrun /home/bob/facts.py named.json",
    "silent": "~/silent.py",
    "failing": "~/failing.py",
    "first": "~/first.py",
    "unpreparable": "~/unpreparable.py",
    "lost": "PATH=/usr/bin:/bin ~/silent.py",
    **{f"alone{number}": "~/alone.py" for number in range(2)},
    **{f"crowd{number}": f"~/crowd.py crowd{number}.json" for number in range(CROWD)},
}
"""The jobs of bob, whose table sets a PATH."""


@dataclass
class Night:
    """What came of one tick of cron, and of its start.

    `statuses` and `mails` are of all jobs, `facts` what bob's wrote into files, `odd` the words that
    dave's got, `requests` what came to the index.
    """

    statuses: dict[str, str]
    mails: list[Mail]
    facts: dict[str, str]
    requests: list[str]
    odd: str

    def mail(self, job: str) -> list[Mail]:
        """Return the mails about a job of bob's."""
        return [mail for mail in self.mails if mail.command.endswith(f"/run/done/{job}; exit $s")]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, pythons: list[Path]) -> Night:
    """One tick of Debian's cron, for the tests of all processes."""
    everybody.require_root()
    directory = tmp_path_factory.getbasetemp()
    kept = (directory.parent if "PYTEST_XDIST_WORKER" in os.environ else directory) / "night.json"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            with everybody.installation(pythons) as programs, cron.machine(programs) as machine, serve() as index:
                kept.write_text(json.dumps(asdict(spend(machine, index))))
    found = Night(**json.loads(kept.read_text()))
    found.mails = [Mail(*mail) for mail in found.mails]
    return found


@contextmanager
def serve() -> Iterator[Index]:
    """Serve what the jobs ask for, `humanize`, which docs/cron.md has for an example, and what scriptrun stands on."""
    with indexes.serve() as index:
        index.add(*((path.name, path.read_bytes()) for path in ROOT.glob(".work/wheels/*.whl")))
        for name in ("demo", "early", "herd"):
            index.add(indexes.wheel(name, "1.0"))
        module = "def naturalsize(size):\n    return '182.5 GB'\n"
        index.add(indexes.wheel("humanize", "4.0", files={"humanize.py": module}))
        yield index


def spend(machine: Machine, index: Index) -> Night:
    """Set up users and jobs, as docs/cron.md tells ada and root to; wait for a tick, and for the end of all jobs."""
    machine.write("/etc/pip.conf", f"[global]\nindex-url = {index.url}\n")
    _follow_as_ada(machine)
    _follow_as_root(machine)
    _set_up_bob(machine, index)
    machine.add_user("carol")
    machine.set_table("carol", b"@reboot ~/.local/bin/scriptrun -c 'print(6 * 7)'; echo $? >/run/done/reboot\n")
    _set_up_dave(machine)
    index.requests.clear()
    _set_tick(machine)
    machine.start_cron()
    machine.await_jobs(["reboot", "odd", *JOBS])
    return Night(
        statuses={path.name: path.read_text().strip() for path in machine.path("/run/done").iterdir()},
        mails=machine.mails(),
        facts={path.stem: path.read_text() for path in machine.path("/home/bob").glob("*.json")},
        requests=index.requests,
        odd=machine.path("/run/done/odd").read_text(),
    )


def follow(machine: Machine, title: str, user: str, directory: str) -> None:
    """Run the commands of a section of the page in one shell of a user's; each has to write what is shown there."""
    pages.follow(pages.section(PAGE, title), functools.partial(machine.must, user=user), directory)


def _follow_as_ada(machine: Machine) -> None:
    machine.must("useradd --create-home --shell /bin/bash ada")
    pages.clone(machine.path("/home/ada/clone"))
    machine.must("chown -R ada: ~ada/clone")
    (program,) = pages.blocks(pages.section(PAGE, "A user's job"), "python")
    machine.write("/home/ada/report.py", program, user="ada")
    follow(machine, "A user's job", "ada", "~/clone")
    assert machine.table("ada") is None
    follow(machine, "Before you go home: doctor", "ada", "~")


def _follow_as_root(machine: Machine) -> None:
    for name, mode in (("with.dot", 0o644), ("writable", 0o664)):
        machine.write(f"/etc/cron.d/{name}", "@reboot root echo 0 >/run/done/ignored\n", mode=mode)
    pages.clone(machine.path("/root/clone"))
    follow(machine, "Install for everybody", "root", "~/clone")
    follow(machine, "For everybody: /etc/cron.d", "root", "/")


def _set_up_bob(machine: Machine, index: Index) -> None:
    machine.add_user("bob")
    machine.must("rm /etc/pip.conf")
    machine.must("mkdir -p ~/.config/pip", user="bob")
    machine.write("/home/bob/.config/pip/pip.conf", f"[global]\nindex-url = {index.url}\n", user="bob")
    for name, text in SCRIPTS.items():
        machine.write(f"/home/bob/{name}.py", text, user="bob", mode=0o755)
    for name in PREPARED:
        machine.must(f"scriptrun sync {name}.py", user="bob")


def _set_up_dave(machine: Machine) -> None:
    machine.add_user("dave")
    program = HEAD.format("") + "import json, sys\nopen('/run/done/odd', 'w').write(json.dumps(sys.argv[1:]))\n"
    machine.must("mkdir -p 'a b'", user="dave")
    machine.write(ODD_SCRIPT, program, user="dave")
    words = shlex.join([ODD_SCRIPT, "--schedule", "@reboot", "--install", "--", *ODD])
    machine.must(f"cd /; XDG_CACHE_HOME='/home/dave/a b/%\\%' scriptrun cron {words}", user="dave")


def _set_tick(machine: Machine) -> None:
    """Move all jobs to the next minute, and be done seconds before it comes, so that cron can be started."""
    lines = [f"{command}; s=$?; echo $s >/run/done/{name}; exit $s" for name, command in JOBS.items()]
    while True:
        tick = (time.time() + 8) // 60 * 60 + 60
        minute = time.localtime(tick).tm_min
        table = "".join(f"{minute} * * * * {line}\n" for line in lines)
        machine.set_table("bob", f"PATH=/home/bob/.local/bin:/usr/bin:/bin\n{table}".encode())
        machine.must(f"crontab -l | sed 's/^0 6 /{minute} * /' | crontab -", user="ada")
        machine.must(f"sed -i 's/^0 6 /{minute} * /' /etc/cron.d/report")
        if time.time() < tick - 4:
            return


def test_statuses(night: Night) -> None:
    """Each job ends as its script does; what cannot be prepared with 125, and 127 where PATH lacks scriptrun.

    No other job was run: cron ignores files with a dot in their name, and such as others than root can write to.
    """
    expected = {**dict.fromkeys([*JOBS, "reboot"], "0"), "odd": night.odd.strip()}
    expected |= {"failing": "3", "unpreparable": "125", "lost": "127"}
    assert night.statuses == expected


def test_silence(night: Night) -> None:
    """Jobs that work and write nothing are mailed nothing about, prepared before or at this tick."""
    silent = ["plain", "shebang", "named", "silent", *(name for name in JOBS if name.startswith("crowd"))]
    assert [mail for name in silent for mail in night.mail(name)] == []


def test_output_is_mailed(night: Night) -> None:
    """What a script writes, also at its first tick, and at the start of cron, is all there is."""
    (first,) = night.mail("first")
    assert (first.to, first.text, first.failed) == ("bob", "early 1.0\n", False)
    assert [(mail.text, mail.failed) for mail in night.mails if mail.to == "carol"] == [("42\n", False)]


def test_second_start_of_a_script_that_must_not_overlap(night: Night) -> None:
    """Of two jobs of one script with `no-overlap` one ends at once, in silence; the other waits for that, and runs."""
    assert [mail.text for number in range(2) for mail in night.mail(f"alone{number}")] == ["alone\n"]


def test_failing_script(night: Night) -> None:
    """The mail about a script that fails holds what the script wrote, and cron sees the status."""
    (mail,) = night.mail("failing")
    assert (mail.to, mail.text, mail.failed) == ("bob", "disk full\n", True)


def test_failing_preparation(night: Night) -> None:
    """The mail about a script that cannot be prepared is one block: the error with its place, pip's lines, a hint."""
    (mail,) = night.mail("unpreparable")
    first, *details = mail.text.splitlines()
    assert first.startswith("scriptrun: error: /home/bob/unpreparable.py:3: ")
    assert [line for line in details if not line.startswith(("  ", "hint: "))] == []
    assert any("nowhere" in line for line in details)
    assert mail.failed


def test_shebang_without_path(night: Night) -> None:
    """Where PATH lacks scriptrun the mail says what docs/cron.md says."""
    (mail,) = night.mail("lost")
    assert mail.text.replace("‘", "'").replace("’", "'") == "/usr/bin/env: 'scriptrun': No such file or directory\n"
    assert "env: 'scriptrun': No such file or directory" in pages.section(PAGE, "A user's job")


@pytest.mark.parametrize("job", ["shebang", "named"])
def test_environment(night: Night, job: str) -> None:
    """A script finds what a program finds that cron starts itself; its environment is named, and first on its PATH."""
    found, expected = (json.loads(night.facts[name]) for name in (job, "plain"))
    environment = found["environment"]["VIRTUAL_ENV"]
    assert environment.startswith("/home/bob/.cache/scriptrun/v1/envs/")
    path = f"{environment}/bin:{expected['environment']['PATH']}"
    expected["environment"] |= {"PATH": path, "VIRTUAL_ENV": environment}
    assert found == expected
    assert found["terminal"] == errno.ENXIO


def test_crowd(night: Night) -> None:
    """Thirty first starts at one tick install once, and run in the same environment."""
    assert len({night.facts[f"crowd{number}"] for number in range(CROWD)}) == 1
    assert sorted(path for path in night.requests if "herd" in path) == [
        "/files/herd-1.0-py3-none-any.whl",
        "/simple/herd/",
    ]


def test_odd_words(night: Night) -> None:
    """A script with an odd name and odd arguments, installed by scriptrun, gets its arguments as they were given."""
    assert json.loads(night.odd) == ODD
    assert [mail for mail in night.mails if mail.to == "dave"] == []


def test_prepared_jobs_ask_nobody(night: Night) -> None:
    """No request is made for what was prepared."""
    assert [path for path in night.requests if "demo" in path or "humanize" in path] == []


@pytest.mark.parametrize(("user", "recipient"), [("ada", "ada"), ("report", "root")])
def test_jobs_of_the_documentation(night: Night, user: str, recipient: str) -> None:
    """The job that docs/cron.md has a user install, and the one that it has root write, were run, at another minute."""
    script = {"ada": "/home/ada/report.py", "report": "/srv/jobs/report.py"}[user]
    (mail,) = [mail for mail in night.mails if mail.command.endswith(script)]
    assert (mail.to, mail.text, mail.failed) == (recipient, "182.5 GB free\n", False)
