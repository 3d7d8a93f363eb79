"""What reaches pip of the user's own settings: what pip itself finds, if it is allowed; credentials without a trace."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from support import index as indexes
from support import watch
from support.index import Index
from support.user import User

from scriptrun import pip_settings
from scriptrun.errors import InstallError, without_credentials

SECRET = "s3cr3t"


DEFAULTS = """
import json, os, sys
from pip._internal.commands import create_command
from scriptrun import pip_settings
if sys.argv[1] == "scriptrun":
    environ = pip_settings.environment(os.environ)
    os.environ.clear()
    os.environ.update(environ)
elif sys.argv[1] == "nothing":
    os.environ["PIP_CONFIG_FILE"] = os.devnull
    for name in [name for name in os.environ if name.startswith("PIP_") and name != "PIP_CONFIG_FILE"]:
        del os.environ[name]
parser = create_command("install").parser
allowed = {parser._long_opt["--" + name].dest for name in pip_settings.SETTINGS}
values = {name: repr(value) for name, value in vars(parser.get_default_values()).items() if name != "cache_dir"}
kept = {name: value for name, value in values.items() if name in allowed}
own = ("require_venv", "no_input", "disable_pip_version_check")
print(json.dumps([kept, {name: value for name, value in values.items() if name not in allowed and name not in own}]))
"""


def options_of_pip(user: User, environment: str, variables: dict[str, str]) -> list[dict[str, str]]:
    """Return the values with which `pip install` starts: of the allowed settings, and of all others.

    `environment` is that of the `user`, the one that `scriptrun` makes of it, or the user's with `nothing` of pip's.
    """
    finished = subprocess.run(
        [sys.executable, "-I", "-c", DEFAULTS, environment],
        env=user.environment({**variables}),
        cwd=user.directory,
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(finished.stdout))


FILES = {
    ".pip/pip.conf": "[global]\nindex-url = http://a.invalid/\ntimeout = 1\nretries = 2\n",
    ".config/pip/pip.conf": (
        "[global]\nindex_url = http://b.invalid/\nretries =\ntarget = /elsewhere\nuser = true\n"
        "[install]\n--extra-index-url =\n  http://c.invalid/\n  http://d.invalid/\nno-deps = true\n"
        "[download]\nindex-url = http://never.invalid/\n"
    ),
    "other/pip/pip.conf": "[install]\nproxy = http://x.invalid\nonly-binary = :all:\n",
    "named.conf": "[global]\nindex-url = http://named.invalid/\n[install]\npre = yes\ntrusted-host = e.invalid\n",
}

CASES: dict[str, tuple[list[str], dict[str, str]]] = {
    "legacy file": ([".pip/pip.conf"], {}),
    "both user files": ([".pip/pip.conf", ".config/pip/pip.conf"], {}),
    "XDG": (["other/pip/pip.conf", ".config/pip/pip.conf"], {"XDG_CONFIG_HOME": "{home}/other"}),
    "site": (["other/pip/pip.conf", ".config/pip/pip.conf"], {"XDG_CONFIG_DIRS": "{home}/other"}),
    "named file": (["named.conf", ".config/pip/pip.conf"], {"PIP_CONFIG_FILE": "{home}/named.conf"}),
    "named file that is missing": ([".config/pip/pip.conf"], {"PIP_CONFIG_FILE": "{home}/missing.conf"}),
    "no file": (["named.conf", ".config/pip/pip.conf"], {"PIP_CONFIG_FILE": os.devnull}),
    "variables": (
        [".pip/pip.conf"],
        {"PIP_INDEX_URL": "http://v.invalid/", "PIP_RETRIES": "", "PIP_no_binary": "x", "PIP_TARGET": "/elsewhere"},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_settings_are_those_that_pip_finds(user: User, case: str) -> None:
    """From any mix of files, sections and variables pip gets the allowed settings as it would see them itself."""
    names, variables = CASES[case]
    for name in names:
        path = user.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILES[name])
    user.variables = {name: value for name, value in user.variables.items() if not name.startswith("PIP_")}
    expanded = {name: value.format(home=user.home) for name, value in variables.items()}
    allowed, others = options_of_pip(user, "user", expanded)
    own_allowed, own_others = options_of_pip(user, "scriptrun", expanded)
    bare_allowed, bare_others = options_of_pip(user, "nothing", expanded)
    assert own_allowed == allowed
    assert own_others == bare_others
    assert (allowed, others) != (bare_allowed, bare_others) or case == "no file"


def test_of_two_names_for_a_setting_the_last_counts() -> None:
    """A variable `timeout` follows the file's `default-timeout`, as pip takes the later of the two."""
    environ = {"PIP_CONFIG_FILE": os.devnull, "PIP_DEFAULT_TIMEOUT": "7", "PIP_TIMEOUT": "9"}
    assert list(pip_settings.settings(environ)) == ["default-timeout", "timeout"]


def test_relative_paths_start_where_the_user_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is made absolute, from the current directory as pip would take it; URLs and what is not there stay."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "links").mkdir()
    environ = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "links http://f.invalid/links missing",
        "PIP_CERT": "missing.pem",
    }
    assert pip_settings.settings(environ) == {
        "find-links": f"{tmp_path}/links http://f.invalid/links missing",
        "cert": "missing.pem",
    }


@pytest.mark.parametrize(
    "content",
    [
        f"index-url = http://u:{SECRET}@a.invalid/\n".encode(),
        b"[global]\nindex-url\n",
        f"[global]\n{SECRET}\n".encode(),
        b"[global]\nretries = 1\nretries = 2\n",
        b"[global]\nproxy = \xff\n",
    ],
    ids=["no section", "no value", "a word alone", "a repeated setting", "not UTF-8"],
)
def test_an_invalid_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    """A configuration file that pip could not read is named, with the reason and a hint, and without its secrets."""
    path = tmp_path / "pip.conf"
    path.write_bytes(content)
    with pytest.raises(InstallError) as raised:
        pip_settings.settings({"PIP_CONFIG_FILE": str(path)})
    assert raised.value.message == f"pip's configuration file `{path}` is not valid"
    assert raised.value.hint
    assert raised.value.details
    assert SECRET not in raised.value.render()


def test_only_what_is_allowed_reaches_pip() -> None:
    """Of Python's variables and of pip's nothing is handed on but the allowed settings and scriptrun's own."""
    environ = {
        **dict.fromkeys(("PIP_TARGET", "PIP_USER", "PIP_ROOT", "PYTHONPATH", "PYTHONHOME", "MADE_UP", "TMPDIR"), "x"),
        "HOME": "/home/ada",
        "HTTPS_PROXY": "http://p.invalid",
        "PIP_CERT": "/c.pem",
        "PIP_CONFIG_FILE": os.devnull,
    }
    assert pip_settings.environment(environ) == {
        "HOME": "/home/ada",
        "HTTPS_PROXY": "http://p.invalid",
        "PIP_CERT": "/c.pem",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",
    }


def as_netrc(user: User, url: str) -> dict[str, str]:
    path = user.home / ".netrc"
    path.write_text(f"machine 127.0.0.1 login bob password {SECRET}\n")
    path.chmod(0o600)
    return {"PIP_INDEX_URL": url}


def as_variable(_user: User, url: str) -> dict[str, str]:
    return {"PIP_INDEX_URL": url.replace("://", f"://bob:{SECRET}@")}


def as_file(user: User, url: str) -> dict[str, str]:
    path = user.home / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True)
    path.write_text(f"[global]\nindex-url = {url.replace('://', f'://bob:{SECRET}@')}\n")
    return {}


def as_option(_user: User, url: str) -> dict[str, str]:
    return {"SCRIPTRUN_INDEX_URL": url.replace("://", f"://bob:{SECRET}@")}


def as_extra_index(_user: User, url: str) -> dict[str, str]:
    secret = url.replace("://", f"://bob:{SECRET}@")
    return {"PIP_INDEX_URL": secret.replace("/simple/", "/nothing/"), "SCRIPTRUN_EXTRA_INDEX_URL": secret}


def as_links(_user: User, url: str) -> dict[str, str]:
    secret = url.replace("://", f"://bob:{SECRET}@")
    return {"PIP_NO_INDEX": "1", "SCRIPTRUN_FIND_LINKS": f"{secret}built/ {secret}demo/"}


BUILD = {
    "pyproject.toml": '[build-system]\nrequires = ["demo"]\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": """\
import os, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    import demo
    with zipfile.ZipFile(os.path.join(directory, "built-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("built.py", "")
        wheel.writestr("built-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: built\\nVersion: 1.0\\n")
        wheel.writestr("built-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("built-1.0.dist-info/RECORD", "")
    return "built-1.0-py3-none-any.whl"
""",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "given", [as_netrc, as_variable, as_file, as_option, as_extra_index, as_links], ids=lambda given: given.__name__[3:]
)
def test_credentials_are_honoured_and_leave_no_trace(user: User, index: Index, given: object) -> None:
    """An index that demands a password gets it, also for a build; nothing printed, kept or running shows it."""
    index.add(indexes.wheel("demo", "1.0"), indexes.sdist("built", "1.0", BUILD))
    index.credentials = f"bob:{SECRET}"
    seen = []
    index.asked = lambda _path: seen.append(watch.command_lines())
    user.variables = {name: value for name, value in user.variables.items() if not name.startswith("PIP_")}
    assert callable(given)
    variables: Mapping[str, str] = given(user, index.url)
    user.variables.update(variables, PIP_RETRIES="0")
    user.script("s.py", "built", body="import built; print('ran')\n")

    runs = [
        user.run("./s.py", SCRIPTRUN_VERBOSE="1"),
        user.run("scriptrun", "--explain", "./s.py"),
        user.run("scriptrun", "env", "--json", "./s.py"),
        user.run("scriptrun", "--refresh", "-v", "./s.py"),
    ]
    index.status = 403
    runs.append(user.run("scriptrun", "--refresh", "./s.py"))

    assert [run.status for run in runs] == [0, 0, 0, 0, 125], runs
    assert "the index refused access to `built`" in runs[-1].err
    assert [run for run in runs if SECRET in run.out + run.err] == []
    assert any("pip_child.py" in lines for lines in seen), "no command line was seen while pip ran"
    assert [lines for lines in seen if SECRET in lines] == []
    assert holding(user.cache, SECRET) == []


def holding(directory: Path, text: str) -> list[Path]:
    """Return the files below a directory that hold `text`."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if text.encode() in path.read_bytes()]


@pytest.mark.slow
def test_credentials_in_a_requirement_leave_no_trace(user: User, index: Index) -> None:
    """The password in a requirement's URL is used; it is neither printed, nor in a manifest, nor on a command line."""
    name, content = indexes.wheel("demo", "1.0")
    index.add((name, content))
    index.credentials = f"bob:{SECRET}"
    seen = []
    index.asked = lambda _path: seen.append(watch.command_lines())
    url = index.url_for(index.credentials).replace("/simple/", f"/files/{name}")
    user.variables.update(PIP_INDEX_URL=index.url, PIP_RETRIES="0")
    body = "import demo; print(demo.V)\n"
    user.script("s.py", f"demo @ {url}", body=body)
    first = user.run("./s.py", SCRIPTRUN_VERBOSE="1")
    index.status = 403
    runs = [
        first,
        user.run("scriptrun", "--explain", "./s.py"),
        user.run("scriptrun", "env", "--json", "./s.py"),
        user.run("scriptrun", "--refresh", "./s.py"),
    ]
    assert [run.status for run in runs] == [0, 0, 0, 125], runs
    assert [run for run in runs if SECRET in run.out + run.err] == []
    assert [lines for lines in seen if SECRET in lines] == []
    assert holding(user.cache, SECRET) == []


def test_a_redirect_with_credentials_does_not_show_them(user: User, index: Index) -> None:
    """The password in the address that an index leads to is not in the message of the failure."""
    index.add(indexes.wheel("demo", "1.0"))
    index.redirects["/files/demo-1.0-py3-none-any.whl"] = f"http://bob:{SECRET}@127.0.0.1:1/demo.whl"
    user.script("s.py", "demo")
    finished = user.run("scriptrun", "-v", "s.py", PIP_INDEX_URL=index.url, PIP_RETRIES="0")
    assert finished.status == 125
    assert "the index cannot be reached" in finished.err
    assert SECRET not in finished.err


def test_a_password_that_is_written_badly_is_taken_off_all_the_same() -> None:
    """Up to the last @ before the path everything is a credential, as it is for pip."""
    text = "at http://u:p@ss@h.invalid/x?y=a@b and https://t@h/"
    assert without_credentials(text) == "at http://h.invalid/x?y=a@b and https://h/"


def test_the_allowed_settings_are_pips() -> None:
    """Each allowed setting is an option that pip knows: a slip in the list would drop a user's setting."""
    finished = subprocess.run(
        [sys.executable, "-c", "from pip._internal.cli import cmdoptions, main_parser; "
         "from pip._internal.commands import create_command; "
         "print(create_command('install').parser._long_opt.keys())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    known = set(re.findall(r"'--([a-z-]+)'", finished.stdout))
    assert set(pip_settings.SETTINGS) - known == set()
