"""Modules that run a script, such as `pdb`: which of their arguments is the script, whose block then counts."""

from scriptrun import arguments
from scriptrun.arguments import Invocation, Options
from scriptrun.errors import UsageError

VALUED = {
    "IPython": ("-c", "-m", "--profile", "--profile-dir", "--ipython-dir", "--config", "--logfile", "--ext"),
    "cProfile": ("-m", "-o", "--outfile", "-s", "--sort"),
    "coverage": ("-m", "--concurrency", "--context", "--data-file", "--include", "--omit", "--rcfile", "--source"),
    "debugpy": ("-c", "-m", "--adapter-access-token", "--connect", "--listen", "--log-to", "--pid"),
    "ipdb": ("-c", "--command", "-m"),
    "pdb": ("-c", "--command", "-m", "-p", "--pid"),
    "profile": ("-m", "-o", "--outfile", "-s", "--sort"),
    "pudb": ("-le", "--log-errors", "-m", "--module", "--pre-run"),
    "trace": ("-C", "--coverdir", "-f", "--file", "--ignore-dir", "--ignore-module", "--module"),
}
"""Each such module, with those of its options whose value is a word of its own."""

_INSTEAD = ("-m", "--module", "-c", "--pid")
"""The options that say what to run; there is no script then. To a debugger `-c` is a command for itself."""

_COMMANDS = ("-c", "--command")


def take_requirements(invocation: Invocation) -> None:
    """Make `--with REQ` that follows a module that runs scripts what it is before it: `-m IPython --with ipython s.py`.

    Raises UsageError where the value is missing.
    """
    if invocation.target not in VALUED:
        return
    found, words = _requirements(invocation.arguments)
    if found:
        given = invocation.options
        earlier = given.many("with") if given.place("with") == "--with" else ()  # a variable's do not count then
        invocation.options = Options({"with": (*earlier, *found)}).below(given)
        invocation.arguments = words


def _requirements(words: "list[str]") -> "tuple[list[str], list[str]]":
    """Return the values of `--with` and `-w` that come first, and the words after them."""
    found, rest = [], list(words)
    while rest and (rest[0] in ("--with", "-w") or rest[0].startswith("--with=")):
        flag, equals, value = rest.pop(0).partition("=")
        if not equals and not rest:
            raise UsageError(f"`{flag}` needs a value", hint="`scriptrun --help` lists the options")
        found.append(value if equals else rest.pop(0))
    return found, rest


def script(module: str, words: "list[str]") -> str:
    """Return the script among the arguments of `module`, `""` where there is none, or the module is not known.

    Raises UsageError for an option of scriptrun's own, which the module would get.
    """
    if module not in VALUED:
        return ""
    words = list(words)
    if module == "coverage":  # its first word is a command, and only this one runs anything
        words = words[1:] if words[:1] == ["run"] else []
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        if flag == "--":
            break
        _refuse_misplaced(module, flag)
        if flag in _INSTEAD and not (flag in _COMMANDS and module in ("pdb", "ipdb")):
            return ""
        if flag in VALUED[module] or (module == "debugpy" and flag.startswith("--configure-")):
            del words[:1]
    return words[0] if words else ""


def _refuse_misplaced(module: str, word: str) -> None:
    flag = word.partition("=")[0]
    known = {f"--{option.name}" for option in arguments.OPTIONS if option.kind != arguments.FLAG}
    if flag in known and flag not in VALUED[module]:
        raise UsageError(
            f"`{flag}` stands after `-m {module}`, so `{module}` would get it",
            hint=f"options of scriptrun come first: scriptrun {flag} … -m {module} SCRIPT",
        )
