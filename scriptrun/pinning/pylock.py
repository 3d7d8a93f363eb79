"""The text of a lock, as PEP 751 describes it, with what it was made from in `[tool.scriptrun]`."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import tomli
from packaging.pylock import Package, Pylock, PylockUnsupportedVersionError, PylockValidationError

from scriptrun.errors import LockError
from scriptrun.pinning.basis import Basis, Target

CREATOR = "scriptrun"

_MARKERS = ("implementation_name", "platform_machine", "python_version", "sys_platform")
"""What the standard's `environments` tell apart; the C library is in `[tool.scriptrun]` alone."""


@dataclass(frozen=True)
class Lock:
    """A lock: the file that it stands in, its text, what it was made from and for, and what is locked.

    `directory` is where relative paths in it start.
    """

    file: str
    directory: str
    text: str
    basis: Basis
    target: Target
    packages: tuple[Package, ...]

    @property
    def digest(self) -> str:
        """The digest of what is locked, as `sha256:…`: of the text without the name of the script, which may change."""
        return digest(re.sub(r'^script = ".*"\n', "", self.text, flags=re.MULTILINE))


def digest(text: str) -> str:
    """Return the digest of a lock's text, as `sha256:…`."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8')).hexdigest()}"


def compose(answer: str, directory: str, basis: Basis, target: Target, markers: Mapping[str, str]) -> str:
    """Return the text of a lock for a script in `directory`, of pip's `answer`, a lock whose paths start at the root.

    It is the same wherever it is made, as long as pip's answer is. Raises LockError where that is none.
    """
    packages = [_without_secrets(one) for one in _table(answer, "pip's answer")["packages"]]
    for package in packages:
        if "directory" in package:
            package["directory"]["path"] = _relative(os.sep + package["directory"]["path"], directory)
    told = {name: value for name, value in {**asdict(target), **asdict(basis)}.items() if value}
    content = {
        "lock-version": "1.0",
        "environments": [" and ".join(f"{name} == '{markers[name]}'" for name in _MARKERS)],
        "requires-python": f"=={markers['python_version']}.*",
        "created-by": CREATOR,
        "packages": packages,
        "tool": {"scriptrun": {name.replace("_", "-"): value for name, value in told.items()}},
    }
    import tomlkit  # a run comes here too, and only reads

    text = tomlkit.dumps(_validated(content, "pip's answer").to_dict())
    return re.sub(r"[^\x00-\x7f]", _escaped, text)  # in a script, whatever its encoding, it is the same


def parse(content: bytes, file: str, directory: str) -> Lock:
    """Return the lock that stands in `file`. Raises LockError where it is damaged, or not one of scriptrun's."""
    try:
        text = content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise LockError(f"the lock is damaged: {error}", place=file) from None
    lock = _validated(_table(text, file), file)
    made = (lock.tool or {}).get(CREATOR)
    if lock.created_by != CREATOR or not isinstance(made, Mapping):
        raise Foreign(
            f"the lock was made by {lock.created_by}, which does not say what from",
            place=file,
            hint="move it away, and make one that does: scriptrun lock SCRIPT",
        )
    try:
        basis = Basis(
            requirements=_strings(made.get("requirements", [])),
            constraints=_strings(made.get("constraints", [])),
            requires_python=str(made.get("requires-python", "")),
            options=dict(made.get("options", {})),
        )
        python, implementation, platform = (str(made[name]) for name in ("python", "implementation", "platform"))
        target = Target(python, implementation, platform, str(made.get("script", "")))
    except (KeyError, TypeError, ValueError):
        raise LockError("the lock is damaged: `[tool.scriptrun]` is incomplete", place=file) from None
    return Lock(file, directory, text, basis, target, tuple(lock.packages))


class Foreign(LockError):
    """The lock was made by another tool, or for another script."""


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError
    return tuple(value)


def _table(text: str, place: str) -> dict[str, Any]:
    try:
        return tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError) as error:
        raise LockError(f"the lock is damaged: {error}", place=place) from None


def _validated(table: dict[str, Any], place: str) -> Pylock:
    try:
        return Pylock.from_dict(table)
    except PylockUnsupportedVersionError as error:
        raise LockError(f"the lock is of a version that is not known: {error}", place=place) from None
    except PylockValidationError as error:
        raise LockError(f"the lock is damaged: {error}", place=place) from None


def _without_secrets(value: Any) -> Any:
    """Return part of a lock without user and password in its URLs; the user of an `ssh:` URL is no secret."""
    if isinstance(value, dict):
        return {name: _without_secrets(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_secrets(one) for one in value]
    if not isinstance(value, str):
        return value
    value = re.sub(r"(?<=\bssh://)([^/?#\s:@]*):[^/?#\s@]*@", r"\1@", value)
    return re.sub(r"(?<!\bssh)(://)[^/?#\s]*@", r"\1", value)


def _relative(path: str, directory: str) -> str:
    return os.path.relpath(path, os.path.realpath(directory)).replace(os.sep, "/")


def _escaped(found: re.Match[str]) -> str:
    return f"\\U{ord(found.group()):08x}"
