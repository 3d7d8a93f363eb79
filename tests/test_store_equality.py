"""What is put together from the store, against what pip itself makes of the same: file by file."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import hosts, varied
from support import index as indexes
from support import user as users
from support.index import Index
from support.user import User

pytestmark = pytest.mark.slow

OWN = {"scriptrun.json", ".stamp", "pyvenv.cfg", "lib64"}
"""What is in an environment of scriptrun's, beside what is installed."""

DESCRIBE = """\
import importlib.metadata as m, json
print(json.dumps({d.metadata["Name"]: [
    d.version, sorted(map(str, d.files)), sorted(map(str, d.entry_points)), d.requires, str(d.read_text("REQUESTED")),
    d.read_text("direct_url.json"), d.read_text("INSTALLER")] for d in m.distributions()}, sort_keys=True))
"""


@dataclass
class Pair:
    """Environments with the same distributions: one put together from the store, and one that pip made."""

    user: User
    made: Path
    wanted: Path
    index: Index


def take_part(root: Path, command: Path, index: Index, python: Path, requirements: list[str]) -> Pair:
    """Return an environment that was put together for a script, and pip's own with the same requirements."""
    user = users.create(root, command, index.url) if not root.exists() else known(root, command, index)
    name = f"on-{python.parent.parent.name}.py"
    script = str(user.script(name, *requirements))
    before = set(user.environments())
    assert user.run("scriptrun", "-p", str(python), script) == (0, "", "")
    (environment,) = set(user.environments()) - before
    shutil.rmtree(environment.parent)
    asked = len(index.requests)
    assert user.run("scriptrun", "-p", str(python), script) == (0, "", "")
    assert index.requests[asked:] == []
    (made,) = set(user.environments()) - before
    wanted = root / f"wanted-{python.parent.parent.name}"
    bare = str(user.script("bare.py"))
    assert user.run("scriptrun", "-p", str(python), bare) == (0, "", "")
    (empty,) = set(user.environments()) - before - {made}
    shutil.copytree(empty, wanted, symlinks=True)
    pip(user, wanted, "install", "--no-compile", *requirements)
    return Pair(user, made, wanted, index)


def known(root: Path, command: Path, index: Index) -> User:
    """Return a user who was there before."""
    user = users.create(root / "again", command, index.url)
    user.variables["HOME"] = str(root / "home")
    return User(root / "home", user.directory, user.variables)


def pip(user: User, environment: Path, *words: str) -> str:
    """Let pip itself do something in an environment, with the umask that scriptrun has; return what it says."""
    command = ["sh", "-c", 'umask 077; exec "$0" "$@"', sys.executable, "-I", "-m", "pip"]
    ran = user.run(*command, "--python", str(environment / "bin/python"), *words, PIP_DISABLE_PIP_VERSION_CHECK="1")
    assert ran.status == 0, ran
    return ran.out


@pytest.fixture(scope="module")
def varied_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with distributions of all kinds."""
    with indexes.serve() as index:
        index.add(*varied.pure().values(), *varied.sources().values())
        index.add(varied.native(Path(sys.executable).resolve(), tmp_path_factory.mktemp("native")))
        index.add(varied.wheel("direct", "1.0", {"direct.py": b""}))
        yield index


def requirements(index: Index) -> list[str]:
    """Return what is asked for: all there is, one of it with an extra, and one by its URL."""
    url = index.url.replace("/simple/", "/files/direct-1.0-py3-none-any.whl")
    names = [one.replace("with-commands", "with-commands[more]") for one in varied.pure() if one != "space-one"]
    return [*names, "built", f"direct @ {url}"]


@pytest.mark.parametrize("place", ["plain", "long path/with spaces" + "/and-on" * 12])
def test_put_together_is_as_pip_has_it(tmp_path: Path, command: Path, varied_index: Index, place: str) -> None:
    """What is put together is as pip has it, file by file, and in what pip, Python and `cache verify` say of it."""
    root = tmp_path / place
    root.parent.mkdir(parents=True, exist_ok=True)
    wanted = [*requirements(varied_index), "ready", "compiled"]
    pair = take_part(root, command, varied_index, Path(sys.executable).resolve(), wanted)
    compare_files(pair)
    look_at_links(pair)
    compare_answers(pair)
    run_commands(pair)
    remove_some(pair)


def shown(environment: Path) -> dict[str, tuple[int, str | bytes]]:
    """Return mode, without the bits for writing, and content of all in an environment that was installed.

    Links are as they are; the environment's own path reads ENV, and RECORD's hashes are those of such files.
    """
    found: dict[str, tuple[int, str | bytes]] = {}
    for path in sorted(environment.rglob("*")):
        name = str(path.relative_to(environment))
        if name.partition("/")[0] in OWN or name.startswith(("bin/activate", "bin/Activate")):
            continue
        if (name.startswith("bin/python") and path.is_symlink()) or ("__pycache__" in name and "/wp/" not in name):
            continue
        mode = path.lstat().st_mode
        content: str | bytes = b""
        if stat.S_ISLNK(mode):
            content = str(path.readlink())
        elif stat.S_ISREG(mode):
            content = neutral(environment, path.read_bytes())
        found[name] = mode & ~0o222, content
        if path.name == "RECORD":
            found[name] = mode & ~0o222, record(environment, path)
    return found


def neutral(environment: Path, content: bytes) -> bytes:
    """Return a file's content with ENV for the environment's path, however Python is started."""
    own = os.fsencode(environment) + b"/bin/python"
    by_shell = [b"#!/bin/sh\n'''exec' " + one + b" \"$0\" \"$@\"\n' '''\n" for one in (own, b'"' + own + b'"')]
    for head in (b"#!" + own + b"\n", *by_shell):
        content = content.replace(head, b"#!ENV\n")
    assert os.fsencode(environment) not in content
    return content


def record(environment: Path, path: Path) -> str:
    """Return a RECORD as it is, but for the rows of files that name the environment; each row has to be true.

    Of INSTALLER, which pip writes, a row may say what it was in the wheel.
    """
    text = path.read_bytes().decode()
    for name, digest, size in csv.reader(io.StringIO(text, newline="")):
        if digest and not (name.endswith("/INSTALLER") and size != "4"):
            content = (path.parent.parent / name).read_bytes()
            assert (digest, size) == (sha256(content), str(len(content))), name
            changed = neutral(environment, content)
            text = text.replace(f",{digest},{size}\r\n", f",{sha256(changed)},{len(changed)}\r\n")
    return text


def sha256(content: bytes) -> str:
    """Return a hash as RECORD has it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def compare_files(pair: Pair) -> None:
    """Expect the same paths, contents, modes apart from the bits for writing, links, and lines of RECORD.

    Only where the path is too long for a shebang, a script that a distribution brings along is started by a shell here,
    and not at all as pip writes it.
    """
    made, wanted = shown(pair.made), shown(pair.wanted)
    assert sorted(made) == sorted(wanted)
    assert {name: one for name, one in made.items() if wanted[name] != one} == {}
    assert len([name for name in made if name.endswith("/RECORD")]) == 23


def look_at_links(pair: Pair) -> None:
    """Expect all files of all distributions but what names the environment to be links to the store, and read-only."""
    manifest = json.loads((pair.made / "scriptrun.json").read_bytes())
    assert [one["name"] for one in manifest["distributions"] if not one["kept"]] == []
    single = {path for path in pair.made.rglob("*") if path.is_file() and path.stat().st_nlink == 1}
    own = {path for path in single if path.parent.name == "bin" or path.name in {"REQUESTED", "RECORD", *OWN}}
    own |= {path for path in single if path.parent.name == "__pycache__"}
    assert single - own == {path for path in single if path.name == "direct_url.json"}
    linked = {path for path in pair.made.rglob("*") if path.is_file() and not path.is_symlink()} - single
    assert [path for path in linked if path.stat().st_mode & 0o222] == []


def compare_answers(pair: Pair) -> None:
    """Expect `pip check`, `pip list --path`, importlib.metadata and `cache verify` to say the same of both."""
    answers = []
    for environment in (pair.made, pair.wanted):
        (site,) = environment.glob("lib/python*/site-packages")
        checked = pip(pair.user, environment, "check")
        listed = pip(pair.user, environment, "list", "--path", str(site), "--format", "json")
        described = pair.user.run(environment / "bin/python", "-I", "-c", DESCRIBE)
        answers.append((checked, listed, described))
    assert answers[0] == answers[1]
    assert (answers[0][2].status, len(json.loads(answers[0][1]))) == (0, 23)
    assert pair.user.run("scriptrun", "cache", "verify") == (0, "", "")


def run_commands(pair: Pair) -> None:
    """Expect commands of all kinds to start in the environment that they are in, wherever that is."""
    programs = pair.made / "bin"
    own = f"{pair.made}\n"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for name in ("first", "second", "own", "own-w", "pip", f"pip{version}", "pip3", "easy_install"):
        assert pair.user.run(programs / name) == (0, own, ""), name
    assert pair.user.run(programs / "plain.sh") == (0, "shell\n", "")
    assert not (programs / "pip3.3").exists()
    native = "import ready_native, compiled_native; print(ready_native.answer(), compiled_native.answer())"
    assert pair.user.run(programs / "python", "-I", "-c", native) == (0, "42 42\n", "")


def remove_some(pair: Pair) -> None:
    """Expect `pip uninstall` to leave nothing of what it removes, and the others, and all in the store, as they are."""
    store = pair.user.cache / "v1/store"
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    assert len([path for path in store.iterdir() if path.is_dir()]) >= 23
    for environment in (pair.made, pair.wanted):
        pip(pair.user, environment, "uninstall", "--yes", "with-data", "space-two", "with-commands", "with-scripts")
    assert sorted(shown(pair.made)) == sorted(shown(pair.wanted))
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before
    assert "space/one.py" in {str(path)[-12:] for path in pair.made.rglob("*.py")}


def test_another_python_shares_what_is_kept(
    tmp_path: Path, command: Path, varied_index: Index, pythons: list[Path]
) -> None:
    """Wheels that any Python can install are kept once for all, and are as pip has them on each."""
    one, other = [python for python in pythons if python != Path(sys.executable).resolve()][-2:]
    asked = [one for one in requirements(varied_index) if one != "built"]
    first = take_part(tmp_path / "user", command, varied_index, one, asked)
    kept = sorted(path.name for path in (first.user.cache / "v1/store").iterdir())
    second = take_part(tmp_path / "user", command, varied_index, other, asked)
    assert sorted(path.name for path in (first.user.cache / "v1/store").iterdir()) == kept
    for pair in (first, second):
        assert shown(pair.made) == shown(pair.wanted)
    assert {path.name for path in first.made.glob("lib/*")} != {path.name for path in second.made.glob("lib/*")}


def told(one: dict[str, Any]) -> dict[str, Any]:
    """Return what a bundle tells of a distribution: no address, and a name of its own for what the author built."""
    built = not one["origin"].partition("#")[0].endswith(".whl")
    return {**one, "origin": one["origin"].rpartition("/")[2], "kept": "" if built else one["kept"]}


def test_bundle_makes_what_pip_makes(tmp_path: Path, command: Path, varied_index: Index) -> None:
    """What a bundle unpacks on a host is what pip makes of the same lock, file by file, whatever a distribution has."""
    author, python = users.create(tmp_path / "author", command, varied_index.url), Path(sys.executable).resolve()
    script = author.script("job.py", *requirements(varied_index), "ready", "compiled")
    assert author.run("scriptrun", "lock", "-q", "-p", str(python), script).status == 0
    bundle = hosts.make(author, script, "-p", str(python))
    host = hosts.of(tmp_path / "host", python)
    assert host.run(bundle) == (0, "", "")
    assert author.run("scriptrun", "-p", str(python), script) == (0, "", "")
    (wanted,) = author.environments()
    assert host.environment().parent.name == wanted.parent.name
    made, expected = shown(host.environment()), shown(wanted)
    assert sorted(made) == sorted(expected)
    assert {name: one for name, one in made.items() if expected[name] != one} == {}
    facts = [json.loads((one / "scriptrun.json").read_bytes()) for one in (host.environment(), wanted)]
    assert facts[0]["asked"] == facts[1]["asked"]
    assert [told(one) for one in facts[0]["distributions"]] == [told(one) for one in facts[1]["distributions"]]
