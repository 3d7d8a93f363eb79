"""`scriptrun lock SCRIPT`: choose versions once, and keep them with their hashes beside the script, or inside it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from scriptrun import arguments, lockfile, output, request, signals
from scriptrun.arguments import Invocation, Options
from scriptrun.cli import run
from scriptrun.cli.progress import Progress
from scriptrun.editing import document
from scriptrun.editing.document import Document
from scriptrun.errors import EditError, UsageError
from scriptrun.pinning import embedding, making, pylock
from scriptrun.request import Request


@dataclass(frozen=True)
class Made:
    """A lock that was made and is not written yet: its text, and a line for each change since the former one."""

    text: str
    changes: tuple[str, ...]


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Write the lock of a script, print the path of its file, tell on stderr what changed. Raises ScriptrunError."""
    if len(invocation.arguments) != 1 or invocation.arguments[0] == "-":
        raise UsageError("`scriptrun lock` takes one script", hint="scriptrun lock SCRIPT [--embed] [--upgrade]")
    embed, upgrade = ("--embed" in invocation.extra, "--upgrade" in invocation.extra)
    path = make(invocation.arguments[0], invocation.options, environ, embed=embed, upgrade=upgrade)
    output.give(f"{path}\n")
    return 0


def make(script: str, options: Options, environ: Mapping[str, str], *, embed: bool, upgrade: bool) -> str:
    """Make the lock of the file `script`, tell on stderr what changed, and return the path of the file that it is in.

    With `embed` that is the script. Versions that were locked stay as long as they fit, unless `upgrade` is set. Raises
    ScriptrunError, and has changed nothing then.
    """
    with signals.interruptible():
        asked = request.read(arguments.script(script, options), environ)
        if not asked.beside[0]:
            raise UsageError(f"`{script}` is not a file that can have a lock")
        made = prepare(asked, environ, upgrade=upgrade)
        content = asked.source.content if asked.source is not None else b""
        path = write(Document(asked.name, asked.beside[0], content), content, made, embed=embed)
    if not options.flag("quiet"):
        output.tell("".join(f"{line}\n" for line in made.changes))
    return path


def prepare(asked: Request, environ: Mapping[str, str], *, upgrade: bool) -> Made:
    """Return a lock for a script; nothing is written. Raises ScriptrunError."""
    before = making.former(asked, environ)
    kept = None if upgrade else before
    wanted = making.choose(asked, environ, kept)
    run.warn(wanted)
    with Progress(wanted.options) as progress:
        text = making.text(wanted, environ, kept, progress.show, lambda: _tell_of_new_choice(wanted.options, progress))
        after = pylock.parse(text.encode("ascii"), asked.name, asked.directory)
        progress.resolved(len(after.packages))
    return Made(text, tuple(making.changes(before, after)))


def _tell_of_new_choice(options: Options, progress: Progress) -> None:
    progress.clear()
    if not options.flag("quiet"):
        output.note("pip cannot keep the versions that were locked with what is asked for now: all are chosen anew")


def write(file: Document, content: bytes, made: Made, *, embed: bool) -> str:
    """Give a script that was read, and the `content` that it is to have, a lock beside it, or inside; return where.

    A lock at the other place goes. Raises EditError, and has changed nothing then.
    """
    beside = lockfile.beside(file.file)[1]
    former = lockfile.read(beside)
    if embed:
        new = embedding.put(content, made.text, file.name)
        _rewrite(file, new)
        with _undoing(lambda: _rewrite(Document(file.name, file.file, new), file.content)):
            _put(beside, None)
        return file.file
    new = embedding.take_out(content, file.name)
    _put(beside, made.text.encode("ascii"))
    with _undoing(lambda: _put(beside, former)):
        _rewrite(file, new)
    return beside


@contextlib.contextmanager
def _undoing(undo: Callable[[], None]) -> Iterator[None]:
    """Undo what was done before where something fails: in between there are two locks, and never none."""
    try:
        yield
    except BaseException:
        undo()
        raise


def _rewrite(file: Document, content: bytes) -> None:
    if content != file.content:
        document.write(file, content)


def _put(path: str, content: bytes | None) -> None:
    """Write a file by rename, unless it is like that already, or with None remove it. Raises EditError."""
    if content is None:
        _remove(path)
    elif os.path.exists(path):
        _rewrite(document.read(path), content)
    else:
        temporary = os.path.join(os.path.dirname(path), f".scriptrun-{os.urandom(8).hex()}.tmp")
        document.create(temporary, content, mode=0o666)
        try:
            os.replace(temporary, path)
        except OSError as error:
            _remove(temporary)
            raise EditError(f"`{path}` cannot be made: {error.strerror}") from None


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise EditError(f"`{path}` cannot be removed: {error.strerror}") from None
