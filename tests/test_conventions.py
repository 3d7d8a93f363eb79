"""What holds for the project as a whole: who imports whom, where programs are started, what the launcher knows."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import pages
from support.shells import QUIET_OPTIONS

import scriptrun
from scriptrun.arguments import OPTIONS

ROOT = Path(__file__).parent.parent
PACKAGE = Path(scriptrun.__file__).parent

ORDER = (
    "errors",
    "paths",
    "location",
    "arguments",
    "block",
    "source",
    "lockfile",
    "output",
    "remote",
    "remote.kept",
    "remote.program",
    "hosts",
    "launch",
    "generations",
    "layout",
    "recipe",
    "request",
    "record",
    "store",
    "store.placing",
    "store.commands",
    "store.listing",
    "store.assembly",
    "again",
    "overlap",
    "decide",
    "__main__",
    "quantities",
    "moments",
    "refusals",
    "patience",
    "signals",
    "attendant",
    "process",
    "probe",
    "interpreter",
    "interpreters",
    "markers",
    "bundle",
    "bundle.platforms",
    "virtual",
    "places",
    "values",
    "sources",
    "uv_table",
    "desktop_table",
    "metadata",
    "pip_rules",
    "pip_target",
    "pip_listings",
    "policy",
    "config",
    "environment_files",
    "project",
    "settings",
    "spec",
    "editing",
    "editing.document",
    "editing.array",
    "editing.requirements",
    "pinning",
    "pinning.basis",
    "pinning.pylock",
    "pinning.pins",
    "pinning.embedded",
    "pinning.embedding",
    "demands",
    "remote.download",
    "remote.trust",
    "remote.acquisition",
    "pinning.discovery",
    "order",
    "pip_settings",
    "pip_options",
    "pip_progress",
    "pip_messages",
    "extent",
    "git_credentials",
    "pip_child",
    "pip",
    "integrity",
    "deletion",
    "locks",
    "shape",
    "cache",
    "store.kept",
    "store.gathering",
    "store.compiled",
    "store.locked",
    "answers",
    "answers.question",
    "answers.memory",
    "answers.inherited",
    "answers.exclusions",
    "answers.projects",
    "answers.covering",
    "answers.recipes",
    "answers.known",
    "supply",
    "bytecode",
    "expiry",
    "sharing",
    "venv_link",
    "prepare",
    "bundle.start",
    "bundle.contents",
    "bundle.storing",
    "bundle.unpacking",
    "bundle.code",
    "bundle.archive",
    "consult",
    "editing.bounds",
    "editing.skeleton",
    "upkeep",
    "upkeep.extents",
    "upkeep.loose",
    "upkeep.inventory",
    "upkeep.gleaning",
    "upkeep.holdings",
    "upkeep.distributions",
    "upkeep.soundness",
    "upkeep.repair",
    "upkeep.usage",
    "upkeep.programs",
    "upkeep.trash",
    "upkeep.removal",
    "upkeep.tidying",
    "upkeep.housekeeping",
    "upkeep.daily",
    "resolve",
    "pinning.making",
    "bundle.target",
    "bundle.locking",
    "bundle.wheels",
    "jobs",
    "jobs.job",
    "jobs.units",
    "jobs.unit_files",
    "jobs.schedule",
    "jobs.crontab",
    "jobs.account",
    "jobs.obstacles",
    "jobs.tables",
    "lint",
    "lint.imports",
    "lint.distributions",
    "lint.survey",
    "lint.infer",
    "lint.findings",
    "lint.declarations",
    "lint.launching",
    "lint.checks",
    "doctor",
    "doctor.findings",
    "doctor.installation",
    "doctor.storage",
    "doctor.index",
    "doctor.script",
    "doctor.become",
    "doctor.surroundings",
    "doctor.crontabs",
    "doctor.cron",
    "desktop",
    "desktop.folders",
    "desktop.programs",
    "desktop.application",
    "desktop.toolkits",
    "desktop.toolkits.bus",
    "desktop.toolkits.accessibility",
    "desktop.toolkits.messages",
    "desktop.toolkits.bar",
    "desktop.toolkits.clipboard",
    "desktop.toolkits.notices",
    "desktop.toolkits.window",
    "desktop.toolkits.tk",
    "desktop.toolkits.zenity",
    "desktop.toolkits.kdialog",
    "desktop.toolkits.choice",
    "desktop.toolkits.presenter",
    "desktop.dialogs",
    "desktop.sentences",
    "desktop.attended",
    "desktop.origin",
    "desktop.known",
    "desktop.approval",
    "desktop.macos",
    "desktop.macos.command_files",
    "desktop.opening",
    "desktop.freedesktop",
    "desktop.freedesktop.files",
    "desktop.freedesktop.entry",
    "desktop.freedesktop.mime_type",
    "desktop.freedesktop.mimeapps",
    "desktop.freedesktop.associations",
    "desktop.freedesktop.databases",
    "desktop.freedesktop.handler",
    "desktop.freedesktop.scope",
    "desktop.freedesktop.journal",
    "desktop.freedesktop.registration",
    "desktop.freedesktop.categories",
    "desktop.freedesktop.menu",
    "desktop.macos.bundles",
    "desktop.windows",
    "desktop.windows.shortcut",
    "desktop.windows.shell",
    "desktop.windows.registry",
    "desktop.windows.console",
    "cli",
    "cli.scene",
    "cli.drawing",
    "cli.display",
    "cli.progress",
    "cli.table",
    "cli.config",
    "cli.env",
    "cli.explain",
    "cli.isolated",
    "cli.run",
    "cli.sync",
    "cli.lock",
    "cli.export",
    "cli.tree",
    "cli.bundle",
    "cli.change",
    "cli.add",
    "cli.remove",
    "cli.upgrade",
    "cli.init",
    "cli.words",
    "cli.cache",
    "cli.cache.dir",
    "cli.cache.list",
    "cli.cache.size",
    "cli.cache.verify",
    "cli.cache.prune",
    "cli.cache.clear",
    "cli.systemd",
    "cli.python",
    "cli.cron",
    "cli.check",
    "cli.doctor",
    "cli.desktop",
    "cli.desktop.entries",
    "cli.desktop.install",
    "cli.desktop.uninstall",
    "cli.desktop.status",
    "cli.desktop.open",
    "cli.desktop.report",
    "cli.desktop.add",
    "cli.desktop.remove",
    "cli.desktop.macos",
    "cli.desktop.windows",
    "cli.about",
)
"""The modules, from the ground up: each may import only those before it, at its top level."""

AT_THE_ROOT = {
    ".ci",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".pre-commit-hooks.yaml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "bench",
    "docs",
    "pyproject.toml",
    "run-tests",
    "samples",
    "scriptrun",
    "tests",
}
"""What a clone of the project has."""

CHILD = {"pip_child", "pip_rules", "pip_listings", "pip_target"}
"""The program that is pip's: the Pythons that it runs under do not have scriptrun."""

ALONE = {"desktop.windows.console"}
"""Programs of their own beside it, which need nothing of scriptrun."""


def name_of(path: Path) -> str:
    """Return the name of a module, without the package's."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"}


def imports(path: Path, *, everywhere: bool = False) -> Iterator[str]:
    """Yield the full names that are imported at the top level of a module, or anywhere in it."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree) if everywhere else top_level(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top_level(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements of a module that run when it is imported."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
            yield from top_level(node)


def test_every_module_has_its_place() -> None:
    """The order names every module of the package once."""
    assert sorted(MODULES) == sorted(ORDER)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_import_only_what_is_before_them(name: str) -> None:
    """Imports go in one direction, so that no module can need one that needs it."""
    used = {full.removeprefix("scriptrun.") for full in imports(MODULES[name]) if full.startswith("scriptrun.")}
    modules = {part if part in MODULES else part.rpartition(".")[0] for part in used}
    before = ORDER[: ORDER.index(name)]
    assert [module for module in sorted(modules) if module not in before] == []


def test_the_documentation_tells_what_every_module_is_for() -> None:
    """The table in docs/architecture.md has them in the same order, the commands in one row."""
    table = re.findall(r"^\| `([\w/]+)` \| \S", pages.section("docs/architecture.md", "Modules"), re.MULTILINE)
    told = [name for name in ORDER if MODULES[name].name not in {"__init__.py", "__main__.py"}]
    assert [name.replace("/", ".") for name in table] == [*(name for name in told if "cli." not in name), "cli."]


def test_one_module_starts_programs() -> None:
    """Only `process` imports `subprocess` when it is loaded; Windows' way to become a script does so when needed."""
    importers = {
        name: "top" if "subprocess" in imports(path) else "inside"
        for name, path in MODULES.items()
        if "subprocess" in imports(path, everywhere=True)
    }
    assert importers == {"process": "top", "launch": "inside", **dict.fromkeys(ALONE, "top")}


def test_one_module_prints() -> None:
    """Nothing but `output` and the commands writes to stdout or stderr, and programs that are started alone."""
    writers = {
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("print", "sys.stdout.write", "sys.stderr.write", "os.write")
    }
    assert {name for name in writers if not name.startswith("cli.")} == {
        "output",
        "__main__",
        "lint.imports",
        "probe",
        *(CHILD - {"pip_listings", "pip_target"}),
        *ALONE,
    }


def test_the_launcher_knows_every_option_that_changes_the_answer() -> None:
    """The variable of each such option sends a run past the launch record, and no other variable does."""
    launcher = (PACKAGE / "launcher.sh").read_text("utf-8")
    asked = re.findall(r"\$\{(SCRIPTRUN_\w+)-\}", launcher)
    expected = [option.variable for option in OPTIONS if option.everywhere and option.name not in QUIET_OPTIONS]
    assert sorted(asked) == sorted(expected)


@pytest.mark.slow
def test_no_file_names_an_index() -> None:
    """Which index is asked is pip's business: its configuration decides, and no host is written down here."""
    named = [
        str(path.relative_to(ROOT))
        for path in files()
        if re.search(rb"(?i)pypi\.org|pythonhosted\.org", path.read_bytes())
    ]
    assert named == []


def test_one_place_says_what_is_untested() -> None:
    """Where the platforms are listed, and nowhere else, so that no other place says it of too little or too much."""
    pages = {str(path.relative_to(ROOT)) for path in files() if path.suffix in (".md", ".py", ".sh", ".toml", ".yml")}
    saying = {name for name in pages if re.search(rb"(?i)\buntested\b", (ROOT / name).read_bytes())}
    assert saying == {"README.md"}


def test_nothing_lies_at_the_root_that_the_project_does_not_know() -> None:
    """What a test or somebody's machine left there is not committed."""
    command = ["git", "ls-files", "-z"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    assert {name.split("/")[0] for name in names if name} == AT_THE_ROOT


@pytest.mark.slow
def test_no_file_names_a_directory_of_its_authors() -> None:
    """Paths are those of the project, or of examples."""
    sought = re.compile(rb"[ '\"(=]/work/[\w.-]")
    named = [str(path.relative_to(ROOT)) for path in files() if sought.search(path.read_bytes())]
    assert named == []


def files() -> list[Path]:
    """Return the files of the project, without what is made from them."""
    made = {".git", ".work", "__pycache__", ".venv", ".tox", "dist", ".hypothesis"}
    made |= {".pytest_cache", ".mypy_cache", ".ruff_cache"}
    found = []
    for directory, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in made]
        found += [Path(directory, name) for name in names if name not in made]  # `.git` of a worktree is a file
    assert len(found) > 50
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "tests").glob("test_*.py")), ids=lambda path: path.stem)
def test_every_test_says_what_it_expects(path: Path) -> None:
    """Each test function begins with a sentence."""
    tests = [
        node
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert tests
    silent = [
        test.name for test in tests if not re.match(r"(?s)\S.*\.$", (ast.get_docstring(test) or "").split("\n\n")[0])
    ]
    assert silent == []


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))], ids=lambda path: path.name
)
def test_lines_of_prose_are_short(path: Path) -> None:
    """Documents have no line of more than 120 characters, but in tables and in what programs write."""
    prose = re.sub(r"^ *```.*?^ *```|^\|.*?$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert [line for line in prose.split("\n") if len(line) > 120] == []


def test_every_table_of_numbers_is_there() -> None:
    """Where benchmarks write into docs/performance.md, between two marks each, there is a table."""
    text = (ROOT / "docs/performance.md").read_text("utf-8")
    found = re.findall(r"^<!-- (\w+): begin -->\n(.*?)^<!-- \1: end -->$", text, re.MULTILINE | re.DOTALL)
    assert 2 * len(found) == len(re.findall(r"^<!-- .* -->$", text, re.MULTILINE))
    assert found
    assert [name for name, written in found if not re.search(r"^\|", written, re.MULTILINE)] == []


def test_files_with_odd_bytes_are_kept_as_they_are() -> None:
    """Git changes no line end under `tests/data`, where carriage returns are what it is about."""
    assert "tests/data/** -text" in (ROOT / ".gitattributes").read_text("utf-8").split("\n")
    assert b"\r\n" in (ROOT / "tests/data/valid/crlf.py").read_bytes()
    assert b"\n" not in (ROOT / "tests/data/valid/lone-cr.py").read_bytes()
