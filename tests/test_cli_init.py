"""`scriptrun init`: a new script, or a script of a file that is there."""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.user import User

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


def head(*lines: str, minor: str = MINOR) -> str:
    """Return a block that asks for nothing but these lines."""
    return "".join(
        f"# {line}\n"
        for line in ("/// script", f'requires-python = ">={minor}"', *(lines or ("dependencies = []",)), "///")
    )


@pytest.mark.slow
def test_new_script(user: User) -> None:
    """It has shebang, block and main function, is executable as far as the umask lets, and runs."""
    command = "umask 027; scriptrun init hello.py"
    assert user.run("sh", "-c", command) == (0, "", "scriptrun: note: made hello.py\n")
    path = user.directory / "hello.py"
    body = '\n\ndef main() -> None:\n    print("Hello!")\n\n\nif __name__ == "__main__":\n    main()\n'
    assert path.read_text() == f"#!/usr/bin/env scriptrun\n{head()}{body}"
    assert path.stat().st_mode & 0o777 == 0o750
    assert user.run("./hello.py") == (0, "Hello!\n", "")


@pytest.mark.slow
def test_new_script_with_requirements(user: User) -> None:
    """`--with` writes requirements as `add` does; if pip cannot resolve them, no file is made."""
    finished = user.run("scriptrun", "init", "hello.py", "--with", "tool", "-w", "demo<2")
    assert finished == (0, "", "+ demo<2\n+ tool>=1.0\nscriptrun: note: made hello.py\n")
    expected = head("dependencies = [", '  "demo<2",', '  "tool>=1.0",', "]")
    assert expected in (user.directory / "hello.py").read_text()
    assert user.run("./hello.py").out == "Hello!\n"
    finished = user.run("scriptrun", "init", "bad.py", "--with", "nope2")
    assert (finished.status, finished.err.endswith("; `bad.py` was not made\n")) == (125, True)
    assert not (user.directory / "bad.py").exists()


@pytest.mark.slow
def test_python(user: User, pythons: list[Path]) -> None:
    """The Python asked for, else the one that `.python-version` beside the file or above it names, is the oldest."""
    oldest = pythons[0]
    user.variables["PATH"] += f":{oldest.parent}"
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    minor = subprocess.run([oldest, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    user.write("pinned/.python-version", f"# the server's\n{minor}.1\n")
    (user.directory / "pinned" / "deep").mkdir()
    user.write(".python-version", f"{MINOR}\n")
    assert user.run("scriptrun", "init", "pinned/deep/a.py").status == 0
    assert head(minor=minor) in (user.directory / "pinned/deep/a.py").read_text()
    assert user.run("scriptrun", "init", "--python", sys.executable, "pinned/b.py").status == 0
    assert head() in (user.directory / "pinned/b.py").read_text()
    assert user.run("scriptrun", "init", "-p", str(oldest), "c.py").status == 0
    assert head(minor=minor) in (user.directory / "c.py").read_text()


def test_python_that_is_asked_for(user: User) -> None:
    """Specifiers stand in the block as they were asked for; a Python that is not installed is no Python, pinned too."""
    for number, asked in enumerate((">=3.8,<4", f"~={MINOR}.0", f"=={MINOR}.*")):
        assert user.run("scriptrun", "init", "--python", asked, f"{number}.py").status == 0
        assert f'# requires-python = "{asked}"\n' in (user.directory / f"{number}.py").read_text()
    assert user.run("scriptrun", "init", "--python", MINOR, "minor.py").status == 0
    assert head() in (user.directory / "minor.py").read_text()
    pin = user.write("pinned/.python-version", "3.99\n")
    for words, by in ((("pinned/a.py",), str(pin)), (("pinned/a.py", "--python=3.99"), "--python")):
        finished = user.run("scriptrun", "init", *words)
        assert (finished.status, finished.out) == (125, "")
        assert f"no Python found for `3.99` ({by})" in finished.err
    assert os.listdir(pin.parent) == [".python-version"]


def test_existing_file(user: User) -> None:
    """It gets shebang and block before its docstring; mode, link, line ends, mark and encoding are kept."""
    docs = '"""Dôcs."""\nfrom __future__ import annotations\nprint(__doc__)'
    path = user.write("real.py", docs)
    path.chmod(0o751)
    (user.directory / "link.py").symlink_to("real.py")
    assert user.run("scriptrun", "init", "link.py") == (0, "", "scriptrun: note: put a block into link.py\n")
    assert path.read_text() == f"#!/usr/bin/env scriptrun\n{head()}\n{docs}"
    assert path.stat().st_mode & 0o777 == 0o751
    assert os.readlink(user.directory / "link.py") == "real.py"
    assert user.run("./link.py").out == "Dôcs.\n"
    path = user.write("latin.py", "# coding: latin-1\nprint('é')\n".encode("latin-1"))
    path.chmod(0o755)
    assert user.run("scriptrun", "init", "latin.py").err == "scriptrun: note: put a block into latin.py\n"
    assert path.read_bytes() == (
        f"#!/usr/bin/env scriptrun\n# coding: latin-1\n{head()}\nprint('é')\n".encode("latin-1")
    )
    assert user.run("./latin.py").out == "é\n"
    path = user.write("empty.py", "", executable=True)
    assert user.run("scriptrun", "init", "empty.py").status == 0
    assert path.read_text() == f"#!/usr/bin/env scriptrun\n{head()}"


@pytest.mark.slow
def test_what_keeps_a_script_from_being_started(user: User) -> None:
    """A file that will not start by its name is told of: why, and what to do."""
    files = {
        "crlf.py": (b"x = 1\r\n", "carriage returns"),
        "marked.py": (codecs.BOM_UTF8 + b"x = 1\n", "byte order mark"),
        "python.py": (b"#!/usr/bin/env python3\nx = 1\n", "`#!/usr/bin/env python3`, which does not read the block"),
        "second.py": (b"\n# coding: latin-1\nx = 1\n", "encoding must stay in the second line"),
    }
    for name, (content, reason) in files.items():
        path = user.write(name, content, executable=True)
        status, _, err = user.run("scriptrun", "init", name)
        assert status == 0
        assert reason in err
        assert len(err.splitlines()) == 2
        assert user.run("scriptrun", name) == (0, "", "")
        assert path.read_bytes().startswith(codecs.BOM_UTF8) == content.startswith(codecs.BOM_UTF8)
    written = (user.directory / "crlf.py").read_bytes()
    assert written.count(b"\n") == written.count(b"\r\n")
    user.write("plain.py", "x = 1\n")
    err = user.run("scriptrun", "init", "plain.py").err
    assert err.endswith("scriptrun: warning: plain.py: it may not be executed; chmod +x plain.py\n")


@pytest.mark.slow
def test_block_that_is_there(user: User) -> None:
    """A file that is a script already, or looks like one, is not touched; neither is made what has no directory."""
    for name, text in (("s.py", head()), ("near.py", "#/// script\n# ///\n")):
        path = user.write(name, text)
        finished = user.run("scriptrun", "init", name)
        assert (finished.status, finished.out) == (2, "")
        assert path.read_text() == text
    assert "it is a script already" in user.run("scriptrun", "init", "s.py").err
    assert user.run("scriptrun", "init").status == 2
    assert user.run("scriptrun", "init", "missing/s.py").status == 125
    assert user.run("scriptrun", "init", ".").status == 126
