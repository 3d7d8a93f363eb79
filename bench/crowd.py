"""Make a cache with as many environments as a heavy user may have: a real one, and copies of it that could be real."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import workshop
from measure import tell
from workshop import Bench

ENVIRONMENTS = 10_000

SPREAD = 60
"""Over how many days the last uses are spread: fewer than after which environments go by themselves."""


@dataclass(frozen=True)
class _Model:
    """The real environment: what is in it, its manifest, and the launch record that leads to it."""

    path: Path
    manifest: Mapping[str, Any]
    record: Path
    directories: list[str]
    files: list[str]
    links: dict[str, str]


def make(bench: Bench, cache: Path) -> Path:
    """Fill a cache, unless it is full, and return it. Copies lack nothing; their files are hard links."""
    if (cache / "full").exists():
        return cache
    tell("making environments …")
    shutil.rmtree(cache, ignore_errors=True)
    launcher = bench.from_shebang("scriptrun", "crowd", workshop.tiny(1))
    command = bench.command("scriptrun", *launcher.arguments, SCRIPTRUN_CACHE_DIR=str(cache))
    workshop.run(command)
    model = _read_model(cache, bench.scripts / "crowd-scriptrun.py")
    (cache / "scripts").mkdir()
    for number in range(1, ENVIRONMENTS):
        _add(cache, model, number)
    (cache / "full").touch()
    tell("\r\x1b[K")
    return cache


def _read_model(cache: Path, script: Path) -> _Model:
    (path,) = (manifest.parent for manifest in cache.glob("v1/envs/*/*/scriptrun.json"))
    everything = sorted(path.rglob("*"))
    own = ("scriptrun.json", ".stamp")
    return _Model(
        path=path,
        manifest=json.loads((path / "scriptrun.json").read_text()),
        record=cache / f"v1/launch{script}/@record",
        directories=[str(one.relative_to(path)) for one in everything if one.is_dir() and not one.is_symlink()],
        files=[str(one.relative_to(path)) for one in everything if _is_plain(one) and one.name not in own],
        links={str(one.relative_to(path)): os.readlink(one) for one in everything if one.is_symlink()},
    )


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _add(cache: Path, model: _Model, number: int) -> None:
    """Add an environment for requirements of its own, and a script that uses it."""
    asked = {**model.manifest["asked"], "requirements": [f"tiny-000<{number + 1}"]}
    content = json.dumps([1, asked], sort_keys=True, separators=(",", ":"))
    key = hashlib.sha256(content.encode("ascii")).hexdigest()[:32]  # as `spec` makes it; `cache verify` looks at it
    environment = cache / "v1/envs" / key / f"{number:08x}"
    environment.mkdir(parents=True)
    for name in model.directories:
        (environment / name).mkdir()
    for name in model.files:
        os.link(model.path / name, environment / name)
    for name, target in model.links.items():
        (environment / name).symlink_to(target)
    manifest = {**model.manifest, "asked": asked, "key": key, "environment": str(environment)}
    (environment / "scriptrun.json").write_text(json.dumps(manifest, indent=1))
    (environment / ".stamp").touch()
    used = time.time() - 3600 - number / ENVIRONMENTS * SPREAD * 86400
    os.utime(environment / ".stamp", (used, used))
    (cache / "v1/keys" / key).write_text(f"{environment.name}\n")
    script = cache / "scripts" / f"{number}.py"
    script.touch()
    record = cache / f"v1/launch{script}/@record"
    record.parent.mkdir(parents=True)
    record.write_bytes(model.record.read_bytes().replace(os.fsencode(model.path), os.fsencode(environment)))
