"""The generations of an environment: which of them is current, and making another one that.

Imported on the way to a script whose environment has gone, too, so it imports next to nothing.
"""

import errno
import os
import sys

from scriptrun import paths


def current(cache: str, key: str) -> "str | None":
    """Return the name of the generation that the pointer of `key` names, None where there is no pointer that does."""
    try:
        generation = paths.read(paths.pointer(cache, key)).decode("ascii").strip()
    except (OSError, ValueError):
        return None
    return generation if generation.isalnum() else None


def publish(cache: str, key: str, environment: str) -> None:
    """Make a complete environment the current one of its key. Raises OSError.

    What was current before stays for those who run in it, and is marked, so that no launch record leads there again.
    """
    before = current(cache, key)
    paths.replace(paths.pointer(cache, key), f"{os.path.basename(environment)}\n".encode("ascii"), durable=False)
    try:  # not by rename: a temporary file would stay if this was killed
        os.close(os.open(paths.stamp(environment), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError:
        pass
    former = os.path.join(paths.environments(cache, key), before or "")
    if before is not None and os.path.isdir(former):
        try:
            paths.replace(paths.condemned(former), b"")
        except OSError:
            pass


def settle(path: str) -> None:
    """See to it that all that was written below `path`, and more, is on disk, before anything vouches for it.

    Raises OSError: some file systems say only now that a disk or a quota is full.
    """
    if sys.platform == "linux":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if _sync(descriptor):
                return
            import ctypes

            if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) == 0:
                return
            if ctypes.get_errno() != errno.ENOSYS:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
        except (AttributeError, ImportError):  # a C library without it, or a Python without `ctypes`
            pass
        finally:
            os.close(descriptor)
    if hasattr(os, "sync"):
        os.sync()


def _sync(descriptor: int) -> bool:
    """Tell whether the file system of an open file is on disk: `syncfs`, without `ctypes`, which takes long to import.

    Where it fails, or cannot be called so, `ctypes` tells why, or calls it.
    """
    try:
        import _ctypes

        address = _ctypes.dlsym(_ctypes.dlopen(None, 0), "syncfs")  # type: ignore[arg-type] # as `ctypes` calls it
        return bool(_ctypes.call_function(address, (descriptor,)) == 0)
    except (AttributeError, ImportError, OSError):  # PyPy's is another; the C library has no `syncfs`
        return False
