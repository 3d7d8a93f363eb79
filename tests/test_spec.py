"""The key: equal for what means the same, different for everything else."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from scriptrun import metadata, spec
from scriptrun.arguments import Options
from scriptrun.errors import UsageError
from scriptrun.interpreter import Interpreter

Value = bool | str | tuple[str, ...]

PYTHON = Interpreter("/usr/bin/python3.11", "cpython", "3.11.2", "cpython-311", "linux-x86_64", free_threaded=False)


def specification(*requirements: str, **options: Value) -> spec.EnvironmentSpec:
    given_options = Options({name.replace("_", "-"): value for name, value in options.items()})
    return spec.specify(PYTHON, [metadata.requirement(text, "s.py:1") for text in requirements], given_options)


def key(*requirements: str, **options: Value) -> str:
    return specification(*requirements, **options).key


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3}){0,2}", fullmatch=True)
SPECIFIERS = st.lists(st.sampled_from([">=1", "<3", "!=2.1", "~=1.4", "==1.*"]), unique=True, max_size=3)
EXTRAS = st.lists(NAMES, unique_by=canonicalize_name, max_size=3)
MARKERS = st.sampled_from(["", 'python_version<"3.9"', "sys_platform == 'win32'"])
REQUIREMENTS = st.lists(st.tuples(NAMES, EXTRAS, SPECIFIERS, MARKERS), max_size=4)


@pytest.mark.slow
@given(requirements=REQUIREMENTS, data=st.data())
def test_spelling_does_not_change_the_key(
    requirements: list[tuple[str, list[str], list[str], str]], data: st.DataObject
) -> None:
    """Case, separators, order, spaces and repeats of requirements do not change the key."""

    def respelled(name: str) -> str:
        case = data.draw(st.sampled_from([str.upper, str.lower, str.title]))
        return case(name.replace("-", data.draw(st.sampled_from(["-", "_", ".", "--"]))))

    plain, other = [], []
    for name, extras, specifiers, marker in requirements:
        listed = f"[{','.join(extras)}]" if extras else ""
        plain.append(f"{name}{listed}{','.join(specifiers)}" + (f"; {marker}" if marker else ""))
        extras_again = ", ".join(respelled(extra) for extra in data.draw(st.permutations(extras)))
        space = data.draw(st.sampled_from(["", " ", "  "]))
        specifiers_again = f"{space},{space}".join(data.draw(st.permutations(specifiers)))
        text = f"{respelled(name)}{space}{f'[{space}{extras_again}]' if extras else ''}{space}{specifiers_again}"
        other.append(text + (f" ;{space}{marker.replace(chr(34), chr(39))}" if marker else ""))
    repeated = [*other, *data.draw(st.lists(st.sampled_from(other), max_size=2))] if other else []
    assert key(*plain) == key(*data.draw(st.permutations(repeated)))


@pytest.mark.slow
def test_list_boundaries_change_the_key() -> None:
    """Requirements that are equal when written together have keys of their own, over 5,000 random pairs."""
    assert key("six", "attrs") != key("sixattrs")
    chosen = random.Random(20260101)
    for _ in range(5_000):
        names = ["".join(chosen.choices("ab1", k=chosen.randint(1, 3))) for _ in range(chosen.randint(2, 4))]
        at = chosen.randrange(len(names) - 1)
        joined = [*names[:at], names[at] + names[at + 1], *names[at + 2 :]]
        assert (key(*names) == key(*joined)) == (set(names) == set(joined))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("demo", "demo2"),
        ("demo", "demo[x]"),
        ("demo[x]", "demo[y]"),
        ("demo>=1", "demo>1"),
        ("demo==1.0", "demo==1.0.*"),
        ("demo", 'demo; python_version > "3"'),
        ('demo; python_version > "3"', 'demo; python_version > "2"'),
        ("demo", "demo @ https://host/demo.whl"),
        ("demo @ https://host/a.whl", "demo @ https://host/A.whl"),
        ("demo @ https://host/a.whl", "demo @ https://host/a.whl#sha256=00"),
    ],
)
def test_another_requirement_is_another_key(one: str, other: str) -> None:
    """Every difference in meaning makes another key."""
    assert key(one) != key(other)


def test_markers_are_kept_not_evaluated() -> None:
    """A requirement for another platform stays in the specification as it is written."""
    assert specification("demo; sys_platform=='never'").requirements == ('demo ; sys_platform == "never"',)


def test_everything_about_the_interpreter_is_in_the_key() -> None:
    """Another path, version, ABI, platform or threading of the interpreter is another key."""
    plain = specification("demo")
    for field in Interpreter._fields:
        value = getattr(PYTHON, field)
        other: Any = (not value) if isinstance(value, bool) else f"{value}x"
        changed = PYTHON._replace(**{field: other})
        assert plain._replace(interpreter=changed).key != plain.key, field


def test_every_option_that_pip_is_given_is_in_the_key(tmp_path: Path) -> None:
    """Each option that bears on what pip answers makes a key of its own, and the order of indexes counts."""
    constraints = tmp_path / "c.txt"
    constraints.write_text("demo<2\n")
    options: list[dict[str, Value]] = [
        {},
        {"index_url": "https://one/"},
        {"extra_index_url": ("https://one/",)},
        {"extra_index_url": ("https://one/", "https://two/")},
        {"extra_index_url": ("https://two/", "https://one/")},
        {"find_links": ("https://one/",)},
        {"no_index": True},
        {"exclude_newer": "2026-01-01"},
        {"exclude_newer": "3"},
        {"pre": True},
        {"no_build": True},
        {"no_binary": ("demo",)},
        {"constraint": (str(constraints),)},
        {"constraint": ("https://one/c.txt",)},
    ]
    assert len({key("demo", **each) for each in options}) == len(options)
    before = key("demo", constraint=(str(constraints),))
    constraints.write_text("demo<3\n")
    assert key("demo", constraint=(str(constraints),)) != before


def test_options_that_do_not_bear_on_the_content_are_not_in_the_key() -> None:
    """How a run is shown or prepared makes no other environment."""
    assert key("demo", quiet=True, verbose=True, refresh=True, offline=True, isolated=True) == key("demo")


def test_credentials_are_not_in_the_specification() -> None:
    """User and password of a URL are in no field, and do not change the key; pip is still told."""
    requirement = "demo @ https://user:p@ss@host/demo.whl"
    found = specification(
        requirement,
        index_url="https://user:p@ss@host/simple",
        extra_index_url=("https://user:p@ss@host/extra",),
        find_links=("https://user:p@ss@host/links",),
        constraint=("https://user:p@ss@host/c.txt",),
    )
    assert "user" not in json.dumps(found.facts)
    assert "ss@" not in json.dumps(found.facts)
    assert key(requirement) == key("demo @ https://host/demo.whl")
    assert spec.requirements([metadata.requirement(requirement, "")]) == [requirement]


def test_requirements_file(tmp_path: Path) -> None:
    """A file holds one requirement a line, with comments; its entries count like those of --with."""
    path = tmp_path / "r.txt"
    path.write_bytes(b"\xef\xbb\xbf# first\r\n\r\ndemo>=1  # why\r\n  other\n")
    asked = spec.collect(metadata.ScriptMetadata(), Options({"with-requirements": (str(path),), "with": ("tool",)}))
    assert [(str(one.requirement), one.place) for one in asked] == [
        ("tool", "--with"),
        ("demo>=1", f"{path}:3"),
        ("other", f"{path}:4"),
    ]


@pytest.mark.parametrize("option", ["with-requirements", "constraint"])
def test_pipe_is_refused(option: str) -> None:
    """What a pipe holds is gone when it has been read: it would be empty for pip, so it is wrong use."""
    reading, writing = os.pipe()
    os.close(writing)
    options = Options({option: (f"/dev/fd/{reading}",)})
    try:
        with pytest.raises(UsageError, match="is a pipe"):
            spec.specify(PYTHON, spec.collect(metadata.ScriptMetadata(), options), options)
    finally:
        os.close(reading)


@pytest.mark.parametrize("line", ["-r other.txt", "--index-url=https://host/", "-e .", "-c c.txt"])
@pytest.mark.parametrize("option", ["with-requirements", "constraint"])
def test_options_in_files_are_refused(tmp_path: Path, line: str, option: str) -> None:
    """An option of pip in a file of requirements or constraints is wrong use, and its place is named."""
    path = tmp_path / "r.txt"
    path.write_text(f"demo\n{line}\n")
    options = Options({option: (str(path),)})
    with pytest.raises(UsageError) as caught:
        spec.specify(PYTHON, spec.collect(metadata.ScriptMetadata(), options), options)
    assert (caught.value.place, caught.value.message.split(" is ")[0]) == (f"{path}:2", f"`{line}`")


def test_project_is_fingerprinted_by_content(tmp_path: Path) -> None:
    """A changed source file is noticed when size and time stamps are set back; what builds write is not."""
    project = tmp_path / "project"
    (project / "pkg" / "build").mkdir(parents=True)
    for name in ("pyproject.toml", "pkg/module.py", "pkg/build/module.py"):
        (project / name).write_text("one")
    requirement = f"demo @ {project.as_uri()}"
    before = key(requirement)
    for name in ("build/lib", "demo.egg-info", "pkg/__pycache__", ".git"):
        (project / name).mkdir(parents=True)
        (project / name / "file").write_text("written")
    assert key(requirement) == before
    for name in ("pkg/module.py", "pkg/build/module.py"):
        status = (project / name).stat()
        (project / name).write_text("two")
        os.utime(project / name, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert key(requirement) != before
        (project / name).write_text("one")
    shutil.move(project / "pkg/module.py", project / "pkg/other.py")
    assert key(requirement) != before


@pytest.mark.parametrize("name", ["index-url", "extra-index-url", "find-links"])
def test_url_with_white_space_is_refused(name: str) -> None:
    """Where a password in it ends could not be told; the message does not show it."""
    url = "http://user:a SECRET@127.0.0.1/simple/"
    options = Options({name: url if name == "index-url" else (url,)})
    with pytest.raises(UsageError) as raised:
        spec.specify(PYTHON, (), options)
    assert "SECRET" not in raised.value.render()


@pytest.mark.parametrize("scheme", ["FILE", "File", "git+FILE"])
def test_scheme_of_a_url_has_no_case(tmp_path: Path, scheme: str) -> None:
    """A URL with its scheme in capitals means the same: the same key, the same files looked at, nothing settled."""
    (tmp_path / "setup.py").write_text("")
    asked, plain = (metadata.requirement(f"demo @ {one}://{tmp_path}", "s.py:1") for one in (scheme, scheme.lower()))
    assert str(asked.requirement) == str(plain.requirement)
    both = [spec.specify(PYTHON, [one], Options()) for one in (asked, plain)]
    assert both[0] == both[1]
    assert [path for path, _ in both[0].fingerprints] == ([] if "+" in scheme else [str(tmp_path)])
    assert not spec.is_settled(asked.requirement)
    assert spec.is_local(f"{scheme}://{tmp_path}")
