"""What the commands that look after the cache do and say about the store of distributions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from faults import wares
from support import index as indexes
from support.index import Index
from support.user import Finished, User

from scriptrun import quantities

pytestmark = pytest.mark.slow

ALL = ("scriptrun", "cache", "prune", "--all", "--grace", "0")
PRUNE = ("scriptrun", "cache", "prune", "--grace", "0")


@pytest.fixture
def sharing(user: User, index: Index) -> User:
    """A user with two scripts that share `common`, which is large, and each have one more distribution."""
    user.variables["PIP_INDEX_URL"] = index.url
    index.add(indexes.wheel("common", "1.0", files={f"common/m{n}.py": f"V = {'x' * 60000!r}\n" for n in range(20)}))
    for name in ("one", "two"):
        index.add(indexes.wheel(f"own-{name}", "1.0", files={f"own_{name}.py": f"V = {'x' * 20000!r}\n"}))
        user.script(f"{name}.py", "common", f"own-{name}", body=f"import common.m3, own_{name}\nprint('ran')\n")
        assert user.run(f"./{name}.py") == (0, "ran\n", "")
    return user


def du(user: User) -> int:
    """Return the bytes that environments and store take, links counted once."""
    directories = [user.cache / "v1" / name for name in ("envs", "store")]
    lines = subprocess.check_output(["du", "-s", "--block-size=1", "-c", *directories], text=True).splitlines()
    return int(lines[-1].split()[0])


def kept(user: User) -> list[str]:
    """Return the names of what is in the store, without what they are made from."""
    return sorted(path.name[:-33] for path in (user.cache / "v1/store").iterdir())


def environment(user: User, script: str) -> Path:
    """Return the environment of a script."""
    return Path(json.loads(user.run("scriptrun", "env", script, "--json").out)["environment"])


def listed(user: User) -> dict[str, dict[str, Any]]:
    """Return what `cache list --json` says, by the name of the script."""
    found = json.loads(user.run("scriptrun", "cache", "list", "--json").out)
    return {os.path.basename(one["scripts"][0]): one for one in found}


def remove(user: User, script: str) -> Finished:
    """Remove what was not used for an hour: the environment of this script."""
    path = environment(user, script)
    os.utime(path / ".stamp", (1e9, 1e9))
    return user.run("scriptrun", "cache", "prune", "--older-than", "1h", "--grace", "0")


def test_what_is_told_is_what_is_freed(sharing: User) -> None:
    """What `list` says of an environment is what `du` misses when it has gone, first of a shared one, then alone."""
    for script in ("one.py", "two.py"):
        before, told = du(sharing), listed(sharing)[script]["freed"]
        keys = len(list(sharing.cache.glob("v1/envs/*")))
        above = sum(path.stat().st_blocks * 512 for path in [environment(sharing, script).parent])
        assert remove(sharing, script).status == 0
        assert len(list(sharing.cache.glob("v1/envs/*"))) == keys - 1
        assert before - du(sharing) - above == told
    assert kept(sharing) == []


def test_distribution_goes_with_its_last_holder(sharing: User) -> None:
    """What only the removed environment held goes, the rest stays and works; the last one takes all, answers too."""
    assert kept(sharing) == ["common-1.0", "own-one-1.0", "own-two-1.0"]
    assert remove(sharing, "one.py").status == 0
    assert kept(sharing) == ["common-1.0", "own-two-1.0"]
    assert len(list(sharing.cache.glob("v1/pip/answers/*"))) == 1
    assert sharing.run("scriptrun", "cache", "verify") == (0, "", "")
    assert sharing.run("./two.py") == (0, "ran\n", "")
    assert remove(sharing, "two.py").status == 0
    assert kept(sharing) == []
    assert list(sharing.cache.glob("v1/pip/answers/*")) == []


def test_dry_run_adds_up(sharing: User) -> None:
    """What several share is told of the last of them; nothing goes."""
    sizes = listed(sharing)
    before = du(sharing)
    lines = sharing.run(*ALL, "--dry-run").out.splitlines()
    assert len(lines) == 3
    assert du(sharing) == before
    total = json.loads(sharing.run("scriptrun", "cache", "size", "--json").out)["freed"]
    assert total > sum(one["freed"] for one in sizes.values())
    assert lines[-1] == f"would remove 2 environments, {quantities.shown_octets(total)}"


def test_bytes_by_kind(sharing: User) -> None:
    """`size` splits what the cache takes on disk into environments, store and all else, links counted once."""
    facts = json.loads(sharing.run("scriptrun", "cache", "size", "--json").out)
    assert list(facts) == ["environments", "distributions", "size", "freed", "room"]
    assert (facts["environments"], facts["distributions"]) == (2, 3)
    store = sharing.cache / "v1/store"
    taken = int(subprocess.check_output(["du", "-s", "--block-size=1", store], text=True).split()[0])
    assert facts["room"]["store"] == taken - store.stat().st_blocks * 512
    assert facts["room"]["environments"] < facts["room"]["store"]
    assert facts["freed"] == facts["room"]["environments"] + facts["room"]["store"]
    files = {
        path.lstat().st_ino: path.lstat().st_size
        for path in sharing.cache.glob("v1/[es][nt][vo]*/**/*")
        if not path.is_dir() or path.is_symlink()
    }
    assert facts["size"] == sum(files.values())


def test_bound_of_room_counts_what_is_shared_once(sharing: User) -> None:
    """Environments that fit when what they share is counted once all stay; to make room, the least recent goes."""
    os.utime(environment(sharing, "one.py") / ".stamp", (1e9, 1e9))
    total = json.loads(sharing.run("scriptrun", "cache", "size", "--json").out)["freed"]
    bound = ("scriptrun", "cache", "prune", "--older-than", "9999d", "--grace", "0", "--max-size")
    assert "removed 0 " in sharing.run(*bound, str(total)).out
    assert "removed 1 " in sharing.run(*bound, str(total - 1)).out
    assert len(sharing.environments()) == 1
    assert "own-two-1.0" in kept(sharing)


def test_environment_removed_by_hand(sharing: User, index: Index) -> None:
    """It is put together again without pip; after a `prune`, which finds its distributions held by nobody, not."""
    shutil.rmtree(environment(sharing, "one.py"))
    index.requests.clear()
    assert sharing.run("./one.py") == (0, "ran\n", "")
    assert index.requests == []
    shutil.rmtree(environment(sharing, "one.py"))
    announced = sharing.run(*PRUNE, "--dry-run").out
    assert announced.startswith("would remove 1 distribution that no environment holds (")
    assert sharing.run(*PRUNE).status == 0
    assert kept(sharing) == ["common-1.0", "own-two-1.0"]
    assert sharing.run("./one.py") == (0, "ran\n", "")
    assert wares.pips(index) != {}


def test_young_distribution_stays_for_the_grace(sharing: User) -> None:
    """What was kept just now may be an environment's that is not complete yet: it stays as long as they do."""
    shutil.rmtree(sharing.cache / "v1/envs")
    assert sharing.run("scriptrun", "cache", "prune").status == 0
    assert len(kept(sharing)) == 3
    assert sharing.run(*PRUNE).status == 0
    assert kept(sharing) == []


def test_environments_with_files_of_their_own(sharing: User) -> None:
    """Where files are copies and no links, each environment is told to free its own, and the sum is what there is."""
    for script in ("one.py", "two.py"):
        for path in environment(sharing, script).rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_nlink > 1:
                content = path.read_bytes()
                path.unlink()
                path.write_bytes(content)
    os.sync()
    for script in ("one.py", "two.py"):
        before, told = du(sharing), listed(sharing)[script]["freed"]
        above = environment(sharing, script).parent.stat().st_blocks * 512
        assert told > 1_200_000
        assert remove(sharing, script).status == 0
        assert before - du(sharing) - above == told


def test_clear_takes_it_all(sharing: User) -> None:
    """`cache clear` leaves nothing of store, answers and sizes."""
    assert sharing.run("scriptrun", "cache", "clear", "--grace", "0").out.startswith("removed 2 environments, ")
    assert kept(sharing) == []
    assert [
        path for name in ("pip", "extents") for path in (sharing.cache / "v1" / name).rglob("*") if path.is_file()
    ] == []
