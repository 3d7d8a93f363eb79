"""The configuration: what it may say, whose word counts, and what is told of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.user import Finished, User

from scriptrun import config, location
from scriptrun.config import MAX_IDLE
from scriptrun.errors import ConfigurationError


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's configuration, which is not there yet."""
    path = tmp_path / "site.toml"
    monkeypatch.setattr(location, "SITE_CONFIGURATION", str(path))
    return path


@pytest.fixture
def own(tmp_path: Path, site: Path) -> Path:
    """The user's configuration, which is not there yet; beside it nothing counts but `site`."""
    assert not site.exists()
    path = tmp_path / "home/.config/scriptrun/config.toml"
    path.parent.mkdir(parents=True)
    return path


def read(own: Path) -> config.Configuration:
    """Return what is read for the user."""
    return config.read({"HOME": str(own.parents[2])})


def test_without_configuration(own: Path) -> None:
    """Environments go after 90 days without use, there is no limit on size, and pip's answers count for ever."""
    found = read(own)
    assert (found.max_idle, found.max_size, found.options.given(), found.warnings) == (MAX_IDLE, None, [], ())
    assert MAX_IDLE == 90 * 24 * 3600


def test_user_counts_before_the_machine(own: Path, site: Path) -> None:
    """Each setting is the user's, else the machine's."""
    site.write_text('max-age = "1 day"\n[cache]\nmax-size = "2G"\nmax-idle = "1 week"\n')
    own.write_bytes(b'\xef\xbb\xbf[cache]\r\nmax-idle = "12h"\r\n')
    found = read(own)
    assert (found.max_idle, found.max_size, found.options.value("max-age")) == (43200, 2 * 1024**3, "1 day")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('max-age = "1 day"\nx =\n', 2, "not valid TOML"),
        ('\n[cache]\nmax-size = "big"\n', 3, "`cache.max-size`: `big` is not an amount of bytes"),
        ("[cache]\nmax-idle = 90\n", 2, "`cache.max-idle` is an integer, not a string"),
        ('max-age = "soon"\n', 1, "`max-age`: `soon` is not a span of time"),
        ("# x\ncache = 1\n", 2, "`cache` is not a table"),
    ],
)
def test_mistake_names_its_line(own: Path, text: str, line: int, message: str) -> None:
    """What cannot be understood is an error that names file and line."""
    own.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read(own)
    assert caught.value.place == f"{own}:{line}"
    assert caught.value.message.startswith(message)


def test_unknown_setting_is_told(own: Path) -> None:
    """A setting that does not exist is told with its line, and ignored."""
    own.write_text('[cache]\nmax-idle = "1d"\nsize = 1\n[other]\n')
    found = read(own)
    assert found.max_idle == 86400
    assert [(one.place, one.message) for one in found.warnings] == [
        (f"{own}:3", "there is no setting `cache.size`; it is ignored"),
        (f"{own}:4", "there is no setting `other`; it is ignored"),
    ]


def test_mistake_stops_a_run(user: User) -> None:
    """A mistake that is made after a warm run is told at the next one, which runs nothing."""
    user.script("s.py", body="print('ran')\n")
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True)
    assert user.run("./s.py") == (0, "ran\n", "")
    assert user.run("./s.py") == (0, "ran\n", "")
    path.write_text('max-age = "soon"\n')
    place = f"{path}:1"
    message = f"scriptrun: error: {place}: `max-age`: `soon` is not a span of time; examples: 30d, 12h, 90 days\n"
    assert user.run("./s.py") == Finished(125, "", message)
    path.write_text("colour = true\n")
    warning = f"scriptrun: warning: {path}:1: there is no setting `colour`; it is ignored\n"
    assert user.run("./s.py") == (0, "ran\n", warning)
    assert user.run("./s.py") == (0, "ran\n", "")


@pytest.mark.parametrize("kind", ["directory", "dangling link"])
def test_what_is_no_file_is_an_error(user: User, kind: str) -> None:
    """What stands in the file's place is not taken for no configuration, also where a launch record was made before."""
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True)
    user.script("s.py", body="print('ran')\n")
    for _ in range(3):
        assert user.run("./s.py") == (0, "ran\n", "")
    if kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("nowhere")
    message = f"scriptrun: error: the configuration `{path}` is no file, or a link that leads to none\n"
    for words in (["./s.py"], ["scriptrun", "s.py"], ["scriptrun", "config"]):
        finished = user.run(*words)
        assert (finished.status, finished.out, finished.err.startswith(message)) == (125, "", True), finished


def test_a_block_hides_only_its_own_warnings(user: User) -> None:
    """`quiet` in a block does not hide what there is to say of the configuration."""
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("nosuch = 1\n")
    user.write("s.py", "# /// script\n# nosuch = 1\n# [tool.scriptrun]\n# quiet = true\n# ///\n")
    expected = f"scriptrun: warning: {path}:1: there is no setting `nosuch`; it is ignored\n"
    assert user.run("scriptrun", "s.py").err == expected
    assert user.run("scriptrun", "--quiet", "s.py").err == ""


def test_a_mistake_is_told_by_its_own_name(user: User) -> None:
    """What a variable holds is not blamed on an option, nor shown as fine; a file of variables has its line."""
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True)
    user.script("s.py", body="print('ran')\n")
    assert user.run("scriptrun", "s.py", SCRIPTRUN_MAX_AGE="xx").err.startswith("scriptrun: error: `SCRIPTRUN_MAX_AGE`")
    for name in ("SCRIPTRUN_MAX_AGE", "SCRIPTRUN_EXCLUDE_NEWER"):
        user.variables[name] = "xx"
        finished = user.run("scriptrun", "config")
        del user.variables[name]
        expected = f"scriptrun: error: `{name}` is `xx`, which cannot be read"
        assert (finished.status, finished.err.splitlines()[0]) == (2, expected)
    path.write_text('\nenv-file = [\n".env"]\n')
    expected = f"scriptrun: error: {path}:3: the file of variables `{path.parent}/.env` cannot be read"
    assert user.run("scriptrun", "s.py").err.startswith(expected)
    path.write_text("[policy]\nindexes = []\n")
    rows = [line.split() for line in user.run("scriptrun", "config").out.splitlines()]
    assert ["policy.indexes", "[]", f"{path}:2"] in rows
    finished = user.run("scriptrun", "--with-requirements", "https://host/r.txt", "s.py")
    expected = "scriptrun: error: `https://host/r.txt` is a URL, from which no requirements are read"
    assert (finished.status, finished.err.splitlines()[0]) == (2, expected)
