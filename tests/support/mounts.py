"""Mounts of a test's own, which nobody else sees and which end with it."""

from __future__ import annotations

import os

from support.user import Finished, User


def in_namespace(user: User, commands: str, *more: str) -> Finished:
    """Run shell commands as root of a mount namespace of their own, and of others as `more` options say."""
    finished = user.run("unshare", *([] if os.geteuid() == 0 else ["-r"]), "-m", *more, "sh", "-ec", commands)
    assert "unshare" not in finished.err, "the test needs util-linux, and a kernel that allows namespaces"
    return finished
