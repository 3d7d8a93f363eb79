"""To which indexes pip is kept: each name comes from one, in pip's own process, whichever pip it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import index as indexes
from support.index import Index
from support.user import User

from scriptrun import consult, interpreters, metadata, pip_rules, spec
from scriptrun.arguments import Options
from scriptrun.errors import InstallError
from scriptrun.metadata import ScriptMetadata
from scriptrun.order import Order

PRINT = "import demo; print(demo.V)\n"


@pytest.fixture
def public() -> Iterator[Index]:
    """An index that anybody can publish to: it has `demo` in a version that is higher than any."""
    with indexes.serve() as served:
        served.add(indexes.wheel("demo", "9.0"), indexes.wheel("other", "1.0", requires=["demo"]))
        yield served


@pytest.fixture
def private(index: Index) -> Index:
    """An index of one's own, with `demo` 1.0."""
    index.add(indexes.wheel("demo", "1.0"))
    return index


def demand(user: User, text: str) -> Path:
    """Write the user's configuration."""
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def allow(user: User, *allowed: str) -> Path:
    """Write a policy that allows these indexes alone."""
    return demand(user, f"[policy]\nindexes = {json.dumps(allowed)}\n")


@pytest.mark.parametrize(
    ("url", "place", "below"),
    [
        ("https://host/simple", "https://host/simple/", True),
        ("https://user:word@HOST:443/simple/demo-1.0.whl", "https://host/simple", True),
        ("https://host/simple2/demo.whl", "https://host/simple", False),
        ("https://host/simple/../other/demo.whl", "https://host/simple", False),
        ("https://host/simple/%2e%2e/other/demo.whl", "https://host/simple", False),
        ("https://host/simple/x%2F..%2F..%2Fother", "https://host/simple", False),
        ("https://host/simple/..%2f../other/demo.whl", "https://host/simple", False),
        ("https://host/simple/x/%252e%252e/demo.whl", "https://host/simple", False),
        ("https://host/simple/x/../demo.whl", "https://host/simple", False),
        ("https://host/simple/x%5C..%5C..%5Cother", "https://host/simple", False),
        ("https://host/simple/x/..;/..;/other", "https://host/simple", False),
        ("https://host/simple/x%3b/demo.whl", "https://host/simple", False),
        ("https://host/simple/demo-1.0%2Blocal.whl", "https://host/simple", True),
        ("http://host/simple/demo.whl", "https://host/simple", False),
        ("https://host:8443/simple/", "https://host/simple", False),
        ("https://host@evil/simple/", "https://host/simple", False),
        ("https://host\\@evil/simple/", "https://evil/simple", False),
        ("https://host:port/simple/", "https://host/simple", False),
        ("git+https://host/simple/demo@main", "https://host/simple", True),
        ("/srv/wheels", "file:///srv/wheels/", True),
        ("file:///srv/wheels/../other", "/srv/wheels", False),
        ("anything://host/x", "/", False),
    ],
)
def test_below(url: str, place: str, below: bool) -> None:  # noqa: FBT001 - a table
    """A URL lies below another whatever its spelling, and does not by tricks of spelling."""
    assert pip_rules.lies_below(url, [place]) == below


@pytest.mark.slow
def test_a_name_comes_from_the_first_index_that_has_it(user: User, private: Index, public: Index) -> None:
    """The higher version on the later index is never taken, also for a dependency; what only that one has, is."""
    allow(user, private.url, public.url)
    user.script("s.py", "other", body=PRINT)
    for first, second in ((public, private), (private, public)):
        user.variables.update(PIP_INDEX_URL=first.url, PIP_EXTRA_INDEX_URL=second.url)
        assert user.run("scriptrun", "--refresh", "s.py") == (0, "1.0\n", "")
    assert [path for path in public.requests if "demo" in path] == []


@pytest.mark.slow
def test_files_that_do_not_fit_are_no_reason_to_go_on(user: User, private: Index, public: Index) -> None:
    """An index that has the name has it, even where no version of it will do: no other one is asked."""
    allow(user, private.url, public.url)
    user.script("s.py", "demo>=2", body=PRINT)
    finished = user.run("scriptrun", "--extra-index-url", public.url, "--index-url", private.url, "s.py")
    assert finished.status == 125
    assert finished.err.startswith("scriptrun: error: s.py:4: no version satisfies `demo>=2`\n")
    assert public.requests == []


@pytest.mark.parametrize(
    "how", ["status", *(pytest.param(one, marks=pytest.mark.slow) for one in ("down", "forbidden", "no page"))]
)
def test_an_index_that_fails_ends_the_run(user: User, private: Index, public: Index, how: str) -> None:
    """One that answers with an error, or not at all, is not skipped: what it may have must not come from elsewhere."""
    url = private.url
    if how == "down":
        url = "http://127.0.0.1:9/simple/"
    elif how == "no page":
        private.redirects["/simple/demo/"] = "/files/demo-1.0-py3-none-any.whl"
    else:
        private.status = {"status": 500, "forbidden": 403}[how]
    allow(user, url, public.url)
    user.script("s.py", "demo", body=PRINT)
    finished = user.run("scriptrun", "s.py", PIP_INDEX_URL=url, PIP_EXTRA_INDEX_URL=public.url, PIP_RETRIES="0")
    assert (finished.status, finished.out) == (125, "")
    assert finished.err.startswith(f"scriptrun: error: s.py:4: the index at `{url}demo/` failed, and no other is asked")
    assert "hint: check the network, and the index; user and password for it, if it needs them\n" in finished.err
    assert public.requests == []


@pytest.mark.slow
def test_links_count_where_the_policy_has_them(user: User, public: Index) -> None:
    """A place of links comes where the list has what it is below, not before all; a local index is one by itself."""
    links = user.directory / "links"
    links.mkdir()
    name, content = indexes.wheel("demo", "1.0")
    (links / name).write_bytes(content)
    user.variables["PIP_INDEX_URL"] = public.url
    user.script("s.py", "other", body=PRINT)
    allow(user, str(links), public.url)
    assert user.run("scriptrun", "s.py") == (0, "1.0\n", "")
    assert user.run("scriptrun", "--find-links", "links", "s.py") == (0, "1.0\n", "")
    path = allow(user, public.url, str(links))
    assert user.run("scriptrun", "--find-links", "links", "s.py") == (0, "9.0\n", "")
    finished = user.run("scriptrun", "--find-links", "links", "--no-index", "s.py")
    why = f"with `no-index`, `{links}` would be asked and `{public.url}` not"
    expected = f"scriptrun: error: {why}, which the policy's `indexes` ({path}:2) forbids"
    assert (finished.status, finished.err.splitlines()[0]) == (125, expected)


def test_naming_a_later_index_changes_nothing(user: User, private: Index, public: Index) -> None:
    """Whatever option, variable, setting or block names the later index alone, the first that has a name is asked."""
    path = allow(user, private.url, public.url)
    user.variables.pop("PIP_INDEX_URL", None)
    cases: list[tuple[list[str], dict[str, str], str]] = [
        (["--index-url", public.url], {}, ""),
        ([], {"SCRIPTRUN_INDEX_URL": public.url}, ""),
        (["--refresh"], {"PIP_INDEX_URL": public.url}, ""),
        ([], {}, f'[[tool.uv.index]]\nurl = "{public.url}"\ndefault = true\n'),
        (["--find-links", f"{public.url}demo/"], {}, ""),
        (["--refresh"], {}, ""),
    ]
    for options, variables, table in cases:
        text = "".join(f"# {line}\n" for line in ['dependencies = ["demo"]', *table.splitlines()])
        user.write("s.py", f"# /// script\n{text}# ///\n{PRINT}")
        for name, value in variables.items():
            user.variables[name] = value
        assert user.run("scriptrun", *options, "s.py") == (0, "1.0\n", ""), options
        for name in variables:
            del user.variables[name]
    assert [one for one in public.requests if "demo" in one] == []
    user.write(
        "s.py",
        '# /// script\n# dependencies = ["demo"]\n# [tool.scriptrun.sources]\n'
        f'# demo = {{ index = "{public.url}" }}\n# ///\n{PRINT}',
    )
    finished = user.run("scriptrun", "s.py")
    rule = f"which the policy's `indexes` ({path}:2) puts first"
    message = f"`demo` is to come from `{public.url}`, but `{private.url}` has it, {rule}"
    assert (finished.status, finished.err.splitlines()[0]) == (125, f"scriptrun: error: s.py:2: {message}")


def test_all_indexes_count_where_none_is_named(user: User, private: Index, public: Index) -> None:
    """What the first index of the policy does not have comes from the next one; a source may say which."""
    allow(user, private.url, public.url)
    user.variables.pop("PIP_INDEX_URL", None)
    user.script("s.py", "other", body=PRINT)
    assert user.run("scriptrun", "s.py") == (0, "1.0\n", "")
    user.write(
        "t.py",
        '# /// script\n# dependencies = ["other"]\n# [tool.scriptrun.sources]\n'
        f'# other = {{ index = "{public.url}" }}\n# ///\n{PRINT}',
    )
    assert user.run("scriptrun", "t.py") == (0, "1.0\n", "")


def asked_for(user: User, cache: Path, script: ScriptMetadata, *requirements: str) -> dict[str, str]:
    """Return the versions that pip would install for these requirements and the rules of a script's block."""
    interpreter = interpreters.identify(sys.executable, str(cache), user.variables)
    assert interpreter is not None
    asked = tuple(metadata.requirement(one, "s.py:3") for one in requirements)
    specified = spec.specify(interpreter, asked, Options(), script)
    order = Order(specified, asked, Options(), user.variables, lambda _line: None, routes=script.routes)
    return {one.name: one.version for one in consult.candidates(order, str(cache))}


@pytest.mark.slow
def test_a_routed_name_comes_from_its_index_alone(user: User, private: Index, public: Index, tmp_path: Path) -> None:
    """No version elsewhere counts, also for a dependency, and none where it is missing; other names are not bound."""
    private.credentials = "ada:s3cr3t"
    user.variables.update(PIP_INDEX_URL=public.url, PIP_RETRIES="0")
    script = ScriptMetadata(routes=(("demo", private.url_for("ada:s3cr3t")),))
    assert asked_for(user, tmp_path, script, "other") == {"demo": "1.0", "other": "1.0"}
    assert [path for path in public.requests if "demo" in path] == []
    script = ScriptMetadata(routes=(("other", private.url_for("ada:s3cr3t")),))
    with pytest.raises(InstallError) as caught:
        asked_for(user, tmp_path, script, "other")
    assert caught.value.message == "no such distribution: `other`"
    user.variables["PIP_NO_INDEX"] = "1"
    private.credentials = ""
    with pytest.raises(InstallError):
        asked_for(user, tmp_path, ScriptMetadata(routes=(("demo", private.url),)), "demo")


@pytest.mark.slow
def test_first_index_without_a_policy(user: User, private: Index, public: Index, tmp_path: Path) -> None:
    """A block may ask for the first index that has a name, extra ones first; places of links count beside it."""
    user.variables.update(PIP_INDEX_URL=public.url, PIP_EXTRA_INDEX_URL=private.url)
    first = ScriptMetadata(first_index=True)
    assert asked_for(user, tmp_path, first, "demo") == {"demo": "1.0"}
    links = tmp_path / "links"
    links.mkdir()
    for version in ("0.9", "2.0"):
        name, content = indexes.wheel("demo", version)
        (links / name).write_bytes(content)
        user.variables["PIP_FIND_LINKS"] = str(links)
        assert asked_for(user, tmp_path, first, "demo") == {"demo": max(version, "1.0")}
    assert asked_for(user, tmp_path, ScriptMetadata(), "demo") == {"demo": "9.0"}


def test_what_a_build_needs_follows_the_rules(user: User, private: Index, public: Index) -> None:
    """The requirements of a build come from the first index that has them, too."""
    backend = {"pyproject.toml": "[build-system]\nrequires = ['demo']\nbuild-backend = 'demo'\n"}
    private.add(indexes.sdist("built", "1.0", backend))
    allow(user, private.url, public.url)
    user.script("s.py", "built")
    finished = user.run("./s.py", PIP_INDEX_URL=private.url, PIP_EXTRA_INDEX_URL=public.url)
    assert finished.status == 125
    assert "/files/demo-1.0-py3-none-any.whl" in private.requests
    assert public.requests == []


@pytest.mark.slow
def test_credentials_of_an_index_are_kept_secret(user: User, private: Index, public: Index) -> None:
    """The password of an index in the policy is used, and stands in no message, and in no file of the cache."""
    private.credentials = "ada:s3cr3t"
    allow(user, private.url_for("ada:s3cr3t"), public.url)
    user.script("s.py", "demo", body=PRINT)
    assert user.run("./s.py", PIP_INDEX_URL=None) == (0, "1.0\n", "")
    allow(user, private.url_for("ada:wr0ng"), public.url)
    finished = user.run("scriptrun", "--refresh", "./s.py", PIP_INDEX_URL=None)
    assert finished.status == 125
    assert "wr0ng" not in finished.err
    files = [path for path in user.cache.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in files if b"s3cr3t" in path.read_bytes() or b"wr0ng" in path.read_bytes()] == []


@pytest.mark.slow
def test_old_pips_are_kept_to_the_rules(user: User, pythons: list[Path], private: Index, public: Index) -> None:
    """The pip of an old Python takes names from the first index, and refuses builds whose needs may come from any."""
    old = [python for python in pythons if python.parent.parent.name.startswith(("3.8", "3.9"))]
    if not old:
        pytest.fail("this needs a CPython 3.8 or 3.9: pyenv install 3.9")
    private.add(indexes.sdist("built", "1.0", {"pyproject.toml": "[build-system]\nrequires = ['demo']\n"}))
    path = allow(user, private.url, public.url)
    user.variables.update(PIP_INDEX_URL=private.url, PIP_EXTRA_INDEX_URL=public.url, PIP_RETRIES="0")
    user.script("s.py", "other", body=PRINT)
    user.script("built.py", "built")
    user.script("direct.py", "demo @ http://127.0.0.1:9/demo-2.0-py3-none-any.whl")
    for python in old:
        assert user.run("scriptrun", "-p", str(python), "s.py") == (0, "1.0\n", "")
        finished = user.run("scriptrun", "-p", str(python), "built.py")
        assert "which this old pip would take from any index" in finished.err.splitlines()[0]
        finished = user.run("scriptrun", "-p", str(python), "direct.py")
        place = f"lies below none of the indexes that the policy's `indexes` ({path}:2) allows"
        assert place in finished.err.splitlines()[0]
    private.status = 500
    finished = user.run("scriptrun", "-p", str(old[0]), "--refresh", "s.py")
    assert "failed, and no other is asked in its place" in finished.err.splitlines()[0]
    assert [path for path in public.requests if "demo" in path] == []


def test_a_pip_that_cannot_be_kept_is_not_used(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where pip's innards are others, the run ends with an error instead of going on without the rules."""
    from pip._internal.index import collector

    def ended(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.delattr(collector.LinkCollector, "collect_sources")
    monkeypatch.setattr("os._exit", ended)
    rules = {"routes": {}, "first_index": True, "order": None, "below": None, "wheels": False, "places": {}}
    with pytest.raises(SystemExit):
        pip_rules.keep(rules)
    assert capfd.readouterr().out.startswith(
        "ERROR: scriptrun: this pip cannot be kept to the indexes that are allowed"
    )
