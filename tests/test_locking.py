"""Runs of scripts that have a lock: what is locked is installed, to the byte, or nothing is."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import index as indexes
from support import user as users
from support.index import Index
from support.user import Finished, User

BODY = "import demo, other; print(demo.V, other.V)\n"


def locked(user: User, *requirements: str, body: str = BODY, name: str = "s.py") -> Path:
    """Write a script with these requirements and lock it."""
    script = user.script(name, *requirements, body=body)
    finished = user.run("scriptrun", "-q", "lock", script)
    assert (finished.status, finished.err) == (0, "")
    return script


def lock_of(script: Path) -> Path:
    """Return the lock beside a script."""
    return script.with_name(f"pylock.{script.stem}.toml")


@pytest.mark.slow
def refused(finished: Finished, *parts: str) -> None:
    """Assert that scriptrun failed, printed nothing to stdout, and told each of these parts."""
    assert (finished.status, finished.out) == (125, "")
    assert [part for part in parts if part not in finished.err] == []


def test_lock_made_here_installs_elsewhere(index: Index, tmp_path: Path, command: Path) -> None:
    """With an empty cache, another home and only a local index at another port, the locked versions are installed.

    What was uploaded meanwhile does not count, and the URLs in the lock, of an index that is not there, are not asked.
    """
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("other", "1.0", requires=["demo"]))
    with indexes.serve() as there:
        there.add(*index.files.items())
        here = users.create(tmp_path / "here", command, there.url)
        script = locked(here, "other")
        assert here.run(script) == (0, "1.0 1.0\n", "")
    index.add(indexes.wheel("demo", "2.0"), indexes.wheel("other", "2.0", requires=["demo"]))
    elsewhere = users.create(tmp_path / "elsewhere", command, index.url)
    for file in (script, lock_of(script)):
        shutil.copy2(file, elsewhere.directory)
    assert elsewhere.run("./s.py") == (0, "1.0 1.0\n", "")
    shutil.copy2(script, elsewhere.directory / "t.py")
    assert elsewhere.run("./t.py") == (0, "2.0 2.0\n", "")
    assert len(elsewhere.environments()) == 2


@pytest.mark.slow
def test_single_file_can_be_mailed(index: Index, tmp_path: Path, command: Path) -> None:
    """One file with its lock inside installs the same elsewhere, with other line ends too; the launcher starts it then.

    Its environment is that of the lock beside it: the same text.
    """
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("other", "1.0", requires=["demo"]))
    here = users.create(tmp_path / "here", command, index.url)
    script = here.script("s.py", "other", body=BODY)
    assert here.run("scriptrun", "-q", "lock", "--embed", script) == (0, f"{script}\n", "")
    assert not lock_of(script).exists()
    index.add(indexes.wheel("demo", "2.0"), indexes.wheel("other", "2.0"))
    elsewhere = users.create(tmp_path / "elsewhere", command, index.url)
    mailed = elsewhere.write("mailed.py", script.read_bytes().replace(b"\n", b"\r\n"))
    assert elsewhere.run("scriptrun", mailed) == (0, "1.0 1.0\n", "")
    assert len(elsewhere.records()) == 1
    launcher = elsewhere.write("bin/scriptrun", command.read_bytes(), executable=True)
    assert elsewhere.run(launcher, mailed) == (0, "1.0 1.0\n", "")
    assert elsewhere.run("scriptrun", "-q", "lock", mailed).status == 0
    assert elsewhere.run("scriptrun", mailed) == (0, "1.0 1.0\n", "")
    assert len(elsewhere.environments()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("flipped", ["wheel", "hash", "announced"])
def test_flipped_byte_is_refused(index: Index, tmp_path: Path, command: Path, flipped: str) -> None:
    """A byte that differs in a wheel, whatever the index announces, or in a hash of the lock ends it: nothing stays."""
    name, content = indexes.wheel("demo", "1.0")
    index.add((name, content))
    user = users.create(tmp_path / "user", command, index.url)
    script = locked(user, "demo", body="print(1)\n")
    if flipped == "hash":
        text = lock_of(script).read_text()
        digest = re.findall(r'sha256 = "(\w+)"', text)[0]
        lock_of(script).write_text(text.replace(digest, digest[:-1] + ("0" if digest[-1] != "0" else "1")))
    else:
        index.files[name] = content[:-1] + bytes([content[-1] ^ 1])
    if flipped == "announced":
        index.hashes[name] = re.findall(r'sha256 = "(\w+)"', lock_of(script).read_text())[0]
    shutil.rmtree(user.cache)
    shutil.rmtree(user.home / ".cache" / "pip", ignore_errors=True)
    refused(
        user.run(script),
        f"{lock_of(script)}: refused: the file of `demo` does not have the hash that the lock says",
        f"have it made anew: scriptrun lock {script}; else",
    )
    assert (user.environments(), list(user.cache.glob("v1/envs/*"))) == ([], [])


@pytest.mark.slow
def test_lock_counts_at_the_next_start(user: User) -> None:
    """A lock put beside a script after a warm run counts at once, also through a link; one taken away no more."""
    script = user.script("real/s.py", "demo", body="import demo; print(demo.V)\n")
    link = user.directory / "link.py"
    link.symlink_to("real/s.py")
    other = user.script("s.py", "demo<2", body="import demo; print(demo.V)\n")
    assert user.run("scriptrun", "-q", "lock", other).status == 0
    text = lock_of(other).read_text().replace('["demo<2"]', '["demo"]')
    for _ in range(2):
        assert [user.run(one) for one in (script, link)] == [(0, "2.0\n", "")] * 2
        assert len(user.records()) == 2
        lock_of(script).write_text(text)
        assert [user.run(one) for one in (script, link, script)] == [(0, "1.0\n", "")] * 3
        lock_of(script).unlink()
    lock_of(script).write_text("nonsense")
    for one in (script, link):
        refused(user.run(one), "the lock is damaged", "hint: have it made anew: scriptrun lock ")
    lock_of(script).unlink()
    assert user.run("scriptrun", "-q", "lock", "--embed", link).status == 0
    assert link.is_symlink()
    assert [user.run(one) for one in (script, link)] == [(0, "2.0\n", "")] * 2
    script.write_bytes(script.read_bytes().replace(b'# version = "2.0"', b'# version = "1.0"'))
    refused(user.run("scriptrun", "--refresh", script), "the lock in the script was changed")


def alone(user: User, command: Path) -> str:
    """Return the PATH of a machine where of scriptrun there is nothing but the launcher."""
    launcher = user.write("launcher/scriptrun", command.read_bytes(), executable=True)
    return f"{launcher.parent}:/usr/bin:/bin"


def test_locked_script_is_started_by_the_launcher(user: User, command: Path) -> None:
    """From the second start on, through a link too; what is changed in the lock counts at once, and is proven anew."""
    body = "import sys; print(sys.prefix)\n"
    script = user.script("s.py", head='# requires-python = ">=3.8"\n', body=body)
    assert user.run("scriptrun", "-q", "lock", script).status == 0
    path = alone(user, command)
    assert user.run(script, PATH=path).status == 125
    first = user.run(script)
    assert (first.status, first.err) == (0, "")
    assert user.run(script, PATH=path) == first
    assert "record:      the launcher starts the script by itself" in user.run("scriptrun", "--explain", script).out
    content = lock_of(script).read_bytes()
    for changed in (content + b"# a comment\n", content.replace(b"\n", b"\r\n"), content):
        lock_of(script).write_bytes(changed)
        assert user.run(script, PATH=path).status == 125
        again = user.run(script)
        assert (again.status, again.err) == (0, "")
        assert user.run(script, PATH=path) == again
    script.write_text(script.read_text().replace(">=3.8", ">=3.7"))
    refused(user.run(script), "the lock is stale")
    script.write_text(script.read_text().replace(">=3.7", ">=3.8"))
    assert user.run(script, PATH=path) == first
    lock_of(script).write_text("nonsense")
    refused(user.run(script), "the lock is damaged")
    lock_of(script).unlink()
    assert user.run(script).status == 0
    assert user.run(script, PATH=path).status == 0
    configured = user.write("configured/scriptrun/config.toml", "[policy]\nrequire-lock = true\n").parent.parent
    lock_of(script).write_bytes(content)
    for _ in range(2):
        assert user.run(script, XDG_CONFIG_HOME=str(configured)) == first
        lock_of(script).unlink()
        refused(user.run("scriptrun", "--locked", script), "there is no lock, which --locked")
        lock_of(script).write_bytes(content)
    assert user.run(script, XDG_CONFIG_HOME=str(configured), PATH=path) == first
    scripts = user.run("scriptrun", "cache", "list").out
    assert str(script) in scripts


@pytest.mark.slow
def test_environment_of_a_locked_script_that_has_gone_is_made_anew(user: User, command: Path) -> None:
    """The record of a locked script never leads past the lock: what has gone is made from it, and then started."""
    script = locked(user, "demo<2", body="import demo; print(demo.V)\n")
    path = alone(user, command)
    assert user.run(script) == (0, "1.0\n", "")
    for environment in user.environments():
        shutil.rmtree(environment)
    lock = lock_of(script)
    lock.write_text(lock.read_text().replace('["demo<2"]', '["demo<3"]'))
    refused(user.run(script), "the lock is stale")
    lock.write_text(lock.read_text().replace('["demo<3"]', '["demo<2"]'))
    assert user.run(script).out == "1.0\n"
    assert user.run(script, PATH=path) == (0, "1.0\n", "")


@pytest.mark.slow
def test_embedded_lock_is_proven_by_its_digest(user: User) -> None:
    """A lock inside that is changed, missing, unnamed, or has one beside it, is an error that says what to run."""
    script = user.script("s.py", body="print(1)\n")
    assert user.run("scriptrun", "-q", "lock", "--embed", script).status == 0
    content = script.read_text()
    assert user.run("scriptrun", "--refresh", script) == (0, "1\n", "")
    block = content[content.index("# /// pylock") :]
    cases = {
        content.replace(
            '# created-by = "scriptrun"', '# created-by = "somebody"'
        ): "the lock in the script was changed",
        content.replace(block, ""): "which is not in the script any more",
        re.sub(r"# lock = .*\n", "", content): "does not say which one is meant",
        re.sub(r"lock = .*\n", 'lock = "sha1:00"\n', content): "is not the digest of a lock",
    }
    for changed, message in cases.items():
        script.write_text(changed)
        shutil.rmtree(user.cache)
        refused(user.run(script), message, "scriptrun lock --embed")
    script.write_text(f"{content}\n\n{block}")
    told = [user.run("scriptrun", *words, script) for words in ((), ("lock", "--embed"))]
    for one in told:
        refused(one, "the script holds 2 blocks of type `pylock`", "hint: delete all but the last one")
    for more in ("\nprint(2)\n", "print(2)\n"):
        script.write_text(content + more)
        assert user.run(script) == (0, "1\n2\n", "")
        assert user.run("scriptrun", "-q", "lock", "--embed", script).status == 0
        assert script.read_text() == content.replace(f"\n{block}", f"\nprint(2)\n\n{block}")
        assert user.run("scriptrun", "--locked", script) == (0, "1\n2\n", "")
        script.write_text(content + more)
        assert user.run("scriptrun", "-q", "lock", script).status == 0
        assert script.read_text().endswith("print(1)\n\nprint(2)\n")
        assert "lock" not in script.read_text()
        lock_of(script).unlink()
    script.write_text(content)
    lock_of(script).write_text(block.replace("# ", ""))
    refused(user.run(script), "a lock inside, and one beside it", "scriptrun lock")
    assert user.run("scriptrun", "-q", "lock", script).status == 0
    assert "lock" not in script.read_text()
    assert user.run(script) == (0, "1\n", "")


def test_embedded_lock_is_looked_at_wherever_python_starts(user: User) -> None:
    """Cut off or changed after a run, it is missed in another file and with options; the launcher does not look."""
    script = user.script("s.py", body="one = 1\nprint(one)\n")
    assert user.run("scriptrun", "-q", "lock", "--embed", script).status == 0
    content = script.read_text()
    cut = content[: content.index("\n# /// pylock")]
    assert [user.run(script), user.run("scriptrun", "--python=3", script)] == [(0, "1\n", "")] * 2
    assert len(user.records()) == 1
    changes = {
        cut: "which is not in the script any more",
        content.replace('"scriptrun"', '"somebody"'): "the lock in the script was changed",
    }
    for changed, message in changes.items():
        copy = user.write("copy.py", changed)
        refused(user.run("scriptrun", copy), message)
        script.write_text(changed)
        refused(user.run("scriptrun", "--python=3", script), message)
        assert user.run("scriptrun", script) == (0, "1\n", ""), "the first lines are what they were"


@pytest.mark.slow
def test_extra_requirements_leave_what_is_locked(user: User) -> None:
    """`--with` adds to the locked distributions without changing one; what contradicts them is refused."""
    script = locked(user, "demo<2", body="import sys, demo; print(demo.V, 'tool' in sys.modules)\nimport tool\n")
    assert user.run("scriptrun", "--with", "tool", script) == (0, "1.0 False\n", "")
    told = f"{lock_of(script)}: conflict: the script asks for `demo>=2`, the lock has `demo==1.0`"
    finished = user.run("scriptrun", "--with", "demo>=2", script)
    refused(
        finished, told, f"hint: leave out what contradicts the lock, or update that: scriptrun lock --upgrade {script}"
    )
    assert len(user.environments()) == 1


def test_locked_demands_a_lock(user: User) -> None:
    """Without a lock, --locked fails as an option, a variable, a key of block or configuration; with one, all run."""
    script = user.script("s.py", body="print(1)\n")
    configured = user.write("configured/scriptrun/config.toml", "locked = true\n").parent.parent
    keyed = user.script("k.py", head="# tool.scriptrun.locked = true\n", body="print(1)\n")
    assert user.run(script) == (0, "1\n", "")
    ways: list[Callable[[], Finished]] = [
        lambda: user.run("scriptrun", "--locked", script),
        lambda: user.run(script, SCRIPTRUN_LOCKED="1"),
        lambda: user.run(keyed),
        lambda: user.run(script, XDG_CONFIG_HOME=str(configured)),
    ]
    for way in ways:
        refused(way(), "there is no lock, which --locked", "hint: make one: scriptrun lock ")
    for one in (script, keyed):
        assert user.run("scriptrun", "-q", "lock", one).status == 0
    assert [way() for way in ways] == [(0, "1\n", "")] * 4
    for one in (script, keyed):
        one.write_text(one.read_text().replace("# /// script\n", '# /// script\n# requires-python = ">=3.1"\n'))
    for way in ways:
        refused(way(), "the lock is stale", "requires-python", "hint: update it: scriptrun lock ")
    assert user.run("scriptrun", "--locked", "-c", "print(2)") == (0, "2\n", ""), "there is nothing to lock"
    told = user.run("scriptrun", "--locked", "--with", "demo", "-c", "1")
    refused(told, "error: there can be no lock", "hint: save it to a file and lock that, or leave --locked out")


def test_lock_of_another_script_is_left_alone(user: User) -> None:
    """Where two scripts' locks have one name, the second is refused, run or locked; a renamed pair stays one."""
    first, second = (user.script(name, body="print(1)\n") for name in ("a.b.py", "a-b.py"))
    lock = user.directory / "pylock.a-b.toml"
    assert user.run("scriptrun", "-q", "lock", first).status == 0
    before = lock.read_bytes()
    for words in ((), ("lock",), ("lock", "--embed")):
        told = f"{lock}: the lock is that of `a.b.py`, and this is `a-b.py`"
        refused(user.run("scriptrun", *words, second), told, "hint: rename one of the two scripts")
    assert (lock.read_bytes(), user.run("scriptrun", "--locked", first)) == (before, (0, "1\n", ""))
    first.rename(second)
    assert user.run("scriptrun", "--locked", second) == (0, "1\n", "")


def test_lock_that_is_a_link_to_nothing(user: User) -> None:
    """It is no missing lock, but an error, also where the script ran before."""
    script = user.script("s.py", body="print(1)\n")
    assert user.run("scriptrun", script) == (0, "1\n", "")
    lock_of(script).symlink_to("gone.toml")
    for words in ((), ("lock",)):
        refused(user.run("scriptrun", *words, script), f"{lock_of(script)}: the lock is a link that leads nowhere")


@pytest.mark.slow
def test_stale_lock_says_what_differs(user: User) -> None:
    """Each requirement that was added, removed or changed is named, as are constraints, options and requires-python."""
    script = user.script("s.py", "demo", "other<2")
    lock_of(script).write_text(user.run("scriptrun", "export", "--format", "pylock", script).out)
    assert user.run("scriptrun", script) == (0, "", "")
    before = lock_of(script).read_bytes()
    user.write("c.txt", "demo<2\n")
    head = '# requires-python = ">=3.9"\n# tool.scriptrun.pre = true\n# tool.scriptrun.constraint = ["c.txt"]\n'
    user.script("s.py", "demo>=1", "tool", head=head)
    refused(
        user.run(script),
        f"{script}: {lock_of(script)}: the lock is stale: ",
        "`demo` became `demo>=1`",
        "`other<2` was removed",
        "`tool` was added",
        "the constraint `demo<2` was added",
        '`requires-python` was nothing and is `">=3.9"`',
        "`pre` was nothing and is `true`",
        f"hint: update it: scriptrun lock {script}",
    )
    assert lock_of(script).read_bytes() == before
    user.script("s.py", "Other < 2", "DEMO", body="# the same, said differently\n")
    assert user.run(script) == (0, "", "")


@pytest.mark.slow
def test_lock_of_another_python_or_platform(user: User) -> None:
    """What the lock is for, what there is, and what to run is told; `-p` cannot overrule a lock."""
    script = locked(user, body="print(1)\n")
    text = lock_of(script).read_text()
    python = re.findall(r'^python = "(.*)"', text, re.MULTILINE)[0]
    lock_of(script).write_text(text.replace('platform = "', 'platform = "plan9-'))
    refused(user.run(script), f"the lock is for cpython {python} on plan9-", ", and this is cpython", "scriptrun lock")
    lock_of(script).write_text(text.replace(f'python = "{python}"', 'python = "3.99"'))
    refused(user.run(script), "the lock is for cpython 3.99 on ", "which is not on this machine", "--python VERSION")
    refused(user.run("scriptrun", "-p", python, script), f"and this is cpython {python} on")
    lock_of(script).write_text(text)
    assert user.run("scriptrun", "-p", python, script) == (0, "1\n", "")


@pytest.mark.slow
def test_locked_script_runs_on_the_python_of_its_lock(user: User, pythons: list[Path], command: Path) -> None:
    """A lock for another minor version than scriptrun's own is installed for that, also by the pips of old Pythons."""
    other = next(one for one in pythons if "3.8" in str(one) or "3.9" in str(one))
    version = user.run(other, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").out.strip()
    body = "import sys, demo; print('%d.%d' % sys.version_info[:2], demo.V)\n"
    script = user.script("s.py", "demo", body=body)
    user.run("scriptrun", "-q", "lock", user.script("t.py", "demo<2"))
    made = lock_of(user.directory / "t.py").read_text().replace('["demo<2"]', '["demo"]').replace("t.py", "s.py")
    own = re.findall(r'^python = "(.*)"', made, re.MULTILINE)[0]
    lock_of(script).write_text(made.replace(own, version))
    path = f"{command.parent}:{other.parent}:/usr/bin:/bin"
    assert user.run(script, PATH=path) == (0, f"{version} 1.0\n", "")
    refused(user.run("scriptrun", "-p", version, "lock", script, PATH=path), "needs an old pip", "makes no locks")


@pytest.mark.slow
def test_direct_sources_are_locked(user: User, index: Index) -> None:
    """A URL is locked with its hash, a repository by its commit, a directory by its path; each is installed again."""
    index.add(indexes.wheel("far", "1.0"))
    project = user.directory / "near"
    for directory in (project, user.directory / "repository"):
        name = "near" if directory == project else "deep"
        backend = BACKEND.replace("NAME", name)
        files = {"pyproject.toml": PROJECT, "backend.py": backend}
        for file, text in files.items():
            user.write(f"{directory.name}/{file}", text)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(user.directory / "repository"))
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "1")):
        subprocess.run([*git, *words], check=True)
    url = f"{index.url.replace('/simple/', '/files/')}far-1.0-py3-none-any.whl"
    repository = f"git+file://{user.directory}/repository@main"
    body = "import far, near, deep; print(far.V, near.V, deep.V)\n"
    script = locked(user, f"far @ {url}", f"near @ file://{project}", f"deep @ {repository}", body=body)
    text = lock_of(script).read_text()
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert f'commit-id = "{commit}"' in text
    assert 'path = "near"' in text
    user.write("repository/backend.py", BACKEND.replace("NAME", "deep").replace("V = 1", "V = 2"))
    subprocess.run([*git, "commit", "-qam", "2"], check=True)
    assert user.run(script) == (0, "1.0 1 1\n", "")
    exported = user.run("scriptrun", "export", script).out
    assert f"deep @ git+file://{user.directory}/repository@{commit}\n" in exported
    assert f"far @ {url} \\\n    --hash=sha256:" in exported
    index.files["far-1.0-py3-none-any.whl"] = indexes.wheel("far", "1.0", files={"far.py": "V = 3\n"})[1]
    refused(user.run("scriptrun", "--refresh", script), "the file of `far` does not have the hash")


@pytest.mark.slow
def test_editable_directory_is_locked(user: User) -> None:
    """A source that is editable is locked as such, relative to the script, and installed as a link again."""
    for name in ("one", "two"):
        editable = BACKEND.replace("NAME", "near").replace("def build_wheel", "def build_editable", 1)
        user.write(f"{name}/near/pyproject.toml", PROJECT)
        user.write(f"{name}/near/backend.py", editable + BACKEND.replace("NAME", "near"))
    head = '# tool.scriptrun.sources.near = { path = "near", editable = true }\n'
    script = user.script("one/s.py", "near", head=head, body="import near; print(near.V)\n")
    assert user.run("scriptrun", "-q", "lock", script).status == 0
    assert 'path = "near"\neditable = true' in lock_of(script).read_text()
    moved = Path(shutil.copy2(script, user.directory / "two"))
    shutil.copy2(lock_of(script), lock_of(moved))
    assert [user.run(one) for one in (script, moved)] == [(0, "1\n", "")] * 2
    assert f"-e file://{user.directory}/two/near\n" in user.run("scriptrun", "export", moved).out


@pytest.mark.slow
def test_hash_of_a_source_distribution_is_verified_before_its_build(
    index: Index, tmp_path: Path, command: Path
) -> None:
    """A source distribution that was changed is not built: none of its code runs."""
    canary = tmp_path / "canary"
    files = {"pyproject.toml": PROJECT, "backend.py": BACKEND.replace("NAME", "raw")}
    index.add(indexes.sdist("raw", "1.0", files))
    user = users.create(tmp_path / "user", command, index.url)
    script = locked(user, "raw", body="import raw; print(raw.V)\n")
    assert user.run(script) == (0, "1\n", "")
    evil = files["backend.py"] + f"open({str(canary)!r}, 'w')\n"
    index.add(indexes.sdist("raw", "1.0", {**files, "backend.py": evil}))
    shutil.rmtree(user.home / ".cache")
    refused(user.run(script), "the file of `raw` does not have the hash")
    assert not canary.exists()


PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'

BACKEND = """\
import base64, hashlib, os, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "NAME-1.0-py3-none-any.whl"
    files = {
        "NAME.py": "V = 1\\n",
        "NAME-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: NAME\\nVersion: 1.0\\n",
        "NAME-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    record = "".join(
        "%s,sha256=%s,%d\\n" % (
            path, base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode(), len(text)
        ) for path, text in files.items()
    )
    files["NAME-1.0.dist-info/RECORD"] = record + "NAME-1.0.dist-info/RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"""


@pytest.mark.slow
def test_other_tools_ignore_a_lock_inside(user: User, command: Path) -> None:
    """uv, pip and pipx read the block of such a script as if there were no lock."""
    script = user.script("s.py", body="print(1)\n")
    assert user.run("scriptrun", "-q", "lock", "--embed", script).status == 0
    programs = command.parent
    python = str(programs / "python")
    uv = user.run(programs / "uv", "run", "-q", "--script", script, UV_OFFLINE="1", UV_PYTHON=python)
    assert uv == (0, "1\n", "")
    assert user.run(programs / "pipx", "run", "--quiet", script, PIPX_DEFAULT_PYTHON=python)[:2] == (0, "1\n")
    pip = user.run(programs / "python", "-m", "pip", "install", "--dry-run", "--requirements-from-script", script)
    assert (pip.status, "ERROR" in pip.err) == (0, False)
