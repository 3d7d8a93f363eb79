"""Where the caches are, the user's own and one for everybody; where the configuration is, and the libraries."""

import os
import stat
import sys

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping

from scriptrun import paths
from scriptrun.errors import CacheError, ConfigurationError, ScriptrunError

SITE_CONFIGURATION = "/etc/scriptrun/config.toml"
"""The configuration that an administrator makes for everybody."""

_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# This directory is a cache made by scriptrun.\n"


class Caches:
    """The caches that a run may use: `system` is looked into first and never written to, `own` is the user's.

    Either may be `""`; then `lacking` says why there is no own one, and `note` is what the user should know.
    """

    __slots__ = ("lacking", "note", "own", "system")

    def __init__(self, own: str, system: str, note: str, lacking: "CacheError | None" = None) -> None:
        self.own = own
        self.system = system
        self.note = note
        self.lacking = lacking

    def writable(self) -> str:
        """Return the user's own cache. Raises CacheError where there is none."""
        if self.lacking is not None:
            raise self.lacking
        return self.own


def find(environ: "Mapping[str, str]") -> Caches:
    """Return the caches that `environ` leads to. Raises CacheError where there is none at all."""
    system, refused = system_cache(environ)
    try:
        own, note = open_cache(environ)
    except CacheError as error:
        if not system:
            raise
        error.hint = f"have it prepared for everybody, by `scriptrun sync --system`; or {error.hint}"
        return Caches("", system, "", error)
    return Caches(own, "" if system == own else system, refused or note)


def cache_directory(environ: "Mapping[str, str]") -> str:
    """Return the cache directory that `environ` asks for, or `""` where it names no usable home.

    The same as the launcher finds, on every POSIX system; and on Linux the same as platformdirs answers, whose import
    costs as much as starting Python twice.
    """
    explicit = environ.get("SCRIPTRUN_CACHE_DIR", "")
    if explicit:
        return paths.absolute(explicit)
    if sys.platform == "win32":
        import platformdirs

        return platformdirs.user_cache_dir("scriptrun", appauthor=False)
    xdg = environ.get("XDG_CACHE_HOME", "")
    if xdg.startswith("/"):
        return os.path.join(xdg, "scriptrun")
    home = environ.get("HOME", "")
    if home.startswith("/") and os.path.isdir(home):
        return os.path.join(home, ".cache", "scriptrun")
    return ""


def open_cache(environ: "Mapping[str, str]") -> "tuple[str, str]":
    """Return the cache directory, made if need be, and a note for the user (`""`: nothing to say).

    Falls back to a private directory below the temporary one where there is no usable home. Raises CacheError
    where others could write to the directory, or where an explicitly named one cannot be made.
    """
    cache = cache_directory(environ)
    reason = "there is no home directory to keep it in"
    if cache and _is_somebody_elses(cache) and not environ.get("SCRIPTRUN_CACHE_DIR"):
        reason = f"`{cache}` would be in the home of another user (`sudo -H` changes to one's own)"
    elif cache:
        try:
            make(cache)
        except OSError as error:
            if environ.get("SCRIPTRUN_CACHE_DIR"):
                raise CacheError(
                    f"the cache directory `{cache}` cannot be made: {error.strerror}",
                    hint="set SCRIPTRUN_CACHE_DIR to a directory that you can write to",
                ) from None
            reason = f"`{cache}` cannot be made: {error.strerror}"
        else:
            _refuse_foreign(cache)
            return cache, ""
    return _fallback(environ, reason)


def _fallback(environ: "Mapping[str, str]", reason: str) -> "tuple[str, str]":
    directory = os.path.abspath(environ.get("TMPDIR") or "/tmp")  # noqa: S108 - whose it is, is checked below
    cache = os.path.join(directory, f"scriptrun-{os.geteuid()}")
    _refuse_movable(cache)
    try:
        make(cache)
    except OSError as error:
        raise CacheError(
            f"no place for the cache: {reason}; `{cache}` cannot be made: {error.strerror}",
            hint="set SCRIPTRUN_CACHE_DIR to a directory that you can write to",
        ) from None
    if os.path.islink(cache):  # anybody can make one there
        raise CacheError(f"`{cache}` is a symbolic link", hint="set SCRIPTRUN_CACHE_DIR to a directory of your own")
    _refuse_foreign(cache)
    return cache, f"the cache is in `{cache}`, as {reason}; set SCRIPTRUN_CACHE_DIR to choose a place"


def _is_somebody_elses(cache: str) -> bool:
    """Tell whether `cache` is, or root would make it, in a home of somebody else: under `sudo`.

    Who owns a directory above it, or a link in its place, could put another one there while root's script runs.
    """
    if sys.platform == "win32" or os.geteuid() != 0 or (os.path.isdir(cache) and os.stat(cache).st_uid != 0):
        return False
    home = os.path.dirname(os.path.dirname(cache))
    directory = cache
    while not os.path.lexists(directory):
        directory = os.path.dirname(directory)
    while os.lstat(directory).st_uid == 0 and len(directory) > len(home):
        directory = os.path.dirname(directory)
    return os.lstat(directory).st_uid != 0


def make(cache: str) -> None:
    """Make the directory of a cache, private, unless it is there. Raises OSError."""
    if os.path.isdir(cache):
        return
    paths.make_directories(os.path.dirname(cache), clear=False)
    try:
        os.mkdir(cache, 0o700)
    except FileExistsError:
        if not os.path.isdir(cache):
            raise
        return
    os.chmod(cache, 0o700)


def tag(cache: str) -> None:
    """Tag the directory as a cache, unless it is, or holds other things too, which backups must not leave out.

    Raises OSError.
    """
    if all(name == paths.LAYOUT or name.startswith("CACHEDIR.TAG.") for name in os.listdir(cache)):
        paths.replace(os.path.join(cache, "CACHEDIR.TAG"), _TAG)


def _refuse_foreign(cache: str) -> None:
    """Raise CacheError where somebody else could put a program into the cache."""
    if sys.platform == "win32":
        return
    _refuse_foreign_directory(cache)
    layout = os.path.join(cache, paths.LAYOUT)
    if os.path.isdir(layout):
        _refuse_foreign_directory(layout)


def _refuse_foreign_directory(cache: str) -> None:
    status = os.stat(cache)
    if status.st_uid != os.geteuid():
        raise CacheError(
            f"the cache directory `{cache}` belongs to another user (uid {status.st_uid})",
            hint="set SCRIPTRUN_CACHE_DIR to a directory of your own, or HOME to your home (`sudo -H`)",
        )
    if status.st_mode & 0o022:
        import shlex  # with `re`, which takes a third of a Python start

        raise CacheError(
            f"the cache directory `{cache}` can be written to by other users",
            hint=f"look at what is in it, then run: chmod 700 {shlex.quote(cache)}",
        )


def _refuse_movable(cache: str) -> None:
    """Raise CacheError where somebody else could put another directory in the place of the cache."""
    if sys.platform == "win32":
        return
    above = os.path.dirname(cache)
    if not os.path.isdir(above):
        return
    status = os.stat(above)
    if status.st_uid not in (0, os.geteuid()) or (status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX):
        raise CacheError(
            f"the cache directory `{cache}` can be moved away by other users: `{above}` is not only yours",
            hint="set SCRIPTRUN_CACHE_DIR to a directory of your own",
        )


def system_cache(environ: "Mapping[str, str]") -> "tuple[str, str]":
    """Return the system's cache (`""`: there is none to be used), and why one that should be there is not used.

    It is used only if nobody but root and the user could put a program into it: itself and all directories above it
    belong to one of them, and nobody else can write there. Nothing is ever written to it here.
    """
    asked = environ.get("SCRIPTRUN_SYSTEM_CACHE")
    path = paths.SYSTEM_CACHE if asked is None else asked
    if not path or sys.platform == "win32":
        return "", ""
    path = paths.absolute(path)
    if not os.path.isdir(path):
        return "", "" if asked is None else f"the system's cache `{path}` is not used: there is no such directory"
    doubt = doubt_about(path)
    return ("", f"the system's cache `{path}` is not used: {doubt}") if doubt else (path, "")


def doubt_about(path: str) -> str:
    """Return who else than root and the user could put an environment into the cache `path`, `""` where nobody can."""
    for cache in {path, os.path.realpath(path)}:
        directory = os.path.join(cache, paths.LAYOUT, "envs")
        while True:
            try:
                status = os.stat(directory)
            except FileNotFoundError:  # not made yet
                directory = os.path.dirname(directory)
                continue
            except OSError as error:
                return f"`{directory}` cannot be looked at: {error.strerror}"
            if status.st_uid not in (0, os.geteuid()):
                return f"`{directory}` belongs to another user (uid {status.st_uid})"
            # Above, others may add what they like, as in /tmp, where they cannot rename or remove.
            if status.st_mode & 0o022 and (len(directory) >= len(cache) or not status.st_mode & stat.S_ISVTX):
                return f"`{directory}` can be written to by other users"
            above = os.path.dirname(directory)
            if above == directory:
                break
            directory = above
    return ""


def find_libraries() -> None:
    """Let the libraries be found that scriptrun stands on: the launcher starts Python without."""
    if sys.flags.no_site:
        import site

        site.main()


def configurations(environ: "Mapping[str, str]") -> "tuple[str, str]":
    """Return the files of the machine's and the user's configuration, whether they are there or not.

    The launcher looks at the same places. The first is fixed: XDG_CONFIG_DIRS is one thing on a desktop and another
    in a cron table. So is the second on every POSIX system.
    """
    base = environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        base = environ.get("HOME", "") + "/.config"
    return SITE_CONFIGURATION, f"{base}/scriptrun/config.toml"


def is_there(path: str) -> bool:
    """Tell whether there is a file of the configuration.

    Raises ConfigurationError for another thing in its place: without it the run could go on without a policy.
    """
    if os.path.isfile(path):
        return True
    if os.path.lexists(path):
        raise ConfigurationError(
            f"the configuration `{path}` is no file, or a link that leads to none",
            hint="remove it, or put a file in its place",
        )
    return False


def configured(environ: "Mapping[str, str]") -> bytes:
    """Return path and content of each file of the configuration that is there, as the launcher reads them.

    Raises ScriptrunError.
    """
    content = b""
    for path in configurations(environ):
        if is_there(path):
            try:
                with open(path, "rb") as file:
                    content += os.fsencode(path) + b"\n" + file.read() + b"\n"
            except OSError as error:
                raise ScriptrunError(f"the configuration `{path}` cannot be read: {error.strerror}") from None
    return content
