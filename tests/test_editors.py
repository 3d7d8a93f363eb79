"""docs/editors.md: what it says of `env --json` and of editors is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.user import User

from scriptrun import hosts

GUIDE = (Path(__file__).parent.parent / "docs/editors.md").read_text("utf-8")


def test_documented_keys_are_those_there_are(user: User) -> None:
    """The table names every key of `env --json`, and no other."""
    user.script("s.py")
    rows = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert rows == list(json.loads(user.run("scriptrun", "env", "--json", "s.py").out))


def test_documented_modules_are_those_there_are() -> None:
    """The guide names every module whose script is found among its arguments."""
    (sentence,) = re.findall(r"The block of SCRIPT is read for (.*?);", GUIDE, re.DOTALL)
    assert sorted(name.split()[0] for name in re.findall(r"`([^`]*)`", sentence)) == sorted(hosts.VALUED)


@pytest.mark.network
@pytest.mark.slow
def test_pyright_finds_modules_through_the_link(user: User) -> None:
    """Without the link pyright cannot resolve a dependency; with link and configuration, it reports no error."""
    del user.variables["PIP_INDEX_URL"], user.variables["PIP_CONFIG_FILE"]
    user.script("s.py", "tomli", body="import tomli\n\nprint(tomli.loads('a = 1'))\n")
    pyright = ("scriptrun", "--with", "pyright", "-m", "pyright", "s.py")
    (configuration,) = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    user.write("pyrightconfig.json", configuration)
    status, out, _ = user.run(*pyright)
    assert (status, 'Import "tomli" could not be resolved' in out) == (1, True), out
    assert user.run("scriptrun", "sync", "--venv-link", "s.py").status == 0
    status, out, _ = user.run(*pyright)
    assert (status, "0 errors" in out) == (0, True), out
    (user.directory / "pyrightconfig.json").unlink()
    assert user.run(*pyright[:-1], "--pythonpath", ".venv/bin/python", "s.py").status == 0
