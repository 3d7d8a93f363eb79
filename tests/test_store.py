"""The store of distributions: what becomes of damage in it, how files get out of it, and who can write to them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import index as indexes
from support import user as users
from support.index import Index
from support.user import User

from scriptrun.interpreter import Interpreter
from scriptrun.order import Described, Distribution, Installed
from scriptrun.store import assembly, commands, kept
from scriptrun.store.gathering import Gathering
from scriptrun.store.listing import Unusable
from scriptrun.store.placing import Placing

BODY = "import demo, other_one; print(demo.V, other_one.V)\n"
MODULE, FACTS, FILES = "content/site/demo.py", "kept.json", "files"


def forget(user: User) -> None:
    """Remove all environments, and what leads to them."""
    for name in ("envs", "keys", "launch", "answers"):
        shutil.rmtree(user.cache / "v1" / name, ignore_errors=True)


def write_over(text: str) -> Callable[[Path], object]:
    """Return what puts something else into a file, in place."""

    def change(path: Path) -> None:
        path.chmod(0o600)
        path.write_text(text)

    return change


def edit(old: str, new: str) -> Callable[[Path], object]:
    """Return what replaces a part of a file's text, in place."""

    def change(path: Path) -> None:
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


def instead(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return what makes something else of a file."""

    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return change


def lead_out(path: Path) -> None:
    """Let a list lead out of the environment, from a file of which all is as it should be."""
    edit("site/demo.py", "site/../../../../victim")(path)
    shutil.copy2(path.parent / MODULE, path.parents[2] / "victim")


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "longer": (MODULE, write_over("V = 'damaged'\n")),
    "as long": (MODULE, write_over("V = '6.6'\n")),
    "missing": (MODULE, Path.unlink),
    "directory": (MODULE, instead(Path.mkdir)),
    "link": (MODULE, instead(lambda path: path.symlink_to("/etc/hostname"))),
    "fifo": (MODULE, instead(os.mkfifo)),
    "all of it": (".", shutil.rmtree),
    "list missing": (FILES, Path.unlink),
    "list cut off": (FILES, lambda path: path.write_text(path.read_text()[:-20])),
    "list empty": (FILES, write_over("")),
    "list a fifo": (FILES, instead(os.mkfifo)),
    "list a directory": (FILES, instead(Path.mkdir)),
    "list no text": (FILES, lambda path: path.write_bytes(b"\0\xff")),
    "list of another version": (FILES, edit("kept 1", "kept 999")),
    "size no number": (FILES, edit("\t10\t", "\tten\t")),
    "size below zero": (FILES, edit("\t10\t", "\t-10\t")),
    "field missing": (FILES, edit("\t10\t", "\t")),
    "another kind of line": (FILES, edit("f\tsite/demo.py", "x\tsite/demo.py")),
    "out by dots": (FILES, lead_out),
    "out by the name": (FILES, edit("site/demo.py", "site/..")),
    "out by a directory": (FILES, edit("d\tsite\n", "d\tsite\nd\tsite/../../../../made\n")),
    "out by root": (FILES, edit("d\tsite\n", "d\t/\n")),
    "out by metadata": (FILES, edit("\ndemo-2.0.dist-info\n", "\n../../../..\n")),
    "to an unknown place": (FILES, edit("d\tsite\n", "d\tsite\nd\thome\n")),
    "to no directory": (FILES, edit("site/demo.py", "site/none/demo.py")),
}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, command: Path, shared_index: Index) -> User:
    """A user in whose store `demo` 2.0 and `tool` are; read only."""
    user = users.create(tmp_path_factory.mktemp("full") / "user", command, shared_index.url)
    user.script("s.py", "demo", "tool")
    assert user.run("./s.py") == (0, "", "")
    return user


def copied(full: User, directory: Path) -> tuple[str, Path, tuple[Distribution, ...]]:
    """Return a copy of the cache, an environment without distributions, and what was in the user's."""
    (environment,) = full.environments()
    manifest = json.loads((environment / "scriptrun.json").read_bytes())
    shutil.copytree(full.cache / "v1/store", directory / "cache/v1/store")
    (directory / "env/lib/python3.11/site-packages").mkdir(parents=True)
    (directory / "env/bin").mkdir()
    return str(directory / "cache"), directory / "env", tuple(Distribution(**one) for one in manifest["distributions"])


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_not_spread(full: User, tmp_path: Path, kind: str) -> None:
    """Whatever is wrong with what is kept, it is said which, and nothing is written outside of the environment."""
    cache, environment, distributions = copied(full, tmp_path)
    (victim,) = (one.kept for one in distributions if one.name == "demo")
    name, damage = DAMAGE[kind]
    damage(Path(cache, "v1/store", victim, name))
    outside = sorted(path for path in tmp_path.rglob("*") if not path.is_relative_to(environment))
    with pytest.raises(Unusable) as raised:
        assembly.put_together(cache, str(environment), distributions)
    assert raised.value.name == victim
    assert sorted(path for path in tmp_path.rglob("*") if not path.is_relative_to(environment)) == outside
    assert not (environment / "lib/python3.11/site-packages/demo.py").exists() or kind.startswith("out")


def test_without_damage_it_is_put_together(full: User, tmp_path: Path) -> None:
    """The same without damage is an environment with what was in the other one."""
    cache, environment, distributions = copied(full, tmp_path)
    assembly.put_together(cache, str(environment), distributions)
    assert sorted(path.name for path in (environment / "lib/python3.11/site-packages").glob("*")) == [
        "demo-2.0.dist-info",
        "demo.py",
        "tool-1.0.dist-info",
        "tool.py",
    ]
    assert (environment / "bin/tool").read_text().startswith(f"#!{environment}/bin/python\n")


@pytest.mark.parametrize(
    "change",
    [
        Path.unlink,
        write_over(""),
        write_over("[]"),
        write_over("[" * 100_000),
        write_over('{"format": 2}'),
        edit('"requires":[]', '"requires":[1]'),
        edit('"format":2', '"format":999'),
        instead(os.mkfifo),
        instead(Path.mkdir),
        instead(lambda path: path.symlink_to("nowhere")),
    ],
)
def test_facts_that_are_damaged_are_none(full: User, tmp_path: Path, change: Callable[[Path], object]) -> None:
    """What is known of a distribution counts only where all of it is there, in the right form."""
    cache, _, distributions = copied(full, tmp_path)
    name = distributions[0].kept
    assert kept.find(cache, name) is not None
    change(Path(cache, "v1/store", name, FACTS))
    assert kept.find(cache, name) is None


@pytest.mark.parametrize("name", ["", ".", "..", "../../x", "a/b", "nothing-1.0-00000000000000000000000000000000"])
def test_what_is_not_kept_is_unusable(full: User, tmp_path: Path, name: str) -> None:
    """A name under which nothing is kept, or that leads out of the store, is refused."""
    cache, environment, _ = copied(full, tmp_path)
    with pytest.raises(Unusable):
        assembly.put_together(cache, str(environment), [Distribution("demo", "2.0", "", "", kept=name)])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["longer", "list cut off", "facts", "all of it"])
def test_what_is_damaged_is_kept_anew(user: User, index: Index, kind: str) -> None:
    """A run asks pip instead, in an environment that has nothing of what was there before, and keeps it once more."""
    index.add(indexes.wheel("demo", "2.0"), indexes.wheel("other-one", "1.0", files={"other_one.py": "V = 1\n"}))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", "other-one", body=BODY)
    assert user.run("./s.py") == (0, "2.0 1\n", "")
    (directory,) = user.cache.glob("v1/store/demo-*")
    name, damage = DAMAGE.get(kind, (FACTS, write_over("{}")))
    damage(directory / name)
    forget(user)
    if kind in ("longer", "list cut off"):
        index.status = 404
        assert user.run("./s.py").status == 125
        assert not directory.exists()
        index.status = 0
    asked = len(index.requests)
    arguments = ["scriptrun", "--refresh", "s.py"] if kind == "facts" else ["scriptrun", "s.py"]
    assert user.run(*arguments) == (0, "2.0 1\n", "")
    assert len(index.requests) > asked
    assert user.run("scriptrun", "cache", "verify") == (0, "", "")
    assert sorted(path.name.partition("-")[0] for path in (user.cache / "v1/store").iterdir()) == ["demo", "other"]
    assert kept.find(str(user.cache), directory.name) is not None
    forget(user)
    asked = len(index.requests)
    assert user.run("./s.py") == (0, "2.0 1\n", "")
    assert index.requests[asked:] == []


@pytest.mark.slow
def test_damaged_answers_are_asked_anew(user: User, index: Index) -> None:
    """An answer of pip's that was damaged, in any field, costs a question and nothing else."""
    index.add(indexes.wheel("demo", "2.0"))
    user.variables["PIP_INDEX_URL"] = index.url
    user.script("s.py", "demo", body="import demo; print(demo.V)\n")
    assert user.run("./s.py") == (0, "2.0\n", "")
    answers = list(user.cache.glob("v1/pip/answers/*.json"))
    for field, value in (("kept", "../../../../victim"), ("kept", 5), ("name", None), ("direct", []), ("more", 1)):
        for answer in answers:
            told = json.loads(answer.read_bytes())
            told["distributions"][0][field] = value
            answer.write_text(json.dumps(told))
        forget(user)
        assert user.run("./s.py") == (0, "2.0\n", ""), field


def installed(tmp_path: Path, files: dict[str, str], record: str | None) -> tuple[Path, tuple[Distribution, ...]]:
    """Return an environment with a distribution `odd` 1.0 of these files, and that; without a RECORD where None."""
    environment = tmp_path / "env"
    site = environment / "lib/python3.11/site-packages"
    (environment / "bin").mkdir(parents=True)
    site.mkdir(parents=True)
    for name, text in files.items():
        path = Path(os.path.normpath(site / name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if record is not None:
        (site / "odd-1.0.dist-info").mkdir(exist_ok=True)
        (site / "odd-1.0.dist-info/RECORD").write_text(record)
    return environment, (Distribution("odd", "1.0", f"sha256={'0' * 64}", "http://x/odd-1.0-py3-none-any.whl"),)


OWN = "odd-1.0.dist-info/RECORD,,\n"

UNFIT: dict[str, tuple[dict[str, str], str | None]] = {
    "of an old pip": ({"odd-1.0.egg-info/PKG-INFO": ""}, None),
    "outside": ({"../../../../victim": ""}, f"../../../../victim,sha256=x,0\n{OWN}"),
    "absolute": ({"odd.py": ""}, f"/etc/hostname,sha256=x,0\n{OWN}"),
    "without a hash": ({"odd.py": ""}, f"odd.py,,\n{OWN}"),
    "missing": ({}, f"odd.py,sha256=x,0\n{OWN}"),
    "of another Python beside its own": ({"../../python3.10/x": ""}, f"../../python3.10/x,sha256=x,0\n{OWN}"),
    "beside its modules": ({"../x": ""}, f"../x,sha256=x,0\n{OWN}"),
    "by a detour": ({"odd.py": ""}, f"x/../odd.py,sha256=x,0\n{OWN}"),
    "with a tab": ({"a\tb": ""}, f"a\tb,sha256=x,0\n{OWN}"),
    "of another Python": ({"../../python3.10/x": ""}, f"../../../lib/python3.10/x,sha256=x,0\n{OWN}"),
    "naming its place": ({"../../../bin/x": "TOLD"}, f"../../../bin/x,sha256=x,0\n{OWN}"),
    "bringing what is written": (
        {"odd-1.0.dist-info/REQUESTED": ""},
        f"odd-1.0.dist-info/REQUESTED,sha256=x,0\n{OWN}",
    ),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_what_is_doubtful_is_not_kept(tmp_path: Path, kind: str) -> None:
    """A distribution of which it is not certain that it can be put elsewhere is left as pip installed it."""
    files, record = UNFIT[kind]
    files = {name: text.replace("TOLD", str(tmp_path / "env/bin/python")) for name, text in files.items()}
    environment, distributions = installed(tmp_path, files, record)
    own = Interpreter("/p", "cpython", "3.11.7", "", "", free_threaded=False)
    with contextlib.closing(Gathering(str(tmp_path / "cache"), own, pytest.fail)) as gathering:
        found = gathering.publish(gathering.keep(str(environment), Installed(distributions, {})))
    assert [one.kept for one in found] == [""]
    assert not (tmp_path / "cache").exists()


def test_what_is_certain_is_kept(tmp_path: Path) -> None:
    """The same distribution without a doubt is kept."""
    environment, distributions = installed(tmp_path, {"odd.py": ""}, f"odd.py,sha256=x,0\n{OWN}")
    own = Interpreter("/p", "cpython", "3.11.7", "", "", free_threaded=False)
    described = {"odd": Described(("demo",), ">=3.8", ("more",))}
    with contextlib.closing(Gathering(str(tmp_path / "cache"), own, pytest.fail)) as gathering:
        found = gathering.publish(gathering.keep(str(environment), Installed(distributions, described)))
    known = kept.find(str(tmp_path / "cache"), found[0].kept)
    assert known is not None
    assert [known.facts[name] for name in ("requires", "requires_python", "extras")] == [["demo"], ">=3.8", ["more"]]


@pytest.mark.parametrize("python", ["/e/bin/python", "/with space/bin/python", f"/{'long' * 40}/bin/python"])
def test_commands_find_their_python(python: str) -> None:
    """A command is split into first lines and rest, and these are written as pip writes them."""
    rest = b"import sys\n"
    whole = commands.join(rest, python)
    assert commands.split(whole, python) == rest
    assert commands.split(whole, "/another") is None
    assert commands.split(b"#!" + python.encode() + b"\nimport sys\n", python) == rest
    assert whole.startswith(b"#!/bin/sh\n") == (python != "/e/bin/python")


@pytest.mark.parametrize(
    "refused",
    [
        errno.EPERM,
        errno.EXDEV,
        errno.EOPNOTSUPP,
        errno.ENOSYS,
        errno.EACCES,
        errno.EMLINK,
        errno.EAGAIN,
        errno.ETXTBSY,
    ],
)
def test_copies_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: int) -> None:
    """Where a file system has no links, or no more of a file, it is copied: with its time and its mode."""
    asked = []

    def refuse(source: str, target: str) -> None:
        asked.append(source)
        raise OSError(refused, os.strerror(refused), source, None, target)

    monkeypatch.setattr(os, "link", refuse)
    source = tmp_path / "source"
    source.write_text("text")
    source.chmod(0o540)
    os.utime(source, ns=(1, 12345))
    way = Placing()
    for name in ("one", "two"):
        (tmp_path / name).write_text("what was there")
        with pytest.raises(FileExistsError):
            way.share(str(source), str(tmp_path / name))
        assert (tmp_path / name).read_text() == "what was there"
        way.replace(str(source), str(tmp_path / name))
        status = (tmp_path / name).stat()
        assert ((tmp_path / name).read_text(), status.st_mtime_ns, status.st_mode & 0o777) == ("text", 12345, 0o540)
        assert status.st_nlink == 1
    # What is said of one file alone may be otherwise for the next one.
    assert (len(asked) > 1) == (refused in (errno.EMLINK, errno.EAGAIN, errno.ETXTBSY))
    assert sorted(os.listdir(tmp_path)) == ["one", "source", "two"]


@pytest.mark.parametrize("lacking", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_other_errors_are_not_taken_for_a_lack_of_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: int
) -> None:
    """A full disk is one, whichever way a file is shared; what was there stays."""

    def refuse(source: str, target: str) -> None:
        raise OSError(lacking, "lacking", source, None, target)

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "source").write_text("text")
    (tmp_path / "there").write_text("what was there")
    for act, name in ((Placing().share, "target"), (Placing().replace, "there")):
        with pytest.raises(OSError, match="lacking"):
            act(str(tmp_path / "source"), str(tmp_path / name))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"source": "text", "there": "what was there"}


@pytest.mark.skipif(sys.platform != "linux", reason="there, no clone is tried")
@pytest.mark.parametrize("refused", [errno.EAGAIN, errno.EINVAL, errno.EBADF])
def test_clones_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: int) -> None:
    """Whatever a file system says against a clone, the file is linked."""

    def refuse(*_: object) -> None:
        raise OSError(refused, os.strerror(refused))

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    (tmp_path / "source").write_text("text")
    Placing().share(str(tmp_path / "source"), str(tmp_path / "target"))
    assert (tmp_path / "source").samefile(tmp_path / "target")


def test_a_file_that_is_shared_already(tmp_path: Path) -> None:
    """To put a file where it is already leaves nothing beside it."""
    (tmp_path / "source").write_text("text")
    os.link(tmp_path / "source", tmp_path / "target")
    Placing().replace(str(tmp_path / "source"), str(tmp_path / "target"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"source": "text", "target": "text"}
