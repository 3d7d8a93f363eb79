"""Programs at URLs: fetched once and kept, trusted before they are run, and refused with a reason."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import terminal, web
from support.user import LIMIT, User
from support.web import Page, Site

from scriptrun.editing import document
from scriptrun.pinning import pylock
from scriptrun.remote import kept

PLAIN = "import sys\nprint(sys.argv[1:], sys.argv[0] == __file__, __file__.rpartition('/')[2])\n"
DEMO = "# /// script\n# dependencies = ['demo']\n# ///\nimport demo, sys\nprint(demo.V, sys.argv[1:])\n"


@pytest.fixture
def site() -> Iterator[Site]:
    """A server with HTTP on loopback."""
    with web.serve() as served:
        yield served


def digest(text: str | bytes) -> str:
    """Return the hash that a program is trusted by."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def programs(user: User) -> list[Path]:
    """Return the programs that are kept."""
    return sorted(user.cache.glob("v1/remote/scripts/*/*"))


def with_lock(block: str, *packages: str) -> str:
    """Return a program with these lines in its block, which holds a lock of these packages, as `lock --embed` does."""
    head = "lock-version = '1.0'\ncreated-by = 'scriptrun'\n[tool.scriptrun]\n"
    text = f"{head}python = '3.11'\nimplementation = 'cpython'\nplatform = 'linux'\n{chr(10).join(packages)}\n"
    digest_line = f"# [tool.scriptrun]\n# lock = '{pylock.digest(text)}'\n"
    return f"# /// script\n{block}{digest_line}# ///\nprint()\n\n" + document.comment("pylock", text, b"").decode()


HASHES = f"hashes = {{ sha256 = '{'0' * 64}' }}"


@pytest.mark.slow
def test_program_is_fetched_once_and_then_runs_from_its_copy(user: User, site: Site) -> None:
    """The first run fetches and installs what the block asks for; later ones ask nobody, and work offline."""
    url = site.put("/tools/x.py", DEMO)
    expected = (0, "2.0 ['a', '--help']\n", "")
    assert user.run("scriptrun", "--trust", digest(DEMO), url, "a", "--help") == expected
    assert user.run("scriptrun", url, "a", "--help", PIP_INDEX_URL="http://127.0.0.1:9/") == expected
    assert user.run("scriptrun", "--offline", url, "a", "--help") == expected
    assert user.run("scriptrun", "--offline", url.upper().replace("/TOOLS/X.PY", "/tools/x.py#part")).status == 0
    assert [path for path, _ in site.requests] == ["/tools/x.py"]
    (copy,) = programs(user)
    assert (copy.parent.name, copy.name, copy.read_text()) == (digest(DEMO), "x.py", DEMO)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/x.py", "x.py"),
        ("/x", "x"),
        ("/", "script.py"),
        ("/a/..", "script.py"),
        ("/a%2Fb%0A.py?version=" + "1" * 400, "a_b_.py"),
    ],
)
def test_file_name_is_that_of_the_url(user: User, site: Site, path: str, name: str) -> None:
    """`sys.argv[0]` and `__file__` end in the last part of the URL, whether it ends in .py or not."""
    url = site.put(path, PLAIN)
    assert user.run("scriptrun", "--trust", digest(PLAIN), url, "a") == (0, f"['a'] True {name}\n", "")


def test_without_a_terminal_new_content_is_refused(user: User, site: Site) -> None:
    """Where nobody can be asked, what is not trusted by its hash is status 125, shown with its hash, and not kept."""
    url = site.put("/x.py", PLAIN)
    for options in ((), ("--explain",), ("-q",)):
        status, out, err = user.run("scriptrun", *options, url)
        assert (status, out) == (125, "")
        assert f"`{url}` is not yet trusted, and there is no terminal to ask at\n  from:       {url}\n" in err
        assert f"  sha256:     {digest(PLAIN)}\n" in err
        assert "  depends on: nothing\n" in err
        assert "--trust SHA256" in err
    for on in ((0,), (2,)):  # only one of both is a terminal
        assert terminal.run(user, "scriptrun", url, on=on).status == 125
    assert programs(user) == []


@pytest.mark.slow
def test_terminal_shows_what_it_is_and_asks(user: User, site: Site) -> None:
    """First it says where it comes from, its hash, what it depends on; what follows the answer is the script's."""
    text = DEMO.replace("['demo']\n", "['demo']\n# requires-python = '>=3.8'\n") + "print(input())\n"
    site.pages["/x.py"] = Page(b"", 302, {"Location": "/real.py"})
    site.put("/real.py", text)
    url = f"{site.url}/x.py"
    refused = terminal.run(user, "scriptrun", url, typed=[("[y/N] ", "n\n")])
    assert refused.status == 125
    assert "is not trusted, so it is not kept\n" in refused.shown
    assert terminal.run(user, "scriptrun", url, typed=[("[y/N] ", "\x04")]).status == 125
    assert terminal.run(user, "scriptrun", url, typed=[("[y/N] ", "\x03")]).status == 130
    assert programs(user) == []
    seen = terminal.run(user, "scriptrun", url, typed=[("[y/N] ", "y\nfour\n")])
    assert seen.status == 0, seen
    for line in (
        f"scriptrun: `{url}` was not run here before\n",
        f"  from:       {site.url}/real.py\n",
        f"  sha256:     {digest(text)}\n",
        "  python:     >=3.8\n",
        "  depends on: demo\n",
    ):
        assert line in seen.shown
    assert seen.shown.endswith("2.0 []\nfour\n")
    again = terminal.run(user, "scriptrun", url, typed=[("2.0 []", "five\n")])
    assert "trust it?" not in again.shown


def test_question_tells_where_distributions_come_from(user: User, site: Site) -> None:
    """Sources and indexes that a block names are shown before it is trusted, without passwords."""
    text = "# /// script\n# dependencies = ['demo', 'other']\n# [tool.uv.sources]\n"
    text += "# demo = { git = 'https://jo:s3cret@evil.invalid/demo' }\n# other = { index = 'mine' }\n"
    text += "# [[tool.uv.index]]\n# name = 'mine'\n# url = 'https://mine.invalid/simple'\n# explicit = true\n# ///\n"
    seen = terminal.run(user, "scriptrun", site.put("/x.py", text), columns=300, typed=[("[y/N] ", "n\n")])
    assert "  depends on: demo, other\n" in seen.shown
    assert "demo from git+https://evil.invalid/demo; other from https://mine.invalid/simple\n" in seen.shown


def test_what_is_refused_without_a_terminal_is_told_as_in_the_question(user: User, site: Site) -> None:
    """Where it came from in the end, requirements, constraints, indexes, URLs in a lock: all is told."""
    block = "# dependencies = ['demo']\n# [tool.uv]\n# index-url = 'https://jo:s3cret@mine.invalid/simple'\n"
    block += "# extra-index-url = ['https://more.invalid/simple']\n"
    block += "# constraint-dependencies = ['other @ https://jo:s3cret@evil.invalid/other-1.0.tar.gz']\n"
    source = "vcs = { type = 'git', url = 'https://jo:s3cret@evil.invalid/demo', commit-id = 'abc' }"
    other = (
        "[[packages]]",
        "name = 'other'",
        "version = '1.0'",
        "[[packages.wheels]]",
        "name = 'other-1.0-py3-none-any.whl'",
    )
    wheel = (*other, "url = 'https://a.invalid/other-1.0-py3-none-any.whl'", HASHES)
    text = with_lock(block, "[[packages]]", "name = 'demo'", source, *wheel)
    site.pages["/x.py"] = Page(b"", 302, {"Location": "/real.py"})
    site.put("/real.py", text)
    status, out, err = user.run("scriptrun", f"{site.url}/x.py")
    assert (status, out) == (125, "")
    for line in (
        f"  from:       {site.url}/real.py\n",
        f"  sha256:     {digest(text)}\n",
        "  depends on: demo\n",
        "  bounded by: other @ https://evil.invalid/other-1.0.tar.gz\n",
        "  locked:     2 distributions; demo from git+https://evil.invalid/demo@abc; other 1.0\n",
        "  options:    extra-index-url = https://more.invalid/simple; index-url = https://mine.invalid/simple\n",
    ):
        assert line in err
    seen = terminal.run(user, "scriptrun", f"{site.url}/x.py", columns=300, typed=[("[y/N] ", "n\n")])
    asked = seen.shown.partition("trust it?")[0].splitlines()[1:]
    assert asked == [line for line in err.splitlines() if line.startswith("  ")]


def test_control_characters_in_what_is_shown_are_escaped(user: User, site: Site) -> None:
    """A program cannot write over the question with what it says of itself."""
    text = "# /// script\n# [tool.scriptrun]\n# index-url = 'https://jo:s3cret@x/\u202e'\n# ///\n"
    seen = terminal.run(user, "scriptrun", site.put("/x.py", text), typed=[("[y/N] ", "n\n")])
    assert "  options:    index-url = https://x/\\u202e\n" in seen.shown


@pytest.mark.slow
def test_content_that_changes_is_asked_about_again(user: User, site: Site) -> None:
    """--refresh fetches: the same content needs no word, another one does; until then the old one runs."""
    url = site.put("/x.py", PLAIN)
    first = user.run("scriptrun", "--trust", digest(PLAIN), url)
    assert user.run("scriptrun", "--refresh", url) == first
    assert len(site.requests) == 2
    changed = PLAIN + "print('changed')\n"
    site.put("/x.py", changed)
    status, _, err = user.run("scriptrun", "--refresh", url)
    assert status == 125
    assert "is not what was trusted" in err
    assert "hint: what was kept before stays: it runs without --refresh\n" in err
    assert user.run("scriptrun", url) == first
    seen = terminal.run(user, "scriptrun", "--refresh", url, typed=[("[y/N] ", "yes\n")])
    assert f"`{url}` has changed since it was trusted\n" in seen.shown
    assert f"  before:     {digest(PLAIN)}\n" in seen.shown
    assert user.run("scriptrun", url).out == first.out + "changed\n"


@pytest.mark.slow
@pytest.mark.parametrize("trouble", [Page(b"", 500), Page(b"<!DOCTYPE html><p>moved</p>"), None])
def test_refresh_that_fails_keeps_the_old_copy(user: User, site: Site, trouble: Page | None) -> None:
    """When nothing new can be had, that is told, and the old copy runs as before."""
    url = site.put("/x.py", PLAIN)
    first = user.run("scriptrun", "--trust", digest(PLAIN), url)
    site.pages = {} if trouble is None else {"/x.py": trouble}
    status, out, err = user.run("scriptrun", "--refresh", url)
    assert (status, out) == (125, "")
    assert err.endswith("hint: what was kept before stays: it runs without --refresh\n")
    assert user.run("scriptrun", url) == first


@pytest.mark.slow
def test_hash_that_differs_shows_both(user: User, site: Site) -> None:
    """What --trust names must be what comes, and what is kept is no excuse; offline it is compared, too."""
    url = site.put("/x.py", PLAIN)
    other = digest("other")
    expected = f"expected sha256 {other}\n  but it is {digest(PLAIN)}\n"
    status, _, err = user.run("scriptrun", "--trust", other, url)
    assert (status, expected in err) == (125, True)
    assert programs(user) == []
    assert user.run("scriptrun", "--trust", f"SHA256:{digest(PLAIN).upper()}", url).status == 0
    for options in ((), ("--offline",)):
        status, _, err = user.run("scriptrun", *options, "--trust", other, url)
        assert (status, expected in err) == (125, True)
    site.put("/x.py", "other")
    assert user.run("scriptrun", "--trust", digest(PLAIN), url).status == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--trust", "abc", "{url}"), "`--trust abc` is no SHA-256 hash"),
        (("--trust", "0" * 64, "s.py"), "`--trust` goes with a URL"),
        (("--trust", "0" * 64, "-c", "1"), "`--trust` goes with a URL"),
        (("file:///etc/passwd",), "a file is run by its path, not by a file: URL"),
        (("ftp://127.0.0.1/x.py",), "there is no running of `ftp:` URLs"),
        (("https:///x.py",), "`https:///x.py` is not a URL with a host"),
        (("https://jo:s3cret@host:port/x.py",), "`https://host:port/x.py` is not a URL with a host"),
    ],
)
def test_wrong_use(user: User, site: Site, words: tuple[str, ...], message: str) -> None:
    """What is no URL that can be run, and a hash that is none, is wrong use."""
    user.script("s.py")
    url = site.put("/x.py", PLAIN)
    status, out, err = user.run("scriptrun", *(word.replace("{url}", url) for word in words))
    assert (status, out) == (2, "")
    assert err.startswith(f"scriptrun: error: {message}")
    assert "s3cret" not in err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "message"),
    [
        (Page(b"<!DOCTYPE html>\n<html></html>"), "is a page (HTML), not a program\nhint: "),
        (Page(b"print(1)", headers={"Content-Type": "text/html; charset=utf-8"}), "is a page (HTML), not a program"),
        (Page(b" \n"), "is empty"),
        (Page(b"", 404), "cannot be fetched: 404 Not Found"),
        (Page(b"print(1)", headers={"Content-Encoding": "gzip"}), "comes compressed, which was not asked for"),
        (Page(b"print(1)", length="100"), "came only in part: 8 of 100 bytes"),
        (Page(b"#", length=str(11 << 20)), "is larger than 10.5 MB: that is no script"),
        (Page(b"#" * (10 << 20) + b"\n", length=""), "is larger than 10.5 MB: that is no script"),
        (Page(b"# /// script\n# dependencies = 1\n# ///\n"), ":2: `dependencies` is an integer"),
    ],
)
def test_what_is_no_program_is_refused(user: User, site: Site, page: Page, message: str) -> None:
    """A page, nothing, too much, a part, or a block that is not valid: each is told, and not kept."""
    site.pages["/x.py"] = page
    status, out, err = user.run("scriptrun", "--trust", digest(page.body), f"{site.url}/x.py")
    assert (status, out) == (125, "")
    assert message in err
    assert programs(user) == []


LOCAL = {
    "dependency": "dependencies = ['demo @ file:///etc']",
    "repository": "dependencies = ['demo @ git+file:///etc']",
    "links": "[tool.scriptrun]\n# find-links = ['.']",
    "absolute links": "[tool.scriptrun]\n# find-links = ['/etc']",
    "links as URL": "[tool.scriptrun]\n# find-links = ['file:///etc']",
    "index": "[tool.scriptrun]\n# index-url = 'FILE:///etc'",
    "requirements": "[tool.scriptrun]\n# with-requirements = ['/etc/passwd']",
    "constraints": "[tool.scriptrun]\n# constraint = ['c.txt']",
    "python": "[tool.scriptrun]\n# python = './python'",
    "variables": "[tool.scriptrun]\n# env-file = ['.env']",
    "source": "dependencies = ['demo']\n# [tool.uv.sources]\n# demo = { path = '../demo' }",
    "index of a source": "[tool.uv]\n# index = [{ name = 'a', url = 'file:///etc' }]",
    "dependency in capitals": "dependencies = ['demo @ FILE:///etc']",
    "repository in capitals": "dependencies = ['demo @ git+FILE:///etc']",
    "constraint in capitals": "[tool.uv]\n# constraint-dependencies = ['demo @ File:///etc']",
    "index as path": "[tool.scriptrun]\n# index-url = '/etc'",
    "more indexes as paths": "[tool.scriptrun]\n# extra-index-url = ['https://a.invalid/', 'etc']",
    "index of uv": "[[tool.uv.index]]\n# url = '/etc'",
    "flat index of a source": "dependencies = ['demo']\n# [tool.uv.sources]\n# demo = { index = 'a' }\n"
    "# [[tool.uv.index]]\n# name = 'a'\n# url = '/etc'\n# format = 'flat'\n# explicit = true",
    "more in capitals": "[tool.scriptrun]\n# with = ['demo @ git+FILE:///etc']",
    "Python like a URL": "[tool.scriptrun]\n# python = 'x://../../bin/python3'",
    "requirements like a URL": "[tool.scriptrun]\n# with-requirements = ['x://../../etc/passwd']",
    "more requirements": "[tool.scriptrun]\n# with = ['demo @ file:///etc']",
}


@pytest.mark.slow
@pytest.mark.parametrize("block", LOCAL.values(), ids=LOCAL.keys())
def test_files_of_this_machine_are_not_a_programs_from_elsewhere(user: User, site: Site, block: str) -> None:
    """A block that names local paths is refused, though its hash is trusted."""
    text = f"# /// script\n# {block}\n# ///\n"
    status, out, err = user.run("scriptrun", "--trust", digest(text), site.put("/x.py", text))
    assert (status, out) == (125, "")
    assert "is about files of this machine, which a program from a URL may not name" in err
    assert programs(user) == []


@pytest.mark.parametrize(
    "source",
    [
        "directory = { path = '../demo' }",
        f"archive = {{ path = '../demo.tar.gz', {HASHES} }}",
        f"archive = {{ url = 'file:///etc', {HASHES} }}",
        "vcs = { type = 'git', path = '/etc', commit-id = 'abc' }",
        "vcs = { type = 'git', url = 'file:///etc', commit-id = 'abc' }",
    ],
)
def test_files_of_this_machine_in_the_lock_of_a_program(user: User, site: Site, source: str) -> None:
    """A lock inside a program is no way to files of this machine either, wherever its marker counts."""
    text = with_lock("", "[[packages]]", "name = 'demo'", "marker = \"sys_platform == 'none'\"", source)
    status, out, err = user.run("scriptrun", "--trust", digest(text), site.put("/x.py", text))
    assert (status, out) == (125, "")
    assert "is about files of this machine, which a program from a URL may not name" in err
    assert programs(user) == []


@pytest.mark.slow
def test_credentials_are_sent_and_neither_shown_nor_kept(user: User, site: Site) -> None:
    """User, password and what follows `?` reach the server, and stand in no message and no file of the cache."""
    url = site.put("/x.py?key=s3cret", PLAIN).replace("://", "://jo:s3cr%40t@")
    asked = user.run("scriptrun", url)
    assert asked.status == 125
    assert site.requests[-1][1]["Authorization"] == "Basic am86czNjckB0"
    assert user.run("scriptrun", "--trust", digest(PLAIN), url, "a") == (0, "['a'] True x.py\n", "")
    explained = user.run("scriptrun", "--explain", url)
    described = user.run("scriptrun", "env", "--json", url)
    site.pages["/x.py?key=s3cret"] = Page(b"", 403)
    failed = user.run("scriptrun", "--refresh", url)
    offline = user.run("scriptrun", "--offline", url.replace("x.py", "y.py"))
    assert [run.status for run in (explained, described, failed, offline)] == [0, 0, 125, 125]
    told = "".join(run.out + run.err for run in (asked, explained, described, failed, offline))
    assert [secret for secret in ("s3cr", "jo:") if secret in told] == []
    files = [path for path in user.cache.rglob("*") if path.is_file()]
    assert [path for path in files if b"s3cr" in path.read_bytes() or b"jo:" in path.read_bytes()] == []


def test_local_file_of_that_name_wins(user: User) -> None:
    """A file whose path looks like a URL is run, and nobody is asked."""
    user.write("http:/127.0.0.1:9/x.py", "print('local')\n")
    assert user.run("scriptrun", "http://127.0.0.1:9/x.py") == (0, "local\n", "")


@pytest.mark.slow
def test_plain_http_is_for_this_machine_or_a_known_hash(user: User, site: Site) -> None:
    """Without TLS nothing is fetched from elsewhere, unless its hash is named."""
    status, _, err = user.run("scriptrun", "http://192.0.2.1/x.py")
    assert status == 125
    assert "`http://192.0.2.1/x.py` would come without any protection on its way\nhint: use https://" in err
    site.put("http://scripts.invalid/x.py", PLAIN)
    url = "http://scripts.invalid/x.py"
    assert user.run("scriptrun", "--trust", digest(PLAIN), url, http_proxy=site.url).status == 0


def test_offline_without_a_copy(user: User, site: Site) -> None:
    """--offline fetches nothing, and says that there is no copy."""
    status, out, err = user.run("scriptrun", "--offline", site.put("/x.py", PLAIN))
    assert (status, out) == (125, "")
    assert "is not kept here, and --offline forbids to fetch it" in err
    assert site.requests == []


def test_commands_use_the_copy(user: User, site: Site) -> None:
    """`env`, `sync`, `tree`, `export`, `config`, `--explain`, `--script` and `-i` take a URL as a run does."""
    url = site.put("/x.py", DEMO)
    assert user.run("scriptrun", "env", url).status == 125
    status, out, _ = user.run("scriptrun", "sync", "--trust", digest(DEMO), url)
    assert (status, out) == (0, f"{user.environments()[0]}\n")
    facts = json.loads(user.run("scriptrun", "env", "--json", url).out)
    assert (facts["script"], facts["environment"]) == (str(programs(user)[0]), out.rstrip())
    assert "hit: the environment is ready" in user.run("scriptrun", "--explain", url).out
    assert user.run("scriptrun", "--script", url, "-c", "import demo; print(demo.V)").out == "2.0\n"
    assert user.run("scriptrun", "tree", url) == (0, "demo 2.0\n", "")
    assert user.run("scriptrun", "-i", url, stdin=b"print(demo.V * 2)\n").out == "2.0 []\n2.02.0\n"
    for command, part in (("tree", "demo"), ("export", "demo==2.0"), ("config", "offline")):
        finished = user.run("scriptrun", command, url)
        assert (finished.status, part in finished.out) == (0, True), finished
    status, _, err = user.run("scriptrun", "sync", "--venv-link", url)
    assert (status, f"`{url}` is in no directory where a `.venv` could be" in err) == (2, True)
    assert len(site.requests) == 2


def test_check_of_a_url(user: User, site: Site) -> None:
    """`check` finds in a program at a URL what it finds in a file, and nothing of modes; one that is new is refused."""
    text = "#!/usr/bin/env scriptrun\n# /// script\n# dependencies = ['demo']\n# ///\n"
    url = site.put("/x.py", text)
    assert user.run("scriptrun", "check", url)[:2] == (125, "")
    status, out, err = user.run("scriptrun", "check", "--trust", digest(text), url)
    assert (status, err) == (1, "")
    assert {line.partition(": ")[0] for line in out.splitlines()} == {f"{url}:3:19"}
    assert "SR303" in out
    assert user.run("scriptrun", "check", "--offline", url).out == out


@pytest.mark.parametrize(
    "words",
    [
        ("add", "{url}", "demo"),
        ("init", "{url}"),
        ("lock", "{url}"),
        ("remove", "{url}", "a"),
        ("upgrade", "{url}"),
        ("-m", "pdb", "{url}"),
    ],
    ids=lambda words: words[0],
)
def test_what_is_for_files_takes_no_url(user: User, site: Site, words: tuple[str, ...]) -> None:
    """A program at a URL cannot be edited, nor be another module's: it is to be saved first."""
    user.script("s.py")
    url = site.put("/x.py", PLAIN)
    given = [word.replace("{url}", url.replace("://", "://jo:s3cret@") + "?s3cret") for word in words]
    status, out, err = user.run("scriptrun", *given)
    assert (status, out) == (2, "")
    assert f"not {'for ' if words[0] != '-m' else ''}`{url}`\nhint: save it as a file\n" in err
    assert site.requests == []


def test_requirement_with_a_url_is_no_program(user: User) -> None:
    """Only the file that is to be edited must be one."""
    user.script("s.py")
    status, _, err = user.run("scriptrun", "--offline", "add", "s.py", "demo @ https://a.invalid/demo-1.0.tar.gz")
    assert (status, "--offline" in err) == (125, True)


@pytest.mark.slow
def test_copy_that_is_damaged_is_fetched_again(user: User, site: Site) -> None:
    """A copy that is not what was trusted counts as missing, and its like needs no new word."""
    url = site.put("/x.py", PLAIN)
    assert user.run("scriptrun", "--trust", digest(PLAIN), url).status == 0
    (copy,) = programs(user)
    copy.write_text("print('damaged')\n")
    assert user.run("scriptrun", "--offline", url).status == 125
    assert user.run("scriptrun", url) == (0, "[] True x.py\n", "")
    (record,) = user.cache.glob("v1/remote/urls/*")
    for content in (b"", b"\0", b"../../../x x.py\n", f"{digest(PLAIN)} ../x.py\n".encode()):
        record.write_bytes(content)
        assert user.run("scriptrun", "--offline", url).status == 125
        assert user.run("scriptrun", "--trust", digest(PLAIN), url).status == 0


@pytest.mark.slow
def test_cache_commands_remove_what_is_not_used(user: User, site: Site) -> None:
    """`cache clear` and `cache prune --all` remove copies, but none that runs; afterwards a URL is new again."""
    waiting = "import sys\nprint('ready', flush=True)\nsys.stdin.read()\n"
    url, other = site.put("/x.py", waiting), site.put("/y.py", PLAIN)
    assert user.run("scriptrun", "--trust", digest(waiting), url).status == 0
    assert user.run("scriptrun", "--trust", digest(PLAIN), other).status == 0
    assert user.run("scriptrun", "cache", "prune").status == 0
    assert len(programs(user)) == 2
    with subprocess.Popen(
        ["scriptrun", url], env=user.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert user.run("scriptrun", "cache", "clear", "--grace", "0").status == 0
        assert [path.name for path in programs(user)] == ["x.py"]
        process.communicate(timeout=LIMIT)
    assert user.run("scriptrun", other).status == 125
    assert user.run("scriptrun", "cache", "prune", "--all", "--grace", "0").status == 0
    assert programs(user) == []


@pytest.mark.slow
def test_pin_in_the_configuration(user: User, site: Site) -> None:
    """What [trust] names for a URL runs unasked; when the pin changes the new content comes, and no other one does."""
    url = site.put("/x.py", PLAIN)
    configuration = user.home / ".config/scriptrun/config.toml"
    configuration.parent.mkdir(parents=True)
    pin = f'[trust]\n"{url.upper().replace("/X.PY", "/x.py")}" = "{digest(PLAIN)}"\n'
    configuration.write_text(pin)
    for _ in range(2):
        assert user.run("scriptrun", url) == (0, "[] True x.py\n", "")
    assert len(site.requests) == 1
    changed = PLAIN + "print('changed')\n"
    configuration.write_text(pin.replace(digest(PLAIN), digest(changed)))
    for options in ((), ("--offline",), ("--trust", digest(PLAIN))):
        status, out, err = user.run("scriptrun", *options, url)
        assert (status, out) == (125, "")
        assert f"is not what [trust] in {configuration}:2 says that it must be\n" in err
        assert f"expected sha256 {digest(changed)}\n  but it is {digest(PLAIN)}\n" in err
    site.put("/x.py", changed)
    assert user.run("scriptrun", url) == (0, "[] True x.py\nchanged\n", "")


@pytest.mark.slow
def test_policy_that_wants_no_programs_from_urls(user: User, site: Site) -> None:
    """`url-scripts = false` refuses what is kept and trusted, too, with file and line; nobody is asked."""
    url = site.put("/x.py", PLAIN)
    assert user.run("scriptrun", "--trust", digest(PLAIN), url).status == 0
    configuration = user.home / ".config/scriptrun/config.toml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("[policy]\nurl-scripts = false\n")
    for words in (("--trust", digest(PLAIN), url), (url,), ("--offline", url), ("env", url)):
        status, out, err = user.run("scriptrun", *words)
        assert (status, out) == (125, "")
        assert f"`{url}` is a script from a URL, which the policy's `url-scripts` ({configuration}:2) forbids" in err
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("HTTPS://Host:443/A.py#x", "https://host/A.py"),
        ("https://jo:pw@host", "https://host/"),
        ("https://jo@host?q=/@", "https://host/?q=/@"),
        ("http://host:443/?a#b", "http://host:443/?a"),
        ("http://h:80/x@y.py", "http://h/x@y.py"),
    ],
)
def test_one_spelling_of_a_url(url: str, plain: str) -> None:
    """Host and scheme in small letters, neither credentials nor fragment, no port that goes without saying."""
    assert kept.canonical(url) == plain
