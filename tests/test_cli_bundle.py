"""`scriptrun bundle`: where it writes, what it says, and what it refuses."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest
from support.index import Index
from support.user import User

from scriptrun.bundle import archive, code
from scriptrun.bundle.archive import Parts
from scriptrun.bundle.code import Code
from scriptrun.bundle.contents import Contents, Wheel
from scriptrun.errors import BundleError
from scriptrun.order import Described, Distribution

REFUSED = {
    "no script": ((), "takes one script"),
    "two scripts": (("bare.py", "bare.py"), "takes one script"),
    "stdin": (("-",), "takes one script"),
    "a directory": (("bare.py", "-o", "."), "`.` is a directory"),
    "no directory": (("bare.py", "-o", "nowhere/x.pyz"), "there is no directory `nowhere`"),
    "the script": (("bare.py", "-o", "./bare.py"), "is the script itself"),
    "both names": (("bare.py", "-o", "a", "--output", "b"), "`--output` is given twice"),
    "a URL": (("https://host.invalid/s.py",), "is for files"),
    "a file of variables": (("bare.py", "--env-file", "x.env"), "`--env-file` has no effect in a bundle"),
    "never twice": (("bare.py", "--no-overlap"), "`--no-overlap` has no effect in a bundle"),
    "a status for that": (("bare.py", "--overlap-status", "3"), "`--overlap-status` has no effect in a bundle"),
    "for one run": (("bare.py", "--isolated"), "`--isolated` has no effect in a bundle"),
    "explained": (("bare.py", "--explain"), "`--explain` has no effect in a bundle"),
    "another block": (("bare.py", "--script", "bare.py"), "`--script` has no effect in a bundle"),
    "more": (("bare.py", "--with", "demo"), "`with` asks for what is in no lock"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(user: User, case: str) -> None:
    """What cannot be bundled, or written there, is said as wrong use, and no file is made or changed."""
    user.script("bare.py", body="print(1)\n")
    before = (user.directory / "bare.py").read_bytes()
    words, said = REFUSED[case]
    finished = user.run("scriptrun", "bundle", *words)
    assert (finished.status, finished.out) == (2, "")
    assert finished.err.startswith("scriptrun: error: ")
    assert said in finished.err
    assert os.listdir(user.directory) == ["bare.py"]
    assert (user.directory / "bare.py").read_bytes() == before


def test_refused_in_the_block(user: User) -> None:
    """An option of the block that a bundle could not keep to is named with its line, and not left out silently."""
    head = '# [tool.scriptrun]\n# no-overlap = true\n# env-file = ["x.env"]\n# ///\n'
    user.write("s.py", f"# /// script\n# dependencies = []\n{head}print(1)\n")
    finished = user.run("scriptrun", "bundle", "s.py")
    assert (finished.status, finished.out) == (2, "")
    assert finished.err.startswith("scriptrun: error: `s.py:5` has no effect in a bundle: env-file is for scriptrun")
    user.write("s.py", "# /// script\n# dependencies = []\n# [tool.scriptrun]\n# isolated = true\n# ///\nprint(1)\n")
    isolated = user.run("scriptrun", "bundle", "s.py")
    assert (isolated.status, isolated.out) == (2, "")
    assert "`s.py:4` has no effect in a bundle: isolated" in isolated.err
    assert os.listdir(user.directory) == ["s.py"]


def test_where_it_is_written(user: User) -> None:
    """It is the script's name with `.pyz` in the current directory, or what `-o` says; a file there is replaced."""
    (user.directory / "below").mkdir()
    script = user.script("below/job.py", body="print(1)\n")
    assert user.run("scriptrun", "bundle", str(script)) == (0, "job.pyz\n", "")
    former = (user.directory / "job.pyz").read_bytes()
    user.write("other.pyz", "former")
    assert user.run("scriptrun", "bundle", "-oother.pyz", str(script)) == (0, "other.pyz\n", "")
    assert user.run("scriptrun", "bundle", str(script), "--output=below/x").out == "below/x\n"
    assert {(user.directory / name).read_bytes() for name in ("other.pyz", "below/x")} == {former}
    assert sorted(os.listdir(user.directory)) == ["below", "job.pyz", "other.pyz"]
    assert (user.directory / "job.pyz").stat().st_mode & 0o111 == 0o111


def test_what_is_no_file_stays(user: User) -> None:
    """A device, a pipe, or a link that leads nowhere is not replaced, whoever asks for it."""
    user.script("job.py", body="print(1)\n")
    os.mkfifo(user.directory / "pipe")
    (user.directory / "link").symlink_to("nowhere")
    for name in ("pipe", "link"):
        status, out, err = user.run("scriptrun", "bundle", "job.py", "-o", name)
        assert (status, out, f"`{name}` is no file that could be replaced" in err) == (2, "", True)
    assert (user.directory / "pipe").is_fifo()
    assert (user.directory / "link").is_symlink()


@pytest.mark.parametrize("name", [b"a\nb.py", b"a\xff.py", b"a\tb.py"], ids=["newline", "bytes", "tab"])
def test_name_that_no_bundle_can_hold(user: User, name: bytes) -> None:
    """It is refused when the bundle is made, not when it is started elsewhere."""
    script = os.fsdecode(name)
    user.write(script, "print(1)\n")
    status, out, err = user.run("scriptrun", "bundle", script, "-o", "job.pyz")
    assert (status, out, "has a name that no bundle can hold" in err) == (2, "", True)
    assert not (user.directory / "job.pyz").exists()


def test_lock_of_the_script(user: User) -> None:
    """The lock beside the script is used and put in; where there is none, one is made, which stderr says."""
    script = user.script("job.py", "demo<2")
    made = user.run("scriptrun", "bundle", "job.py")
    assert (made.status, made.err) == (
        0,
        "scriptrun: note: the script has no lock: one was made, for this bundle alone\n",
    )
    assert not (user.directory / "pylock.job.toml").exists()
    assert user.run("scriptrun", "lock", "job.py").status == 0
    lock = (user.directory / "pylock.job.toml").read_bytes()
    assert user.run("scriptrun", "bundle", "job.py") == (0, "job.pyz\n", "")
    with zipfile.ZipFile(user.directory / "job.pyz") as bundle:
        assert bundle.read("script/pylock.job.toml") == lock
        assert bundle.read("script/job.py") == script.read_bytes()
        assert [name for name in bundle.namelist() if name.startswith("wheels/")] == [
            "wheels/demo-1.0-py3-none-any.whl"
        ]
    user.write("job.py", script.read_text().replace("demo<2", "demo<3"))
    stale = user.run("scriptrun", "bundle", "job.py")
    assert (stale.status, stale.out) == (125, "")
    assert "demo<3" in stale.err


@pytest.mark.slow
def test_lock_inside_the_script(user: User) -> None:
    """A lock that the script has inside is used, and is in the bundle where it is: inside the script."""
    user.script("job.py", "demo<2")
    assert user.run("scriptrun", "lock", "--embed", "-q", "job.py").status == 0
    assert user.run("scriptrun", "bundle", "job.py") == (0, "job.pyz\n", "")
    with zipfile.ZipFile(user.directory / "job.pyz") as bundle:
        assert [name for name in bundle.namelist() if name.startswith("script/")] == ["script/job.py"]
        assert bundle.read("script/job.py") == (user.directory / "job.py").read_bytes()


@pytest.mark.slow
def test_byte_code_for_another_machine(user: User, pythons: list[Path]) -> None:
    """A bundle for another machine has byte code if a Python of the same version is here, and else none."""
    python = pythons[-1]
    minor = python.name.removeprefix("python")
    user.script("bare.py", body="print(1)\n")
    user.variables["PATH"] = f"{python.parent}:{user.variables['PATH']}"
    for version in (minor, "3.99"):
        words = ("--platform", "manylinux_2_28_aarch64", "--python", version, "-o", f"{version}.pyz")
        assert user.run("scriptrun", "bundle", "bare.py", *words) == (0, f"{version}.pyz\n", "")
    magic = user.run(python, "-c", "import importlib.util as u; print(u.MAGIC_NUMBER.hex())").out.strip()
    with zipfile.ZipFile(user.directory / f"{minor}.pyz") as bundle:
        assert bundle.read("scriptrun/launch.pyc")[:4].hex() == magic
    with zipfile.ZipFile(user.directory / "3.99.pyz") as bundle:
        assert [name for name in bundle.namelist() if name.endswith(".pyc")] == []


def test_failure_leaves_what_was_there(user: User) -> None:
    """Where pip finds nothing, the bundle that was there before stays as it was, and nothing is left beside it."""
    user.script("job.py", "nothing-like-this")
    user.write("job.pyz", "former")
    finished = user.run("scriptrun", "bundle", "job.py")
    assert (finished.status, finished.out) == (125, "")
    assert (user.directory / "job.pyz").read_text() == "former"
    assert sorted(os.listdir(user.directory)) == ["job.py", "job.pyz"]


def test_disk_that_is_full(user: User) -> None:
    """Where it cannot be written, that is said in words."""
    if not Path("/dev/full").exists():
        pytest.fail("the test needs /proc")
    user.script("job.py", body="print(1)\n")
    finished = user.run("scriptrun", "bundle", "job.py", "-o", "/proc/job.pyz")
    assert (finished.status, finished.out) == (125, "")
    assert finished.err.startswith("scriptrun: error: `/proc/job.pyz` cannot be made: ")


def test_another_mirror(user: User, shared_index: Index, index: Index) -> None:
    """With one lock, the bundle is the same whichever index its wheels come from, and names none."""
    index.add(*((name, content) for name, content in shared_index.files.items() if name.startswith("demo-")))
    user.script("job.py", "demo")
    assert user.run("scriptrun", "lock", "-q", "job.py").status == 0
    made = []
    for one in (shared_index, index):
        assert user.run("scriptrun", "bundle", "-q", "job.py", PIP_INDEX_URL=one.url).status == 0
        made.append((user.directory / "job.pyz").read_bytes())
    assert made[0] == made[1]
    with zipfile.ZipFile(user.directory / "job.pyz") as bundle:
        assert b"127.0.0.1" not in bundle.read("bundle.json")


def test_byte_code_is_reproducible(user: User, pythons: list[Path], tmp_path: Path) -> None:
    """A Python writes the same byte code each time, also 3.10, where the order of a set depends on a random seed."""
    oldest = next(one for one in pythons if int(one.name.removeprefix("python3.")) >= 10)
    made = []
    for number, seed in enumerate(("1", "2", "3")):
        (tmp_path / str(number)).mkdir()
        environ = {**user.environment(), "PYTHONHASHSEED": seed, "PYTHONOPTIMIZE": seed}
        made.append(code.collect(str(oldest), str(tmp_path / str(number)), environ).files)
    assert [name for name in made[0] if not made[0][name] == made[1][name] == made[2][name]] == []


def parts(directory: Path, *sizes: int) -> Parts:
    """Return what a bundle is written from: wheels of these sizes, without content."""
    wheels = []
    for number, size in enumerate(sizes):
        name = f"demo-{number}-py3-none-any.whl"
        with (directory / name).open("wb") as file:
            file.truncate(size)
        wheels.append(Wheel(Distribution("demo", "1", "", ""), Described(), name, "", "demo.dist-info", (), ()))
    contents = Contents("3.11", "cpython", "", "", {}, "job.py", tuple(wheels))
    return Parts(contents, b"", {}, Code({}, frozenset()), str(directory), ())


@pytest.mark.parametrize("sizes", [(1 << 31,), (1 << 30, 1 << 30)], ids=["one", "all"])
def test_too_large(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    """What would be larger than a zip of the kind that Python starts may be is not begun, and says the limit."""
    before = set(os.listdir(tmp_path))
    with pytest.raises(BundleError, match="larger than the 2 GiB that"):
        archive.write(str(tmp_path / "job.pyz"), parts(tmp_path, *sizes))
    assert {name for name in set(os.listdir(tmp_path)) - before if not name.endswith(".whl")} == set()


def test_too_large_by_a_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What turns out to be too large while it is written is removed again."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    with pytest.raises(BundleError, match="larger than the 2 GiB that"):
        archive.write(str(tmp_path / "job.pyz"), parts(tmp_path, 900, 10))
    assert not [name for name in os.listdir(tmp_path) if name.startswith("job")]


def test_for_whom_it_is(user: User) -> None:
    """A bundle for another machine is refused here though its wheels could be used; one says what its script says."""
    head = '# /// script\n# requires-python = ">=3.10.0"\n# dependencies = ["demo; sys_platform == \'win32\'"]\n# ///\n'
    user.write("job.py", f"{head}print(1)\n")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    words = ("--python", f"{version}.99", "--platform", "win_amd64")
    assert user.run("scriptrun", "bundle", "-q", "job.py", *words).status == 0
    status, out, err = user.run(sys.executable, "job.pyz")
    assert (status, out) == (125, "")
    assert "what it holds was chosen for win32 AMD64, and this is " in err
    with zipfile.ZipFile(user.directory / "job.pyz") as bundle:
        assert b'"requires_python":">=3.10.0","script"' in bundle.read("bundle.json")
