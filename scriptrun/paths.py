"""Where everything is on disk.

CACHE/                     the user's cache directory or the system's (`location` finds both)
  CACHEDIR.TAG             tells backup programs to leave it out
  v1/                      the layout's version: another one lives beside it, never inside
    envs/KEY/GENERATION/   one environment: built here, never moved, never changed once published
      scriptrun.json       the manifest: written last, its presence means "complete"
      .stamp               empty; made when the environment is published; its mtime is the last use
      .due-SECONDS         empty; where a script sets a maximum age: its mtime is when pip is to be asked again
      condemned            empty; while it is there, nobody starts in this environment
    keys/KEY               which generation of KEY is current; replaced by rename
    locks/KEY              held while KEY is built or removed; removed only by who holds it; in it is the process id
                           of who took it last, and on the next line why that one gave up, if it did
    running/DIGEST         held by the process of a script that is not to run twice; the hash of its real path, or URL
    launch/PATH/@record    what the launcher may do with the script at PATH
    launch/PATH/@lock-SUM  the lock beside the script, if the record is for one: its copy, named by a checksum
    answers/CHECKSUM       which environment answered a launch that is asked for again
    pip/answers/KEY.json   pip's answer: which distributions it installed for KEY, or KEY of all patch versions
    pip/projects/GROUND/NAME.json  what pip found of a project, and which files it took
    pip/bytecode/PATH      byte code of pip itself, for Pythons for which none can be kept beside it
    recipes/KEY            what it takes to put the environment of KEY together once more
    store/NAME/            one distribution as pip unpacked it, for all environments; named by what it is made from
    interpreters/          what is known of the Python interpreters of this machine
    extents/KIND           what each of the environments, or of the distributions in the store, took when last measured
    isolated/NAME/         environments for one run
    remote/urls/DIGEST     which content is trusted at a URL: hashes of both, so that no URL is written down
    remote/scripts/SHA256/ a program from a URL, by the hash of its content, under its own name
    bundles/ID/            the script of a bundle, under its own name; its mtime is the last use
    trash/                 what is being removed: renamed to here first
    removal                held by who removes: one at a time
    pruned                 empty; its mtime is when a run last saw to the cache's bounds by itself
"""

import os
import stat
import sys

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from scriptrun.errors import ScriptrunError

LAYOUT = "v1"

SYSTEM_CACHE = "/var/cache/scriptrun"
"""Where the system's cache is, unless SCRIPTRUN_SYSTEM_CACHE says otherwise."""


def absolute(path: str) -> str:
    """Return `path` as an absolute one. Raises ScriptrunError where it is relative to a directory that has gone."""
    try:
        return os.path.abspath(path)
    except OSError:
        raise _lost(path) from None


def real(path: str) -> str:
    """Return `path` with links followed. Raises ScriptrunError where it is relative to a directory that has gone."""
    try:
        return os.path.realpath(path)
    except OSError:
        raise _lost(path) from None


def _lost(path: str) -> "ScriptrunError":
    from scriptrun.errors import ScriptrunError  # not needed where an environment has gone

    return ScriptrunError(
        f"`{path}` is relative to the current directory, which does not exist", hint="say it as an absolute path"
    )


def environments(cache: str, key: str) -> str:
    """Return the directory that holds the generations of `key`."""
    return os.path.join(all_environments(cache), key)


def all_environments(cache: str) -> str:
    """Return the directory that holds the directories of all keys."""
    return os.path.join(cache, LAYOUT, "envs")


def pointer(cache: str, key: str) -> str:
    """Return the file that names the current generation of `key`."""
    return os.path.join(pointers(cache), key)


def pointers(cache: str) -> str:
    """Return the directory that holds the pointers of all keys."""
    return os.path.join(cache, LAYOUT, "keys")


def lock(cache: str, key: str) -> str:
    """Return the file that is locked while `key` is built."""
    return os.path.join(locks(cache), key)


def locks(cache: str) -> str:
    """Return the directory that holds the locks of all keys."""
    return os.path.join(cache, LAYOUT, "locks")


def running(cache: str, digest: str) -> str:
    """Return the file that is locked while the program that this digest stands for runs."""
    return os.path.join(all_running(cache), digest)


def all_running(cache: str) -> str:
    """Return the directory that holds the locks of programs that are not to run twice."""
    return os.path.join(cache, LAYOUT, "running")


def record(cache: str, script: str) -> str:
    """Return where the launcher looks for the launch record of the file `script`."""
    return records(cache) + os.path.abspath(script) + "/@record"


def records(cache: str) -> str:
    """Return the directory that holds all launch records, each at the path of its script."""
    return os.path.join(cache, LAYOUT, "launch")


def holds(cache: str, path: str) -> bool:
    """Tell whether `path` is below the cache directory; the launcher knows neither its fallback nor its real name."""
    if not cache:
        return False
    plain = [os.path.abspath(one).replace("//", "/") for one in (cache, path)]
    return plain[1].startswith(plain[0] + os.sep)


def answer(cache: str, checksum: int) -> str:
    """Return the file that remembers which environment a launch needs whose question has this checksum."""
    return os.path.join(answers(cache), f"{checksum:08x}")


def answers(cache: str) -> str:
    """Return the directory that holds the answers to launches."""
    return os.path.join(cache, LAYOUT, "answers")


def pip_answer(cache: str, key: str) -> str:
    """Return the file that says which distributions pip installed for `key`."""
    return os.path.join(pip_answers(cache), f"{key}.json")


def pip_answers(cache: str) -> str:
    """Return the directory that holds pip's answers."""
    return os.path.join(cache, LAYOUT, "pip", "answers")


def byte_code(environment: str) -> str:
    """Return the directory of byte code of what is outside of the cache that an environment is in."""
    return all_byte_code(environment.rpartition(f"{os.sep}{LAYOUT}{os.sep}")[0])


def all_byte_code(cache: str) -> str:
    """Return the directory of byte code of what is outside of the cache."""
    return os.path.join(cache, LAYOUT, "pip", "bytecode")


def pip_project(cache: str, ground: str, name: str) -> str:
    """Return the file that says what is known of a project, where all that bears on it has the digest `ground`."""
    return os.path.join(pip_projects(cache), ground, f"{name}.json")


def pip_projects(cache: str) -> str:
    """Return the directory that holds what is known of the projects of an index."""
    return os.path.join(cache, LAYOUT, "pip", "projects")


def recipe(cache: str, key: str) -> str:
    """Return the file that says how the environment of `key` is put together once more."""
    return os.path.join(recipes(cache), key)


def recipes(cache: str) -> str:
    """Return the directory of recipes."""
    return os.path.join(cache, LAYOUT, "recipes")


def store(cache: str) -> str:
    """Return the directory of distributions that are kept for all environments."""
    return os.path.join(cache, LAYOUT, "store")


def interpreters(cache: str) -> str:
    """Return the directory that remembers interpreters."""
    return os.path.join(cache, LAYOUT, "interpreters")


def extents(cache: str) -> str:
    """Return the directory that tells what was measured."""
    return os.path.join(cache, LAYOUT, "extents")


def isolated(cache: str) -> str:
    """Return the directory of the environments that live for one run."""
    return os.path.join(cache, LAYOUT, "isolated")


def remote_url(cache: str, digest: str) -> str:
    """Return the file that tells which content is trusted at the URL with this digest."""
    return os.path.join(remote_urls(cache), digest)


def remote_urls(cache: str) -> str:
    """Return the directory that tells which content is trusted at which URL."""
    return os.path.join(cache, LAYOUT, "remote", "urls")


def remote_scripts(cache: str) -> str:
    """Return the directory of the programs that came from URLs, each in a directory named by its hash."""
    return os.path.join(cache, LAYOUT, "remote", "scripts")


def bundle(cache: str, identity: str) -> str:
    """Return the directory of the script of a bundle."""
    return os.path.join(bundles(cache), identity)


def bundles(cache: str) -> str:
    """Return the directory of the scripts of bundles."""
    return os.path.join(cache, LAYOUT, "bundles")


def trash(cache: str) -> str:
    """Return the directory of what is being removed."""
    return os.path.join(cache, LAYOUT, "trash")


def removal(cache: str) -> str:
    """Return the file that is locked by who removes."""
    return os.path.join(cache, LAYOUT, "removal")


def pruned(cache: str) -> str:
    """Return the file whose mtime is when a run last saw to the cache's bounds by itself."""
    return os.path.join(cache, LAYOUT, "pruned")


def compiled(cache: str) -> str:
    """Return the file whose mtime is when byte code was last taken over from environments."""
    return os.path.join(cache, LAYOUT, "compiled")


def manifest(environment: str) -> str:
    """Return the manifest of an environment."""
    return os.path.join(environment, "scriptrun.json")


def stamp(environment: str) -> str:
    """Return the file whose mtime is the last use of an environment."""
    return os.path.join(environment, ".stamp")


def condemned(environment: str) -> str:
    """Return the mark of an environment in which nobody is to start any more."""
    return os.path.join(environment, "condemned")


def due(environment: str, max_age: float) -> str:
    """Return the file whose mtime is when pip is to be asked again, for scripts with this maximum age in seconds."""
    return os.path.join(environment, f".due-{max_age:.0f}")


def programs(environment: str) -> str:
    """Return the directory of an environment's programs."""
    return os.path.join(environment, "Scripts" if sys.platform == "win32" else "bin")


def python(environment: str) -> str:
    """Return the Python of an environment."""
    return os.path.join(programs(environment), "python.exe" if sys.platform == "win32" else "python")


def site_packages(environment: str) -> str:
    """Return the directory of modules of an environment: that of its own Python. Raises OSError.

    Distributions may put whatever they like beside it, also what looks like the directory of another Python.
    """
    if os.name == "nt":
        return os.path.join(environment, "Lib", "site-packages")
    library = os.path.join(environment, "lib")
    found = [name for name in sorted(os.listdir(library)) if _is_of_python(library, name)]
    if len(found) > 1:
        found = [name for name in found if os.path.lexists(os.path.join(environment, "bin", name.removesuffix("t")))]
    if not found:
        raise FileNotFoundError(f"`{library}` has no directory of modules")
    return os.path.join(library, found[0], "site-packages")


def _is_of_python(library: str, name: str) -> bool:
    """Tell whether a directory has modules, and the name of a Python's own directory, as `python3.13t`."""
    major, _, minor = name.removeprefix("python").removeprefix("pypy").removesuffix("t").partition(".")
    named = name.startswith(("python", "pypy")) and major.isdigit() and minor.isdigit()
    return named and os.path.isdir(os.path.join(library, name, "site-packages"))


def read(path: str) -> bytes:
    """Return what the ordinary file at `path` holds; a pipe in its place would wait for ever. Raises OSError."""
    if not os.path.isfile(path):
        raise OSError(f"`{path}` is not an ordinary file")
    with open(path, "rb") as file:
        return file.read()


def replace(path: str, content: bytes, *, durable: bool = True) -> None:
    """Write `content` to `path`, a file of the layout, by rename, so that no reader sees a part of it.

    What need not be `durable` may be empty after a loss of power: it is known by its content, and can be made again.

    Directories are made, mode 0700; whatever is in the way is damage, and removed. What others left who
    died while they did the same goes too. Raises OSError.
    """
    try:
        _write(path, content, durable=durable)
    except FileNotFoundError:  # a machine that shares this directory, and knows nothing of this process, has tidied up
        _write(path, content, durable=durable)
    _remove_leavings(*os.path.split(path))


def _write(path: str, content: bytes, *, durable: bool) -> None:
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        descriptor = os.open(temporary, flags, 0o600)
    except OSError:  # a directory is missing, or something else is in its place
        make_directories(os.path.dirname(path))
        descriptor = os.open(temporary, flags, 0o600)
    try:
        with open(descriptor, "wb") as file:
            os.chmod(temporary, 0o600)  # whatever the umask took away
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        try:
            os.replace(temporary, path)
        except IsADirectoryError:
            remove(path)
            os.replace(temporary, path)
    except OSError:
        try:
            os.unlink(temporary)
        except FileNotFoundError:
            pass
        raise


def _remove_leavings(directory: str, name: str) -> None:
    """Remove the temporary files beside the file `name` whose writers are dead."""
    try:
        for other in os.listdir(directory):
            writer = other[len(name) + 1 :].partition(".")[0] if other.startswith(f"{name}.") else ""
            if writer.isdigit() and not lives(int(writer)):
                os.unlink(os.path.join(directory, other))
    except OSError:  # another process does the same
        pass


def lives(pid: int) -> bool:
    """Tell whether another process than this one, which has written its file, has this number."""
    if sys.platform == "win32":  # where signal 0 is a real one
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return pid != os.getpid()


def remove(path: str) -> None:
    """Remove whatever is at `path`: a link and not what it leads to, a directory with all that is in it.

    Raises OSError.
    """
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError:
        import shutil  # half of a Python start, for what hardly ever happens

        aside = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
        os.rename(path, aside)
        shutil.rmtree(aside, ignore_errors=True)


def make_directories(path: str, *, clear: bool = True) -> None:
    """Make `path` and what is missing above it, all with mode 0700, whatever the umask. Raises OSError.

    What is in the way goes where it may be cleared: within the layout it is damage, and can be made again.
    """
    if os.path.isdir(path):
        return
    make_directories(os.path.dirname(path), clear=clear)
    if clear and f"{os.sep}{LAYOUT}{os.sep}" in path + os.sep:
        try:
            os.unlink(path)
        except OSError:  # nothing is there, or by now a directory
            pass
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
        return
    os.chmod(path, 0o700)  # noqa: S103 - private, whatever the umask took away


def open_lock(path: str) -> int:
    """Open a file that is locked, made if need be; a link, a directory or a pipe gives way to it. Raises OSError."""
    make_directories(os.path.dirname(path))
    try:
        mode = os.lstat(path).st_mode
        if not stat.S_ISREG(mode):
            remove(path)
        elif mode & 0o600 != 0o600:
            os.chmod(path, 0o600)  # another file would not keep out those who have this one
    except FileNotFoundError:
        pass
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)  # whatever the umask took away
    return descriptor


def is_at(path: str, descriptor: int) -> bool:
    """Tell whether an open file is the one at `path`: who holds a lock may remove its file, and others make another."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except OSError:
        return False


def sign(descriptor: int) -> None:
    """Write down who has the lock that an open file is, and nothing else."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError:  # a full disk
        pass
