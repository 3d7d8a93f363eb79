"""The launcher, under every shell: a record proves, or Python decides. Nothing in between."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import damage as damages
from support.shells import HIT, MISS, QUIET_OPTIONS, SHELLS, Stage, command
from support.user import User

import scriptrun
from scriptrun import arguments, block, location
from scriptrun.errors import MetadataError

NOBODY = 65534

SHEBANG = b"#!/usr/bin/env scriptrun\n"
BLOCK = b'# /// script\n# dependencies = ["demo"]\n# ///\n'

HEADS = {
    "plain": SHEBANG + BLOCK + b"import demo\nprint(1)\n",
    "no shebang": BLOCK + b"\n\nimport demo\n",
    "quotes": SHEBANG + b"# it's \"quoted\" ''' \\' \\\\ \\\n" + BLOCK + b"x = '''it's'''\n",
    "shell": SHEBANG + b"# $HOME ${x} $(echo) `echo` * ~ & ; | < > ! # %s\\n\n" + BLOCK + b"$`\n",
    "blanks": SHEBANG + b"#  \t x \t \n \t \n" + BLOCK + b" \t\n\n\x0b\n  x = 1\t \n",
    "high bytes": SHEBANG + b"# " + bytes(range(0x80, 0x100)) + b"\n" + BLOCK + b"x\n",
    "control bytes": SHEBANG
    + b"# "
    + bytes(n for n in range(1, 0x20) if n not in b"\n\r")
    + b"\x7f\n"
    + BLOCK
    + b"x\n",
    "special to dash": SHEBANG + b"# \x81'\x82\\\x83\x84\x85\x86\x87\x88'\x81\n" + BLOCK + b"x\n",
    "utf-8": SHEBANG + "# Grüße, 世界 🐍\n".encode() + BLOCK + b"x\n",
    "latin-1": SHEBANG + b"# -*- coding: latin-1 -*-\n# Gr\xfc\xdfe\n" + BLOCK + b"x\n",
    "CRLF": (SHEBANG + BLOCK + b"\nprint(1)\n").replace(b"\n", b"\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + BLOCK + b"print(1)\n",
    "no final newline": SHEBANG + BLOCK + b"print(1)",
    "block ends the file": SHEBANG + BLOCK,
    "block ends the file without newline": SHEBANG + BLOCK[:-1],
    "comments to the end": SHEBANG + BLOCK + b"# one\n#\n# two",
    "block far down": SHEBANG + b"import sys\n" * 300 + BLOCK + b"x\n",
    "no block": SHEBANG + b"print(1)\n",
    "no block, no newline": b"print(1)",
    "one newline": b"\n",
    "half a character at the end": SHEBANG + BLOCK + b"# \xc2",
    "empty": b"",
}


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.slow] if name != "dash" else []) for name in SHELLS])
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Each shell's command, in turn; the core of the tests, which runs on every Python, is content with one."""
    return command(request.param)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A launcher whose two ways only say which one was taken."""
    return Stage(tmp_path)


@pytest.fixture
def open_stage() -> Iterator[Stage]:
    """Such a stage that other users can look into."""
    if os.geteuid() != 0:
        message = "acting as another user takes root: run the tests as root"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    root = tempfile.mkdtemp(prefix="scriptrun-stage-")
    Path(root).chmod(0o755)
    yield Stage(Path(root))
    shutil.rmtree(root)


def test_launcher_is_short() -> None:
    """The launcher has at most 85 lines: five more than before it knew locks, one comparison and why it is there."""
    launcher = Path(scriptrun.__file__).parent / "launcher.sh"
    assert len(launcher.read_text().splitlines()) <= 85


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("head", HEADS)
def test_record_is_used_as_long_as_the_compared_lines_are_the_same(
    stage: Stage, shell: tuple[str, ...], head: str, locale: str
) -> None:
    """Whatever bytes a script begins with, its record is a hit; a byte changed, added or taken away is a miss."""
    source = HEADS[head]
    proof = stage.prove(source)
    assert proof is not None
    assert stage.run(*shell, variables={"LC_ALL": locale}) == (0, HIT, "")
    rest = source[len(proof) :]
    for edited in {
        source[:-1],
        source + b"\xc2",
        proof[:-1] + rest,
        b"x" + source,
        proof + b"x" if not rest else b"#" + source[1:],
    }:
        stage.edit(edited)
        unchanged = edited == source or bool(rest and edited.startswith(proof))
        assert stage.run(*shell, variables={"LC_ALL": locale}) == (0, HIT if unchanged else MISS, ""), edited


@pytest.mark.slow
def test_every_compared_byte_counts(stage: Stage) -> None:
    """Any one byte of the compared lines replaced, by a NUL or another, is a miss, though shells drop NULs."""
    source = SHEBANG + BLOCK + b"# \xc3\xa9\nx\n\n\ny\n"
    proof = stage.prove(source)
    assert proof == source[:-2]
    for at in range(len(proof)):
        for new in (b"\0", b"\n", b"'", bytes([source[at] ^ 1])):
            if new != source[at : at + 1]:
                stage.edit(source[:at] + new + source[at + 1 :])
                assert stage.run() == (0, MISS, ""), (at, new)
    stage.edit(source)
    assert stage.run() == (0, HIT, "")


def test_nul_in_place_of_a_newline_is_a_miss(stage: Stage, shell: tuple[str, ...]) -> None:
    """No line end of the compared lines can be replaced by a NUL, in any shell."""
    source = SHEBANG + BLOCK + b"\n\n\nx\n"
    proof = stage.prove(source)
    assert proof == source[:-2]
    for found in re.finditer(b"\n", proof):
        stage.edit(source[: found.start()] + b"\0" + source[found.end() :])
        assert stage.run(*shell) == (0, MISS, ""), found.start()


def test_added_nul_is_the_one_change_that_shells_do_not_see(stage: Stage) -> None:
    """An added NUL is not noticed: shells drop it. Python, but for old ones, refuses such a file."""
    source = SHEBANG + BLOCK + b"x\n"
    stage.prove(source)
    stage.edit(source.replace(b"# ///\n", b"# ///\0\n"))
    assert stage.run("dash") == (0, HIT, "")


def test_copied_cache_does_without_the_old_one(user: User) -> None:
    """Where a cache was copied and the old one is still there, scripts run in environments of the copy."""
    user.script("s.py", body="import sys; print(sys.prefix)\n")
    assert user.run("./s.py").out == user.run("./s.py").out == f"{user.environments()[0]}\n"
    copy = user.directory / "copy"
    shutil.copytree(user.cache, copy, symlinks=True)
    ran = [user.run("./s.py", SCRIPTRUN_CACHE_DIR=str(copy)) for _ in range(2)]
    assert ran[0] == ran[1]
    assert ran[0].out.startswith(f"{copy}/v1/envs/")


def test_python_refuses_scripts_with_nul(pythons: list[Path], tmp_path: Path) -> None:
    """Python refuses a file with a NUL in a comment from 3.12 on, as late 3.11 do; 3.8 to 3.10 run it."""
    script = tmp_path / "nul.py"
    script.write_bytes(b"# ///\0\nprint(1)\n")
    for python in pythons:
        code = "import sys; print(sys.version_info >= (3, 12), sys.version_info < (3, 11))"
        refuses, runs = subprocess.check_output([python, "-I", "-c", code], text=True).split()
        status = subprocess.run([python, "-I", script], capture_output=True, check=False).returncode
        assert (refuses, status) != ("True", 0), python
        assert (runs, status) != ("True", 1), python


LINES = st.one_of(
    st.sampled_from(
        [
            b"#!/usr/bin/env scriptrun",
            b"# -*- coding: latin-1 -*-",
            b"# /// script",
            b"# ///",
            b"# ///",
            b'# dependencies = ["demo"]',
            b"# a comment",
            b"#",
            b"#no space",
            b"",
            b"   ",
            b"import demo",
            b"'''",
            b"\\",
        ]
    ),
    st.binary(max_size=12).map(lambda line: line.replace(b"\0", b"").replace(b"\n", b"")),
    st.lists(st.integers(0x80, 0xFF), max_size=8).map(lambda numbers: b"# " + bytes(numbers)),
)

SOURCES = st.builds(
    lambda mark, before, body, after, end, final: mark + end.join([*before, *body, *after]) + (end if final else b""),
    st.sampled_from([b"", b"", b"\xef\xbb\xbf"]),
    st.lists(LINES, max_size=4),
    st.sampled_from([BLOCK.split(b"\n")[:-1], []]),
    st.lists(LINES, max_size=8),
    st.sampled_from([b"\n", b"\n", b"\r\n"]),
    st.booleans(),
)


@st.composite
def edits(draw: st.DrawFn, source: bytes) -> bytes:
    """Change a byte, insert some, delete some, append or cut off; no NUL, as shells drop it."""
    at = draw(st.integers(0, len(source)))
    kind = draw(st.sampled_from(["flip", "flip", "insert", "delete", "append", "truncate", "close", "none"]))
    some = draw(st.binary(min_size=1, max_size=4)).replace(b"\0", b"#")
    if kind == "flip":
        return source[:at] + some[:1] + source[at + 1 :]
    if kind == "insert":
        return source[:at] + some + source[at:]
    if kind == "delete":
        return source[:at] + source[at + len(some) :]
    if kind == "append":
        return source + some
    if kind == "close":
        return source.replace(b"# a comment", b"# ///", 1)
    return source[:at] if kind == "truncate" else source


def meaning(source: bytes) -> object:
    """Return what decides the environment of a program; the error, where its block is not valid."""
    try:
        found, misses = block.cut(source, "script.py")
    except MetadataError:
        return "two blocks"
    return (found.raw, found.encoding) if found else len(misses)


@pytest.fixture(scope="module")
def lasting_stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """One stage for many examples."""
    return Stage(tmp_path_factory.mktemp("stage"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("name", SHELLS)
def test_launcher_agrees_with_the_reference(lasting_stage: Stage, name: str, data: st.DataObject) -> None:
    """Under random scripts and edits it is a hit exactly where the compared text is the same, and so the meaning is."""
    agree(lasting_stage, command(name), data)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_launcher_agrees_with_the_reference_hundreds_of_times(lasting_stage: Stage, data: st.DataObject) -> None:
    """The same, often, under the shell that most systems call sh."""
    agree(lasting_stage, command("dash"), data)


def _is_text(source: bytes) -> bool:
    try:
        source.decode()
    except UnicodeDecodeError:
        return False
    return True


def agree(stage: Stage, shell: tuple[str, ...], data: st.DataObject) -> None:
    """Draw a script and an edit of it, and compare what the launcher does with what it must do."""
    source = data.draw(SOURCES)
    before = meaning(source)
    if before == "two blocks":
        return
    proof = stage.prove(source)
    edited = data.draw(edits(source))
    stage.edit(edited)
    same = proof is not None and edited.startswith(proof) and (len(proof) < len(source) or edited == source)
    locale = data.draw(st.sampled_from(["C", "C.UTF-8"]))
    # it reads on where a line ends inside a UTF-8 character, and misses once too often
    reads_on = shell[0] == "bash" and locale == "C.UTF-8" and not _is_text(edited)
    answer = stage.run(*shell, variables={"LC_ALL": locale})
    if not reads_on or answer[1] == HIT:
        assert answer == (0, HIT if same else MISS, "")
    if same:
        after = meaning(edited)
        assert after in (before, "two blocks")


def _cut_record(stage: Stage) -> None:
    stage.record.write_bytes(stage.record.read_bytes()[:-20])


def _random_record(stage: Stage) -> None:
    stage.record.write_bytes(random.Random(1).randbytes(300))


def _first_line_alone(stage: Stage) -> None:
    stage.record.write_bytes(stage.record.read_bytes().split(b"\n")[0] + b"\n")


def _directory_for_record(stage: Stage) -> None:
    stage.record.unlink()
    stage.record.mkdir()


def _other_format(stage: Stage) -> None:
    stage.record.write_bytes(stage.record.read_bytes().replace(b"record 4", b"record 3"))


def _lines(words: bytes) -> Callable[[Stage], None]:
    def damage(stage: Stage) -> None:
        content = re.sub(rb"_sr_lines='[- ]+'", b"_sr_lines=" + words, stage.record.read_bytes())
        stage.record.write_bytes(content)

    return damage


def _quote_added(stage: Stage) -> None:
    stage.record.write_bytes(stage.record.read_bytes().replace(b"#!/usr", b"#'/usr"))


def _dangling_python(stage: Stage) -> None:
    python = stage.environment / "bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python")


def _python_not_executable(stage: Stage) -> None:
    (stage.environment / "bin/python").chmod(0o644)


def _pipe_for_stamp(stage: Stage) -> None:
    (stage.environment / ".stamp").unlink()
    os.mkfifo(stage.environment / ".stamp")


def _script_is_a_directory(stage: Stage) -> None:
    stage.script.unlink()
    stage.script.mkdir()


def _changed_configuration(stage: Stage) -> None:
    manifest = (stage.environment / "scriptrun.json").stat()
    os.utime(stage.environment / "pyvenv.cfg", (manifest.st_atime, manifest.st_mtime + 1))


def _link_for_stamp(stage: Stage) -> None:
    (stage.environment / ".stamp").unlink()
    (stage.environment / ".stamp").symlink_to(stage.script)


DAMAGES: dict[str, Callable[[Stage], object]] = {
    "record cut": _cut_record,
    "record emptied": lambda stage: stage.record.write_bytes(b""),
    "record of random bytes": _random_record,
    "record of one line": _first_line_alone,
    "record is a directory": _directory_for_record,
    "record of another format": _other_format,
    "record gone": lambda stage: stage.record.unlink(),
    "record with a quote more": _quote_added,
    "no words for lines": _lines(b""),
    "other words for lines": _lines(b"many"),
    "words that are patterns": _lines(b"'* ?'"),
    "far too many lines": _lines(b"'" + b"- " * 10_000 + b"'"),
    "too few lines": _lines(b"-"),
    "environment gone": lambda stage: shutil.rmtree(stage.environment),
    "pyvenv.cfg gone": lambda stage: (stage.environment / "pyvenv.cfg").unlink(),
    "pyvenv.cfg changed": _changed_configuration,
    "manifest gone": lambda stage: (stage.environment / "scriptrun.json").unlink(),
    "stamp is a link": _link_for_stamp,
    "python gone": lambda stage: (stage.environment / "bin/python").unlink(),
    "python dangling": _dangling_python,
    "python not executable": _python_not_executable,
    "stamp gone": lambda stage: (stage.environment / ".stamp").unlink(),
    "stamp is a pipe": _pipe_for_stamp,
    "condemned": lambda stage: (stage.environment / "condemned").touch(),
    "script gone": lambda stage: stage.script.unlink(),
    "script is a directory": _script_is_a_directory,
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_a_miss_and_no_error(stage: Stage, shell: tuple[str, ...], damage: str) -> None:
    """Whatever is wrong with record, environment or script: Python decides, and the launcher prints nothing."""
    stage.prove(HEADS["plain"])
    DAMAGES[damage](stage)
    before = stage.script.read_bytes() if stage.script.is_file() else b""
    assert stage.run(*shell) == (0, MISS, "")
    assert not before or stage.script.read_bytes() == before


@pytest.mark.slow
def test_record_cut_anywhere_is_a_miss(stage: Stage) -> None:
    """A record that ends early, after whichever byte, is none; and nothing of it is run."""
    stage.prove(b"touch trap\ntouch trap\n")
    content = stage.record.read_bytes()
    for length in range(len(content) - 2):
        stage.record.write_bytes(content[:length])
        assert stage.run() == (0, MISS, ""), content[:length]
    assert not (stage.root / "trap").exists()


def test_damaged_byte_in_a_record_starts_nothing(stage: Stage) -> None:
    """Whichever byte of a record becomes a quote, after which lines of the script would be commands: none is run."""
    stage.prove(b"\ntouch trap\n\ntouch trap\n")
    content = stage.record.read_bytes()
    for at in range(len(content)):
        if content[at : at + 1] != b"'":
            stage.record.write_bytes(content[:at] + b"'" + content[at + 1 :])
            assert stage.run() == (0, MISS, ""), at
    assert not (stage.root / "trap").exists()


def test_environment_is_used_until_it_is_due(stage: Stage, shell: tuple[str, ...]) -> None:
    """A record may name a file whose time ends the environment's use: when that is past, or lost, Python decides."""
    due = stage.environment / ".due-60"
    stage.due = str(due)
    stage.prove(HEADS["plain"])
    assert stage.run(*shell) == (0, MISS, "")
    due.touch()
    os.utime(due, (2**32, 2**32))
    assert stage.run(*shell) == (0, HIT, "")
    os.utime(due, (1, 1))
    assert stage.run(*shell) == (0, MISS, "")


CONFIGURATIONS = {
    "plain": b'max-age = "7 days"\n',
    "no final newline": b"# it's\n\n  \\ $HOME",
    "empty": b"",
    "CRLF": b'[cache]\r\nmax-idle = "9 d"\r\n',
    "high bytes": bytes(range(0x80, 0x100)) + b"\n",
}


@pytest.mark.parametrize("content", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
@pytest.mark.parametrize("variable", ["HOME", "XDG_CONFIG_HOME"])
def test_configuration_is_compared(stage: Stage, shell: tuple[str, ...], variable: str, content: bytes) -> None:
    """A configuration that is written, changed or taken away after the record was written sends the run to Python."""
    directory = stage.root / "it's a home"
    variables = {"HOME": "/nonexistent", variable: str(directory)}
    path = (directory if variable == "XDG_CONFIG_HOME" else directory / ".config") / "scriptrun/config.toml"
    path.parent.mkdir(parents=True)
    stage.prove(HEADS["plain"])
    assert stage.run(*shell, variables=variables) == (0, HIT, "")
    path.write_bytes(content)
    assert stage.run(*shell, variables=variables) == (0, MISS, "")
    stage.prove(HEADS["plain"], location.configured(variables))
    assert stage.run(*shell, variables=variables) == (0, HIT, "")
    path.write_bytes(content + b"x")
    assert stage.run(*shell, variables=variables) == (0, MISS, "")
    path.unlink()
    assert stage.run(*shell, variables=variables) == (0, MISS, "")
    path.mkdir()
    assert stage.run(*shell, variables=variables) == (0, MISS, "")


def test_configuration_of_the_machine_is_compared(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is with the machine's configuration, which stands first."""
    site, home = stage.root / "site.toml", stage.root / "home"
    launcher = stage.launcher.read_text()
    assert location.SITE_CONFIGURATION in launcher
    stage.launcher.write_text(launcher.replace(location.SITE_CONFIGURATION, str(site)))
    monkeypatch.setattr(location, "SITE_CONFIGURATION", str(site))
    variables = {"HOME": str(home)}
    (home / ".config/scriptrun").mkdir(parents=True)
    (home / ".config/scriptrun/config.toml").write_text("# the user's\n")
    stage.prove(HEADS["plain"], location.configured(variables))
    assert stage.run(variables=variables) == (0, HIT, "")
    site.write_text("# the machine's")
    assert stage.run(variables=variables) == (0, MISS, "")
    configured = location.configured(variables)
    assert configured.index(b"the machine's") < configured.index(b"the user's")
    stage.prove(HEADS["plain"], configured)
    assert stage.run(variables=variables) == (0, HIT, "")


def test_unreadable_configuration_is_a_miss(open_stage: Stage, shell: tuple[str, ...]) -> None:
    """A configuration that may not be read is for Python to explain."""
    home = open_stage.root / "home"
    (home / "scriptrun").mkdir(parents=True)
    (home / "scriptrun/config.toml").touch(0o600)
    open_stage.prove(HEADS["plain"])
    _give(open_stage.cache, NOBODY)
    assert open_stage.run(*shell, uid=NOBODY, variables={"XDG_CONFIG_HOME": str(home)}) == (0, MISS, "")


def test_environment_of_another_cache(open_stage: Stage, shell: tuple[str, ...]) -> None:
    """A record may lead into the system's cache that is asked for now, as long as the user cannot write to that."""
    open_stage.prove(HEADS["plain"])
    system = open_stage.root / "system"
    shutil.copytree(open_stage.cache / "v1/envs", system / "v1/envs")
    content = open_stage.record.read_bytes().replace(b"/cache/v1/envs/", b"/system/v1/envs/")
    open_stage.record.write_bytes(content)
    _give(open_stage.cache, NOBODY)
    shutil.rmtree(open_stage.environment)
    variables = {"SCRIPTRUN_SYSTEM_CACHE": str(system)}
    assert open_stage.run(*shell, uid=NOBODY, variables=variables) == (0, HIT, "")
    for other in ({}, {"SCRIPTRUN_SYSTEM_CACHE": ""}, {"SCRIPTRUN_SYSTEM_CACHE": str(open_stage.root)}):
        assert open_stage.run(*shell, uid=NOBODY, variables=other) == (0, MISS, "")
    system.chmod(0o777)
    assert open_stage.run(*shell, uid=NOBODY, variables=variables) == (0, MISS, "")


def _give(root: Path, uid: int) -> None:
    for directory, names, files in os.walk(root):
        for name in [".", *names, *files]:
            os.chown(Path(directory, name), uid, uid, follow_symlinks=False)


def test_cache_of_somebody_else_is_not_used(open_stage: Stage, shell: tuple[str, ...]) -> None:
    """A record in a cache that belongs to another user proves nothing."""
    open_stage.prove(HEADS["plain"])
    _give(open_stage.cache, NOBODY)
    assert open_stage.run(*shell) == (0, MISS, "")
    assert open_stage.run(*shell, uid=NOBODY) == (0, HIT, "")


def test_read_only_cache_is_used(open_stage: Stage, shell: tuple[str, ...]) -> None:
    """Where the stamp cannot be touched, the run is a hit all the same, and silent."""
    open_stage.prove(HEADS["plain"])
    _give(open_stage.cache, NOBODY)
    (open_stage.environment / ".stamp").chmod(0o444)
    open_stage.environment.chmod(0o555)
    assert open_stage.run(*shell, uid=NOBODY) == (0, HIT, "")


@pytest.mark.parametrize("what", ["record", "script", "environment/pyvenv.cfg"])
def test_unreadable_file_is_a_miss(open_stage: Stage, shell: tuple[str, ...], what: str) -> None:
    """A record, a script or a configuration that may not be read is for Python to explain."""
    open_stage.prove(HEADS["plain"])
    _give(open_stage.cache, NOBODY)
    name, _, below = what.partition("/")
    path: Path = getattr(open_stage, name)
    (path / below).chmod(0)
    assert open_stage.run(*shell, uid=NOBODY) == (0, MISS, "")


def test_new_lock_beside_the_script_is_for_python(stage: Stage, shell: tuple[str, ...]) -> None:
    """A lock that is put beside the real file after the record was written, also an empty one, is for Python."""
    stage.prove(HEADS["plain"])
    link = stage.root / "link.py"
    link.symlink_to(stage.script)
    recorded = Path(str(stage.record).replace("/script.py/", "/link.py/"))
    recorded.parent.mkdir()
    shutil.copy(stage.record, recorded)
    for mode in (0o644, 0, None):
        assert [stage.run(*shell, script=one) for one in ("", str(link))] == [(0, HIT, "")] * 2
        stage.lock.mkdir() if mode is None else stage.lock.touch(mode)
        assert [stage.run(*shell, script=one) for one in ("", str(link))] == [(0, MISS, "")] * 2
        stage.lock.rmdir() if stage.lock.is_dir() else stage.lock.unlink()
    assert stage.run(*shell) == (0, HIT, "")


LOCK = b'lock-version = "1.0"\n' + bytes(range(256)) * 100


@pytest.fixture
def locked_stage(stage: Stage) -> Stage:
    """A stage whose script has a lock, which the record is for."""
    return with_lock(stage)


def with_lock(stage: Stage) -> Stage:
    """Put a lock beside the script of a stage, and write the record for it."""
    stage.locked = LOCK
    stage.lock.write_bytes(LOCK)
    stage.prove(HEADS["plain"])
    return stage


def test_lock_that_was_proven_is_a_hit(locked_stage: Stage, shell: tuple[str, ...]) -> None:
    """With the very lock that the record is for the launcher starts the script, also through links to either."""
    assert locked_stage.run(*shell) == (0, HIT, "")
    kept = locked_stage.lock.rename(locked_stage.root / "kept.toml")
    locked_stage.lock.symlink_to(kept.name)
    other = locked_stage.script.rename(locked_stage.root / "other.py")
    locked_stage.script.symlink_to(other.name)
    assert locked_stage.run(*shell) == (0, HIT, "")
    kept.write_bytes(LOCK + b"\n")
    assert locked_stage.run(*shell) == (0, MISS, "")


@pytest.mark.parametrize("way", [way for way in {**damages.WAYS, **damages.CUT} if way != "unreadable"])
@pytest.mark.parametrize("what", ["lock", "copy"])
def test_other_lock_than_was_proven_is_a_miss(locked_stage: Stage, shell: tuple[str, ...], what: str, way: str) -> None:
    """Whatever is in the place of the lock, or of its copy, and not the same to the byte, is for Python."""
    path: Path = getattr(locked_stage, what)
    (locked_stage.root / damages.VICTIM).write_bytes(b"precious")
    {**damages.WAYS, **damages.CUT}[way](path, locked_stage.root)
    assert locked_stage.run(*shell) == (0, MISS, "")


def test_pipes_in_both_places_are_not_read(locked_stage: Stage, shell: tuple[str, ...]) -> None:
    """Not even the same pipe twice, or nothing twice, is taken for a lock that is equal to its copy."""
    copy = locked_stage.copy
    for path in (locked_stage.lock, copy):
        path.unlink()
    assert locked_stage.run(*shell) == (0, MISS, "")
    os.mkfifo(locked_stage.lock)
    copy.symlink_to(locked_stage.lock)
    assert locked_stage.run(*shell) == (0, MISS, "")


@pytest.mark.parametrize("what", ["lock", "copy"])
def test_lock_that_cannot_be_read_is_a_miss(open_stage: Stage, shell: tuple[str, ...], what: str) -> None:
    """A lock, or its copy, that may not be read is for Python to explain."""
    with_lock(open_stage)
    _give(open_stage.cache, NOBODY)
    assert open_stage.run(*shell, uid=NOBODY) == (0, HIT, "")
    path: Path = getattr(open_stage, what)
    path.chmod(0)
    assert open_stage.run(*shell, uid=NOBODY) == (0, MISS, "")


def test_machine_without_cmp_is_a_miss(locked_stage: Stage, shell: tuple[str, ...]) -> None:
    """Where nothing can compare files, Python does, and no shell complains; scripts without a lock need nothing."""
    launcher = locked_stage.launcher.read_text()
    locked_stage.launcher.write_text(launcher.replace("/usr/bin/cmp", f"{locked_stage.root}/cmp"))
    assert locked_stage.run(*shell) == (0, MISS, "")
    locked_stage.lock.unlink()
    locked_stage.locked = None
    locked_stage.prove(HEADS["plain"])
    assert locked_stage.run(*shell) == (0, HIT, "")


def test_command_of_the_same_name_is_not_asked(locked_stage: Stage, shell: tuple[str, ...]) -> None:
    """A `cmp` on PATH, as a package may bring it along, has no say: to it all locks may be alike, or none."""
    programs = locked_stage.root / "programs"
    for status, lock, answer in (("1", LOCK, HIT), ("0", b"", MISS)):
        programs.mkdir(exist_ok=True)
        (programs / "cmp").write_text(f"#!/bin/sh\nexit {status}\n")
        (programs / "cmp").chmod(0o755)
        locked_stage.lock.write_bytes(lock)
        assert locked_stage.run(*shell, variables={"PATH": f"{programs}:/usr/bin:/bin"}) == (0, answer, "")


def test_comparison_is_right_where_ends_of_children_are_ignored(locked_stage: Stage, shell: tuple[str, ...]) -> None:
    """Under a starter that ignores SIGCHLD, another lock is told from the one that was proven."""
    ignoring = ("env", "--ignore-signal=CHLD", *shell)
    assert locked_stage.run(*ignoring) == (0, HIT, "")
    locked_stage.lock.write_bytes(b"another")
    assert locked_stage.run(*ignoring) == (0, MISS, "")


def test_lock_that_was_not_compared_proves_nothing(locked_stage: Stage, shell: tuple[str, ...]) -> None:
    """Python is told that a record was proof only where all of it was: not of a script with a lock."""
    python = locked_stage.root / "bin/python"
    python.write_text('#!/bin/sh\necho "${4%%=*}"\n')
    shutil.rmtree(locked_stage.environment)
    assert locked_stage.run(*shell) == (0, "--launch-record\n", "")
    locked_stage.lock.unlink()
    locked_stage.locked = None
    locked_stage.prove(HEADS["plain"])
    assert locked_stage.run(*shell) == (0, "--proven-record\n", "")


def test_link_that_leads_elsewhere_now_is_a_miss(stage: Stage, shell: tuple[str, ...]) -> None:
    """A record holds for the file that it was written for: another one, though the same to read, may have a lock."""
    stage.prove(HEADS["plain"])
    other = stage.root / "other.py"
    stage.script.rename(other)
    stage.script.symlink_to(other)
    assert stage.run(*shell) == (0, HIT, "")
    content = stage.record.read_bytes()
    stage.record.write_bytes(content.replace(b"_sr_real='" + bytes(stage.script), b"_sr_real='" + bytes(other)))
    assert stage.run(*shell) == (0, HIT, "")
    shutil.copy(other, stage.root / "third.py")
    stage.script.unlink()
    stage.script.symlink_to("third.py")
    assert stage.run(*shell) == (0, MISS, "")


def test_hit_touches_the_stamp(stage: Stage, shell: tuple[str, ...]) -> None:
    """A hit is noted in the environment's stamp, and writes nothing else."""
    stage.prove(HEADS["plain"])
    stamp = stage.environment / ".stamp"
    os.utime(stamp, (1, 1))
    before = {path: path.lstat().st_mtime for path in stage.root.rglob("*") if path != stamp}
    assert stage.run(*shell) == (0, HIT, "")
    assert stamp.stat().st_mtime > 1
    assert before == {path: path.lstat().st_mtime for path in stage.root.rglob("*") if path != stamp}


@pytest.mark.parametrize("option", [one for one in arguments.OPTIONS if one.everywhere], ids=lambda one: str(one.name))
def test_variable_that_changes_the_answer_is_a_miss(stage: Stage, option: arguments.Option) -> None:
    """A variable for an option that has a part in the answer sends the run to Python; an empty one does not."""
    stage.prove(HEADS["plain"])
    answer = HIT if option.name in QUIET_OPTIONS else MISS
    assert stage.run(variables={option.variable: "1"}) == (0, answer, "")
    assert stage.run(variables={option.variable: ""}) == (0, HIT, "")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("script.py", HIT),
        ("./script.py", HIT),
        ("././script.py", MISS),
        ("../x/script.py", MISS),
        ("-script.py", MISS),
        ("script", MISS),
    ],
)
def test_only_plain_paths_are_looked_up(tmp_path: Path, shell: tuple[str, ...], typed: str, answer: str) -> None:
    """A path as it is typed mostly finds its record; one with `.`, `..`, or an option's dash is for Python."""
    (tmp_path / "x").mkdir()
    stage = Stage(tmp_path / "x")
    stage.prove(HEADS["plain"])
    shutil.copy(stage.script, stage.root / "-script.py")
    shutil.copy(stage.script, stage.root / "script")
    assert stage.run(*shell, script=typed) == (0, answer, "")


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"XDG_CACHE_HOME": "{root}/xdg"}, "xdg/scriptrun"),
        ({"XDG_CACHE_HOME": "relative"}, "home/.cache/scriptrun"),
        ({"XDG_CACHE_HOME": ""}, "home/.cache/scriptrun"),
        ({"SCRIPTRUN_CACHE_DIR": "{root}/own", "XDG_CACHE_HOME": "{root}/xdg"}, "own"),
    ],
)
def test_cache_is_where_python_keeps_it(
    tmp_path: Path, shell: tuple[str, ...], variables: dict[str, str], place: str
) -> None:
    """The launcher looks for the cache where `paths` puts it."""
    stage = Stage(tmp_path)
    stage.prove(HEADS["plain"])
    (stage.root / place).parent.mkdir(parents=True, exist_ok=True)
    (stage.root / place).symlink_to(stage.cache)
    filled = {name: value.replace("{root}", str(tmp_path)) for name, value in variables.items()}
    answered = stage.run(*shell, variables={"HOME": str(tmp_path / "home"), "SCRIPTRUN_CACHE_DIR": "", **filled})
    assert answered == (0, HIT, "")


def test_warm_run_forks_nothing_and_writes_only_the_stamp(user: User, tmp_path: Path) -> None:
    """Up to the script's Python, a warm run is one process that reads; the one file opened for writing is the stamp."""
    if shutil.which("strace") is None:
        message = "strace is not installed: apt-get install strace"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    script = user.script("s.py", body="print(1)\n")
    assert user.run("./s.py") == (0, "1\n", "")
    trace = tmp_path / "trace"
    assert user.run("/usr/bin/strace", "-f", "-o", str(trace), "scriptrun", "./s.py").status == 0
    calls = [line.split(None, 1)[1] for line in trace.read_text().splitlines()]
    python = next(at for at, call in enumerate(calls) if call.startswith("execve(") and "/bin/python" in call)
    launcher = calls[:python]
    reads = [call for call in launcher if call.startswith("read(")]
    print(f"system calls of a warm launch: {len(launcher)}, {len(reads)} of them reading")
    assert {line.split(None, 1)[0] for line in trace.read_text().splitlines()} == {trace.read_text().split()[0]}
    assert [call for call in calls if re.match(r"v?fork|clone", call)] == []
    writing = [call for call in launcher if re.search(r"O_WRONLY|O_RDWR|O_CREAT|^(rename|unlink|mkdir|link|sym)", call)]
    written = [re.findall(r'"([^"]*)"', call)[0] for call in writing]
    assert sorted({"/dev/null", str(user.environments()[0] / ".stamp")}) == sorted(written)
    compared = script.read_bytes().index(b"print")
    assert len(reads) <= compared + len("print(1)\n") + len("# scriptrun launch record 4\n") + 20
    # Three ask whether it is this file and no lock beside it, five whether links lead nowhere where these could be.
    assert len(launcher) - len(reads) <= 114
