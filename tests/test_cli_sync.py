"""`scriptrun sync`: prepare without running."""

from __future__ import annotations

import sys
from pathlib import Path

from support import private
from support.user import Finished, User


def test_environment_is_prepared_and_nothing_is_run(user: User) -> None:
    """The path of the environment is printed; the script's first run finds it, and asks nobody."""
    user.script("s.py", "demo", body="import sys; print(sys.prefix)\n")
    finished = user.run("scriptrun", "sync", "s.py")
    (environment,) = user.environments()
    assert finished == (0, f"{environment}\n", "")
    assert user.run("./s.py", PIP_INDEX_URL="http://127.0.0.1:9/") == finished
    assert user.run("scriptrun", "sync", "s.py", PIP_INDEX_URL="http://127.0.0.1:9/") == finished


def test_several_scripts(user: User) -> None:
    """Each gets its line; one that fails is told, does not stop the others, and decides the status."""
    user.script("a.py", "demo<2")
    user.script("b.py", "no-such-distribution")
    user.script("c.py", "demo")
    status, out, err = user.run("scriptrun", "sync", "a.py", "b.py", "missing.py", "c.py")
    assert sorted(out.splitlines()) == [str(path) for path in user.environments()]
    assert len(user.environments()) == 2
    assert status == 127
    assert err.count("scriptrun: error:") == 2
    assert "b.py:4" in err
    assert "no such file: `missing.py`" in err


def test_wrong_use(user: User) -> None:
    """Without a script, and with --isolated, which keeps nothing, there is nothing to do."""
    hint = "hint: scriptrun sync SCRIPT… [--system]\n"
    expected = Finished(2, "", f"scriptrun: error: `scriptrun sync` takes a script or several\n{hint}")
    assert user.run("scriptrun", "sync") == expected
    user.script("s.py")
    assert user.run("scriptrun", "sync", "--isolated", "s.py").status == 2


def test_python_that_others_cannot_run_is_told(user: User, tmp_path: Path) -> None:
    """An environment for everybody on a Python that only its owner can run is made, with a warning."""
    base = private.copy(Path(sys.executable), tmp_path / "closed")
    (tmp_path / "closed").chmod(0o700)
    user.script("s.py")
    system = user.directory / "system"
    finished = user.run("scriptrun", "sync", "--system", "-p", str(base), "s.py", SCRIPTRUN_SYSTEM_CACHE=str(system))
    assert finished.status == 0
    assert finished.err.startswith(f"scriptrun: warning: s.py: it runs on `{base}`, which others cannot: ")


def test_system_cache_that_is_not_for_everybody(user: User) -> None:
    """A directory that others cannot look into is refused: nobody but its owner would have anything of it."""
    user.script("s.py")
    system = user.directory / "system"
    system.mkdir(mode=0o700)
    finished = user.run("scriptrun", "sync", "--system", "s.py", SCRIPTRUN_SYSTEM_CACHE=str(system))
    assert (finished.status, finished.out) == (125, "")
    assert f"`{system}` is not for everybody to read" in finished.err
    assert list(system.iterdir()) == []
