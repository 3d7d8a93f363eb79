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
    directories = [user.cache / "v1/envs", *user.cache.glob("v1/store")]
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
    assert sharing.run(*PRUNE).status == 0, "byte code has been taken over"
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
    answers = [path.read_text() for path in sharing.cache.glob("v1/pip/answers/*")]
    assert {("own-one" in text, "own-two" in text) for text in answers} == {(False, True)}
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
    above = [sharing.cache / "v1/store", *sharing.cache.glob("v1/envs"), *sharing.cache.glob("v1/envs/*")]
    room = {path: path.stat().st_blocks * 512 for path in above}
    store = int(subprocess.check_output(["du", "-s", "--block-size=1", above[0]], text=True).split()[0])
    assert facts["room"]["store"] == store - room[above[0]]
    assert facts["freed"] == facts["room"]["environments"] + facts["room"]["store"] == du(sharing) - sum(room.values())
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


@pytest.mark.parametrize("lost", ["all", "by repair"])
def test_what_left_the_store_is_still_shared(sharing: User, lost: str) -> None:
    """What environments share with one another alone is told of the last of them, is bounded, and all adds up."""
    if lost == "all":
        shutil.rmtree(sharing.cache / "v1/store")
    else:
        damaged(sharing)
        assert sharing.run(*VERIFY, "--repair").status == 0
    keys = [sharing.cache / "v1/envs", *sharing.cache.glob("v1/envs/*"), *sharing.cache.glob("v1/store")]
    total = du(sharing) - sum(path.stat().st_blocks * 512 for path in keys)
    facts = json.loads(sharing.run("scriptrun", "cache", "size", "--json").out)
    assert (facts["freed"], sum(list(facts["room"].values())[:2])) == (total, total)
    lines = sharing.run(*ALL, "--dry-run").out.splitlines()
    assert lines[-1].endswith(f"environments, {quantities.shown_octets(total)}")
    bound = ("scriptrun", "cache", "prune", "--older-than", "9999d", "--grace", "0", "--dry-run", "--max-size")
    if lost == "all":
        assert "would remove 0 " in sharing.run(*bound, str(total)).out
        assert "would remove 1 " in sharing.run(*bound, str(total - 1)).out
        assert remove(sharing, "one.py").status == 0
        (left,) = json.loads(sharing.run("scriptrun", "cache", "list", "--json").out)
        above = [sharing.cache / "v1/envs", *sharing.cache.glob("v1/envs/*")]
        assert left["freed"] == du(sharing) - sum(path.stat().st_blocks * 512 for path in above)


def test_clear_takes_it_all(sharing: User) -> None:
    """`cache clear` leaves nothing of store, answers and sizes."""
    assert sharing.run("scriptrun", "cache", "clear", "--grace", "0").out.startswith("removed 2 environments, ")
    assert kept(sharing) == []
    assert [
        path for name in ("pip", "extents") for path in (sharing.cache / "v1" / name).rglob("*") if path.is_file()
    ] == []


VERIFY = ("scriptrun", "cache", "verify")


def damaged(user: User) -> Path:
    """Change a byte of a file that environments share, in place, as a bad disk does: length and time stay."""
    (path,) = user.cache.glob("v1/store/common-*/content/site/common/m3.py")
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-5] = ord("y")
    with open(path, "r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return path


def test_damage_in_the_store_is_found_in_all_that_share_it(sharing: User) -> None:
    """It is told of the store, with who holds it, and of each environment; what is sound is not told."""
    name = damaged(sharing).parents[3].name
    keys = sorted(path.parent.name for path in sharing.environments())
    assert sharing.run(*VERIFY) == (
        1,
        f"store: {name}: site/common/m3.py differs; held by {keys[0]}, {keys[1]}\n"
        + "".join(f"{key}: common 1.0: common/m3.py differs\n" for key in keys),
        "",
    )


def test_repair_does_not_spread_damage(sharing: User, index: Index) -> None:
    """What is damaged leaves the store before pip is asked; then all environments are sound, and share again."""
    path = damaged(sharing)
    name = path.parents[3].name
    keys = sorted(path.parent.name for path in sharing.environments())
    before = {path.parent.name: path for path in sharing.environments()}
    index.requests.clear()
    finished = sharing.run(*VERIFY, "--repair")
    assert (finished.status, len(finished.out.splitlines())) == (0, 3)
    notes = [f"{name} was removed from the store", *(f"{key} was rebuilt" for key in keys)]
    assert finished.err.splitlines() == [f"scriptrun: note: {note}" for note in notes]
    assert wares.pips(index) != {}
    assert sharing.run(*VERIFY) == (0, "", "")
    after = {path.parent.name: path for path in sharing.environments() if path not in before.values()}
    assert sorted(after) == keys
    files = [*sharing.cache.glob(f"v1/store/{name}/content/site/common/m3.py")]
    files += [next(one.glob("lib/python*/site-packages/common/m3.py")) for one in after.values()]
    assert len(files) == 3
    assert len({file.stat().st_ino for file in files}) == 1
    assert files[0].read_text() == f"V = {'x' * 60000!r}\n"
    assert [sharing.run(f"./{name}.py").out for name in ("one", "two")] == ["ran\n", "ran\n"]


def test_damage_that_nobody_holds(sharing: User) -> None:
    """A damaged distribution without environments is found, and goes when repaired: later runs ask pip."""
    name = damaged(sharing).parents[3].name
    shutil.rmtree(sharing.cache / "v1/envs")
    assert sharing.run(*VERIFY) == (1, f"store: {name}: site/common/m3.py differs\n", "")
    assert sharing.run(*VERIFY, "--repair", "-q").status == 0
    assert sharing.run(*VERIFY) == (0, "", "")
    assert kept(sharing) == ["own-one-1.0", "own-two-1.0"]
    assert sharing.run("./one.py") == (0, "ran\n", "")


def test_description_in_the_store_is_damaged(sharing: User) -> None:
    """A distribution that nothing is known of is told, and goes when repaired; one of another version stays."""
    (mine,) = sharing.cache.glob("v1/store/common-*/kept.json")
    (other,) = sharing.cache.glob("v1/store/own-one-*/kept.json")
    other.write_text('{"format": 999}')
    mine.write_bytes(mine.read_bytes()[:100])
    keys = ", ".join(sorted(path.parent.name for path in sharing.environments()))
    assert sharing.run(*VERIFY) == (1, f"store: {mine.parent.name}: kept.json differs; held by {keys}\n", "")
    assert sharing.run(*VERIFY, "--repair").status == 0
    assert kept(sharing) == ["own-one-1.0", "own-two-1.0"]
    assert sharing.run(*VERIFY) == (0, "", "")
