"""The link `.venv` beside a script, which leads to its environment: where editors look for one."""

from __future__ import annotations

import os
import re

from scriptrun import paths, spec
from scriptrun.errors import CacheError

NAME = ".venv"

_OURS = re.compile(rf"/.*/{paths.LAYOUT}/envs/[0-9a-f]{{{spec.KEY_LENGTH}}}/\w+")
"""What a link leads to that was made here, whether that is still there or not."""


def point(directory: str, environment: str) -> str:
    """Make the link in `directory` lead to `environment`; return another environment that it led to, `""`: to none.

    Generations of one key are the same environment. Raises CacheError where something else has that name.
    """
    link = os.path.join(directory, NAME)
    before = _target(link)
    temporary = f"{link}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        os.symlink(environment, temporary)
        os.replace(temporary, link)
    except OSError as error:
        raise CacheError(f"the link `{link}` cannot be made: {error.strerror}") from None
    same_key = os.path.dirname(before) == os.path.dirname(environment)
    return before if os.path.isdir(before) and not same_key else ""


def _target(link: str) -> str:
    """Return where a link of ours leads, `""` where there is nothing. Raises CacheError."""
    try:
        target = os.readlink(link)
    except FileNotFoundError:
        return ""
    except OSError:
        target = ""
    if not _OURS.fullmatch(target):
        what = f"a link to `{target}`" if target else "no link"
        raise CacheError(
            f"`{link}` is {what}, and was not made by scriptrun",
            hint="move it away, or leave out --venv-link",
        )
    return target
