"""The workflow for a public CI, read as the data that it is; whether it runs there is seen there only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
FILE = ROOT / ".github" / "workflows" / "tests.yml"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    """What the file says."""
    read: dict[Any, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return read


def combinations(job: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the values of a job's matrix, what `include` adds with them."""
    matrix = job["strategy"]["matrix"]
    for python in matrix["python"]:
        for system in matrix.get("system", [job["runs-on"]]):
            extra = [one for one in matrix.get("include", []) if one["system"] == system]
            yield {"python": python, "system": system, **(extra[0] if extra else {})}


def commands(job: dict[str, Any]) -> list[str]:
    """Return what the steps of a job run."""
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_suite_runs_on_three_platforms(workflow: dict[Any, Any]) -> None:
    """Linux, macOS and Windows each run it, on the oldest Python and the newest that pyproject.toml names."""
    named = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text("utf-8"))
    pairs = {(one["system"], one["python"]) for job in workflow["jobs"].values() for one in combinations(job)}
    expected = {
        (f"{name}-latest", python) for name in ("ubuntu", "macos", "windows") for python in (named[0], named[-1])
    }
    assert expected - pairs == set()
    assert {python for system, python in pairs if system == "ubuntu-latest"} == set(named)
    for job in workflow["jobs"].values():
        assert any(command.split() in (["./run-tests"], ["./run-tests", "-n2"]) for command in commands(job))


def test_what_decides_is_said(workflow: dict[Any, Any]) -> None:
    """Only the whole suite away from Linux may fail, and the tests named for these platforms are there."""
    tolerated = [
        (name, step["run"])
        for name, job in workflow["jobs"].items()
        for step in job["steps"]
        if step.get("continue-on-error")
    ]
    assert tolerated == [("elsewhere", "./run-tests -n2")]
    own = {one["own"] for one in combinations(workflow["jobs"]["elsewhere"])}
    assert own == {"tests/test_desktop_macos.py", "tests/test_desktop_windows.py"}
    assert all((ROOT / path).is_file() for path in own)


def test_pictures_are_kept(workflow: dict[Any, Any]) -> None:
    """Each job uploads them, whatever the tests said, each under a name of its own."""
    for job in workflow["jobs"].values():
        last = job["steps"][-1]
        assert last["uses"].startswith("actions/upload-artifact@")
        assert last["if"] == "always()"
        assert (last["with"]["path"], last["with"]["include-hidden-files"]) == (".work/pictures", True)
        changing = {f"matrix.{name}" for name in ("python", "system") if name in job["strategy"]["matrix"]}
        assert set(re.findall(r"\$\{\{ (\S+) \}\}", last["with"]["name"])) == changing


def test_the_workflow_is_given_little(workflow: dict[Any, Any]) -> None:
    """It may read the repository, has no secrets, waits for no job for ever, and each action is of a stated version."""
    text = FILE.read_text("utf-8")
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    assert {job["timeout-minutes"] for job in workflow["jobs"].values()} == {60}
    uses = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert [one for one in uses if not re.fullmatch(r"actions/[\w-]+@v\d+", one)] == []
