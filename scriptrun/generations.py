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
            failed = _sync(descriptor)
        except (AttributeError, ImportError, OSError):  # a C library without it, or a Python without `_ctypes`
            failed = errno.ENOSYS
        finally:
            os.close(descriptor)
        if not failed:
            return
        if failed != errno.ENOSYS:
            raise OSError(failed, os.strerror(failed), path)
    if hasattr(os, "sync"):
        os.sync()


def _sync(descriptor: int) -> int:
    """See to it that the file system of an open file is on disk (`syncfs`); return 0, or the number of the error.

    Without `ctypes`, which takes long to import. The system tells of an error once: nobody can ask for it again.
    """
    import _ctypes

    class Number(_ctypes._SimpleCData):  # type: ignore[type-arg] # noqa: SLF001 - as `ctypes.c_int`
        _type_ = "i"

    class Function(_ctypes.CFuncPtr):  # as that of `ctypes.CDLL`
        _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
        _restype_ = Number

    own = _ctypes.dlopen(None, 0)  # type: ignore[arg-type] # as `ctypes` calls it
    synchronize = Function(_ctypes.dlsym(own, "syncfs"))
    return _ctypes.get_errno() if synchronize(descriptor) else 0
