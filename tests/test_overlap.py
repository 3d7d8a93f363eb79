"""Never two at once: `no-overlap`, whose lock lives exactly as long as the script's process."""

from __future__ import annotations

import hashlib
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import mounts, pages, watch, web
from support.index import Index
from support.jobs import Job, kill
from support.user import LIMIT, Finished, User
from support.watch import Gate

from scriptrun import overlap

HEAD = "[tool.scriptrun]\nno-overlap = true"
RAN = Finished(0, "ran\n", "")
SILENT = Finished(0, "", "")


@pytest.fixture
def job(user: User) -> Job:
    """A script that is not to run twice at once."""
    return Job(user, HEAD)


def locks(user: User) -> list[Path]:
    """Return the files that are locked while scripts run."""
    return sorted((user.cache / "v1/running").iterdir())


def configure(user: User, text: str) -> None:
    """Write the user's `config.toml`."""
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("place", ["block", "option", "variable", "configuration"])
def test_second_start_ends_at_once_and_silently(user: User, place: str) -> None:
    """Wherever the option stands, a start while the script runs ends with 0 and says nothing; later ones run."""
    job = Job(user, HEAD if place == "block" else "")
    variables = {"SCRIPTRUN_NO_OVERLAP": "1"} if place == "variable" else {}
    words: list[str | Path] = ["scriptrun", *(["--no-overlap"] if place == "option" else []), job.script]
    if place == "configuration":
        configure(user, "no-overlap = true\n")
    with job.running(*words, **variables) as first:
        assert job.start(*words, **variables) == SILENT
        shutil.rmtree(user.cache / "v1/answers")
        assert job.start(*words, **variables) == SILENT  # decided anew
        assert job.release(first) == RAN
    for _ in range(2):
        assert job.start(*words, **variables) == RAN


@pytest.mark.slow
def test_status_of_choice_comes_with_one_line(user: User) -> None:
    """`overlap-status` other than 0 ends a second start with that, and with a note unless it is to be quiet."""
    job = Job(user, f"{HEAD}\noverlap-status = 75")
    with job.running() as first:
        note = f"scriptrun: note: {job.script} runs already (process {first.pid})\n"
        for words, status, err in (
            ((), 75, note),
            (("-q",), 75, ""),
            (("--overlap-status", "3"), 3, note),
            (("--overlap-status=0",), 0, ""),
            (("--overlap-status=0", "-v"), 0, note),
        ):
            assert job.start("scriptrun", *words, job.script) == (status, "", err)


def test_variable_that_says_no_outdoes_the_block(job: Job) -> None:
    """With SCRIPTRUN_NO_OVERLAP=0 the script runs a second time."""
    with job.running():
        assert job.start(SCRIPTRUN_NO_OVERLAP="0") == RAN


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_script_lets_go(job: Job, number: int) -> None:
    """When the script's process is dead, however it died, the next start runs."""
    with job.running() as first:
        kill(first, number)
        assert job.start() == RAN


LEAVE = """\
import os, subprocess, sys
if sys.argv[1] == "fork" and os.fork() == 0:
    os.setsid()
    os.closerange(0, 3)
    open({go!r}).readline()
    os._exit(0)
if sys.argv[1] == "spawn":
    subprocess.Popen(["cat", {go!r}], close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if sys.argv[1] == "system":
    os.system("cat {go} >/dev/null 2>&1 &")
print("ran")
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["fork", "spawn", "system"])
def test_children_that_outlive_the_script_do_not_hold_it(job: Job, way: str) -> None:
    """What the script leaves running, with the descriptor of the lock, keeps no other start from running."""
    script = job.user.write("leave.py", job.text + LEAVE.format(go=str(job.go)), executable=True)
    assert job.start(script, way) == RAN
    left = watch.processes(job.user.directory)
    assert left
    assert any(os.readlink(f"/proc/{pid}/fd/200") == str(locks(job.user)[0]) for pid in left)
    assert job.start(script, "nothing") == RAN
    os.close(os.open(job.go, os.O_RDWR))
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    watch.await_end(left)


def test_exec_by_the_script_keeps_the_lock(job: Job) -> None:
    """Whatever program the script becomes holds the lock: it is the same process."""
    body = f"import os\nos.execvp('sh', ['sh', '-c', 'echo $$ >{job.up}; read x <{job.go}; echo ran'])\n"
    job.script.write_text(job.text + body)
    with job.running() as first:
        assert job.start() == SILENT
        assert job.release(first) == RAN


@pytest.mark.slow
def test_script_that_starts_itself_anew_keeps_the_lock(job: Job) -> None:
    """By `exec` of scriptrun, a script runs again in the same process, with no descriptor more."""
    again = f"if len(sys.argv) < 9:\n    os.execvp({str(job.script)!r}, [*sys.argv, 'more'])\n"
    count = "print(len(os.listdir('/proc/self/fd')))\n"
    job.script.write_text(f"{job.text}import os, sys\n{count}sys.stdout.flush()\n{again}{job.waiting}")
    status, out, err = job.start()
    assert (status, err) == (0, "")
    *counts, last = out.split()
    assert (len(counts), len(set(counts)), last) == (9, 1, "ran")
    with job.running() as first:
        assert job.start() == SILENT
        assert job.release(first).status == 0


def test_script_that_starts_itself_anew_finds_the_lock_where_it_is(job: Job) -> None:
    """The usual descriptor may be somebody else's: there is one for the lock nevertheless, however often."""
    again = f"if len(sys.argv) < 4:\n    os.execvp({str(job.script)!r}, [*sys.argv, 'more'])\n"
    count = "print(sorted(map(int, os.listdir('/proc/self/fd'))), flush=True)\n"
    job.script.write_text(f"{job.text}import os, sys\n{count}{again}")
    finished = job.start(sys.executable, "-c", TAKEN, job.script)
    assert finished == (0, "[0, 1, 2, 3, 200, 201]\n" * 4, "")


TAKEN = """\
import os, sys
os.dup2(0, 200)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""What becomes a program that has the descriptor 200 from the start."""


@pytest.mark.slow
def test_second_start_does_not_wait_for_the_first_to_be_prepared(user: User, index: Index) -> None:
    """While pip works for the first start, a second one ends at once; if preparing fails, the next one prepares."""
    user.variables["PIP_INDEX_URL"] = index.url
    job = Job(user, HEAD, "demo")
    gate = Gate(index)
    with watch.start(user, job.script) as first:
        gate.wait()
        assert job.start() == SILENT
        gate.open()
        assert watch.end(first)[0] == 125  # the index is empty
    assert job.start().status == 125


def test_names_of_one_file_are_one(job: Job) -> None:
    """Links, other directories and arguments make no difference; a copy and a hard link are other scripts."""
    directory = job.user.directory
    (directory / "below").mkdir()
    (directory / "link.py").symlink_to("s.py")
    (directory / "linked").symlink_to(".")
    (directory / "hard.py").hardlink_to(job.script)
    shutil.copy(job.script, directory / "copy.py")
    with job.running():
        for words in (("s.py",), ("link.py", "x"), ("linked/s.py",), ("below/../s.py",)):
            assert job.start("scriptrun", *words) == SILENT
        assert job.user.run("scriptrun", "../s.py", cwd=directory / "below") == SILENT
        for name in ("copy.py", "hard.py"):
            assert job.start("scriptrun", name) == RAN


def test_script_that_is_replaced_meanwhile_is_the_same(job: Job) -> None:
    """The path counts: what is written there while the old one runs does not start, until that has ended."""
    with job.running() as first:
        job.script.unlink()
        job.script.write_text(f"{job.text}print('new')\n")
        assert job.start("scriptrun", job.script) == SILENT
        assert job.release(first) == RAN
    assert job.start("scriptrun", job.script) == (0, "new\n", "")


@pytest.mark.slow
def test_emptied_cache(job: Job) -> None:
    """Clearing and pruning leave the lock of a script that runs, and remove it afterwards; lists do not mind it."""
    with job.running() as first:
        for words in (("clear", "--grace", "0"), ("prune", "--all", "--grace", "0"), ("list",), ("size",), ("verify",)):
            assert job.start("scriptrun", "cache", *words).status == 0
        assert job.start() == SILENT
        (lock,) = locks(job.user)
        assert lock.read_text() == f"{job.script}\n"
        assert job.release(first) == RAN
    assert job.start("scriptrun", "cache", "prune", "--grace", "0").status == 0
    assert locks(job.user) == []
    assert job.start() == RAN


HOLD = """\
import fcntl, os, sys
file = open(sys.argv[1], "r+")
fcntl.lockf(file, fcntl.LOCK_EX, 2, 0)
print("held", flush=True)
input()
os.unlink(sys.argv[1])
"""
"""Does what a removal does, and lets the test look at the moment in between."""


def test_removal_of_the_file_is_not_taken_for_a_run(job: Job) -> None:
    """A start that meets a removal waits for that moment, and then runs with a file of its own."""
    assert job.start() == RAN
    (lock,) = locks(job.user)
    before = lock.stat().st_ino
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as remover:
        assert remover.stdout is not None
        assert remover.stdout.readline() == "held\n"
        second = watch.start(job.user, job.script)
        await_block(second, before)
        remover.communicate("\n", timeout=LIMIT)
        assert watch.end(second) == RAN
    assert locks(job.user) == [lock]


def await_block(process: subprocess.Popen[str], inode: int) -> None:
    """Wait until a process waits for a lock on a file, or has ended."""
    ended = select.poll()
    descriptor = os.pidfd_open(process.pid)
    ended.register(descriptor, select.POLLIN)
    waiting = [f" {process.pid} ", f":{inode} "]
    while not ended.poll(10):
        rows = [row for row in Path("/proc/locks").read_text().splitlines() if "->" in row]
        if any(all(part in row for part in waiting) for row in rows):
            break
    os.close(descriptor)


def test_file_that_is_locked_stays(tmp_path: Path) -> None:
    """Nobody removes the file while one has the lock, or is about to take it."""
    for byte in (0, 1):
        path = tmp_path / str(byte)
        path.touch()
        hold = HOLD.replace("2, 0", f"1, {byte}").replace("os.unlink(sys.argv[1])", "")
        command = [sys.executable, "-c", hold, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            assert not overlap.remove(str(path))
            holder.communicate("\n", timeout=LIMIT)
        assert overlap.remove(str(path))
        assert not path.exists()


@pytest.mark.slow
def test_of_many_starts_one_runs(user: User) -> None:
    """Twenty starts at the same moment of a script that nothing is known of: one runs, the others end silently."""
    job = Job(user, HEAD)
    starts = [watch.start(user, job.script, "wait") for _ in range(20)]
    winner = int(watch.receive(job.up))
    for one in starts:
        if one.pid != winner:
            assert watch.end(one) == SILENT
    (first,) = (one for one in starts if one.pid == winner)
    assert job.release(first) == RAN


def test_two_users_do_not_exclude_each_other(new_user: Callable[[str], User], job: Job) -> None:
    """The lock is in the user's own cache: another one's run of the same script is no obstacle."""
    other = new_user("other")
    with job.running():
        assert other.run(job.script) == RAN
        assert job.start() == SILENT


@pytest.mark.parametrize("known", [True, False])
def test_without_a_place_for_the_lock_nothing_runs(job: Job, *, known: bool) -> None:
    """In a cache that cannot be written to the script does not start, ready as it may be."""
    assert job.start() == RAN
    if not known:
        shutil.rmtree(job.user.cache / "v1/answers")
    cache = job.user.cache
    frozen = f"mount --bind {cache} {cache} && mount -o remount,ro,bind {cache} && exec {job.script}"
    status, out, err = mounts.in_namespace(job.user, frozen)
    assert (status, out) == (125, "")
    assert err.startswith(f"scriptrun: error: `{job.script}` cannot be kept from running twice: ")
    assert "Read-only file system\nhint: " in err
    assert err.count("\n") == 2


def test_lock_is_never_in_the_cache_of_all(job: Job) -> None:
    """A user without a place of their own does not start it, though its environment is in the system's cache."""
    shared = {"SCRIPTRUN_SYSTEM_CACHE": str(job.user.directory / "shared")}
    nowhere = {**shared, "HOME": "/dev/null", "TMPDIR": "/dev/null"}
    plain = job.user.script("plain.py", body="print('ran')\n")
    for script in (plain, job.script):
        assert job.start("scriptrun", "sync", "--system", script, **shared).status == 0
    assert job.start(plain, **nowhere) == RAN
    status, out, err = job.start(**nowhere)
    assert (status, out) == (125, "")
    assert "no place for the cache" in err


@pytest.mark.slow
@pytest.mark.parametrize("words", [("-m", "this"), ("-c", "print(1)"), ("-i",), ("-",), ("/dev/stdin",)])
def test_what_has_no_path_cannot_be_kept_from_running_twice(user: User, words: tuple[str, ...]) -> None:
    """Asked for on the command line or in a variable that is wrong usage; the configuration means others."""
    for option, variables in (("--no-overlap", {}), ("SCRIPTRUN_NO_OVERLAP", {"SCRIPTRUN_NO_OVERLAP": "1"})):
        given = [option] if option.startswith("--") else []
        status, out, err = user.run("scriptrun", *given, *words, stdin=b"print(1)\n", cwd=None, **variables)
        assert (status, out) == (2, "")
        assert err.startswith(f"scriptrun: error: `{option}` is for a script at a path or a URL")
    configure(user, "no-overlap = true\n")
    for _ in range(2):
        assert user.run("scriptrun", *words, stdin=b"print(1)\n").status == 0


def test_block_without_a_path(job: Job) -> None:
    """A script on standard input that is not to run twice is refused; beside `-c` its block does not count."""
    status, out, err = job.start("sh", "-c", f"scriptrun - <{job.script}")
    assert (status, out) == (2, "")
    assert "`<stdin>:5` is for a script at a path or a URL" in err
    for _ in range(2):
        assert job.start("scriptrun", "--script", job.script, "-c", "print('ran')") == RAN


@pytest.mark.slow
def test_configuration_that_is_written_later_counts(user: User) -> None:
    """A launch record that was written before the option came into `config.toml` or into the block proves nothing."""
    job = Job(user)
    assert job.start() == RAN
    assert len(user.records()) == 1
    configure(user, "no-overlap = true\n")
    with job.running() as first:
        assert job.start() == SILENT
        assert job.release(first) == RAN
    configure(user, "")
    assert job.start() == RAN
    job.script.write_text(Job.block(HEAD) + job.waiting)
    with job.running():
        assert job.start() == SILENT


@pytest.mark.slow
def test_program_at_a_url_is_kept_by_its_url(user: User) -> None:
    """Of one URL one run at a time; another URL with the same content is another program."""
    job = Job(user, HEAD)
    with web.serve() as site:
        urls = [site.put(path, job.script.read_text()) for path in ("/one/a.py", "/two/a.py")]
        trust = ("--trust", hashlib.sha256(job.script.read_bytes()).hexdigest())
        for url in urls:
            assert job.start("scriptrun", *trust, url) == RAN
        with job.running("scriptrun", urls[0]) as first:
            assert job.start("scriptrun", urls[0]) == SILENT
            assert job.start("scriptrun", urls[0].replace("http:", "HTTP:") + "#part") == SILENT
            assert job.start("scriptrun", urls[1]) == RAN
            assert job.release(first) == RAN


def test_descriptor_is_out_of_the_way(job: Job) -> None:
    """It is 200, or 10 where the limit is lower; the script gets no other descriptor."""
    job.script.write_text(f"{job.text}import os\nprint(sorted(map(int, os.listdir('/proc/self/fd'))))\n")
    for limit, expected in ((1024, 200), (64, 10)):
        out = job.start("sh", "-c", f"ulimit -n {limit}; exec {job.script}").out
        assert out == f"[0, 1, 2, 3, {expected}]\n"


@pytest.mark.slow
def test_explanation(job: Job) -> None:
    """`--explain` tells what a second start does, and whether the script runs; asking is in nobody's way."""
    plain = "overlap:     a second start ends at once, with status 0\n"
    assert plain in job.start("scriptrun", "--explain", job.script).out
    with job.running() as first:
        expected = f"overlap:     it runs already (process {first.pid}): {plain.partition('a second')[1]}"
        assert expected in job.start("scriptrun", "--explain", job.script).out
        assert job.release(first) == RAN
    assert plain in job.start("scriptrun", "--explain", job.script).out


def test_start_that_ends_at_once_tells_nothing_else(user: User) -> None:
    """What a run has to tell of the block, a second start does not tell."""
    job = Job(user)
    variables = {"SCRIPTRUN_NO_OVERLAP": "1"}
    for block, word in ((Job.block("unknown-key = 1"), "`unknown-key`"), ("#/// script\n# ///\n", "/// script")):
        job.script.write_text(block + job.waiting)
        with job.running("scriptrun", job.script, **variables) as first:
            assert job.start("scriptrun", job.script, **variables) == SILENT
            told = job.release(first).err
        assert word in told


def test_script_that_closes_descriptors_lets_go(job: Job) -> None:
    """The lock goes with its descriptor: as the documentation says, a script must not close what is not its own."""
    job.script.write_text(f"{job.text}import os\nos.closerange(3, 1000)\n{job.waiting}")
    with job.running():
        assert job.start() == RAN


def test_documented_commands(user: User) -> None:
    """The script and the commands of `docs/cron.md` do what is shown there."""
    section = pages.section("docs/cron.md", "Never two at once")
    (head,) = pages.blocks(section, "python")
    job = Job(user)
    job.script.write_text(head + job.waiting)
    job.script.rename(user.directory / "backup.py")
    commands = pages.steps(section)
    assert commands.pop(0) == ("./backup.py &", "")
    with job.running(user.directory / "backup.py") as first:
        assert len(commands) == 3
        for command, expected in commands:
            _, out, err = user.run("sh", "-c", command)
            assert (err + out).replace(f"process {first.pid}", "process 4711") == expected
