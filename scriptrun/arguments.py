"""The command line, the `SCRIPTRUN_*` variables and `[tool.scriptrun]`: one table of options for all three.

Read on the way to every run, so without argparse, whose import takes as long as starting Python.
"""

import os

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Union

    Value = Union[bool, str, "tuple[str, ...]"]  # noqa: UP007 - as `|` it would be evaluated, on Python 3.10 in vain

from scriptrun import paths
from scriptrun.errors import UsageError

FLAG, VALUE, LIST, NUMBER = "flag", "value", "list", "number"

COMMANDS = {
    "add": ("--bounds=", "--infer"),
    "bundle": ("-o=", "--output=", "--platform="),
    "cache": ("--json", "--sort=", "--dry-run", "--older-than=", "--max-size=", "--all", "--grace=", "--repair"),
    "check": ("--json", "--ignore="),
    "config": ("--json",),
    "cron": ("--schedule=", "--install", "--remove", "--user="),
    "desktop": ("--default", "--system", "--json", "--name=", "--icon=", "--autostart", "--on-desktop"),
    "doctor": ("--cron", "--user=", "--json"),
    "env": ("--json",),
    "export": ("--format=",),
    "init": ("--lock",),
    "lock": ("--embed", "--upgrade"),
    "python": ("--json",),
    "remove": (),
    "sync": ("--system", "--venv-link"),
    "systemd": ("--on-calendar=", "--name=", "--user", "--output="),
    "tree": (),
    "upgrade": (),
}
"""The commands, each with the options of its own; those that end in `=` take a value."""

_ON_FILES = ("add", "bundle", "cron", "doctor", "init", "lock", "remove", "systemd", "upgrade")
"""The commands whose first word is a file of this machine, and no URL."""

_SEVERAL = ("--platform",)
"""Options of commands that may be given more than once; a comma is between the values then."""

_HELP = ("-h", "--help")

_OF_PYTHON = frozenset(f"-{letter}" for letter in "bBdEIOPRsSuWxX")
"""The options of Python that may follow `--script`, which makes a command line one as Python takes it."""

_WITH_VALUE = ("-W", "-X")
"""Those of them whose value may be a word of its own."""


class Option:
    """One option: its name without dashes, letter, kind, placeholder and line of help.

    `paths` says that a value is a file name, relative to the current directory on the command line and to the
    script's directory in its block. `everywhere` is False for what makes sense on the command line only. `most` is
    the largest value of a number; the least is 0.
    """

    __slots__ = ("everywhere", "help", "kind", "letter", "most", "name", "paths", "placeholder")

    def __init__(  # noqa: PLR0913 - one row of the table below
        self,
        name: str,
        letter: str,
        kind: str,
        placeholder: str,
        text: str,
        *,
        paths: bool = False,
        everywhere: bool = True,
        most: int = 10**9,
    ) -> None:
        self.name = name
        self.letter = letter
        self.kind = kind
        self.placeholder = placeholder
        self.help = text
        self.paths = paths
        self.everywhere = everywhere
        self.most = most

    @property
    def variable(self) -> str:
        """The environment variable that means the same."""
        return "SCRIPTRUN_" + self.name.upper().replace("-", "_")


OPTIONS = (
    Option("with", "w", LIST, "REQ", "one more requirement; may be repeated"),
    Option("with-requirements", "", LIST, "FILE", "more requirements, one a line", paths=True),
    Option("python", "p", VALUE, "VERSION|PATH", "the Python; must satisfy requires-python"),
    Option("refresh", "", FLAG, "", "ask pip again; keep the old if that fails"),
    Option("offline", "", FLAG, "", "never touch the network"),
    Option("locked", "", FLAG, "", "fail unless the script has a lock"),
    Option("isolated", "", FLAG, "", "in a fresh environment, removed afterwards"),
    Option("exclude-newer", "", VALUE, "DATE|DAYS", "ignore what was uploaded after that"),
    Option("max-age", "", VALUE, "AGE", "ask pip again when its answer is older: 7 days"),
    Option("index-url", "", VALUE, "URL", "as in pip"),
    Option("extra-index-url", "", LIST, "URL", "as in pip"),
    Option("find-links", "", LIST, "PATH|URL", "as in pip", paths=True),
    Option("no-index", "", FLAG, "", "as in pip"),
    Option("constraint", "", LIST, "FILE", "as in pip", paths=True),
    Option("pre", "", FLAG, "", "as in pip"),
    Option("no-build", "", FLAG, "", "install wheels only; run no build"),
    Option("no-binary", "", LIST, "NAME", "as in pip: build it; :all: for all"),
    Option("env-file", "", LIST, "FILE", "variables for the script, as NAME=VALUE lines", paths=True),
    Option("prepare-timeout", "", NUMBER, "SECONDS", "give up when nothing moves for so long: 120"),
    Option("no-overlap", "", FLAG, "", "end at once while the script runs already"),
    Option("overlap-status", "", NUMBER, "STATUS", "with --no-overlap: end with that, not with 0", most=255),
    Option("trust", "", VALUE, "SHA256", "run what a URL has if this is its hash", everywhere=False),
    Option("script", "", VALUE, "FILE", "the block to read, of another file than is run", paths=True, everywhere=False),
    Option("explain", "", FLAG, "", "say what would be done and why; run nothing", everywhere=False),
    Option("quiet", "q", FLAG, "", "show no progress and no warnings"),
    Option("verbose", "v", FLAG, "", "show what is done, and all that pip says"),
)

_BY_NAME = {option.name: option for option in OPTIONS}
_BY_FLAG = {f"--{option.name}": option for option in OPTIONS}
_BY_FLAG.update({f"-{option.letter}": option for option in OPTIONS if option.letter})

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("", "0", "false", "no", "off")


class Options:
    """What was asked for, by name. Lists are tuples; what was not given is False, "" or ().

    `places` says where each stands, and each entry of a list, by name and entry with a blank between; by default on
    the command line.
    """

    __slots__ = ("_places", "_values")

    def __init__(self, values: "Mapping[str, Value] | None" = None, places: "Mapping[str, str] | None" = None) -> None:
        self._values = dict(values or {})
        self._places = dict(places or {})

    def flag(self, name: str) -> bool:
        """Return whether the flag `name` is on."""
        return bool(self._values.get(name, False))

    def value(self, name: str) -> str:
        """Return the value of `name`, `""` where none was given."""
        return str(self._values.get(name, ""))

    def many(self, name: str) -> "tuple[str, ...]":
        """Return all values of `name`, in the order given."""
        values = self._values.get(name, ())
        return values if isinstance(values, tuple) else ()

    def below(self, lower: "Options") -> "Options":
        """Return these options, with those of `lower` where nothing was said here."""
        values = dict(lower.given())
        places = {key: place for key, place in lower.places().items() if key.partition(" ")[0] not in self._values}
        return Options({**values, **self._values}, {**places, **self._places})

    def place(self, name: str, entry: str = "") -> str:
        """Return where `name`, or an entry of it, stands: the option's name, its variable, or `file:line`."""
        return self._places.get(f"{name} {entry}") or self._places.get(name, f"--{name}")

    def places(self) -> "dict[str, str]":
        """Return where values and entries stand that are not on the command line."""
        return dict(self._places)

    def given(self) -> "list[tuple[str, Value]]":
        """Return what was given, sorted by name."""
        return sorted(self._values.items())


class Invocation:
    """A command line, understood.

    `action` is `script`, `file` (which is run with the block of `--script`), `stdin`, `module`, `code`, `repl`,
    `command`, `help` or `version`; `target` the path, module, code or command; `arguments` what follows; `extra` a
    command's own options, each with its value (`""`: a flag); `flags` are Python's; `interactive` is `-i`; `record`
    where the launcher looks for the launch record (`""`: nowhere).
    """

    __slots__ = ("action", "arguments", "extra", "flags", "interactive", "options", "record", "target")

    def __init__(self, action: str, target: str, arguments: "list[str]", options: Options) -> None:
        self.action = action
        self.target = target
        self.arguments = arguments
        self.options = options
        self.flags: list[str] = []
        self.interactive = False
        self.record = ""
        self.extra: dict[str, str] = {}


def parse(argv: "Sequence[str]", environ: "Mapping[str, str]") -> Invocation:
    """Return what `argv` (without the program's name) and `environ` ask for.

    Raises UsageError where an option is unknown, lacks its value or has one too many.
    """
    record = ""
    if argv and argv[0].startswith("--launch-record="):  # from the launcher, which knows the place
        record = argv[0].partition("=")[2]
        argv = argv[1:]
    reader = _Reader(argv)
    values = reader.options((*_HELP, "-V", "--version", "-i", "-m", "-c"))
    bare = not (reader.ended or reader.extra or "script" in values)
    if bare and reader.left() and reader.peek() in COMMANDS:
        return _command(reader, values, environ)
    options = Options(values).below(_from_variables(environ))
    invocation = _action(reader, options)
    invocation.flags = reader.flags
    invocation.interactive = "-i" in reader.extra
    invocation.record = record
    return invocation


def _command(reader: "_Reader", values: "dict[str, Value]", environ: "Mapping[str, str]") -> Invocation:
    """Return the invocation of a command; options may stand anywhere among its words."""
    name = reader.next("")
    flags = (*_HELP, *COMMANDS[name])
    words = []
    values = reader.options(flags, values)
    while reader.left():
        words.append(reader.next(""))
        values = reader.options(flags, values)
    action = "help" if reader.extra.keys() & set(_HELP) else "command"
    if action == "command" and name in _ON_FILES and words:
        _refuse_url(name, words[0])
    invocation = Invocation(action, name, words, Options(values).below(_from_variables(environ)))
    invocation.extra = reader.extra
    return invocation


def _refuse_url(command: str, word: str) -> None:
    """Raise UsageError for a URL where a command is for files."""
    if "://" in word and not os.path.lexists(word):
        url = word.partition("?")[0]  # what follows may be a key
        raise UsageError(f"`scriptrun {command}` is for files, not for `{url}`", hint="save it as a file")


def script(target: str, options: Options) -> Invocation:
    """Return the invocation of the script that a command is about: a path, or `-` for standard input."""
    return Invocation("stdin" if target == "-" else "script", target, [], options)


def word(path: str) -> str:
    """Return the word of a command line that means the file at `path`, also one whose name looks like an option."""
    return f"./{path}" if path.startswith("-") else path


def words(options: Options) -> "list[str]":
    """Return the words of a command line that ask for `options`."""
    found = []
    for name, value in options.given():
        if value is True:
            found.append(f"--{name}")
        for one in (value,) if isinstance(value, str) else options.many(name):
            found += [f"--{name}", one]
    return found


def _action(reader: "_Reader", options: Options) -> Invocation:  # noqa: PLR0911 - one for each kind
    if reader.extra.keys() & set(_HELP):
        return Invocation("help", "", [], options)
    if reader.extra.keys() & {"-V", "--version"}:
        return Invocation("version", "", [], options)
    for flag, action in (("-m", "module"), ("-c", "code")):
        if flag in reader.extra:
            target = reader.next(flag)
            return Invocation(action, target, reader.rest(), options)
    if not reader.left():
        if "-i" in reader.extra:
            return Invocation("repl", "", [], options)
        raise UsageError("no script given", hint="`scriptrun --help` shows what can be run")
    target = reader.next("")
    if options.value("script"):
        return Invocation("file", target, reader.rest(), options)
    action = "stdin" if target == "-" and not reader.ended else "script"
    return Invocation(action, target, reader.rest(), options)


class _Reader:
    """A cursor over words."""

    def __init__(self, words: "Sequence[str]") -> None:
        self._words = list(words)
        self._at = 0
        self.ended = False
        self.extra: dict[str, str] = {}
        self.flags: list[str] = []

    def left(self) -> bool:
        return self._at < len(self._words)

    def peek(self) -> str:
        return self._words[self._at]

    def next(self, after: str) -> str:
        if not self.left():
            raise UsageError(f"`{after}` needs a value", hint="`scriptrun --help` lists the options")
        self._at += 1
        return self._words[self._at - 1]

    def rest(self) -> "list[str]":
        return self._words[self._at :]

    def options(self, flags: "Iterable[str]", earlier: "Mapping[str, Value] | None" = None) -> "dict[str, Value]":
        """Read options up to the first word that is none, or past `--`; `-m` and `-c` are the last ones."""
        values = dict(earlier or {})
        known = set(flags)
        while self.left() and not self.ended and not self.extra.keys() & {"-m", "-c"}:
            word = self._words[self._at]
            if word == "--":
                self.ended = True
                self._at += 1
            elif not word.startswith("-") or word == "-":
                break
            else:
                self._at += 1
                self._option(word, values, known)
        return values

    def _option(self, word: str, values: "dict[str, Value]", known: "set[str]") -> None:
        if word in known and not word.endswith("="):
            self.extra[word] = ""
            return
        flag, equals, value = word.partition("=") if word.startswith("--") else (word[:2], "", word[2:])
        if f"{flag}=" in known:
            value = value if equals or value else self.next(flag)
            several = flag in _SEVERAL and flag in self.extra
            self.extra[flag] = f"{self.extra[flag]},{value}" if several else value
            return
        option = _BY_FLAG.get(flag)
        if option is None and "script" in values and flag in _OF_PYTHON:
            self._of_python(flag, value, values, known)
        elif option is None:
            raise unknown("option", word.partition("=")[0], [*_BY_FLAG, *(name.rstrip("=") for name in known)])
        elif option.kind == FLAG:
            if equals:
                raise UsageError(f"`{flag}` takes no value", hint=f"write `{flag}` alone")
            values[option.name] = True
            if value:
                self._option(f"-{value}", values, known)
        else:
            self._valued(option, flag, value if equals or value else self.next(flag), values)

    def _valued(self, option: Option, flag: str, word: str, values: "dict[str, Value]") -> None:
        value = _on_command_line(option, word, flag)
        if option.kind == LIST:
            earlier = values.get(option.name, ())
            values[option.name] = (*(earlier if isinstance(earlier, tuple) else ()), value)
        elif option.name in values:
            raise UsageError(f"`--{option.name}` is given twice", hint="give it once")
        else:
            values[option.name] = value

    def _of_python(self, flag: str, value: str, values: "dict[str, Value]", known: "set[str]") -> None:
        self.flags.append(flag)
        if flag in _WITH_VALUE:
            self.flags.append(value or self.next(flag))
        elif value:
            self._option(f"-{value}", values, known)


def unknown(kind: str, word: str, candidates: "Iterable[str]") -> UsageError:
    """Return the error for an unknown option or command, with the nearest name."""
    import difflib  # only on the way to an error

    near = difflib.get_close_matches(word, list(candidates), 1, cutoff=0.65)  # `demo` is not meant as `remove`
    hint = f"did you mean `{near[0]}`?" if near else "`scriptrun --help` lists what there is"
    return UsageError(f"unknown {kind} `{word}`", hint=hint)


def _on_command_line(option: Option, value: str, place: str) -> str:
    if option.kind == NUMBER and not is_number(option, value):
        raise UsageError(f"`{place}` is `{value}`, not a whole number from 0 to {option.most}")
    return anchored(value, os.curdir) if is_path(option, value) else value


def is_number(option: Option, value: str) -> bool:
    """Tell whether `value` is one that `option`, a number, may have."""
    return value.isascii() and value.isdigit() and int(value) <= option.most


def is_path(option: Option, value: str) -> bool:
    """Tell whether a value of `option` is a path: one of Python has a slash in it, or begins with a dot."""
    return option.paths or (option.name == "python" and (os.sep in value or value.startswith(".")))


def anchored(value: str, directory: str) -> str:
    """Return `value`, a path or URL, with a relative path taken from `directory` and made absolute."""
    return value if "://" in value else paths.absolute(os.path.join(directory, value))


def _from_variables(environ: "Mapping[str, str]") -> Options:
    values: dict[str, Value] = {}
    for option in OPTIONS:
        text = environ.get(option.variable)
        if text is None or not option.everywhere:
            continue
        if option.kind == FLAG:
            values[option.name] = truth(option.variable, text)
        elif option.kind == LIST:
            lines = text.split("\n") if option.name == "with" else text.split()
            given = [line for line in lines if line.strip()]
            values[option.name] = tuple(_on_command_line(option, line, option.variable) for line in given)
        elif text:
            values[option.name] = _on_command_line(option, text, option.variable)
    return Options(values, {name: _BY_NAME[name].variable for name in values})


def truth(variable: str, text: str) -> bool:
    """Tell whether a variable with this text turns something on. Raises UsageError where it means neither."""
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise UsageError(f"{variable} is `{text}`, which is neither true nor false", hint=f"set it to 1 or 0: {variable}=1")
