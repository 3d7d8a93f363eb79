"""A machine of a test's own, as far as cron is concerned: its users, its tables, its files of variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from support import everybody, mounts
from support.user import Finished, User

_MASKED = ("/etc/crontab", "/etc/environment", "/etc/default/locale", "/etc/pip.conf", "/etc/xdg/pip/pip.conf")

_PRIVATE = """\
mount --make-rprivate /
mount --bind {directory}/passwd /etc/passwd
mount --bind {directory}/shadow /etc/shadow
for file in {masked}; do [ ! -e $file ] || mount --bind {directory}/$(basename $file) $file; done
mount -t tmpfs none /etc/cron.d
mount -t tmpfs none /run
mount -t tmpfs none /var/spool/cron
mkdir -m 1730 /var/spool/cron/crontabs
for table in {directory}/tables/*; do
    [ ! -e $table ] || install -m 600 -o $(basename $table) $table /var/spool/cron/crontabs/
done
"""


def run(
    user: User,
    commands: str,
    *,
    homes: Mapping[str, tuple[int, Path | str]] | None = None,
    tables: Mapping[str, str] | None = None,
    variables: str = "",
) -> Finished:
    """Run shell commands as root of a namespace where cron has only these `tables`, by user, and these users.

    `homes` has number and home of each; by default root alone, whose home is the user's. `variables` is the text of
    /etc/environment.
    """
    everybody.require_root()
    everybody.require_programs("cron", "cron")
    directory = user.home.parent / "machine"
    (directory / "tables").mkdir(parents=True, exist_ok=True)
    users = {"root": (0, user.home), **(homes or {})}
    lines = [f"{name}:x:{number}:{number}::{home}:/bin/sh\n" for name, (number, home) in users.items()]
    (directory / "passwd").write_text("".join(lines))
    (directory / "shadow").write_text("".join(f"{name}:*:19000:0:99999:7:::\n" for name in users))
    for path in _MASKED:
        (directory / Path(path).name).write_text(variables if path == "/etc/environment" else "")
    for name, text in (tables or {}).items():
        (directory / "tables" / name).write_text(text)
    return mounts.in_namespace(user, _PRIVATE.format(directory=directory, masked=" ".join(_MASKED)) + commands)
