"""Settings: that they count wherever they stand, in whose order, and what is told of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import documents
from support import index as indexes
from support.index import Index
from support.user import Finished, User

from scriptrun import config, location, settings
from scriptrun.arguments import OPTIONS

PRINT = "import demo; print(demo.V)\n"


def configure(user: User, text: str) -> Path:
    """Write the user's configuration, and return its path."""
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def shown(user: User, *words: str, **variables: Any) -> dict[str, tuple[Any, str]]:
    """Return what `scriptrun config --json` prints: value and place of each setting."""
    finished = user.run("scriptrun", "config", "--json", *words, **variables)
    assert (finished.status, finished.err) == (0, "")
    return {name: (one["value"], one["from"]) for name, one in json.loads(finished.out).items()}


@pytest.mark.slow
def test_whose_word_counts(user: User) -> None:
    """The command line counts before the variable, that before the block, that before the configuration."""
    path = configure(user, 'max-age = "4d"\nconstraint = ["c.txt"]\n[cache]\nmax-size = "2G"\n')
    user.write("s.py", '# /// script\n# [tool.scriptrun]\n# max-age = "3d"\n# ///\n')
    assert shown(user)["max-age"] == ("4d", f"{path}:1")
    assert shown(user)["constraint"] == ([f"{path.parent}/c.txt"], f"{path}:2")
    assert shown(user)["cache.max-size"] == ("2147483648B", f"{path}:4")
    assert shown(user)["cache.max-idle"] == ("90 days", "default")
    assert shown(user, "s.py")["max-age"] == ("3d", "s.py:3")
    assert shown(user, "s.py", SCRIPTRUN_MAX_AGE="2d")["max-age"] == ("2d", "SCRIPTRUN_MAX_AGE")
    assert shown(user, "s.py", "--max-age", "1d", SCRIPTRUN_MAX_AGE="2d")["max-age"] == ("1d", "--max-age")
    assert shown(user)["pre"] == (False, "default")
    assert shown(user)["python"] == (None, "default")
    assert shown(user)["cache-dir"] == (str(user.cache), "default")
    assert shown(user, SCRIPTRUN_CACHE_DIR="/c")["cache-dir"] == ("/c", "SCRIPTRUN_CACHE_DIR")


def test_table_and_secrets(user: User) -> None:
    """Without --json it is a table with a line for each setting; passwords stand in neither."""
    url = "https://ada:s3cr3t@host/simple"
    digest = "0123456789abcdef" * 4
    path = configure(
        user,
        f'index-url = "{url}"\nfind-links = ["{url}"]\n[policy]\nindexes = ["{url}"]\n[trust]\n"{url}" = "{digest}"\n',
    )
    finished = user.run("scriptrun", "config")
    assert (finished.status, finished.err) == (0, "")
    heading, *lines = finished.out.splitlines()
    assert heading.split() == ["SETTING", "VALUE", "FROM"]
    assert [line.split() for line in lines if "host" in line] == [
        ["index-url", "https://host/simple", f"{path}:1"],
        ["find-links", "https://host/simple", f"{path}:2"],
        ["policy.indexes", "https://host/simple", f"{path}:4"],
        ["trust.https://host/simple", digest, f"{path}:6"],
    ]
    assert shown(user)["policy.indexes"] == (["https://host/simple"], f"{path}:4")
    assert "s3cr3t" not in finished.out + user.run("scriptrun", "config", "--json").out
    assert user.run("scriptrun", "config", "a.py", "b.py").status == 2


def test_unknown_keys_are_told(user: User) -> None:
    """A slip in the configuration is told with what was probably meant."""
    path = configure(user, "offlin = true\n")
    warning = f"scriptrun: warning: {path}:1: there is no setting `offlin`; it is ignored; did you mean `offline`?\n"
    assert user.run("scriptrun", "config").err == warning


def test_every_option_may_stand_in_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option that a block may hold is read from config.toml, with the example that the documents show."""
    monkeypatch.setattr(location, "SITE_CONFIGURATION", str(tmp_path / "none"))
    (tmp_path / "scriptrun").mkdir()
    names = [option.name for option in OPTIONS if option.everywhere]
    text = "".join(f"{settings.toml(name)}\n" for name in names) + f"[trust]\n{config.TRUSTED}\n"
    (tmp_path / "scriptrun/config.toml").write_text(text)
    found = config.read({"XDG_CONFIG_HOME": str(tmp_path)})
    assert [name for name, value in found.options.given() if value] == sorted(names)
    assert found.options.many("find-links") == (f"{tmp_path}/scriptrun/wheels",)
    assert (found.warnings, found.trust) == ((), {"https://host/x.py": "0" * 64})


@pytest.mark.slow
def test_options_of_the_configuration_do_what_they_say(user: User, shared_index: Index, index: Index) -> None:
    """Requirements, constraints in a file beside it, and an index count for every script; a change counts at once."""
    index.add(indexes.wheel("demo", "7.0"))
    path = configure(user, 'with = ["demo"]\nconstraint = ["c.txt"]\n')
    constraints = path.parent / "c.txt"
    constraints.write_text("demo<2\n")
    user.script("s.py", body=PRINT)
    assert user.run("./s.py") == (0, "1.0\n", "")
    assert user.run("./s.py") == (0, "1.0\n", "")
    constraints.write_text("demo>=2\n")
    assert user.run("./s.py") == (0, "2.0\n", "")
    path.write_text(f'with = ["demo"]\nindex-url = "{index.url}"\n')
    assert user.run("./s.py") == (0, "7.0\n", "")
    assert user.run("./s.py", SCRIPTRUN_INDEX_URL=shared_index.url) == (0, "2.0\n", "")
    path.write_text('with = ["demo>=8"]\n')
    assert user.run("./s.py").err.startswith(f"scriptrun: error: {path}:1: no version satisfies `demo>=8`\n")


@pytest.mark.slow
def test_modes_of_the_configuration(user: User) -> None:
    """offline, isolated, refresh, quiet and verbose may stand there, and count after a warm run."""
    user.script("s.py", "demo", body="import sys; print(sys.prefix)\n")
    path = configure(user, "offline = true\n")
    assert user.run("./s.py").err.startswith("scriptrun: error: ./s.py: the environment is not ready, and --offline")
    path.unlink()
    kept = user.run("./s.py").out
    assert user.run("./s.py").out == kept
    path.write_text("refresh = true\n")
    first, second = user.run("./s.py").out, user.run("./s.py").out
    assert len({kept, first, second}) == 3
    path.write_text("isolated = true\n")
    assert "/isolated/" in user.run("./s.py").out
    assert "/isolated/" in user.run("./s.py").out
    path.write_text("verbose = true\nisolated = true\nwith = []\n")
    assert "scriptrun: putting together what is kept: " in user.run("./s.py").err
    path.write_text("quiet = true\nunknown = 1\n")
    assert user.run("./s.py").err == ""


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('\npre = "yes"\n', 2, "`pre` is a string, not true or false"),
        ('with = [\n"demo",\n"demo=1"]\n', 3, "`demo=1` is not a requirement"),
        ('exclude-newer = "soon"\n', 1, "`exclude-newer` is `soon`, which is neither a date nor a number of days"),
        ("python = 3.12\n", 1, "`python` is a float, not a string"),
        ('[trust]\n"https://host/x.py" = "abc"\n', 2, "`abc` is not a sha256: 64 hexadecimal digits"),
    ],
)
def test_mistakes(user: User, text: str, line: int, message: str) -> None:
    """A value that cannot be is an error that names file and line, as in a block."""
    path = configure(user, text)
    finished = user.run("scriptrun", "config")
    assert finished.status == 125
    assert finished.err.startswith(f"scriptrun: error: {path}:{line}: {message}")


def test_a_python_of_the_configuration(user: User, pythons: list[Path]) -> None:
    """The Python that it asks for is taken, and the line that asks is named where that cannot be."""
    path = configure(user, f'python = "{pythons[-1]}"\n')
    user.script("s.py", head='# requires-python = ">=3.99"\n')
    finished = user.run("./s.py")
    assert (finished.status, f"({path}:1) is Python" in finished.err) == (125, True)
    user.script("s.py", body="import sys; print(sys.base_prefix)\n")
    assert user.run("./s.py") == Finished(0, f"{pythons[-1].parent.parent}\n", "")


def test_documents_say_what_the_code_does() -> None:
    """docs/settings.md holds the table that the code makes; `python tests/support/documents.py` writes it."""
    text = documents.SETTINGS.read_text("utf-8")
    assert text == documents.replaced(text)
