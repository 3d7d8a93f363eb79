"""`scriptrun add`: requirements are written into a script, if pip can resolve the result."""

from __future__ import annotations

import codecs
import os

import pytest
from support.index import Index, wheel
from support.user import User


def test_add_to_a_block(user: User) -> None:
    """A bare name gets a lower bound from pip and its place by the alphabet; all else stays byte for byte."""
    path = user.script("s.py", "other", "tool<2", body="import tool\n\tprint( 'é' )", head="# #  note\n")
    before = path.read_bytes()
    assert user.run("scriptrun", "add", "s.py", "demo") == (0, "", "+ demo>=1.0\n")
    assert path.read_bytes() == before.replace(b'#   "other"', b'#   "demo>=1.0",\n#   "other"')
    assert not user.cache.joinpath("v1/envs").exists(), "nothing is built"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("major", "demo>=2.0,<3"), ("minor", "demo>=2.0,<2.1"), ("exact", "demo==2.0"), ("none", "demo")],
)
@pytest.mark.slow
def test_bounds(user: User, kind: str, expected: str) -> None:
    """The kind of bound can be chosen; a requirement that has one keeps it."""
    path = user.script("s.py")
    assert user.run("scriptrun", "add", "--bounds", kind, "s.py", "demo", "tool<5").status == 0
    assert f'#   "{expected}",\n#   "tool<5",\n' in path.read_text()


@pytest.mark.slow
def test_no_block(user: User) -> None:
    """A file without a block gets one, after its shebang, for the Python that was chosen; without `.py`, too."""
    path = user.write("plain", "#!/usr/bin/env python3\nimport demo\nprint(demo.V)")
    status, out, err = user.run("scriptrun", "add", "plain", "demo<2")
    assert (status, out, err) == (0, "", "+ demo<2\n")
    minor = user.run("scriptrun", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").out.strip()
    assert path.read_text() == (
        f'#!/usr/bin/env python3\n# /// script\n# requires-python = ">={minor}"\n'
        '# dependencies = [\n#   "demo<2",\n# ]\n# ///\n\nimport demo\nprint(demo.V)'
    )
    assert user.run("scriptrun", "plain") == (0, "1.0\n", "")


@pytest.mark.slow
def test_bytes_around_are_kept(user: User) -> None:
    """Carriage returns, a byte order mark, another encoding and a last line without an end are kept."""
    block = "# /// script\r\n# dependencies = []\r\n# ///\r\n"
    added = block.replace("[]", '[\r\n#   "demo<2",\r\n# ]')
    ends = ["print('é')", "print(1)\n"]
    files = {
        "crlf.py": [f"#!/bin/x\r\n{one}\r\n{ends[0]}".encode() for one in (block, added)],
        "marked.py": [codecs.BOM_UTF8 + f"{one}{ends[1]}".encode() for one in (block, added)],
        "latin.py": [f"# coding: latin-1\n{one}{ends[0]}".encode("latin-1") for one in (block, added)],
        "middle.py": [f"from __future__ import annotations\n\n{one}\n".encode() for one in (block, added)],
    }
    for name, (before, after) in files.items():
        path = user.write(name, before)
        assert user.run("scriptrun", "add", name, "demo<2").status == 0
        assert path.read_bytes() == after


@pytest.mark.slow
def test_same_name_is_replaced(user: User) -> None:
    """An entry of that name, however it is spelled, is replaced in place; one with another marker is another entry."""
    path = user.script("s.py", "DEMO>=2.0", "tool", "demo; python_version < '3'")
    finished = user.run("scriptrun", "add", "s.py", "demo==1.0")
    assert finished == (0, "", "DEMO>=2.0 → ==1.0\n")
    assert '#   "DEMO==1.0",\n#   "tool",\n#   "demo; python_version < \'3\'",\n' in path.read_text()
    user.script("s.py", "demo>=1", "demo<3")
    finished = user.run("scriptrun", "add", "s.py", "demo==1.0")
    assert finished.status == 2
    assert "asks for `demo` more than once" in finished.err


@pytest.mark.slow
def test_what_cannot_be_resolved(user: User) -> None:
    """The file is not touched, and the requirement is named: alone, or with the line of one that it conflicts with."""
    path = user.script("s.py", "demo>=2")
    before = path.stat(), path.read_bytes()
    status, out, err = user.run("scriptrun", "add", "s.py", "nope2")
    assert (status, out) == (125, "")
    assert err.startswith("scriptrun: error: s.py: nope2: no such distribution: `nope2`\n")
    assert err.endswith("hint: check the spelling of the name; `s.py` is as it was\n")
    status, _, err = user.run("scriptrun", "add", "s.py", "other")
    assert status == 125
    assert "`demo>=2` (s.py:4), `other` (s.py: other)" in err
    assert (path.stat(), path.read_bytes()) == before


@pytest.mark.slow
def test_wrong_use(user: User) -> None:
    """Nothing to add, what is no requirement, a local path, another bound: status 2, and the file is as it was."""
    path = user.script("s.py")
    before = path.read_bytes()
    cases = (["s.py"], ["s.py", "./dir"], ["s.py", "a b"], ["s.py", "demo @ ./dir"], ["s.py", "demo", "--bounds=all"])
    errors = []
    for words in ([], *cases):
        finished = user.run("scriptrun", "add", *words)
        assert (finished.status, finished.out) == (2, "")
        errors.append(finished.err)
    assert "hint: write a path or URL as NAME @ URL\n" in errors[2]
    assert "hint: write a local path as demo @ file:///absolute/path\n" in errors[4]
    assert path.read_bytes() == before


@pytest.mark.slow
def test_files_that_are_not_edited(user: User) -> None:
    """A missing file is not made; what may have been meant as a block, and a block that is not valid, is told."""
    assert user.run("scriptrun", "add", "missing.py", "demo").status == 127
    assert not (user.directory / "missing.py").exists()
    near = user.write("near.py", "#/// script\n# dependencies = []\n# ///\n")
    finished = user.run("scriptrun", "add", "near.py", "demo")
    assert finished.status == 2
    assert finished.err.startswith("scriptrun: error: near.py:1: `#/// script` does not open a block\n")
    assert near.read_text().startswith("#/// script")
    user.write("bad.py", "# /// script\n# dependencies = [\n# ///\n")
    finished = user.run("scriptrun", "add", "bad.py", "demo")
    assert (finished.status, finished.err[:27]) == (125, "scriptrun: error: bad.py:3:")


@pytest.mark.slow
def test_through_a_link(user: User) -> None:
    """What a link leads to is edited, and stays executable; the link stays one."""
    path = user.script("real/s.py")
    path.chmod(0o751)
    link = user.directory / "link.py"
    link.symlink_to("real/s.py")
    assert user.run("scriptrun", "add", "link.py", "demo==1.0").status == 0
    assert b"demo==1.0" in path.read_bytes()
    assert os.readlink(link) == "real/s.py"
    assert path.stat().st_mode & 0o777 == 0o751
    assert os.listdir(path.parent) == ["s.py"]


@pytest.mark.slow
def test_marker_that_does_not_hold(user: User) -> None:
    """What pip leaves out here gets no bound, as pip names no version."""
    path = user.script("s.py")
    assert user.run("scriptrun", "add", "s.py", "demo; python_version < '3'").err == "+ demo; python_version < '3'\n"
    assert "\"demo; python_version < '3'\"" in path.read_text()


@pytest.mark.slow
def test_offline(user: User) -> None:
    """Without the network pip cannot be asked, so nothing is added."""
    path = user.script("s.py")
    before = path.read_bytes()
    finished = user.run("scriptrun", "add", "--offline", "s.py", "demo")
    told = "pip would have to be asked, which --offline forbids"
    hint = "when online, run it without --offline (SCRIPTRUN_OFFLINE=0)"
    assert finished == (125, "", f"scriptrun: error: s.py: {told}\nhint: {hint}\n")
    assert path.read_bytes() == before


@pytest.mark.slow
def test_options_count(user: User, index: Index) -> None:
    """Options of the block bear on what pip chooses, as they do when the script runs."""
    index.add(wheel("demo", "1.0"), wheel("demo", "3.0"))
    index.uploaded = {
        "demo-1.0-py3-none-any.whl": "2020-01-01T00:00:00Z",
        "demo-3.0-py3-none-any.whl": "2024-01-01T00:00:00Z",
    }
    path = user.script("s.py")
    path.write_text(path.read_text().replace("# ///\n", '# [tool.scriptrun]\n# exclude-newer = "2022-01-01"\n# ///\n'))
    finished = user.run("scriptrun", "add", f"--index-url={index.url}", "s.py", "demo")
    assert finished == (0, "", "+ demo>=1.0\n")


@pytest.mark.slow
def test_file_that_changes_while_pip_works(user: User, index: Index) -> None:
    """What somebody else wrote meanwhile stays."""
    path = user.script("s.py")

    def write(_path: str) -> None:
        path.write_text("# mine\n")

    index.add(wheel("demo", "1.0"))
    index.asked = write
    finished = user.run("scriptrun", "add", "s.py", "demo", PIP_INDEX_URL=index.url)
    assert finished.status == 125
    assert finished.err == "scriptrun: error: `s.py` has changed meanwhile\nhint: run the command again\n"
    assert path.read_text() == "# mine\n"


@pytest.mark.slow
def test_bare_name_keeps_what_was_said_of_it(user: User, shared_index: Index) -> None:
    """A name alone is no other source: over one with a URL it is refused; extras stay unless new ones are named."""
    url = shared_index.url.replace("simple/", "files/demo-1.0-py3-none-any.whl")
    path = user.script("-s.py", f"demo @ {url}", "tool[x, a]")
    before = path.read_bytes()
    finished = user.run("scriptrun", "add", "--", "-s.py", "demo")
    assert (finished.status, finished.out) == (2, "")
    assert f"-s.py: `demo` is taken from `{url}` now" in finished.err
    assert "(scriptrun remove ./-s.py demo), or write it with a bound" in finished.err
    assert path.read_bytes() == before
    assert user.run("scriptrun", "add", "./-s.py", "Tool", "--bounds=exact").err == "tool[x, a] → [a,x]==1.0\n"
    assert user.run("scriptrun", "add", "./-s.py", "tool[y]>=1").err == "tool[a,x]==1.0 → [y]>=1\n"


@pytest.mark.slow
def test_url(user: User, shared_index: Index) -> None:
    """A name with a URL is written as it is; what was there for the name is replaced."""
    url = shared_index.url.replace("simple/", "files/demo-1.0-py3-none-any.whl")
    path = user.script("s.py", "demo")
    assert user.run("scriptrun", "add", "s.py", f"demo @ {url}") == (0, "", f"demo → @ {url}\n")
    assert f'"demo @ {url}"' in path.read_text()
