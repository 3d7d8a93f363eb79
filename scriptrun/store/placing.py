"""Put a file of the store into an environment, or the other way round, without a second copy of what it holds."""

from __future__ import annotations

import os
import stat

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def share(source: str, target: str) -> None:
    """Make `target`, which is not there, hold what the file `source` holds: as a hard link, else as a copy.

    Raises OSError.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # no hard links here, or none more of this file
        import shutil  # rare, and with all that archives need

        shutil.copy2(source, target)


def protect(path: str) -> None:
    """Let nobody write to a file in place, by whichever name. Raises OSError."""
    mode = stat.S_IMODE(os.lstat(path).st_mode)
    if mode & _WRITABLE:
        os.chmod(path, mode & ~_WRITABLE)
