"""`scriptrun check`: what it finds in scripts, where, and what it leaves alone."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import index as indexes
from support import user as users
from support.index import Index
from support.user import Finished, User

from scriptrun import source
from scriptrun.arguments import Options, script
from scriptrun.errors import escape, without_credentials
from scriptrun.lint import checks, declarations, findings
from scriptrun.lint.findings import CODES

ROOT = Path(__file__).parent.parent
ENV = "#!/usr/bin/env scriptrun\n"


def block(*lines: str) -> str:
    """Return a script's block."""
    return "".join(f"{line}\n" for line in ("# /// script", *(f"# {line}" for line in lines), "# ///"))


PIECES = (
    *(
        "# /// script\n",
        "# ///\n",
        "#/// script\n",
        "# dependencies = [",
        "]\n",
        '"x y", ',
        "'demo', ",
        "# x.y = {a = 1}\n",
    ),
    *("#!/usr/bin/env scriptrun\n", "#\n", "# \n", "é", "# [tool.scriptrun]\n", "# pre = 1\n", "# requires-python = "),
)
BOUND = block('dependencies = ["requests>=2"]')

CASES: Mapping[str, tuple[str | bytes, list[str]]] = {
    "clean": (ENV + BOUND + "import requests, os\n", []),
    "empty": ("", []),
    "no script": ("import requests\nimport nobody_knows_this\n", []),
    "no script, executable elsewhere": ("#!/usr/bin/python3\nimport requests\n", []),
    "only a shebang": (ENV + "import requests\n", ["2:8 SR301 `requests` is imported"]),
    # the block
    "not TOML": (ENV + block("dependencies = [", '  "é", =', "]"), ["4:10 SR101 the block is not valid TOML"]),
    "not TOML, CRLF": (block("x = ").replace("\n", "\r\n"), ["2:7 SR101 the block is not valid TOML"]),
    "two blocks": (BOUND + "\n" + BOUND, ["5:1 SR101 two `script` blocks"]),
    "second block of a second comment": (
        BOUND + "\n#/// script\nimport requests\n",
        ["5:1 SR102 `#/// script` does not open a block"],
    ),
    "runs on": (BOUND + "# ///\n", ["3:3 SR101 the block goes on to the last `# ///`"]),
    "undecodable": (b"# /// script\n# x = '\xff'\n# ///\n", ["2:1 SR101 the line is not valid utf-8"]),
    "too long": ("# /// script\n" + "# # padding\n" * 6000 + "# ///\n", ["1:1 SR101 the block is"]),
    "type": (block("dependencies = 1"), ["2:3 SR101 `dependencies` is an integer"]),
    "entry": (
        block("dependencies = [", '"requests>=2",  7]') + "import requests\n",
        ["3:19 SR101 entry 2 of `dependencies` is an integer"],
    ),
    "requires-python": (block("  requires-python = '3'"), ["2:5 SR101 `requires-python` is `3`"]),
    "option": (block("[tool.scriptrun]", "pre = 1"), ["3:3 SR101 `tool.scriptrun.pre` is an integer"]),
    "near miss": ("#/// script\n# dependencies = []\n# ///\n", ["1:1 SR102 `#/// script` does not open a block"]),
    "unclosed": ("# /// script\n# dependencies = []\n", ["1:1 SR102 the block that opens here is not closed"]),
    "slip": (block("  dependencis = []", "x = 1"), ["2:5 SR103 a block has no key `dependencis`", "3:3 SR103"]),
    "unknown option": (block("[tool.scriptrun]", " frob = 1"), ["3:4 SR103 `[tool.scriptrun]` has no key `frob`"]),
    # requirements
    "all invalid ones": (
        block('dependencies = ["a b", "ok>=1",', '  "c d", "é é"]', "requires-python = 1"),
        ["2:19 SR201 `a b` is not", "3:5 SR201 `c d` is not", "3:12 SR201 `é é` is not", "4:3 SR101 `requires-python`"],
    ),
    "after a wide character": (block('x = "é", y = 1'), ["2:10 SR101"]),
    "no bounds": (block('dependencies = ["requests"]') + "import requests\n", ["2:19 SR202 `requests` may be of any"]),
    "bounds": (
        block('dependencies = ["requests!=1", "rich @ https://127.0.0.1/rich.whl"]') + "import requests, rich\n",
        [],
    ),
    "twice": (
        block('dependencies = ["Requests>=2",', '"requests[socks]>=1"]') + "import requests\n",
        ["3:3 SR203 `requests` is asked for in line 2 already"],
    ),
    "twice, for others": (
        block("dependencies = ['requests>=2; os_name==\"nt\"', 'requests>=1; os_name!=\"nt\"']") + "import requests\n",
        [],
    ),
    # between both
    "undeclared": (
        BOUND + "import requests\ndef f():\n  import yaml.nodes, yaml\n",
        ["6:10 SR301 `yaml` is imported, and nothing that is declared provides it; declare `pyyaml`$"],
    ),
    "undeclared, several": (
        BOUND + "import requests, cv2\n",
        ["4:18 SR301 `cv2` .*; declare `opencv-python`, or one of the others that hold it \\(`opencv-python-headless`"],
    ),
    "undeclared, in a namespace": (
        block('dependencies = ["google-cloud-bigquery>=1"]') + "from google.cloud import bigquery, storage\n",
        ["4:1 SR301 `google.cloud.storage` .*; declare `google-cloud-storage`$"],
    ),
    "undeclared, unknown": (BOUND + "import requests, nobody_knows_this\n", ["4:18 SR301 `nobody_knows_this` is"]),
    "perhaps declared": (block('dependencies = ["nobody-knows-that>=1"]') + "import nobody_knows_this\n", []),
    "not so called": (
        block('dependencies = ["nobody-knows-that>=1"]') + "import yaml\n",
        ["2:19 SR303 `nobody-knows-that` is declared", "4:8 SR301 `yaml`"],
    ),
    "declared under another name": (
        block('dependencies = ["PyYAML>=6", "OpenCV.python>=4"]') + "import yaml, cv2\n",
        [],
    ),
    "in a namespace": (block('dependencies = ["google-cloud-storage>=1"]') + "from google.cloud import storage\n", []),
    "called as its module": (block('dependencies = ["nobody-knows.this>=1"]') + "import nobody_knows_this\n", []),
    "optional": (BOUND + "import requests\ntry:\n  import yaml\nexcept ImportError:\n  yaml = None\n", []),
    "by an option": (block("[tool.scriptrun]", 'with = ["pyyaml>=6"]') + "import yaml\n", []),
    "standard library": (block() + "import os, graphlib, __future__, __main__\n", []),
    "unused": (BOUND + "import os\n", ["2:19 SR303 `requests` is declared, and neither .* without its environment"]),
    "used by name": (block('dependencies = ["ruff>=0.9"]') + "run(['ruff', 'check'])\n", []),
    "used optionally": (BOUND + "try:\n  import requests\nexcept ImportError: pass\n", []),
    "relative": (ENV + block() + "from . import x\n", ["4:1 SR305 `.x` is a relative import"]),
    "itself": (BOUND + "import s, requests\n", ["4:8 SR306 `s` is the script itself"]),
    "syntax": (BOUND + "import requests\nx = é(\n", ["5:6 SR304 Python .*, which the script gets, cannot parse this"]),
    "NUL": (
        ENV.encode() + block().encode() + b"x = '\0'\n",
        ["1:1 SR304 Python .*null byte", "2:1 SR406 a NUL is among"],
    ),
    # the first line
    "other python": ("#!/usr/bin/python3\n" + BOUND + "import requests\n", ["1:3 SR402 the shebang starts `python3`"]),
    "other runner": (
        "#!/usr/bin/env -S uv run -s\n" + BOUND + "import requests\n",
        ["1:3 SR403 the shebang starts `uv`"],
    ),
    "CRLF": (
        (ENV + BOUND + "import requests\n").replace("\n", "\r\n"),
        ["1:25 SR404 a carriage return ends the shebang: the system looks for a program `scriptrun"],
    ),
    "BOM": ("\ufeff" + ENV + BOUND + "import requests\n", ["1:1 SR404 a byte order mark stands before the shebang"]),
    "several words": (
        ENV[:-1] + " -q\n" + BOUND + "import requests\n",
        ["1:3 SR404 Linux hands all that follows `env` on as one word"],
    ),
    "several words, split": ("#!/usr/bin/env -S scriptrun -q\n" + BOUND + "import requests\n", []),
    # the launcher
    "far down": (
        "# padding\n" * 900 + "\n" + BOUND + "import requests\n",
        ["902:1 SR406 the block ends more than 8192"],
    ),
    "lone CR": ((BOUND + "import requests\n").replace("\n", "\r"), ["1:1 SR406 carriage returns end lines"]),
    # comments that ignore
    "ignored": (block('dependencies = ["requests"]  # scriptrun: ignore[SR303, SR202]') + "import os\n", []),
    "ignored elsewhere": (
        block('dependencies = ["requests"]  # scriptrun: ignore[SR303]', "# scriptrun: ignore[SR202]"),
        ["2:19 SR202"],
    ),
    "ignored import": (BOUND + "import requests\nimport yaml  # scriptrun: ignore[SR301]\n", []),
}


def check(path: Path, user: User, *ignored: str) -> list[str]:
    """Return what is found in a file, as the table has it."""
    program = source.read(str(path))
    found = checks.findings(script(str(path), Options()), program, user.environment())
    kept = findings.kept(found, program.content, ignored)
    assert {one.file for one in kept} <= {str(path)}
    return [f"{one.line}:{one.column} {one.code} {one.message}{'; ' * bool(one.remedy)}{one.remedy}" for one in kept]


@pytest.fixture
def unprepared(tmp_path: Path) -> User:
    """A user without an index."""
    return users.create(tmp_path / "user", Path("/nowhere/scriptrun"), "http://127.0.0.1:1/")


@pytest.mark.parametrize("name", CASES)
def test_findings(unprepared: User, name: str) -> None:
    """Each kind of finding is told at its place, in order; what is in order is not told of."""
    text, expected = CASES[name]
    path = unprepared.write("s.py", text)
    path.chmod(0o755 if text[:2] in ("#!", b"#!", "\ufeff#") else 0o644)
    told = check(path, unprepared)
    assert len(told) == len(expected), told
    wrong = [
        line for line, wanted in zip(told, expected, strict=True) if not re.match(wanted.replace("[", r"\["), line)
    ]
    assert wrong == []


DATA = ROOT / "tests" / "data"


@pytest.mark.parametrize("path", sorted(DATA.glob("invalid/*.py")), ids=lambda path: path.stem)
def test_what_ends_a_run_is_found(path: Path) -> None:
    """Each error that a run of an invalid script ends with is among the findings, in the same line and words."""
    expected = (
        path.with_suffix(".txt").read_text("utf-8").split("\n")[0].removeprefix(f"scriptrun: error: {path.name}:")
    )
    place, message = expected.split(": ", 1)
    found = declarations.findings(path.read_bytes(), path.name, "/home/ada/scripts")
    errors = [one for one in found if one.severity == "error"]
    assert (int(place), message) in [(one.line, escape(without_credentials(one.message))) for one in errors]
    lines = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert [one for one in errors if not 1 <= one.column <= len(lines[one.line - 1]) + 1] == []


@pytest.mark.parametrize("path", sorted(DATA.glob("valid/*.py")), ids=lambda path: path.stem)
def test_what_does_not_end_a_run_is_no_error(path: Path) -> None:
    """The block of a valid script has no finding that is an error, and each warning of a run is among the findings."""
    found = list(declarations.findings(path.read_bytes(), path.name, "/home/ada/scripts"))
    assert [one for one in found if one.severity == "error"] == []
    expected = json.loads(path.with_suffix(".json").read_text("utf-8")).get("warnings", [])
    told = [f"scriptrun: warning: {one.file}:{one.line}: {one.message}" for one in found]
    assert [line for line in expected if not any(line.startswith(escape(one)) for one in told)] == []


@settings(max_examples=200)
@given(st.lists(st.sampled_from((*PIECES, "\n", "\r\n", " ", '"')), max_size=30))
def test_anything(pieces: list[str]) -> None:
    """Whatever is in a file, each finding about its block has a place in it."""
    source = "".join(pieces)
    for one in declarations.findings(source.encode(), "s.py", "/"):
        assert 1 <= one.line <= source.count("\n") + 1
        assert one.column >= 1


def test_every_code_has_a_case() -> None:
    """Each code is in the table above, or has a test of its own below, and is in the documentation as here."""
    tested = set(re.findall(r"SR\d{3}", Path(__file__).read_text("utf-8")))
    assert tested & CODES.keys() == CODES.keys()
    page = (ROOT / "docs" / "check.md").read_text("utf-8")
    rows = [row.split(" | ") for row in re.findall(r"^\| (SR\d{3} .*) \|$", page, flags=re.MULTILINE)]
    assert [(code, severity, text) for code, (severity, text) in CODES.items()] == [tuple(row) for row in rows]


def test_mode(unprepared: User) -> None:
    """An executable file needs a shebang, and one of scriptrun's a file that can be executed."""
    path = unprepared.write("s.py", BOUND + "import requests\n", executable=True)
    assert [line[:9] for line in check(path, unprepared)] == ["1:1 SR401"]
    path.chmod(0o644)
    assert check(path, unprepared) == []
    path.write_text(ENV + path.read_text())
    assert [line[:9] for line in check(path, unprepared)] == ["1:1 SR405"]
    assert check(path, unprepared, "SR405") == []


def test_modules_beside_the_script(unprepared: User) -> None:
    """A module, or a directory with modules, beside the script's real file is nothing to declare."""
    path = unprepared.write("real/s.py", block() + "import one, two.x, three\n")
    for name in ("real/one.py", "real/two/x.py", "real/three/data.csv"):
        unprepared.write(name, "")
    link = unprepared.directory / "link.py"
    link.symlink_to(path)
    assert [re.sub(" is imported.*", "", line) for line in check(link, unprepared)] == ["3:20 SR301 `three`"]


@pytest.mark.slow
def test_another_python(unprepared: User, pythons: list[Path]) -> None:
    """A script is parsed by the Python that it gets, and has that one's standard library."""
    old = next(python for python in pythons if python.parent.parent.name.startswith("3.8"))
    text = block("[tool.scriptrun]", f'python = "{old}"') + "import distutils, tomllib\nmatch = 1\n"
    path = unprepared.write("s.py", text)
    assert [line[:25] for line in check(path, unprepared)] == ["5:1 SR301 `tomllib` is im"]
    path.write_text(text + "match match:\n  case 1: pass\n")
    assert [re.sub(" 3.8.*?,", " 3.8,", line)[:52] for line in check(path, unprepared)] == [
        "7:7 SR304 Python 3.8, which the script gets, cannot "
    ]


@pytest.mark.slow
def test_no_python_that_fits(unprepared: User) -> None:
    """Where no Python that is installed fits, the rest is checked all the same."""
    text = block("requires-python = '>=3.99'", "dependencies = ['rich']") + "import rich, yaml, distutils\n"
    assert [line[:10].strip() for line in check(unprepared.write("s.py", text), unprepared)] == [
        "3:19 SR202",
        "5:14 SR301",
    ]


@pytest.fixture
def prepared(user: User, index: Index) -> User:
    """A user whose index has distributions with modules of other names."""
    user.variables["PIP_INDEX_URL"] = index.url
    index.add(
        indexes.wheel("corp-suite", "1.0", files={"corp/__init__.py": "", "suite.py": ""}, requires=["corp-base"]),
        indexes.wheel("corp-base", "1.0", files={"corpbase.py": "", "yaml.py": ""}),
        indexes.wheel("corp-space", "1.0", files={"corps/pace/__init__.py": ""}),
        indexes.wheel("corp-tool", "1.0", files={"corptool.py": "def main(): pass\n"}, scripts={"ct": "corptool:main"}),
        indexes.wheel("corp-data", "1.0", files={"corp_data.txt": ""}),
        indexes.wheel("corp-idle", "1.0", files={"corpidle.py": ""}),
    )
    return user


@pytest.mark.slow
def test_prepared_environment(prepared: User) -> None:
    """In an environment that is ready, the distributions' own files tell what they provide and bring along."""
    wanted = [f"corp-{name}>=1" for name in ("suite", "space", "tool", "data", "idle")]
    body = (
        "import corp.x, suite\nimport corps.pace\nimport corpbase, nobody_knows_this\nrun(['ct'])\nimport corps.other\n"
    )
    path = prepared.script("s.py", *wanted, body=body)
    uncertain = prepared.run("scriptrun", "check", "s.py")
    assert uncertain == (0, "", ""), "of none of these distributions it is known what they provide"
    assert prepared.run("scriptrun", "sync", "s.py").status == 0
    status, out, err = prepared.run("scriptrun", "check", "s.py")
    assert (status, err) == (1, "")
    assert [re.match(r"s\.py:(\d+:\d+: \w+ SR\d+: `[\w.-]+`)", line).group(1) for line in out.splitlines()] == [  # type: ignore[union-attr]
        "8:5: warning SR303: `corp-idle`",
        "13:8: warning SR302: `corpbase`",
        "13:18: error SR301: `nobody_knows_this`",
        "15:8: error SR301: `corps`",
    ]
    assert "requires `corp-base`; declare `corp-base` too" in out
    assert path.exists()


@pytest.mark.slow
def test_stale_lock(user: User) -> None:
    """A lock that was made from other requirements is told, with what differs and what to run; the rest is checked."""
    path = user.script("s.py", "demo>=1", body="import demo\n")
    assert user.run("scriptrun", "lock", "s.py").status == 0
    assert user.run("scriptrun", "check", "s.py") == (0, "", "")
    path.write_text(path.read_text().replace("demo>=1", "demo>=2") + "import yaml\n")
    status, out, err = user.run("scriptrun", "check", "s.py")
    lock, imported = out.splitlines()
    assert (status, err) == (1, "")
    assert lock.startswith("s.py:2:1: error SR501: the lock is stale: `demo>=1` became `demo>=2`")
    assert "scriptrun lock s.py" in lock
    assert imported.startswith("s.py:8:8: error SR301: `yaml`")


@pytest.mark.slow
def test_nothing_is_fetched_built_or_run(prepared: User, index: Index) -> None:
    """A check asks no index, makes no environment and runs nothing of the script."""
    prepared.script("s.py", "corp-suite>=1", body="import corp\nopen('ran', 'w')\n")
    assert prepared.run("scriptrun", "check", "s.py") == (0, "", "")
    assert (index.requests, prepared.environments()) == ([], [])
    assert not (prepared.directory / "ran").exists()


@pytest.mark.slow
def test_output(user: User) -> None:
    """Findings are lines of place, severity, code, message and remedy; JSON has the same as an array of objects."""
    user.write("a.py", block('dependencies = ["demo @ https://ada:secret@127.0.0.1/demo.whl", "x y"]'))
    user.write("b.py", "#!/usr/bin/env -S uv run\n" + block())
    status, out, err = user.run("scriptrun", "check", "a.py", "b.py")
    hint = (
        'not a requirement: Expected semicolon (after name with no version specifier) or end; an example: "httpx>=0.27"'
    )
    lines = [
        f"a.py:2:67: error SR201: `x y` is {hint}\n",
        "b.py:1:3: information SR403: the shebang starts `uv`\n",
    ]
    assert (status, err) == (1, "")
    assert out.splitlines()[-1] + "\n" == lines[-1]
    assert lines[0] in out
    assert "secret" not in out
    facts = json.loads(user.run("scriptrun", "check", "--json", "a.py", "b.py").out)
    assert [f"{one['file']}:{one['line']}:{one['column']} {one['code']}" for one in facts] == [
        line.split(":")[0] + ":" + ":".join(line.split(":")[1:3]) + " " + line.split(":")[3].split()[-1]
        for line in out.splitlines()
    ]
    assert {frozenset(one) for one in facts} == {
        frozenset(("file", "line", "column", "code", "severity", "message", "remedy"))
    }


@pytest.mark.slow
def test_status(user: User) -> None:
    """Findings are status 1, none 0, information alone 0; a file that cannot be read has its own."""
    user.write("bad.py", block('dependencies = ["x y"]'))
    user.write("good.py", block())
    user.write("uv.py", "#!/usr/bin/env -S uv run\n" + block())
    (user.directory / "folder").mkdir()

    def ended(*names: str) -> tuple[int, list[str], int]:
        status, out, err = user.run("scriptrun", "check", *names)
        return status, [line.split(":")[0] for line in out.splitlines()], err.count("scriptrun: error: ")

    assert ended("good.py") == (0, [], 0)
    assert ended("uv.py") == (0, ["uv.py"], 0)
    assert ended("bad.py", "good.py") == (1, ["bad.py"], 0)
    assert ended("nowhere.py", "bad.py") == (127, ["bad.py"], 1)
    assert ended("bad.py", "folder", "bad.py") == (126, ["bad.py", "bad.py"], 1)
    assert user.run("scriptrun", "check", "good.py", "--json") == (0, "[]\n", "")


def test_standard_input(user: User) -> None:
    """`-` is what comes on standard input, as an editor sends it."""
    finished = user.run("scriptrun", "check", "-", stdin=block('dependencies = ["x y"]').encode())
    assert (finished.status, finished.err) == (1, "")
    assert finished.out.startswith("<stdin>:2:19: error SR201: ")


@pytest.mark.slow
def test_ignore_option(user: User) -> None:
    """`--ignore` leaves codes out everywhere; a code that does not exist is wrong use."""
    user.write("s.py", block('dependencies = ["demo"]'))
    assert user.run("scriptrun", "check", "s.py").status == 1
    assert user.run("scriptrun", "check", "s.py", "--ignore", "SR303,SR202") == Finished(0, "", "")
    status, out, err = user.run("scriptrun", "check", "s.py", "--ignore=SR30")
    assert (status, out) == (2, "")
    assert err.startswith("scriptrun: error: unknown code `SR30`\nhint: did you mean `SR30")
    status, _, err = user.run("scriptrun", "check")
    assert (status, err.split("\n")[0]) == (2, "scriptrun: error: `scriptrun check` takes a script or several")


@pytest.mark.slow
def test_samples_have_no_findings(user: User) -> None:
    """The samples of this project are as a check wants them."""
    samples = sorted((ROOT / "samples").glob("*.py"))
    assert samples
    assert user.run("scriptrun", "check", *samples) == (0, "", "")


def test_wrong_requirement_hides_nothing(user: User) -> None:
    """Where an entry is no requirement, imports are looked at all the same; its name counts as declared."""
    user.write("s.py", block("dependencies = ['rich=>1', 'numpy>=1']") + "import rich, yaml\nfrom . import x\n")
    finished = user.run("scriptrun", "check", "s.py")
    codes = [(line.split(":")[1], line.split()[2]) for line in finished.out.splitlines()]
    assert codes == [("2", "SR201:"), ("4", "SR301:"), ("5", "SR305:")]
    assert "`yaml` is imported" in finished.out


def test_pipe_is_not_waited_for(user: User) -> None:
    """A pipe that nobody writes to is refused, and the other files are checked."""
    os.mkfifo(user.directory / "pipe.py")
    user.write("near.py", "#/// script\n# ///\n")
    finished = user.run("scriptrun", "check", "pipe.py", "near.py")
    assert finished.status == 126
    assert finished.err.startswith("scriptrun: error: `pipe.py` is not an ordinary file\n")
    assert "near.py:1:1: warning SR102" in finished.out
