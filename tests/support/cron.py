"""A machine of the test's own, for Debian's cron: mount and process namespaces, with users, tables and mails.

Nothing of the real machine's `/etc`, `/home`, `/run` and `/var/spool/cron` is written to: what is mounted over them,
and all processes, end with the process that holds the namespaces.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from support import everybody, namespaces
from support.user import LIMIT, Finished

_FILES = """\
mount -t tmpfs -o mode=755 tmpfs /run
for directory in /etc /usr/sbin /usr/local/bin /opt /srv /var/cache /var/lib /var/log; do
    own="/run/changes$directory"
    mkdir -p "$own/upper" "$own/work"
    mount -t overlay overlay -o "lowerdir=$directory,upperdir=$own/upper,workdir=$own/work" "$directory"
done
for directory in /home /root; do mount -t tmpfs -o mode=755 tmpfs "$directory"; done
chmod 700 /root
rm -rf /etc/pip.conf /etc/scriptrun /var/cache/scriptrun
"""
"""Lets what is written on the machine be its own; it has no configuration of the real one's."""

_SETUP = """\
mount -t tmpfs -o mode=755 tmpfs /var/spool/cron
rm -rf /etc/crontab /etc/cron.*
mkdir /etc/cron.d
install -d -m 1730 -g crontab /var/spool/cron/crontabs
install -d -m 1777 /run/mails /run/done
rm -f /usr/sbin/sendmail
cat >/usr/sbin/sendmail <<'END'
#!/bin/sh
exec cat >"$(mktemp /run/mails/XXXXXXXX)"
END
chmod 755 /usr/sbin/sendmail
"""
"""`sendmail` keeps the mails; `/run/done` is for marks of jobs. The real machine has no directory of it."""


class Mail(NamedTuple):
    """A mail of cron's: to whom, from which command, what this wrote, and whether cron says that it failed."""

    to: str
    command: str
    text: str
    failed: bool


class Machine:
    """A machine with Debian's cron, which does not run yet. `programs` holds the command `scriptrun`."""

    def __init__(self, holder: subprocess.Popen[bytes], programs: Path) -> None:
        self.first = namespaces.first(holder.pid)
        self.programs = programs

    def add_user(self, name: str) -> Path:
        """Add a user who has `scriptrun` in `~/.local/bin`, and return their home, seen from outside."""
        self.must(f"useradd --create-home --shell /bin/bash {name}")
        self.must(f"mkdir -p ~/.local/bin && ln -s {self.programs}/scriptrun ~/.local/bin/", user=name)
        return self.path(f"/home/{name}")

    def path(self, path: str) -> Path:
        """Return a path of this machine as seen from outside."""
        return Path(f"/proc/{self.first.pid}/root{path}")

    def run(self, commands: str | Sequence[str], *, user: str = "root", stdin: bytes = b"") -> Finished:
        """Run shell commands as a user does who has just logged in; without, a command as root with its words."""
        words = ["su", "--login", user, "--command", commands] if isinstance(commands, str) else commands
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        inside = namespaces.inside(self.first.pid, "mount", "pid")
        finished = subprocess.run(
            [*inside, *words], input=stdin, env=environment, capture_output=True, check=False, timeout=LIMIT
        )
        out, err = (one.decode("utf-8", "surrogateescape") for one in (finished.stdout, finished.stderr))
        return Finished(finished.returncode, out, err)

    def must(self, commands: str, *, user: str = "root") -> str:
        """Run shell commands that have to succeed, and return what they write to stdout."""
        finished = self.run(f"set -e; {commands}", user=user)
        assert finished.status == 0, (commands, finished)
        return finished.out

    def write(self, path: str, text: str, *, user: str = "root", mode: int = 0o644) -> None:
        """Write a file of a user's."""
        finished = self.run(
            ["su", user, "-c", f"umask 022; cat >'{path}' && chmod {mode:o} '{path}'"], stdin=text.encode()
        )
        assert finished.status == 0, finished

    def table(self, user: str) -> bytes | None:
        """Return what cron has as the table of a user, without the lines that `crontab` puts before it."""
        path = self.path(f"/var/spool/cron/crontabs/{user}")
        if not path.exists():
            return None
        lines = path.read_bytes().split(b"\n")
        return b"\n".join(line for number, line in enumerate(lines) if number > 2 or not line.startswith(b"#"))

    def set_table(self, user: str, table: bytes) -> None:
        """Give a user a table, by the program `crontab`."""
        finished = self.run(["crontab", "-u", user, "-"], stdin=table)
        assert finished == (0, "", "")

    def start_cron(self) -> None:
        """Start Debian's cron, which says in mails which jobs failed where it is told to log them (`-L`)."""
        self.run(["sh", "-c", "cron -f -L 5 >/dev/null 2>&1 &"])

    def await_jobs(self, names: Sequence[str]) -> None:
        """Wait until each of these has left its mark in `/run/done`, and nothing but cron itself runs any more."""
        deadline = time.monotonic() + LIMIT
        while missing := [name for name in names if not self.path(f"/run/done/{name}").exists()]:
            assert time.monotonic() < deadline, f"never ended: {missing}"
            time.sleep(0.1)
        while running := self._jobs():
            assert time.monotonic() < deadline, f"still there: {running}"
            time.sleep(0.1)

    def _jobs(self) -> list[psutil.Process]:
        """Return the processes that cron has started."""
        found = self.first.children(recursive=True)
        return [one for one in found if one.is_running() and one.parent() != self.first]

    def mails(self) -> list[Mail]:
        """Return the mails that cron has sent."""
        return sorted(_mail(path) for path in self.path("/run/mails").iterdir())


def _mail(path: Path) -> Mail:
    head, _, body = path.read_text("utf-8", "surrogateescape").partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines())
    command = headers["Subject"].partition("> ")[2]
    return Mail(headers["To"], command.removesuffix(" (failed)"), body, command.endswith(" (failed)"))


@contextmanager
def machine(programs: Path) -> Iterator[Machine]:
    """Yield a machine with Debian's cron and scriptrun."""
    everybody.require_root()
    everybody.require_programs("cron", "cron", "crontab")
    with system(_SETUP) as holder:
        yield Machine(holder, programs)


@contextmanager
def system(setup: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Yield what holds the namespaces of a machine, in which these shell commands were run, with `words` as theirs."""
    with namespaces.held(namespaces.ALONE, f"{_FILES}{setup}", *words) as holder:
        yield holder
