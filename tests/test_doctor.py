"""Doctor: each thing that keeps a script from running, made for real, is named; where nothing does, nothing is."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from support import accounts, everybody, mounts, pages, private
from support.index import Index
from support.user import Finished, User

import scriptrun
from scriptrun.cli.doctor import _TO_BLAME
from scriptrun.doctor import cron as jobs_of_cron
from scriptrun.doctor.script import LAUNCHING
from scriptrun.doctor.surroundings import Surroundings
from scriptrun.jobs import account, crontab

BODY = "import demo, sys; open('ran', 'w'); print(demo.V, sys.prefix)\n"


def read(finished: Finished) -> list[dict[str, str]]:
    """Return the findings that `--json` printed."""
    found: list[dict[str, str]] = json.loads(finished.out)
    return found


def wrong(found: list[dict[str, str]], level: str = "problem") -> dict[str, str]:
    """Return the messages of a level, by what they are about."""
    return {one["subject"]: one["message"] for one in found if one["level"] == level}


@pytest.fixture
def closed(user: User) -> User:
    """A user whose index does not answer: nobody listens there."""
    user.variables["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple/"
    return user


def test_all_is_well(user: User, index: Index, shared_index: Index) -> None:
    """A script is prepared and not run, each line is `ok`, and of the index only a page is asked for then."""
    index.add(*shared_index.files.items())
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", body=BODY)
    found = read(user.run("scriptrun", "doctor", "--json", "s.py"))
    (environment,) = user.environments()
    subjects = [
        "scriptrun",
        "libraries",
        "configuration",
        "cache",
        "first_line",
        "python",
        "environment",
        "index",
        "start",
    ]
    assert [(one["level"], one["subject"].replace(" ", "_")) for one in found] == [("ok", name) for name in subjects]
    assert found[6]["message"] == f"{environment}, prepared now"
    assert found[8]["message"] == f"Python {sys.version.split()[0]} in {environment}"
    assert not (user.directory / "ran").exists()
    index.requests.clear()
    finished = user.run("scriptrun", "doctor", "s.py")
    assert (finished.status, finished.err) == (0, "")
    assert [line[:8].strip() for line in finished.out.splitlines()] == ["ok"] * 9
    assert f"{environment}, ready\n" in finished.out
    assert index.requests == ["/simple/demo/"]


def test_the_machine(user: User) -> None:
    """Without a script it tells of the Pythons, and asks the index, which need not have what is asked for."""
    found = read(user.run("scriptrun", "doctor", "--json"))
    assert wrong(found) == {}
    assert [one["subject"] for one in found][-2:] == ["pythons", "index"]
    assert user.environments() == []


def test_the_machine_without_an_index(closed: User) -> None:
    """That the index does not answer is a problem then, with status 1."""
    finished = closed.run("scriptrun", "doctor", "--json")
    assert finished.status == 1
    assert wrong(read(finished)) == {
        "index": "the index cannot be reached, or failed to answer, when pip asked for `pip`"
    }


def spoil_line_end(user: User) -> str:
    """Let a carriage return end the first line."""
    path = user.directory / "s.py"
    path.write_bytes(path.read_bytes().replace(b"scriptrun\n", b"scriptrun\r\n", 1))
    return "first line: a carriage return ends the shebang"


def spoil_mode(user: User) -> str:
    """Take the right to execute."""
    (user.directory / "s.py").chmod(0o644)
    return "first line: the file cannot be executed"


def spoil_shebang(user: User) -> str:
    """Name a scriptrun that is not there."""
    path = user.directory / "s.py"
    path.write_text(path.read_text().replace("/usr/bin/env scriptrun", "/no/such/scriptrun"))
    return "first line: it names `/no/such/scriptrun`, which is not there"


def spoil_lock(user: User) -> str:
    """Ask for more than the lock has."""
    assert user.run("scriptrun", "lock", "s.py").status == 0
    path = user.directory / "s.py"
    path.write_text(path.read_text().replace('"demo",', '"demo", "tool",'))
    return "lock: s.py: "


def spoil_python(user: User) -> str:
    """Ask for a Python that is not there."""
    path = user.directory / "s.py"
    path.write_text(path.read_text().replace("# dep", '# requires-python = ">=3.99"\n# dep'))
    return "python: s.py:3: "


def spoil_block(user: User) -> str:
    """Make a mistake in the block."""
    path = user.directory / "s.py"
    path.write_text(path.read_text().replace("# ]\n", "# )\n"))
    return "block: s.py"


def spoil_index(user: User) -> str:
    """Name an index at which nobody listens."""
    user.variables["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple/"
    return "index: the index cannot be reached"


def spoil_distribution(user: User) -> str:
    """Ask for what the index does not have."""
    user.script("s.py", "no-such-thing", body=BODY)
    return "environment: s.py:4: no such distribution"


def spoil_configuration(user: User) -> str:
    """Make a mistake in the configuration."""
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("offline = 7\n")
    return f"configuration: {path}:1: "


def spoil_home(user: User) -> str:
    """Have no home."""
    user.variables.update(HOME=str(user.home / "gone"), TMPDIR=str(user.directory))
    return f"cache: the cache is in `{user.directory}/scriptrun-{os.geteuid()}`, as there is no home directory"


def spoil_owner(user: User) -> str:
    """Let others write to the cache."""
    user.cache.mkdir(parents=True)
    user.cache.chmod(0o777)
    return f"cache: the cache directory `{user.cache}` can be written to by other users"


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [
        spoil_line_end,
        spoil_mode,
        spoil_shebang,
        spoil_lock,
        spoil_python,
        spoil_block,
        spoil_index,
        spoil_distribution,
        spoil_configuration,
        spoil_home,
        spoil_owner,
    ],
    ids=lambda spoil: spoil.__name__.removeprefix("spoil_"),
)
def test_what_is_wrong_is_named(user: User, spoil: object) -> None:
    """Each cause is a problem, told with what it is about; the status is 1."""
    assert callable(spoil)
    user.script("s.py", "demo", body=BODY)
    expected: str = spoil(user)
    finished = user.run("scriptrun", "doctor", "--json", "s.py")
    subject, _, message = expected.partition(": ")
    found = wrong(read(finished)).get(subject, "nothing")
    assert (finished.status, found[: len(message)]) == (1, message)
    assert not (user.directory / "ran").exists()


@pytest.mark.slow
def test_no_index_does_not_matter_to_what_is_prepared(user: User) -> None:
    """That is only a note then, and the status 0."""
    user.script("s.py", "demo", body=BODY)
    assert user.run("scriptrun", "sync", "s.py").status == 0
    finished = user.run("scriptrun", "doctor", "--json", "s.py", PIP_INDEX_URL="http://127.0.0.1:9/simple/")
    assert (finished.status, wrong(read(finished))) == (0, {})
    assert list(wrong(read(finished), "note")) == ["index"]


@pytest.mark.slow
def test_a_python_that_has_gone(user: User, tmp_path: Path) -> None:
    """It is named, and the script prepared for another one; where there is no other, that is a problem."""
    copies = [private.copy(Path(sys.executable), tmp_path / name) for name in ("first", "second")]
    for copy in copies:
        (copy.parent / "mypython").symlink_to(copy)
    user.variables["PATH"] = ":".join([str(copy.parent) for copy in copies] + [user.variables["PATH"]])
    user.script("s.py", head='# tool.scriptrun.python = "mypython"\n')
    assert user.run("./s.py").status == 0
    copies[0].unlink()
    found = read(user.run("scriptrun", "doctor", "--json", "s.py"))
    assert wrong(found) == {}
    assert wrong(found, "note") == {
        "python": f"`{copies[0]}`, which it ran on, has gone: it is prepared for the one above"
    }
    copies[1].unlink()
    assert wrong(read(user.run("scriptrun", "doctor", "--json", "s.py"))) == {
        "python": "no Python found for `mypython` (s.py:3)"
    }


@pytest.mark.slow
def test_a_file_system_that_lets_nothing_run(user: User, tmp_path: Path) -> None:
    """It says where script or cache are on one that is mounted `noexec`, and where the cache cannot be written to."""
    user.script("s.py", "demo", body=BODY)
    copied = tmp_path / "mounted"
    copied.mkdir()
    commands = f"""
    mount -t tmpfs -o noexec none {copied}
    cp -p s.py {copied}
    mkdir -m 700 {copied}/cache
    export SCRIPTRUN_CACHE_DIR={copied}/cache
    scriptrun doctor --json {copied}/s.py || echo ' ,'
    mount -o remount,ro {copied}
    scriptrun doctor --json s.py || true
    """
    finished = mounts.in_namespace(user, commands)
    assert finished.err == ""
    noexec, readonly = (json.loads(text) for text in finished.out.split("\n ,\n"))
    assert [one["message"] for one in noexec if one["level"] == "problem"] == [
        f"`{copied}/cache` is on a file system that is mounted `noexec`: programs and native libraries do not work",
        "the script is on a file system that is mounted `noexec`: it cannot be started by itself",
    ]
    assert wrong(readonly)["cache"] == f"`{copied}/cache` cannot be written to: Read-only file system"


LOOK = "env -0 | sort -z | tr '\\0' '\\n'; pwd; umask; id; ps -o tty= -p $$; set | grep -c PS1"

CRON = """
printf "%s\\n" {before} "@reboot ({look}) >{directory}/out 2>&1; touch {directory}/done"  \\
    >/var/spool/cron/crontabs/{name}
chown {name} /var/spool/cron/crontabs/{name}; chmod 600 /var/spool/cron/crontabs/{name}
PATH=/weird:/usr/sbin:/usr/bin:/bin MAKES=noise unshare -p --kill-child --mount-proc --fork cron -f >/dev/null 2>&1 &
cron=$!
trap 'kill -KILL $cron' EXIT  # it lets no other signal end it
timeout 60 sh -c 'until [ -e {directory}/done ]; do sleep 0.05; done'
cat {directory}/out
echo ' ,'
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["root", "ada"])
def test_it_looks_from_where_cron_runs_jobs(user: User, tmp_path: Path, name: str) -> None:
    """Variables, directory, umask, user, groups and terminal are what Debian's cron itself gives to a job."""
    open_directory = Path(tempfile.mkdtemp(prefix="scriptrun-cron-"))
    open_directory.chmod(0o1777)
    (open_directory / "look").write_text(f"#!/bin/sh\n{LOOK}")
    (open_directory / "look").chmod(0o755)
    table = "PATH=/somewhere:/usr/bin:/bin\nFIRST = 'a  b'\nSECOND=$HOME"
    ours = f"""
import os, sys
from scriptrun.doctor import crontabs, surroundings
who = surroundings.account({name!r})
(line,) = crontabs.find({str(open_directory / "look")!r}, who, dict(os.environ))
there = surroundings.of_cron(who, line.variables, line.leading)
sys.stdout.buffer.write(surroundings.run(there, {f"{open_directory}/look"!r}).output)
"""
    (tmp_path / "ours.py").write_text(ours)
    commands = CRON.format(
        before=shlex.quote(table), look=f"{open_directory}/look", directory=open_directory, name=name
    )
    quoted = """Q1="\nQ2="a\nQ3="a b'\nQ4=a"\nQ5='"a"b"\n"""
    variables = f'# a comment\nPATH=/nowhere\nexport EXPORTED="c d"\nCUT=e#f\n{quoted}HOME=/other\n'
    try:
        finished = accounts.run(
            user,
            f"{commands}{shlex.quote(sys.executable)} {tmp_path}/ours.py",
            homes={"ada": (65534, "/no/such/home")},
            variables=variables,
        )
    finally:
        shutil.rmtree(open_directory)
    theirs, _, own = finished.out.partition(" ,\n")
    assert "SECOND=$HOME\n" in theirs
    assert own == theirs, finished.err


def cron(user: User, commands: str, *, tables: Mapping[str, str] | None = None) -> Finished:
    """Run commands as root of a machine whose root is this user, with pip's configuration in a file."""
    configuration = user.home / ".config/pip/pip.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.write_text(f"[global]\nindex-url = {user.variables['PIP_INDEX_URL']}\n")
    kept = {name: value for name, value in user.variables.items() if name in ("HOME", "PATH", "LANG")}
    return accounts.run(replace(user, variables=kept), commands, tables=tables)


@pytest.mark.slow
def test_cron_does_not_find_it(user: User, command: Path) -> None:
    """The line that is to be written instead is told; it works as cron would run it, and with it all is well."""
    script = user.script("s.py", "demo", body=BODY)
    found = read(cron(user, "scriptrun doctor --cron --json s.py || true"))
    assert wrong(found) == {"command": "`scriptrun` is not on cron's PATH"}
    (remedy,) = (one["remedy"].split("\n") for one in found if one["subject"] == "command")
    assert remedy[0] == f"let the line say: {command} {script}"
    line = remedy[0].partition(": ")[2]
    done = cron(
        user, f"cd / && env -i HOME={user.home} LOGNAME=root SHELL=/bin/sh PATH=/usr/bin:/bin /bin/sh -c {line!r}"
    )
    (environment,) = user.environments()
    assert done == (0, f"2.0 {environment}\n", "")
    for text in (f"* * * * * {line}\n", f"{remedy[1].partition(': ')[2]}\n@daily {script}\n"):
        healed = cron(user, "scriptrun doctor --cron --json s.py", tables={"root": text})
        assert (healed.status, {one["level"] for one in read(healed)}) == (0, {"ok"})
    for text in (f"@daily {script}\n", f"PATH=$HOME/bin\n@daily {script}\n"):
        assert "command" in wrong(
            read(cron(user, "scriptrun doctor --cron --json s.py || true", tables={"root": text}))
        )


@pytest.mark.slow
def test_what_is_set_here_is_not_set_in_cron(user: User, command: Path) -> None:
    """Variables are named, and not what they hold; a cache elsewhere is, too, and the script is prepared in both."""
    script = user.script("s.py", "demo", body=BODY)
    set_here = "PIP_RETRIES=1 HTTPS_PROXY=http://u:secret@127.0.0.1:9 SCRIPTRUN_CACHE_DIR=$HOME/other"
    finished = cron(user, f"{set_here} scriptrun doctor --cron s.py", tables={"root": f"@daily {command} {script}\n"})
    assert finished.status == 0
    assert "set here, and not in cron: HTTPS_PROXY, PIP_RETRIES, SCRIPTRUN_CACHE_DIR\n" in finished.out
    assert f"the cache is `{user.cache}` in cron, and `{user.home}/other` here\n" in finished.out
    assert "secret" not in finished.out + finished.err
    assert len(user.environments()) == len(list(user.home.glob("other/v1/envs/*/*/scriptrun.json"))) == 1


@pytest.mark.slow
def test_a_cache_in_the_line_counts(user: User, command: Path) -> None:
    """The line that `scriptrun cron` writes is understood, with the cache it names; so is one with a variable."""
    script = user.script("s.py", "demo", body=BODY)
    look = "scriptrun doctor --cron --json s.py"
    install = "scriptrun cron s.py --schedule @daily --install --quiet"
    written = cron(user, f'export SCRIPTRUN_CACHE_DIR="$HOME/50% \'\\\\b"; {install}; {look}')
    table = {"root": f"@daily SCRIPTRUN_CACHE_DIR=$HOME/other {command} {script}\n"}
    expanded = cron(user, f"export SCRIPTRUN_CACHE_DIR=$HOME/other; {look}", tables=table)
    assert [{one["level"] for one in read(finished)} for finished in (written, expanded)] == [{"ok"}, {"ok"}]
    made = [path.relative_to(user.home).parts[0] for path in user.home.rglob("scriptrun.json")]
    assert sorted(made) == ["50% '\\b", "other"]


@pytest.mark.slow
def test_options_in_the_line_count(user: User, command: Path) -> None:
    """The line's options choose the environment that is looked at, and what is wrong with them is found."""
    script = user.script("s.py", body="import demo\n")
    look = "scriptrun doctor --cron --json s.py || true"
    found = read(cron(user, look, tables={"root": f"@daily {command} --with demo {script}\n"}))
    assert {one["level"] for one in found} == {"ok"}
    (environment,) = user.environments()
    assert list(environment.glob("lib/*/site-packages/demo*"))
    wrongly = read(cron(user, look, tables={"root": f"@daily {command} --python 3.4 {script}\n"}))
    assert wrong(wrongly)["python"].startswith("no Python found for `3.4`")


LINES = {
    "@daily {command} {script}": {},
    "@daily cp {script} /tmp/backup\n@daily {command} {script}": {},
    "@daily {command} /other.py {script}\n@daily nice {command} {script}": {},
    "@daily {command} {script}\nPATH=/usr/bin\n@daily {script}": {"command": "`scriptrun` is not on cron's PATH"},
    "@daily {command} -c 1; {script}": {"command": "`scriptrun` is not on cron's PATH"},
    "@daily /no/such/scriptrun {script}": {
        "command": "the table names `/no/such/scriptrun`, which root cannot start",
    },
    "SHELL=/no/such/shell\n@daily {command} {script}": {"cron": "`/no/such/shell` cannot be started as a shell"},
}


@pytest.mark.slow
@pytest.mark.parametrize("lines", LINES)
def test_what_a_line_starts_is_looked_at(user: User, command: Path, lines: str) -> None:
    """Each command that starts the script counts, by the scriptrun it names; what only mentions it does not."""
    script = user.script("s.py")
    table = lines.format(command=command, script=script) + "\n"
    found = wrong(read(cron(user, "scriptrun doctor --cron --json s.py || true", tables={"root": table})))
    assert found == LINES[lines]


@pytest.mark.slow
def test_a_password_in_no_remedy(user: User) -> None:
    """Where an option holds a password, the remedy is pip.conf, and not a line that everybody can read."""
    user.script("s.py")
    found = read(cron(user, "scriptrun doctor --cron --json --index-url http://a:secret@127.0.0.1:9/ s.py || true"))
    (remedy,) = (one["remedy"] for one in found if one["subject"] == "command")
    assert remedy.startswith("put the index into pip.conf, which is yours alone, and write above the line: PATH=")


def test_a_shell_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What does not answer is no shell, and nothing more is asked of it."""
    monkeypatch.setattr(jobs_of_cron, "_ANSWERING", 0.2)
    shell = tmp_path / "shell"
    shell.write_text("#!/bin/sh\nsleep 1000\n")
    shell.chmod(0o755)
    variables = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "SHELL": str(shell)}
    place = jobs_of_cron.Place(Surroundings(account.find(""), variables), "/bin/scriptrun", None, "")
    assert [one.message for one in jobs_of_cron.findings(place, {}, ())][1:] == [
        f"`{shell}` cannot be started as a shell"
    ]


@pytest.mark.slow
def test_a_first_line_that_cron_starts(user: User, command: Path) -> None:
    """A first line that does not start scriptrun is a problem where the line of the table starts the script by it."""
    script = user.write("s.py", "#!/usr/bin/python3.99\n# /// script\n# ///\n", executable=True)
    table = {"root": f"PATH={command.parent}:/usr/bin:/bin\n@daily {script}\n"}
    found = wrong(read(cron(user, "scriptrun doctor --cron --json s.py || true", tables=table)))
    assert found == {"first line": "the shebang starts `python3.99`, which does not read the block"}


@pytest.mark.slow
def test_a_table_that_cron_ignores(user: User, command: Path) -> None:
    """A file in /etc/cron.d that cron does not look at is named, with the reason, unless another one has the line."""
    script = user.script("s.py")
    look = "scriptrun doctor --cron --json s.py"
    line = f"echo '@daily root\t{command} {script}' >/etc/cron.d"
    found = wrong(read(cron(user, f"{line}/a.job; {look} || true")))
    ignored = "cron ignores /etc/cron.d/a.job: its name holds other characters than letters, digits, `_` and `-`"
    assert found == {"cron": ignored}
    assert wrong(read(cron(user, f"{line}/a.job; {line}/job; {look}"))) == {}


IGNORED = """
cd /etc/cron.d
for name in good dotted.x writable theirs linked link lost unended; do
    printf '#!/bin/sh\necho %s >>{0}/ran\n' $name >{0}/$name
    chmod 755 {0}/$name
    echo "@reboot root {0}/$name" >$name
done
chmod 620 writable; chown 65534 theirs; ln linked other; rm link; ln -s good link; chown -h 65534 link
printf %s "$(cat unended)" >unended
mv lost /run/lost; ln -s /run/lost lost; chmod 602 /run/lost
unshare -p --kill-child --mount-proc --fork /usr/sbin/cron -f >/dev/null 2>&1 &
cron=$!
trap 'kill -KILL $cron' EXIT  # it lets no other signal end it
timeout 60 sh -c 'until grep -q good {0}/ran; do sleep 0.05; done' 2>/dev/null
sort -u {0}/ran
"""


@pytest.mark.slow
def test_what_cron_ignores_is_known(user: User, tmp_path: Path) -> None:
    """Of the files in /etc/cron.d those are told to be ignored from which Debian's cron runs nothing."""
    names = ("good", "dotted.x", "writable", "theirs", "linked", "lost", "unended")
    (tmp_path / "ours.py").write_text(f"""
import os
from scriptrun.doctor import crontabs, surroundings
for name in {names}:
    (line,) = crontabs.find(f"{tmp_path}/{{name}}", surroundings.account("root"), dict(os.environ))
    if not line.ignored:
        print(name)
""")
    finished = accounts.run(user, f"{IGNORED.format(tmp_path)}{shlex.quote(sys.executable)} {tmp_path}/ours.py")
    assert finished == (0, "good\ngood\n", "")


@pytest.mark.slow
def test_what_the_shell_says_is_no_finding(user: User, command: Path) -> None:
    """A shell that complains keeps nothing from being found; stdout alone holds findings."""
    script = user.script("s.py")
    noisy = user.write("noisy", '#!/bin/sh\n/bin/sh "$@"; status=$?; echo noise >&2; exit $status\n', executable=True)
    table = {"root": f"SHELL={noisy}\n@daily {command} {script}\n"}
    finished = cron(user, "scriptrun doctor --cron --json s.py", tables=table)
    assert (finished.status, {one["level"] for one in read(finished)}) == (0, {"ok"})


@pytest.mark.slow
def test_remedy_can_be_put_into_a_table(user: User, command: Path) -> None:
    """What cron itself would replace is written so that it does not."""
    script = user.script("50\\% s.py")
    found = read(cron(user, f"scriptrun doctor --cron --json {shlex.quote(script.name)} || true"))
    (remedy,) = (one["remedy"] for one in found if one["subject"] == "command")
    line = remedy.split("\n")[0].removeprefix("let the line say: ")
    assert shlex.split(crontab.received(line)) == [str(command), str(script)]


@pytest.mark.slow
def test_another_home_in_the_table(user: User, command: Path) -> None:
    """What a table sets counts: with a home that is not there, the cache would be in a directory that is emptied."""
    script = user.script("s.py", "demo", body=BODY)
    table = f"HOME={user.home}/gone\nTMPDIR={user.directory}\n@daily {command} {script}\n"
    found = wrong(read(cron(user, "scriptrun doctor --cron --json s.py || true", tables={"root": table})))
    assert found["home"] == f"there is no home: `{user.home}/gone` is no directory"
    assert found["cache"].startswith(f"the cache is in `{user.directory}/scriptrun-0`, as there is no home directory")


@pytest.mark.slow
def test_how_a_table_starts_it_matters(user: User, command: Path) -> None:
    """A mode that keeps a script from being started by itself is a problem, but not where scriptrun is named."""
    script = user.script("s.py")
    script.chmod(0o644)
    table = {"root": f"@daily {command} {script}\n"}
    assert wrong(read(cron(user, "scriptrun doctor --cron --json s.py", tables=table)), "note") == {
        "first line": "the file cannot be executed"
    }
    table = {"root": f"PATH={command.parent}:/usr/bin:/bin\n@daily {script}\n"}
    assert wrong(read(cron(user, "scriptrun doctor --cron --json s.py || true", tables=table))) == {
        "first line": "the file cannot be executed"
    }


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["one.py", "two.py"], 2, "`scriptrun doctor` takes one script at most"),
        (["--user", "root"], 2, "`--user` goes with `--cron`"),
        (["--cron", "--user", "no-such-user"], 2, "this machine knows no user `no-such-user`"),
        (["missing.py"], 127, "no such file: `missing.py`"),
        (["https://127.0.0.1/s.py"], 2, "`scriptrun doctor` is for files, not for `https://127.0.0.1/s.py`"),
    ],
)
def test_wrong_use(user: User, words: list[str], status: int, message: str) -> None:
    """What it cannot look at ends it, as it does other commands."""
    finished = user.run("scriptrun", "doctor", *words)
    assert (finished.status, finished.out) == (status, "")
    assert finished.err.startswith(f"scriptrun: error: {message}\n")


@pytest.mark.slow
def test_as_another_user(programs: Path, shared_index: Index) -> None:
    """root looks as somebody else: it is prepared in their cache; what is closed to them is named."""
    root = Path(tempfile.mkdtemp(prefix="scriptrun-machine-"))
    root.chmod(0o755)
    machine = everybody.Everybody(root, programs, shared_index.url)
    script = machine.script("s.py", "demo", body=BODY)
    homes = {"ada": (everybody.NOBODY, machine.other.home)}
    configuration = machine.other.home / ".config/pip/pip.conf"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(f"[global]\nindex-url = {shared_index.url}\n")
    plain = {"HOME": str(machine.administrator.home)}
    look = "doctor --cron --user ada --json s.py || true"
    try:
        user = replace(machine.administrator, variables={**plain, "PATH": f"{programs}:/usr/bin:/bin"})
        table = {"ada": f"PATH={programs}:/usr/bin:/bin\n@daily {script}\n"}
        healthy = read(accounts.run(user, f"scriptrun {look}", homes=homes, tables=table))
        (environment,) = machine.other.cache.glob("v1/envs/*/*")
        owner = environment.stat().st_uid
        script.chmod(0o744)
        unexecuted = read(accounts.run(user, f"scriptrun {look}", homes=homes, tables=table))
        script.chmod(0o700)
        unread = read(accounts.run(user, f"scriptrun {look}", homes=homes, tables=table))
        closed = machine.administrator.home / "bin"
        script.chmod(0o755)
        shutil.copytree(programs, closed)
        unstarted = read(accounts.run(user, f"{closed}/scriptrun {look}", homes=homes))
    finally:
        shutil.rmtree(root)
    assert ({one["level"] for one in healthy}, owner) == ({"ok"}, everybody.NOBODY)
    assert wrong(unexecuted)["first line"] == f"ada cannot execute {script}"
    assert wrong(unread)["script"] == f"ada cannot read {script}"
    assert "it does not start there" in wrong(unstarted)["scriptrun"]


def subjects() -> Iterator[str]:
    """Yield what the code has findings about."""
    package = Path(scriptrun.__file__).parent
    first = {"Finding": 1, "of_error": 0, "_tried": 0, "_failed": 0}
    yield from (LAUNCHING, *(name for _, name in _TO_BLAME))
    for path in (*package.glob("doctor/*.py"), package / "cli/doctor.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                about = [one.value for one in node.keywords if one.arg == "subject"]
                about += node.args[first[node.func.id] :][:1] if node.func.id in first else []
                yield from (str(one.value) for one in about if isinstance(one, ast.Constant))


def test_the_page_has_all_subjects() -> None:
    """The table in docs/cron.md tells of each subject, and of no other one."""
    section = pages.section("docs/cron.md", "Before you go home: doctor")
    rows = re.findall(r"^\| (`.*?) \| \S", section, re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`(.*?)`", row)) == sorted(set(subjects()))
