"""Remember which environment answers which question, and become the script.

Two memories, both proofs by content, neither by time stamp or hash: the launch record, which the launcher
(`launcher.sh`) reads without starting Python, and the answer, which covers what a record cannot (options, `-p`, scripts
whose block is far down). Both only name an environment; losing one costs time and nothing else. What pip answered is
another thing, see `scriptrun.answers`.
"""

import os
import stat
import sys
import time

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

    from scriptrun.arguments import Invocation, Value
    from scriptrun.block import Block

from scriptrun import paths

MAX_HEAD = 8 * 1024
"""The most of a script that a record may hold, in bytes: the launcher reads 1 KiB in about half a millisecond."""

_RECORD = b"# scriptrun launch record 4\n"
_COPY = b"@lock-"
"""How the names of copies of locks begin, each beside the launch record that is for it."""

_ANSWER = b"scriptrun answer 4"
_STANDINGS = (b"noted", b"valid", b"provable")
NOTED, VALID, PROVABLE = range(3)
"""What an answer is worth: it may have changed since; it holds; the script's first lines alone decide it."""

BREAKS_VENV = ("PYTHONHOME", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
"""Each redirects the Python of a virtual environment, or breaks it."""

ATTENDED = "SCRIPTRUN_ATTENDED"
"""The variable by which `scriptrun-attend` says that it waits for this process; it is not for the script."""

_NOT_FOR_SCRIPTS = (*BREAKS_VENV, ATTENDED)


class Answer:
    """An environment for a question. `due` is the file whose mtime ends its use (`""`: it has no end).

    `provable` says whether a launch record may name it. `env_files` are the files of variables that the script gets,
    relative ones from its own directory. `overlap` is the status that a second start ends with while the script runs
    (None: it may run more than once).
    """

    __slots__ = ("due", "env_files", "environment", "overlap", "provable")

    def __init__(
        self,
        environment: str,
        due: str,
        *,
        provable: bool,
        env_files: "Sequence[str]" = (),
        overlap: "int | None" = None,
    ) -> None:
        self.environment = environment
        self.due = due
        self.provable = provable
        self.env_files = tuple(env_files)
        self.overlap = overlap


def question(
    invocation: "Invocation", block: "Block | None", configured: bytes, locks: "Sequence[bytes]" = ()
) -> bytes:
    """Return all that decides which environment is wanted, as bytes that are equal when it is.

    `locks` is what locks hold, the one beside the script and the one inside.

    Raises OSError where a file of requirements or constraints cannot be read.
    """
    options = invocation.options
    files = [
        _content(path)
        for name in ("with-requirements", "constraint")
        for path in options.many(name)
        if "://" not in path
    ]
    own = (sys.version, os.path.realpath(sys.executable), _program(options.value("python")))
    metadata = None if block is None else (block.raw, block.encoding)
    shown = ("refresh", "isolated", "explain", "quiet", "verbose", "offline", "script", "trust", "prepare-timeout")
    asked = [(name, _plain(value)) for name, value in options.given() if name not in shown]
    return repr((metadata, asked, files, own, configured, *locks)).encode("utf-8", "backslashreplace")


def _program(python: str) -> str:
    """Return the file that `--python` leads to where it is a path or the name of a program, else `""`."""
    if os.sep in python:
        return os.path.realpath(paths.python(python) if os.path.isdir(python) else python)
    if python[:1].isalpha():
        for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
            path = os.path.join(directory, python)
            if os.path.isabs(directory) and os.access(path, os.X_OK):
                return os.path.realpath(path)
    return ""


def _plain(value: "Value") -> "Value":
    """Return an option's value without the credentials that URLs in it hold: the question is stored."""
    from scriptrun.errors import without_credentials  # for questions alone, as below

    if isinstance(value, tuple):
        return tuple(without_credentials(one) for one in value)
    return without_credentials(value) if isinstance(value, str) else value


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def recall(cache: str, asked: bytes, trusted: "Sequence[str]") -> "Answer | None":
    """Return the answer to `asked` that is remembered in `cache`, with its environment claimed.

    None where nothing is remembered, or where the environment is not usable any more, is too old, or is in none of the
    caches that are `trusted`.
    """
    found, standing = answer(cache, asked)
    if standing == NOTED or not any(paths.holds(one, found.environment) for one in trusted):
        return None
    return found if not is_past(found.due) and claim(found.environment) else None


def lost_base(cache: str, asked: bytes) -> str:
    """Return the base interpreter of the environment that answered `asked`, if it has gone since, else `""`."""
    environment = answer(cache, asked)[0].environment
    base = os.path.realpath(paths.python(environment)) if environment else ""
    return base if base and not os.path.exists(base) and not base.startswith(cache) else ""


def answer(cache: str, asked: bytes) -> "tuple[Answer, int]":
    """Return what answered `asked` before (environment `""`: nothing did), and the standing of that answer."""
    nothing = Answer("", "", provable=False), NOTED
    try:
        remembered = paths.read(_place(cache, asked)) if cache else b""
    except OSError:
        return nothing
    first, environment, due, overlap, standing, number, rest = (remembered.split(b"\0", 6) + [b""] * 7)[:7]
    *files, body = rest.split(b"\0", int(number) if number.isdigit() else 0)
    if first != _ANSWER or body != asked or standing not in _STANDINGS:
        return nothing
    found = Answer(
        os.fsdecode(environment),
        os.fsdecode(due),
        provable=standing == _STANDINGS[PROVABLE],
        env_files=[os.fsdecode(file) for file in files],
        overlap=int(overlap) if overlap.isdigit() else None,
    )
    return found, _STANDINGS.index(standing)


def _place(cache: str, asked: bytes) -> str:
    """Return the file that remembers the answer to `asked`."""
    import zlib

    return paths.answer(cache, zlib.crc32(asked))


def is_past(due: str) -> bool:
    """Tell whether the mtime of the file `due` is past, or the file missing; `""` is never past."""
    try:
        return bool(due) and os.stat(due).st_mtime <= time.time()
    except OSError:
        return True


def claim(environment: str) -> bool:
    """Raise a hand for `environment`, and tell whether it may be used: it is whole, and nobody is removing it.

    Whoever removes environments sets the mark `condemned` and then looks for hands: the stamp's time, and the lock on
    it, which lasts until this process becomes the script. So the one who comes second sees the first.
    """
    descriptor = -1
    try:
        import fcntl

        flags = os.O_RDONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW
        descriptor = os.open(paths.stamp(environment), flags, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:  # a remover has it
        os.close(descriptor)
        return False
    except (ImportError, OSError):  # Windows; a file system without locks
        pass
    try:
        os.utime(paths.stamp(environment))
    except OSError:  # a cache that is read-only, or somebody else's
        pass
    if usable(environment):
        return True
    if descriptor >= 0:
        os.close(descriptor)
    return False


def usable(environment: str) -> bool:
    """Tell whether an environment that was complete once still is there, with its base interpreter."""
    return (
        _unchanged(environment)
        and stamped(environment)
        and os.access(paths.python(environment), os.X_OK)
        and not os.path.exists(paths.condemned(environment))
    )


def _unchanged(environment: str) -> bool:
    """Tell whether manifest and `pyvenv.cfg` are there, and the latter as it was when the manifest was written."""
    configuration = os.path.join(environment, "pyvenv.cfg")
    try:
        manifest, configured = os.stat(paths.manifest(environment)), os.stat(configuration)
    except OSError:
        return False
    ordinary = stat.S_ISREG(manifest.st_mode) and stat.S_ISREG(configured.st_mode)
    return ordinary and configured.st_mtime_ns <= manifest.st_mtime_ns and os.access(configuration, os.R_OK)


def stamped(environment: str) -> bool:
    """Tell whether the stamp is there, and no link, through which the launcher would empty another file."""
    stamp = paths.stamp(environment)
    return os.path.isfile(stamp) and not os.path.islink(stamp)


def remember(cache: str, asked: bytes, answer: Answer, standing: int) -> None:
    """Keep the answer to `asked`: NOTED, VALID or PROVABLE. What cannot be written is not kept."""
    files = [os.fsencode(file) for file in answer.env_files]
    number = str(len(files)).encode("ascii")
    parts = (
        _ANSWER,
        os.fsencode(answer.environment),
        os.fsencode(answer.due),
        b"" if answer.overlap is None else b"%d" % answer.overlap,
        _STANDINGS[standing],
        number,
        *files,
        asked,
    )
    try:
        paths.replace(_place(cache, asked), b"\0".join(parts), durable=False)
    except OSError:
        pass


def head(source: bytes, block: "Block | None") -> "tuple[bytes, int] | None":
    """Return the text that proves the block of `source`, and how many lines a shell must try to read to see it.

    It goes through the line that ends the comments at the block, as a closing line among them would make the block
    longer, and through empty lines after that: shells drop NULs, so one put in the place of a newline would give way to
    the next. Without a block, or without such a line, it is the whole file, and one line more is to be tried, which
    must not be there. None where it proves nothing to a shell: too long, a NUL, or a carriage return that ends a line
    by itself.
    """
    end = len(source) if block is None else _end_of_head(source, block.last)
    if end > MAX_HEAD:
        return None
    proof = source[:end]
    if b"\0" in proof or b"\r" in proof.replace(b"\r\n", b""):
        return None
    return proof, proof.count(b"\n") + (end == len(source))


def _end_of_head(source: bytes, last: int) -> int:
    """Return the offset at which no more lines are needed to show that the block closes in line `last`."""
    end = number = 0
    over = False
    while end < len(source):
        start, end = end, source.find(b"\n", end) + 1 or len(source)
        number += 1
        if over and source[start:end] != b"\n":
            return start
        over = over or (number > last and not source.startswith(b"#", start))
    return end


def record(path: str, proof: bytes, lines: int, beside: "tuple[str, str, bytes | None]", answer: Answer) -> None:
    """Write the launch record: assignments that the launcher reads. What cannot be written is not recorded.

    `proof` is what it must find: the configuration, then that many lines of the script. `beside` are the script's real
    path, that of its lock, and what this must hold, of which a copy is kept (None: there must be none).

    A shell runs nothing between braces before it has read the last of them: all of the record counts, or none.
    """
    real, lock, locked = beside
    kept = b"" if locked is None else _name_of_copy(locked)
    content = _lead(answer) + _beside(real, lock, kept)
    content += b"_sr_lines='%s'\n_sr_proof=%s\n}\n" % (b" ".join([b"-"] * lines), _quoted(proof))
    directory = os.path.dirname(path)
    try:
        if locked is not None:
            paths.replace(os.path.join(directory, os.fsdecode(kept)), locked, durable=False)
        paths.replace(path, content, durable=False)
        for copy in copies(directory):
            if os.path.basename(copy) != os.fsdecode(kept):
                os.unlink(copy)
    except OSError:
        pass


def _name_of_copy(lock: bytes) -> bytes:
    """Return how the copy of a lock is called: by what it holds.

    Of two processes that write at once, each for the lock that it has read, neither's record goes with the other's.
    """
    import zlib

    return _COPY + b"%08x-%x" % (zlib.crc32(lock), len(lock))


def copies(directory: str) -> "list[str]":
    """Return the copies of locks in the directory of a launch record. Raises OSError."""
    names = [name for name in os.listdir(directory) if name.startswith(os.fsdecode(_COPY)) and "." not in name]
    return [os.path.join(directory, name) for name in names]


def _beside(real: str, lock: str, kept: bytes) -> bytes:
    """Return what a launch record says of the script's real path, its lock, and the name of the copy of that."""
    named = (_quoted(os.fsencode(real)), _quoted(os.fsencode(lock)), _quoted(kept))
    return b"_sr_real=%s\n_sr_lock=%s\n_sr_kept=%s\n" % named


def proof(path: str, answer: Answer) -> bytes:
    """Return what the launch record at `path` says but for the answer that it names; `b""`: it names another one."""
    try:
        content = paths.read(path)
    except OSError:
        return b""
    lead = _lead(answer)
    return content[len(lead) :] if content.startswith(lead) else b""


def record_again(path: str, proof: bytes, answer: Answer) -> None:
    """Write a launch record once more, for another answer."""
    _keep(path, _lead(answer) + proof)


def _lead(answer: Answer) -> bytes:
    """Return how a launch record begins that names this answer."""
    named = (_quoted(os.fsencode(answer.environment)), _quoted(os.fsencode(answer.due)))
    return _RECORD + b"{\n_sr_env=%s\n_sr_due=%s\n" % named


def _keep(path: str, content: bytes) -> None:
    try:
        paths.replace(path, content, durable=False)
    except OSError:
        pass


def recorded(path: str) -> "str | None":
    """Return the environment that the launch record at `path` names, None where there is no record."""
    try:
        content = paths.read(path)
    except OSError:
        return None
    before, found, rest = content.partition(b"{\n_sr_env='")
    value, ended, _ = rest.replace(b"'\\''", b"\0").partition(b"'")
    if before != _RECORD or not found or not ended:
        return None
    return os.fsdecode(value.replace(b"\0", b"'"))


def is_recorded(path: str, beside: "tuple[str, str]", proof: bytes) -> bool:
    """Tell whether the launch record at `path` was written for a file which began like this, and had no lock.

    `beside` are its real path, and that of its lock.
    """
    try:
        content = paths.read(path)
    except OSError:
        return False
    written_for = b"\n" + _beside(*beside, b"")  # no text in quotes can look like it
    return content.startswith(_RECORD) and written_for in content and content.endswith(_quoted(proof)[1:] + b"\n}\n")


def answered(path: str) -> "str | None":
    """Return the environment that the answer in the file `path` names, None where there is no answer."""
    try:
        first, environment = _content(path).split(b"\0", 2)[:2]
    except (OSError, ValueError):
        return None
    return os.fsdecode(environment) if first == _ANSWER else None


def _quoted(text: bytes) -> bytes:
    return b"'" + text.replace(b"'", b"'\\''") + b"'"


def environment_for(environment: str, environ: "Mapping[str, str]") -> "dict[str, str]":
    """Return `environ` as a script sees it that runs in `environment`."""
    result = {name: value for name, value in environ.items() if name not in _NOT_FOR_SCRIPTS}
    result["VIRTUAL_ENV"] = environment
    programs = paths.programs(environment)
    result["PATH"] = programs + os.pathsep + (environ.get("PATH") or os.defpath)
    return result


def become(environment: str, arguments: "Sequence[str]", environ: "Mapping[str, str]") -> "NoReturn":
    """Replace this process by the environment's Python with `arguments`; on Windows, wait for it and exit as it did."""
    python = paths.python(environment)
    variables = environment_for(environment, environ)
    if sys.platform == "win32":
        import subprocess

        raise SystemExit(subprocess.call([python, *arguments], env=variables))
    os.execve(python, [python, *arguments], variables)  # noqa: S606 - the purpose
