"""Ask pip many questions in one process: a program, and the function that starts it.

The program reads, as JSON, the index and lists of requirements and of constraints; for each pair it writes on one line
what pip would install and what it found of projects, `null` where pip fails.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Said(NamedTuple):
    """What pip said: the entries of its report, and by name versions and files of the projects it looked at."""

    entries: list[dict[str, Any]]
    found: dict[str, list[tuple[str, list[str]]]]

    @property
    def versions(self) -> dict[str, str]:
        """The versions that pip would install, by name."""
        return {one["metadata"]["name"]: one["metadata"]["version"] for one in self.entries}


def ask(
    python: str, index: str, questions: Sequence[Sequence[str]], constraints: Sequence[Sequence[str]] = ()
) -> Iterator[Said | None]:
    """Yield what pip would install for each list of requirements, with its own constraints; None where it fails."""
    import scriptrun

    program = Path(scriptrun.__file__).with_name("pip_listings.py")
    pairs = list(itertools.zip_longest(questions, constraints, fillvalue=()))
    told = json.dumps({"index": index, "program": str(program), "questions": pairs})
    with tempfile.TemporaryDirectory() as directory:
        finished = subprocess.run(
            [python, "-I", __file__],
            input=told,
            cwd=directory,
            text=True,
            stdout=subprocess.PIPE,
            check=True,
            timeout=3000,
        )
    for line in finished.stdout.splitlines():
        answer = json.loads(line)
        yield None if answer is None else Said(*answer)


def _main() -> None:
    from pip._internal.cli.main import main

    told = json.load(sys.stdin)
    os.environ.update(PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL=told["index"], PIP_NO_CACHE_DIR="1")
    os.environ.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    listings = runpy.run_path(told["program"])["Listings"]()
    listings.watch()
    command = [
        "install",
        "-qqq",
        "--dry-run",
        "--ignore-installed",
        "--report",
        "report",
        "-c",
        "constraints.txt",
        "--",
    ]
    for question, constraints in told["questions"]:
        Path("constraints.txt").write_text("\n".join(constraints), "utf-8")
        listings.finder = None
        Path("listings").write_text("{}", "utf-8")  # where no marker holds pip looks at nothing
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            status = main([*command, *question])
            if not status:
                listings.write("listings")
        print(json.dumps(None if status else [_read("report")["install"], _read("listings")]), flush=True)


def _read(name: str) -> Any:
    with open(name, encoding="utf-8") as file:
        return json.load(file)


if __name__ == "__main__":
    _main()
