"""The policy: what it demands holds for every way to an environment, and nothing loosens it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support import index as indexes
from support.index import Index
from support.user import Finished, User

from scriptrun import config, location, policy
from scriptrun.errors import ConfigurationError, PolicyError
from scriptrun.policy import Policy

PRINT = "import demo; print(demo.V)\n"
NOW = dt.datetime.now(dt.timezone.utc)


def demand(user: User, text: str) -> Path:
    """Write the user's configuration, and return its path."""
    path = user.home / ".config/scriptrun/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def dated(user: User, index: Index) -> Index:
    """An index that says when `demo` 1.0 (ten days ago) and 2.0 (an hour ago) were uploaded; the user's pip asks it."""
    index.add(indexes.wheel("demo", "1.0"), indexes.wheel("demo", "2.0"))
    for name, age in (
        ("demo-1.0-py3-none-any.whl", dt.timedelta(days=10)),
        ("demo-2.0-py3-none-any.whl", dt.timedelta(hours=1)),
    ):
        index.uploaded[name] = (NOW - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    user.variables.update(PIP_INDEX_URL=index.url, PIP_RETRIES="0")
    return index


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The machine's and the user's configuration, neither of which is there yet."""
    monkeypatch.setattr(location, "SITE_CONFIGURATION", str(tmp_path / "site.toml"))
    (tmp_path / "scriptrun").mkdir()
    return tmp_path / "site.toml", tmp_path / "scriptrun/config.toml"


def read(files: tuple[Path, Path], site: str, own: str) -> Policy:
    """Return the policy of two files."""
    for path, text in zip(files, (site, own), strict=True):
        path.write_text(text)
    return config.read({"XDG_CONFIG_HOME": str(files[0].parent)}).policy


def test_without_policy(files: tuple[Path, Path]) -> None:
    """Nothing is demanded, and nothing is in the key."""
    found = read(files, "", "[policy]\n")
    assert (found, found.statement()) == (Policy(), ())


@pytest.mark.parametrize("swapped", [False, True])
def test_the_stricter_counts(files: tuple[Path, Path], swapped: bool) -> None:  # noqa: FBT001 - both ways round
    """Of the user's and the machine's policy each demand holds, the longer cooldown and the indexes that both allow."""
    one = 'cooldown = "7d"\nrequire-lock = true\nonly-binary = false\nindexes = ["http://a/", "http://b/x"]\n'
    other = 'cooldown = "12h"\nonly-binary = true\nindexes = ["http://b/x/", "http://c"]\nurl-scripts = false\n'
    texts = [f"[policy]\n{text}" for text in (one, other)]
    found = read(files, *(reversed(texts) if swapped else texts))
    site, own = reversed(files) if swapped else files
    assert (found.cooldown, found.require_lock, found.only_binary, found.url_scripts) == (7 * 86400, True, True, False)
    assert [url.rstrip("/") for url in found.indexes or ()] == ["http://b/x"]
    both = f"{own}:4 and {site}:5" if swapped else f"{site}:5 and {own}:4"
    assert found.places == {
        "cooldown": f"{site}:2",
        "require-lock": f"{site}:3",
        "only-binary": f"{own}:3",
        "indexes": both,
        "url-scripts": f"{own}:5",
    }


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[policy]\ncooldwon = "7d"\n', 2, "there is no policy `cooldwon`"),
        ('[policy]\n\ncooldown = "soon"\n', 3, "`policy.cooldown`: `soon` is not a span of time"),
        ("[policy]\ncooldown = 7\n", 2, "`policy.cooldown` is an integer, not a string"),
        ('[policy]\nrequire-lock = "yes"\n', 2, "`policy.require-lock` is a string, not true or false"),
        ('[policy]\nindexes = "http://a"\n', 2, "`policy.indexes` is a string, not an array of strings"),
        ('[policy]\nindexes = [\n"http://a",\n1]\n', 4, "entry 2 of `policy.indexes` is an integer, not a string"),
        ("policy = true\n", 1, "`policy` is not a table"),
        ("\n[polcy]\n", 2, "there is no setting `polcy`"),
        ("[Policy]\n", 1, "there is no setting `Policy`"),
        ("[policies]\n", 1, "there is no setting `policies`"),
        ('[policy]\nindexes = [\n"not a url"]\n', 3, "`not a url` in `policy.indexes` is neither a URL nor a path"),
        ('[policy]\nindexes = ["https:///x"]\n', 2, "`https:///x` in `policy.indexes` is neither a URL nor a path"),
        ('[policy]\nindexes = ["http://h/a%2fb"]\n', 2, "`http://h/a%2fb` in `policy.indexes` is neither"),
    ],
)
def test_mistake_is_an_error(files: tuple[Path, Path], text: str, line: int, message: str) -> None:
    """A policy with a slip in it is not taken for none: the error names file and line."""
    with pytest.raises(ConfigurationError) as caught:
        read(files, text, "")
    assert caught.value.place == f"{files[0]}:{line}"
    assert caught.value.message.startswith(message)


@pytest.mark.slow
@pytest.mark.usefixtures("dated")
def test_cooldown(user: User) -> None:
    """What was uploaded within it is not taken, in whatever way it is asked for; options only make it stricter."""
    user.script("s.py", "demo", body=PRINT)
    assert user.run("./s.py") == (0, "2.0\n", "")
    assert user.run("./s.py") == (0, "2.0\n", "")
    path = demand(user, '[policy]\ncooldown = "7d"\n')
    assert user.run("./s.py") == (0, "1.0\n", "")
    assert len(user.environments()) == 2
    assert f"policy:      cooldown ({path}:2)\n" in user.run("scriptrun", "--explain", "s.py").out
    tomorrow = (NOW + dt.timedelta(days=1)).strftime("%Y-%m-%d")
    ways: list[tuple[list[str], dict[str, str]]] = [
        (["--refresh", "s.py"], {}),
        (["--isolated", "s.py"], {}),
        (["--exclude-newer", "0", "s.py"], {}),
        (["s.py"], {"SCRIPTRUN_EXCLUDE_NEWER": tomorrow}),
        (["--refresh", "s.py"], {"PIP_UPLOADED_PRIOR_TO": tomorrow}),
        (["--with", "demo", "-c", PRINT], {}),
    ]
    for words, variables in ways:
        assert user.run("scriptrun", *words, **bare(variables)) == (0, "1.0\n", ""), words
    for words, variables in (["--exclude-newer", "30 days"], {}), (["--refresh"], {"PIP_UPLOADED_PRIOR_TO": "P30D"}):
        assert user.run("scriptrun", *words, "s.py", **bare(variables)).status == 125, "the stricter one counts"
    user.script("new.py", "demo>=2", body=PRINT)
    finished = user.run("./new.py")
    assert finished.status == 125
    assert finished.err.startswith("scriptrun: error: ./new.py:4: no version satisfies `demo>=2`\n")
    assert f"the policy's `cooldown` ({path}:2) may hide what there is\n" in finished.err


def bare(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return keyword arguments of `User.run`, which takes any name for a variable."""
    return dict(variables)


def test_cooldown_cannot_be_dropped(user: User, index: Index) -> None:
    """An index that does not tell when files were uploaded is an error, which names the policy."""
    index.add(indexes.wheel("demo", "1.0"))
    path = demand(user, '[policy]\ncooldown = "7d"\n')
    user.script("s.py", "demo")
    finished = user.run("./s.py", PIP_INDEX_URL=index.url)
    assert finished.status == 125
    assert finished.err.splitlines()[0] == (
        "scriptrun: error: ./s.py:4: the index does not say when the files of `demo` were uploaded, "
        f"which the policy's `cooldown` ({path}:2) must know"
    )
    assert finished.err.splitlines()[-1] == "hint: ask an index that tells it"


def test_cooldown_refuses_what_tells_no_time(user: User, index: Index) -> None:
    """Archives and repositories by URL, also of a dependency, and places of links are errors; local files are not."""
    index.add(indexes.wheel("demo", "1.0"))
    files = index.url.replace("simple/", "files/")
    url = f"{files}demo-1.0-py3-none-any.whl"
    path = demand(user, '[policy]\ncooldown = "7d"\n')
    rule = f"the policy's `cooldown` ({path}:2)"
    for text in (f"demo @ {url}", "demo @ git+http://127.0.0.1:9/demo"):
        user.script("s.py", text)
        finished = user.run("./s.py", PIP_INDEX_URL=index.url)
        expected = f"scriptrun: error: ./s.py:4: `{text[7:]}` has no time of upload, which {rule} must know"
        assert (finished.status, finished.err.splitlines()[0]) == (125, expected)
    table = f"# [[tool.uv.index]]\n# url = '{files}'\n# format = 'flat'\n"
    user.write("links.py", f'# /// script\n# dependencies = ["demo"]\n{table}# ///\n')
    finished = user.run("scriptrun", "links.py")
    why = f"`find-links` is `{files}`, where files have no time of upload, which {rule} forbids"
    assert (finished.status, finished.err.splitlines()[0]) == (125, f"scriptrun: error: links.py:4: {why}")
    wheels = user.directory / "wheels"
    wheels.mkdir()
    name, content = indexes.wheel("needy", "1.0", requires=[f"demo @ {url}"])
    (wheels / name).write_bytes(content)
    user.script("s.py", f"needy @ {(wheels / name).as_uri()}")
    finished = user.run("./s.py")
    assert f"`{url}` has no time of upload, which {rule} must know" in finished.err.splitlines()[0]
    name, content = indexes.wheel("demo", "3.0")
    (wheels / name).write_bytes(content)
    user.script("s.py", f"demo @ {(wheels / name).as_uri()}", body=PRINT)
    assert user.run("./s.py") == (0, "3.0\n", "")


def test_a_violation_names_its_own_line(user: User, index: Index) -> None:
    """Which index of a block it is, which source, and which of pip's files, is told."""
    demand(user, '[policy]\nindexes = ["https://host/simple"]\n')
    table = "# [[tool.uv.index]]\n# url = 'https://host/simple'\n# [[tool.uv.index]]\n# name = 'o'\n"
    cases = [
        (f"{table}# url = '{index.url}'\n", "s.py:7: `extra-index-url`"),
        (f"{table}# url = '{index.url}'\n# default = true\n", "s.py:7: `index-url`"),
        (f"{table}# url = '{index.url}'\n# explicit = true\n# [tool.uv.sources]\n# demo.index = 'o'\n", "s.py:10: the"),
        (f"# [tool.uv]\n# extra-index-url = [\n#  'https://host/simple',\n#  '{index.url}']\n", "s.py:6: `extra"),
        (f"# [tool.uv]\n# index-url = '{index.url}'\n", "s.py:4: `index-url`"),
        (f"# [tool.scriptrun]\n# find-links = [\n#  '{index.url}']\n", "s.py:5: `find-links`"),
    ]
    for text, place in cases:
        user.write("s.py", f'# /// script\n# dependencies = ["demo"]\n{text}# ///\n')
        assert user.run("scriptrun", "s.py").err.startswith(f"scriptrun: error: {place}"), text
    user.script("t.py", "demo")
    settings = user.write("pip.conf", f"[global]\nextra-index-url = {index.url}\n")
    finished = user.run("scriptrun", "t.py", PIP_CONFIG_FILE=str(settings), PIP_INDEX_URL=None)
    assert finished.err.startswith(f"scriptrun: error: {settings}: pip's setting `extra-index-url` is")


@pytest.mark.slow
def test_cooldown_cannot_be_dropped_by_an_old_pip(user: User, pythons: list[Path]) -> None:
    """A Python whose pip cannot heed it is an error, which names the policy."""
    path = demand(user, '[policy]\ncooldown = "7d"\n')
    user.script("s.py", "demo")
    finished = user.run("scriptrun", "-p", str(pythons[0]), "s.py")
    assert finished.status == 125
    assert finished.err.splitlines()[0].endswith(f"which knows nothing like the policy's `cooldown` ({path}:2)")


MARK = "import pathlib; pathlib.Path({!r}).touch()\nfrom setuptools import setup; setup(name='demo', version='3.0')\n"


@pytest.mark.slow
def test_only_binary(user: User, index: Index, tmp_path: Path) -> None:
    """No code of a distribution runs when it is installed: archives of sources, trees and repositories are refused."""
    mark = tmp_path / "ran"
    setup = MARK.format(str(mark))
    name, content = indexes.sdist("demo", "3.0", {"setup.py": setup})
    index.add((name, content), indexes.wheel("demo", "1.0"))
    index.add(indexes.wheel("needy", "1.0", requires=[f"demo @ {index.url.replace('simple/', 'files/')}{name}"]))
    index.add(indexes.sdist("source", "1.0", {"setup.py": setup}))
    tree = user.directory / "tree"
    tree.mkdir()
    (tree / "setup.py").write_text(setup)
    path = demand(user, "[policy]\nonly-binary = true\n")
    user.variables.update(PIP_INDEX_URL=index.url)
    user.script("s.py", "demo", body=PRINT)
    assert user.run("./s.py") == (0, "1.0\n", "")
    rule = f"the policy's `only-binary` ({path}:2)"
    url = f"{index.url.replace('simple/', 'files/')}{name}"
    for requirement in (f"demo @ {url}", f"demo @ {tree.as_uri()}", "demo @ git+http://127.0.0.1:9/demo", "needy"):
        user.script("t.py", requirement)
        first, *_, last = user.run("./t.py").err.splitlines()
        assert first.startswith("scriptrun: error: ./t.py:4: `"), first
        assert first.endswith(f" is no wheel, and code of it would run, which {rule} forbids")
        assert last.startswith("hint: ask for it from an index")
    user.script("t.py", "source")
    finished = user.run("./t.py")
    assert finished.err.startswith("scriptrun: error: ./t.py:4: no distribution of `source` was found")
    assert f"{rule} may hide what there is\n" in finished.err
    expected = f"scriptrun: error: --no-binary: `no-binary` asks for a build, which {rule} forbids\n"
    assert user.run("scriptrun", "--no-binary", "demo", "s.py").err.startswith(expected)
    expected = f"scriptrun: error: PIP_NO_BINARY: pip's setting `no-binary` asks for a build, which {rule} forbids\n"
    assert user.run("scriptrun", "--refresh", "s.py", PIP_NO_BINARY=":all:").err.startswith(expected)
    assert not mark.exists()


def test_indexes(user: User, shared_index: Index, index: Index) -> None:
    """No option, variable, block, nor setting of pip names another one; where none is, the policy's are asked."""
    index.add(indexes.wheel("demo", "9.0"))
    index.add(
        indexes.wheel(
            "needy", "1.0", requires=[f"demo @ {index.url.replace('simple/', 'files/')}demo-9.0-py3-none-any.whl"]
        )
    )
    user.script("s.py", "demo", body=PRINT)
    del user.variables["PIP_INDEX_URL"]
    path = demand(user, f'[policy]\nindexes = ["{shared_index.url}"]\n')
    assert user.run("./s.py") == (0, "2.0\n", "")
    ends = f"which the policy's `indexes` ({path}:2) forbids"
    (user.directory / "links").mkdir()
    other = index.url
    cases: list[tuple[list[str], dict[str, str], str]] = [
        (["--index-url", other], {}, f"--index-url: `index-url` is `{other}`, {ends}"),
        (["--extra-index-url", other], {}, f"--extra-index-url: `extra-index-url` is `{other}`, {ends}"),
        (["--find-links", "links"], {}, f"--find-links: `find-links` is `{user.directory}/links`, {ends}"),
        ([], {"SCRIPTRUN_INDEX_URL": other}, f"SCRIPTRUN_INDEX_URL: `index-url` is `{other}`, {ends}"),
        (["--refresh"], {"PIP_INDEX_URL": other}, f"PIP_INDEX_URL: pip's setting `index-url` is `{other}`, {ends}"),
        (
            ["--refresh"],
            {"PIP_EXTRA_INDEX_URL": other},
            f"PIP_EXTRA_INDEX_URL: pip's setting `extra-index-url` is `{other}`, {ends}",
        ),
        (["--refresh"], {"PIP_FIND_LINKS": other}, f"PIP_FIND_LINKS: pip's setting `find-links` is `{other}`, {ends}"),
        (["--constraint", other], {}, f"--constraint: `constraint` is `{other}`, {ends}"),
        (["--refresh"], {"PIP_CONSTRAINT": other}, f"PIP_CONSTRAINT: pip's setting `constraint` is `{other}`, {ends}"),
        (
            ["--refresh"],
            {"PIP_BUILD_CONSTRAINT": other},
            f"PIP_BUILD_CONSTRAINT: pip's setting `build-constraint` is `{other}`, {ends}",
        ),
    ]
    for options, variables, message in cases:
        finished = user.run("scriptrun", *options, "s.py", **bare(variables))
        assert (finished.status, finished.err.splitlines()[0]) == (125, f"scriptrun: error: {message}")
    user.write("own.py", f'# /// script\n# [tool.scriptrun]\n# index-url = "{other}"\n# ///\n')
    assert user.run("scriptrun", "own.py").err.startswith(
        f"scriptrun: error: own.py:3: `index-url` is `{other}`, {ends}\n"
    )
    files = index.url.replace("simple/", "files/")
    user.script("direct.py", f"demo @ {files}demo-9.0-py3-none-any.whl")
    allowed = f"lies below none of the indexes that the policy's `indexes` ({path}:2) allows"
    finished = user.run("./direct.py")
    place = "scriptrun: error: ./direct.py:4: "
    assert finished.err.splitlines()[0] == f"{place}`{files}demo-9.0-py3-none-any.whl` {allowed}"
    assert index.requests == []


def test_the_dependency_that_names_a_url(user: User, index: Index, shared_index: Index) -> None:
    """A URL that a dependency's own metadata names must lie below an allowed index, too."""
    url = shared_index.url.replace("simple/", "files/") + "demo-2.0-py3-none-any.whl"
    index.add(indexes.wheel("needy", "1.0", requires=[f"demo @ {url}"]))
    path = demand(user, f'[policy]\nindexes = ["{index.url}"]\n')
    user.script("s.py", "needy")
    before = len(shared_index.requests)
    finished = user.run("./s.py", PIP_INDEX_URL=None)
    assert finished.status == 125
    allowed = f"lies below none of the indexes that the policy's `indexes` ({path}:2) allows"
    assert finished.err.splitlines()[0] == f"scriptrun: error: ./s.py:4: `{url}` {allowed}"
    assert len(shared_index.requests) == before


@pytest.mark.slow
def test_no_index_is_allowed(user: User) -> None:
    """With an empty list no index is asked at all."""
    path = demand(user, "[policy]\nindexes = []\n")
    user.script("s.py", "demo")
    finished = user.run("./s.py", PIP_INDEX_URL=None)
    assert finished.status == 125
    assert f"the policy's `indexes` ({path}:2) may hide what there is" in finished.err


@pytest.mark.slow
def test_require_lock(user: User) -> None:
    """A script that asks for distributions runs only with a lock, as does what options ask for; others run."""
    user.script("s.py", "demo", body=PRINT)
    assert user.run("./s.py") == (0, "2.0\n", "")
    assert user.run("./s.py") == (0, "2.0\n", "")
    path = demand(user, "[policy]\nrequire-lock = true\n")
    rule = f"the policy's `require-lock` ({path}:2) forbids"
    hint = "hint: make one: scriptrun lock ./s.py\n"
    expected = Finished(125, "", f"scriptrun: error: ./s.py: there is no lock, which {rule}\n{hint}")
    assert user.run("./s.py") == expected
    for words in (["--isolated"], ["--refresh"], ["--offline"]):
        assert user.run("scriptrun", *words, "./s.py") == expected
    assert user.run("scriptrun", "sync", "./s.py") == expected
    finished = user.run("scriptrun", "--with", "demo", "-c", "pass")
    assert finished.err.startswith(f"scriptrun: error: --with: `with` asks for what is in no lock, which {rule}\n")
    user.script("bare.py", body="print('ran')\n")
    assert user.run("./bare.py") == (0, "ran\n", "")


def test_url_scripts() -> None:
    """Where they are not allowed, a script from a URL is refused, its password untold."""
    Policy().check_url_script("https://host/x.py")
    strict = Policy(url_scripts=False, places={"url-scripts": "/c.toml:2"})
    with pytest.raises(PolicyError) as caught:
        strict.check_url_script("https://ada:s3cr3t@host/x.py")
    rule = "the policy's `url-scripts` (/c.toml:2) forbids"
    assert caught.value.message == f"`https://host/x.py` is a script from a URL, which {rule}"
    assert caught.value.hint.startswith("download it")


@pytest.mark.slow
@pytest.mark.usefixtures("dated")
def test_repair_heeds_the_policy(user: User) -> None:
    """What was made under a weaker policy is not made again under a stricter one, but taken out of use."""
    user.script("s.py", "demo", body=PRINT)
    user.run("./s.py")
    (environment,) = user.environments()
    (module,) = environment.glob("lib/*/site-packages/demo.py")
    module.write_text("V = 'changed'\n")
    demand(user, '[policy]\ncooldown = "7d"\n')
    finished = user.run("scriptrun", "cache", "verify", "--repair")
    assert finished.status == 1
    assert "cannot be rebuilt: it was made under another policy" in finished.err
    assert user.run("./s.py") == (0, "1.0\n", "")
    (newer,) = (one for one in user.environments() if one != environment)
    (module,) = newer.glob("lib/*/site-packages/demo.py")
    module.write_text("V = 'changed'\n")
    assert user.run("scriptrun", "cache", "verify", "--repair").status == 0
    assert user.run("./s.py") == (0, "1.0\n", "")


def test_statement_has_no_credentials() -> None:
    """What a policy puts into the key, which is stored, holds no password."""
    stated = Policy(60.0, True, True, ("https://ada:s3cr3t@host/simple/",)).statement()
    assert stated == ("cooldown 60", "indexes https://host/simple", "only-binary")


def test_every_key_has_an_example(files: tuple[Path, Path]) -> None:
    """The examples that errors and documents show are valid."""
    for text, _, _ in policy.KEYS.values():
        read(files, f"[policy]\n{text}\n", "")


@pytest.mark.slow
@pytest.mark.usefixtures("dated")
def test_locks_and_edits_heed_the_policy(user: User) -> None:
    """A lock is made, and installed from, within the cooldown; a bound that is added is one of what it lets through."""
    user.script("s.py", "demo", body=PRINT)
    assert user.run("scriptrun", "lock", "s.py").status == 0
    assert user.run("./s.py") == (0, "2.0\n", "")
    path = demand(user, '[policy]\ncooldown = "7d"\nrequire-lock = true\n')
    finished = user.run("./s.py")
    assert finished.status == 125
    assert f"the policy's `cooldown` ({path}:2) may hide what there is" in finished.err
    assert user.run("scriptrun", "lock", "--upgrade", "s.py").err == "demo 2.0 → 1.0\n"
    assert user.run("./s.py") == (0, "1.0\n", "")
    assert user.run("./s.py") == (0, "1.0\n", "")
    finished = user.run("scriptrun", "--with", "demo", "s.py")
    rule = f"the policy's `require-lock` ({path}:3) forbids"
    assert finished.err.splitlines()[0] == f"scriptrun: error: --with: `with` asks for what is in no lock, which {rule}"
    path.write_text('[policy]\ncooldown = "7d"\n')
    bare_script = user.script("t.py", body=PRINT)
    assert user.run("scriptrun", "add", "t.py", "demo").status == 0
    assert '"demo>=1.0"' in bare_script.read_text()
