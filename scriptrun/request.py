"""A run that is asked for: the command line, the program it names, and the block in it; and becoming it."""

import os

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

    from scriptrun.block import NearMiss

from scriptrun import arguments, block, launch, location, lockfile, output, paths, source
from scriptrun.arguments import Invocation, Options
from scriptrun.block import Block
from scriptrun.errors import ScriptMissing, ScriptUnreadable, UsageError
from scriptrun.launch import Answer
from scriptrun.source import Source


class Request:
    """What is to be run, from where, with the caches that are in use.

    `source` is what has the block: the program, or the file of `--script`; None where there is neither. `question` is
    all that decides the environment, as bytes. `beside` are the real path of `source` and that of the lock beside it
    (`""`: there is no file), `lock` is what that lock holds, None where it is not there. `misses` are what looks like a
    block and is none: while there are any, nothing is recorded, so that the warning comes again.
    """

    __slots__ = ("beside", "block", "caches", "configured", "invocation", "lock", "misses", "question", "source")

    def __init__(
        self, invocation: Invocation, program: "Source | None", found: "Block | None", environ: "Mapping[str, str]"
    ) -> None:
        self.invocation = invocation
        self.source = program
        self.block = found
        self.caches = location.find(environ)
        self.configured = location.configured(environ)
        self.misses: Sequence[NearMiss] = ()
        file = program.file if program is not None and not program.is_copy else ""
        self.beside = lockfile.beside(file) if file else ("", "")
        self.lock = lockfile.read(self.beside[1]) if file else None
        self.question = self._question()

    @property
    def name(self) -> str:
        """The program's name for messages."""
        return self.source.name if self.source is not None else "scriptrun"

    @property
    def directory(self) -> str:
        """Where relative paths in the block start: the directory of the program, links followed, as Python does."""
        return os.path.dirname(os.path.realpath(self.source.file)) if self.source and self.source.file else os.curdir

    @property
    def identity(self) -> str:
        """What is the same for all runs of one program: its real path, or its URL; `""`: it is at neither."""
        if self.invocation.action != "script" or self.source is None or not self.source.file:
            return ""
        if not self.source.is_copy:
            return self.beside[0]
        from scriptrun.remote import kept  # it is loaded by now

        return kept.canonical(self.invocation.target)

    def _question(self) -> bytes:
        locks = [] if self.lock is None else [self.lock]
        if self.source is not None:
            locks += block.contents(self.source.content, "pylock")
        try:
            return launch.question(self.invocation, self.block, self.configured, locks)
        except OSError as error:
            raise UsageError(f"`{error.filename}` cannot be read: {error.strerror}") from None

    def python_arguments(self) -> "list[str]":
        """Return what follows `python` on the command line that is asked for."""
        invocation = self.invocation
        options = [*invocation.flags, "-i"] if invocation.interactive else invocation.flags
        if invocation.action in ("module", "code"):
            flag = "-m" if invocation.action == "module" else "-c"
            return [*options, flag, invocation.target, *invocation.arguments]
        if invocation.action == "file":  # Python may know files that are none to scriptrun: a directory, a zip
            return [*options, *source.words(invocation.target), *invocation.arguments]
        if invocation.action == "repl" or self.source is None:
            return options
        return [*options, *self.source.arguments, *invocation.arguments]

    def tell(self) -> None:
        """Warn of what looks like a block and is none, unless asked to be quiet."""
        for miss in () if self.invocation.options.flag("quiet") else self.misses:
            output.warn(miss.message, miss.remedy, f"{self.name}:{miss.line}")

    def recall(self) -> "Answer | None":
        """Return the answer to this very question, if one is remembered, with its environment claimed."""
        both = (self.caches.system, self.caches.own)
        return launch.recall(both[0], self.question, both) or launch.recall(both[1], self.question, both)

    def answer_before(self) -> "Answer | None":
        """Return what answered this very question before and holds, whether the environment is there or not."""
        found, standing = launch.answer(self.caches.own, self.question)
        return None if standing == launch.NOTED else found

    def become(self, answer: Answer, environ: "Mapping[str, str]") -> "NoReturn":
        """Write the launch record, if one may name the answer, and become what is asked for."""
        path = self.invocation.record
        # Without a usable home the launcher looks for records elsewhere than where the cache is: none is written.
        useful = path and paths.holds(self.caches.own, path)
        program = None if self.misses else self.source
        if answer.provable and useful and program is not None and program.file:
            proof = launch.head(program.content, self.block)
            if proof is not None and len(self.configured) <= launch.MAX_HEAD:
                launch.record(path, self.configured + proof[0], proof[1], (*self.beside, self.lock), answer)
        if answer.env_files:
            environ = self._with_variables(environ, answer.env_files)
        launch.become(answer.environment, self.python_arguments(), environ)

    def _with_variables(self, environ: "Mapping[str, str]", files: "tuple[str, ...]") -> "Mapping[str, str]":
        """Return the environment with the variables of these files. Raises ScriptrunError."""
        location.find_libraries()
        from scriptrun import environment_files  # what it stands on takes as long as half of Python's start

        options, found = self.invocation.options, self.block

        def place(file: str) -> str:
            if options.many("env-file"):
                return ""
            here = "" if found is None else environment_files.place_in(found, self.name, file)
            return here or _place_in_configuration(file, environ)

        return environment_files.extend(environ, files, self.directory, place, quiet=options.flag("quiet"))


def _place_in_configuration(file: str, environ: "Mapping[str, str]") -> str:
    """Return where the configuration names a file of variables, `""` where it does not."""
    from scriptrun import config  # only on the way to an error

    options = config.read(environ).options
    return options.place("env-file", file) if file in options.many("env-file") else ""


def read(invocation: Invocation, environ: "Mapping[str, str]") -> Request:
    """Return the request that `invocation` makes, as `make` does, and tell what there is to tell of it."""
    request = make(invocation, environ)
    request.tell()
    return request


def make(invocation: Invocation, environ: "Mapping[str, str]") -> Request:
    """Return the request that `invocation` makes.

    Raises ScriptMissing, ScriptUnreadable, MetadataError, CacheError, RemoteError and UsageError.
    """
    program = _program(invocation, environ)
    if invocation.options.value("trust") and (program is None or not program.is_copy):
        raise UsageError("`--trust` goes with a URL", hint="a file of this machine is run as it is")
    found, misses = block.cut(program.content, program.name) if program is not None else (None, [])
    request = Request(invocation, program, found, environ)
    request.misses = misses
    return request


def _program(invocation: Invocation, environ: "Mapping[str, str]") -> "Source | None":
    if invocation.action == "stdin":
        return source.read_stdin()
    if invocation.action == "module" and invocation.arguments:
        from scriptrun import hosts  # rare

        hosts.take_requirements(invocation)
    if invocation.action != "script":
        path = invocation.options.value("script") or _named_to_module(invocation)
        return open_program(path, invocation.options, environ) if path else None
    try:
        return open_program(invocation.target, invocation.options, environ)
    except ScriptMissing:
        if os.sep not in invocation.target and not invocation.target.endswith((".py", ".pyw")):
            error = arguments.unknown("command", invocation.target, (*arguments.COMMANDS, "--help", "--version"))
            if error.hint.startswith("did you mean"):
                raise error from None
        raise


def open_program(path: str, options: Options, environ: "Mapping[str, str]") -> Source:
    """Return the program at a path, or at a URL if no file has that name.

    Raises ScriptMissing, ScriptUnreadable, MetadataError, CacheError, RemoteError and UsageError.
    """
    try:
        return source.read(path)
    except (ScriptMissing, ScriptUnreadable):
        if "://" not in path or os.path.lexists(path):
            raise
    from scriptrun.remote import program  # rare

    return program.read(path, options, environ)


def _named_to_module(invocation: Invocation) -> str:
    """Return the script among the arguments of a module that runs scripts, as `pdb` does; `""`: there is none."""
    if invocation.action != "module" or not invocation.arguments:
        return ""
    from scriptrun import hosts  # rare

    path = hosts.script(invocation.target, invocation.arguments)
    if "://" in path and not os.path.lexists(path):
        url = path.partition("?")[0]  # what follows may be a key
        raise UsageError(f"`{invocation.target}` runs files, not `{url}`", hint="save it as a file")
    return path if os.path.isfile(path) else ""
