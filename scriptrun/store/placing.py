"""Put a file of the store into an environment, or the other way round, without a second copy of what it holds."""

import os
import stat

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def share(source: str, target: str) -> None:
    """Make `target` hold what the file `source` holds: as a hard link, else as a copy. Raises OSError.

    What was there gives way to it, as it does when pip installs.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        os.unlink(target)
        share(source, target)
    except OSError:  # no hard links here, or none more of this file
        import shutil  # half of a Python start

        shutil.copy2(source, target)


def protect(path: str) -> None:
    """Let nobody write to a file in place, by whichever name. Raises OSError."""
    mode = stat.S_IMODE(os.lstat(path).st_mode)
    if mode & _WRITABLE:
        os.chmod(path, mode & ~_WRITABLE)
