"""Understanding the command line: options end at the program, and what follows is the program's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.user import User

from scriptrun import arguments
from scriptrun.arguments import COMMANDS, FLAG, LIST, NUMBER, OPTIONS, Options
from scriptrun.errors import UsageError


def understood(*argv: str, **environ: str) -> tuple[str, str, list[str], dict[str, Any]]:
    """Return action, target, arguments and options of a command line."""
    invocation = arguments.parse(argv, environ)
    return invocation.action, invocation.target, invocation.arguments, dict(invocation.options.given())


HERE = Path.cwd()

FORMS: list[tuple[list[str], str, str, list[str], dict[str, Any]]] = [
    # the program
    (["s.py"], "script", "s.py", [], {}),
    (["./env"], "script", "./env", [], {}),
    (["lock.py"], "script", "lock.py", [], {}),
    (["env.py"], "script", "env.py", [], {}),
    (["env", "s.py", "--json"], "command", "env", ["s.py"], {}),
    (["--", "env"], "script", "env", [], {}),
    (["--", "-x.py", "-q"], "script", "-x.py", ["-q"], {}),
    (["--", "--", "s.py"], "script", "--", ["s.py"], {}),
    (["-"], "stdin", "-", [], {}),
    (["-q", "-", "-q", "-"], "stdin", "-", ["-q", "-"], {"quiet": True}),
    (["--", "-"], "script", "-", [], {}),
    ([""], "script", "", [], {}),
    # what follows it
    (
        ["s.py", "--help", "-q", "--", "", "-", "a b", "\n"],
        "script",
        "s.py",
        ["--help", "-q", "--", "", "-", "a b", "\n"],
        {},
    ),
    (["s.py", "--with", "demo"], "script", "s.py", ["--with", "demo"], {}),
    (["s.py", "\udcff\udc80"], "script", "s.py", ["\udcff\udc80"], {}),
    (["-m", "json.tool", "-q", "--", "--help"], "module", "json.tool", ["-q", "--", "--help"], {}),
    (["-m", "--", "x"], "module", "--", ["x"], {}),
    (["-m", "-c"], "module", "-c", [], {}),
    (["-c", "print(1)", "-m", "x"], "code", "print(1)", ["-m", "x"], {}),
    (["-c", "", "x"], "code", "", ["x"], {}),
    (["-qm", "json.tool"], "module", "json.tool", [], {"quiet": True}),
    (["-i"], "repl", "", [], {}),
    (["-i", "s.py", "-i"], "script", "s.py", ["-i"], {}),
    (["-i", "-c", "1"], "code", "1", [], {}),
    (["-h", "s.py"], "help", "", [], {}),
    (["--help"], "help", "", [], {}),
    (["-qV"], "version", "", [], {"quiet": True}),
    (["--version"], "version", "", [], {}),
    # options
    (["--with", "demo", "s.py"], "script", "s.py", [], {"with": ("demo",)}),
    (["--with=demo>=1", "s.py"], "script", "s.py", [], {"with": ("demo>=1",)}),
    (["-wdemo", "-w", "other", "--with=", "s.py"], "script", "s.py", [], {"with": ("demo", "other", "")}),
    (["-qvwdemo", "s.py"], "script", "s.py", [], {"quiet": True, "verbose": True, "with": ("demo",)}),
    (["-w", "-q", "s.py"], "script", "s.py", [], {"with": ("-q",)}),
    (["-w", "--", "s.py"], "script", "s.py", [], {"with": ("--",)}),
    (["-p3.12", "s.py"], "script", "s.py", [], {"python": "3.12"}),
    (["--python=", "s.py"], "script", "s.py", [], {"python": ""}),
    (["-p", "./python", "s.py"], "script", "s.py", [], {"python": str(HERE / "python")}),
    (["-p", "/usr/bin/python3", "s.py"], "script", "s.py", [], {"python": "/usr/bin/python3"}),
    (["--with-requirements", "r.txt", "s.py"], "script", "s.py", [], {"with-requirements": (str(HERE / "r.txt"),)}),
    (["--constraint=../c", "s.py"], "script", "s.py", [], {"constraint": (str(HERE.parent / "c"),)}),
    (["--constraint=https://example.org/c", "s.py"], "script", "s.py", [], {"constraint": ("https://example.org/c",)}),
    (["--find-links=a\udcff", "s.py"], "script", "s.py", [], {"find-links": (f"{HERE}/a\udcff",)}),
    (["--refresh", "--refresh", "s.py"], "script", "s.py", [], {"refresh": True}),
    (["--explain", "s.py"], "script", "s.py", [], {"explain": True}),
    (["--script", "s.py", "-i"], "repl", "", [], {"script": str(HERE / "s.py")}),
    (["--script", "s.py", "w.py", "-u", "-"], "file", "w.py", ["-u", "-"], {"script": str(HERE / "s.py")}),
    (["--script=s.py", "-", "a"], "file", "-", ["a"], {"script": str(HERE / "s.py")}),
    (["--script=s.py", "--", "-w.py"], "file", "-w.py", [], {"script": str(HERE / "s.py")}),
    (["--script=s.py", "sync", "s.py"], "file", "sync", ["s.py"], {"script": str(HERE / "s.py")}),
    (
        ["--exclude-newer", "7", "--index-url", "u", "s.py"],
        "script",
        "s.py",
        [],
        {"exclude-newer": "7", "index-url": "u"},
    ),
]


@pytest.mark.parametrize(("argv", "action", "target", "rest", "options"), FORMS, ids=lambda value: repr(value)[:40])
def test_forms(argv: list[str], action: str, target: str, rest: list[str], options: dict[str, Any]) -> None:
    """Each form of command line is understood as written beside it."""
    assert understood(*argv) == (action, target, rest, options)


@given(st.lists(st.text()))
def test_everything_after_the_script_is_the_scripts(rest: list[str]) -> None:
    """Whatever follows the script is passed on as it is."""
    assert understood("-q", "s.py", *rest) == ("script", "s.py", rest, {"quiet": True})


def test_interactive_and_record_are_remembered() -> None:
    """`-i` goes with a script too, and the launcher's word on where the record lies is taken off the front."""
    invocation = arguments.parse(["--launch-record=/cache/@record", "-i", "s.py"], {})
    assert (invocation.interactive, invocation.record, invocation.target) == (True, "/cache/@record", "s.py")
    assert arguments.parse(["s.py", "--launch-record=x"], {}).arguments == ["--launch-record=x"]


WRONG = [
    (["--wiht", "demo", "s.py"], "unknown option `--wiht`", "did you mean `--with`?"),
    (["--pyhton=3.12", "s.py"], "unknown option `--pyhton`", "did you mean `--python`?"),
    (["--verison"], "unknown option `--verison`", "did you mean `--version`?"),
    (["--halp"], "unknown option `--halp`", "did you mean `--help`?"),
    (["-x", "s.py"], "unknown option `-x`", "`scriptrun --help` lists what there is"),
    (["-qx", "s.py"], "unknown option `-x`", "`scriptrun --help` lists what there is"),
    (["-mjson", "s.py"], "unknown option `-mjson`", "`scriptrun --help` lists what there is"),
    (["-wdemo"], "no script given", "`scriptrun --help` shows what can be run"),
    ([], "no script given", "`scriptrun --help` shows what can be run"),
    (["--"], "no script given", "`scriptrun --help` shows what can be run"),
    (["--with"], "`--with` needs a value", "`scriptrun --help` lists the options"),
    (["-qp"], "`-p` needs a value", "`scriptrun --help` lists the options"),
    (["-m"], "`-m` needs a value", "`scriptrun --help` lists the options"),
    (["-i", "-c"], "`-c` needs a value", "`scriptrun --help` lists the options"),
    (["--refresh=1", "s.py"], "`--refresh` takes no value", "write `--refresh` alone"),
    (["-p", "3.12", "--python", "3.13", "s.py"], "`--python` is given twice", "give it once"),
    (["--script", "a.py"], "no script given", "`scriptrun --help` shows what can be run"),
    (["--script", "a.py", "-uX"], "`-X` needs a value", "`scriptrun --help` lists the options"),
    (["--script", "a.py", "-uz", "w.py"], "unknown option `-z`", "`scriptrun --help` lists what there is"),
    (["-u", "--script", "a.py", "w.py"], "unknown option `-u`", "`scriptrun --help` lists what there is"),
]


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        ("-s -S", ["-s", "-S"]),
        ("-uB -Xdev -W error", ["-u", "-B", "-X", "dev", "-W", "error"]),
        ("-X importtime -bbq -OO", ["-X", "importtime", "-b", "-b", "-O", "-O"]),
        ("-EIPdRx -Wd", ["-E", "-I", "-P", "-d", "-R", "-x", "-W", "d"]),
        ("", []),
    ],
)
def test_options_of_python_after_script(words: str, flags: list[str]) -> None:
    """What follows `--script` may be Python's, alone or in one word with others, before any kind of program."""
    for program, target in (
        (["w.py", "-u"], "w.py"),
        (["-c", "1", "-u"], "1"),
        (["-m", "json.tool", "-u"], "json.tool"),
    ):
        invocation = arguments.parse(["--script", "s.py", *words.split(), *program], {})
        assert (invocation.flags, invocation.target, invocation.arguments) == (flags, target, ["-u"])


@pytest.mark.parametrize(("argv", "message", "hint"), WRONG, ids=lambda value: repr(value)[:40])
def test_wrong_use(argv: list[str], message: str, hint: str) -> None:
    """Wrong use says what is wrong and what would be right, with status 2."""
    with pytest.raises(UsageError) as caught:
        arguments.parse(argv, {})
    assert (caught.value.message, caught.value.hint, caught.value.status) == (message, hint, 2)


@pytest.mark.slow
@pytest.mark.parametrize("word", ["chace", "pyhton", "evn"])
def test_unknown_command_gets_the_nearest_name(user: User, word: str) -> None:
    """A bare word that is no file and nearly a command is answered with that command, status 2."""
    near = {"chace": "cache", "pyhton": "python", "evn": "env"}[word]
    expected = f"scriptrun: error: unknown command `{word}`\nhint: did you mean `{near}`?\n"
    assert user.run("scriptrun", word) == (2, "", expected)
    user.write(word, "print('a script of that name')\n")
    assert user.run("scriptrun", word) == (0, "a script of that name\n", "")


def test_unknown_subcommand_and_option_of_a_command(user: User) -> None:
    """Commands answer unknown words and options with the nearest name, status 2, and nothing on stdout."""
    for words, near in (
        (("cache", "dri"), "cache dir"),
        (("python", "lst"), "python list"),
        (("env", "s.py", "--jsn"), "--json"),
        (("python", "list", "--jsno"), "--json"),
        (("--refersh", "s.py"), "--refresh"),
    ):
        status, out, err = user.run("scriptrun", *words)
        assert (status, out) == (2, ""), words
        assert err.endswith(f"hint: did you mean `{near}`?\n")


VARIABLES: list[tuple[str, str, dict[str, Any]]] = [
    ("SCRIPTRUN_WITH", "demo; python_version > '3'\n\n other ", {"with": ("demo; python_version > '3'", " other ")}),
    ("SCRIPTRUN_WITH_REQUIREMENTS", "a.txt b.txt", {"with-requirements": (str(HERE / "a.txt"), str(HERE / "b.txt"))}),
    ("SCRIPTRUN_CONSTRAINT", "c.txt", {"constraint": (str(HERE / "c.txt"),)}),
    ("SCRIPTRUN_FIND_LINKS", "w https://e.org", {"find-links": (str(HERE / "w"), "https://e.org")}),
    ("SCRIPTRUN_EXTRA_INDEX_URL", "https://a\nhttps://b", {"extra-index-url": ("https://a", "https://b")}),
    ("SCRIPTRUN_INDEX_URL", "https://a", {"index-url": "https://a"}),
    ("SCRIPTRUN_PYTHON", "3.12", {"python": "3.12"}),
    ("SCRIPTRUN_PYTHON", "bin/python", {"python": str(HERE / "bin/python")}),
    ("SCRIPTRUN_PYTHON", "", {}),
    ("SCRIPTRUN_EXCLUDE_NEWER", "3 days", {"exclude-newer": "3 days"}),
    *(("SCRIPTRUN_REFRESH", text, {"refresh": True}) for text in ("1", "true", "Yes", "ON")),
    *(("SCRIPTRUN_NO_INDEX", text, {"no-index": False}) for text in ("", "0", "False", "no", "off")),
    ("SCRIPTRUN_EXPLAIN", "1", {}),
    ("SCRIPTRUN_SCRIPT", "s.py", {}),
    ("SCRIPTRUN_CACHE_DIR", "/c", {}),
]


@pytest.mark.parametrize(("variable", "text", "options"), VARIABLES)
def test_variables(variable: str, text: str, options: dict[str, Any]) -> None:
    """A variable means what its option means."""
    assert understood("s.py", **{variable: text})[3] == options


def test_every_option_has_a_variable_of_its_kind() -> None:
    """Every option that makes sense for all runs can be given as a variable, with the same outcome."""
    for option in OPTIONS:
        if option.everywhere:
            value = "1" if option.kind in (FLAG, NUMBER) else "/x"
            flag = f"--{option.name}" if option.kind == FLAG else f"--{option.name}={value}"
            assert understood("s.py", **{option.variable: value}) == understood(flag, "s.py")


def test_variable_that_is_neither_true_nor_false() -> None:
    """A flag's variable that says nothing clear is wrong use, and names the variable."""
    with pytest.raises(UsageError) as caught:
        arguments.parse(["s.py"], {"SCRIPTRUN_OFFLINE": "maybe"})
    assert caught.value.message == "SCRIPTRUN_OFFLINE is `maybe`, which is neither true nor false"
    assert caught.value.hint == "set it to 1 or 0: SCRIPTRUN_OFFLINE=1"


def test_command_line_counts_before_variable_before_block() -> None:
    """What is said on the command line hides the variable, and both hide the block; a list is not joined."""
    block = Options({"python": "3.10", "with": ("block",), "pre": True})
    said = {"SCRIPTRUN_PYTHON": "3.11", "SCRIPTRUN_WITH": "variable", "SCRIPTRUN_PRE": "0"}
    line = arguments.parse(["-p3.12", "-wline", "s.py"], said).options.below(block)
    assert (line.value("python"), line.many("with"), line.flag("pre")) == ("3.12", ("line",), False)
    variable = arguments.parse(["s.py"], said).options.below(block)
    assert (variable.value("python"), variable.many("with"), variable.flag("pre")) == ("3.11", ("variable",), False)
    alone = arguments.parse(["s.py"], {}).options.below(block)
    assert (alone.value("python"), alone.many("with"), alone.flag("pre")) == ("3.10", ("block",), True)


def test_precedence_in_a_run(user: User) -> None:
    """`--explain` shows the command line's value before the variable's before the block's."""
    user.write("s.py", "# /// script\n# [tool.scriptrun]\n# exclude-newer = '1'\n# ///\n")
    for words, variables, expected in (
        ((), {}, "1"),
        ((), {"SCRIPTRUN_EXCLUDE_NEWER": "2"}, "2"),
        (("--exclude-newer=3",), {"SCRIPTRUN_EXCLUDE_NEWER": "2"}, "3"),
    ):
        more: dict[str, Any] = variables
        status, out, err = user.run("scriptrun", "--explain", *words, "s.py", **more)
        assert (status, err) == (0, "")
        assert f"exclude-newer = {expected}\n" in out


def test_options_stand_anywhere_after_a_command() -> None:
    """A command's options stand before, between and after its words, `--` ends them, and the last word counts."""
    words = ["-wother", "env", "-wdemo", "s.py", "--json", "-p3.12", "--", "-x"]
    invocation = arguments.parse(words, {})
    assert (invocation.action, invocation.target, invocation.arguments) == ("command", "env", ["s.py", "-x"])
    assert invocation.extra == {"--json": ""}
    assert dict(invocation.options.given()) == {"with": ("other", "demo"), "python": "3.12"}


def test_options_of_a_command_may_take_a_value() -> None:
    """What belongs to a command alone is a flag, or takes the next word or what follows `=`."""
    words = ["cache", "prune", "--grace", "5", "--max-size=2G", "--all"]
    assert arguments.parse(words, {}).extra == {"--grace": "5", "--max-size": "2G", "--all": ""}
    with pytest.raises(UsageError, match="`--grace` needs a value"):
        arguments.parse(["cache", "prune", "--grace"], {})
    with pytest.raises(UsageError, match="unknown option `--grace`"):
        arguments.parse(["--grace", "5", "s.py"], {})


def test_values_have_the_type_of_their_kind() -> None:
    """What was not given is False, empty text or an empty tuple, as the option's kind has it."""
    nothing = Options()
    for option in OPTIONS:
        assert nothing.flag(option.name) is False
        assert nothing.value(option.name) == ""
        assert nothing.many(option.name) == ()
        assert option.kind != LIST or option.placeholder


@pytest.mark.slow
def test_arguments_reach_the_script_untouched(user: User) -> None:
    """A script gets its arguments byte by byte, also those that mean something to scriptrun."""
    user.write("s.py", "import os, sys; print([os.fsencode(word) for word in sys.argv[1:]])\n")
    words = [
        b"--help",
        b"--",
        b"",
        b"a b",
        b"\n",
        b"\xff\xfe",
        b"-w",
        b"--version",
        b"--launch-record=x",
        b"*",
        b"'\"$x",
    ]
    for _ in range(2):
        assert user.run("scriptrun", "s.py", *words) == (0, f"{words}\n", "")
    assert user.run("scriptrun", "-w", "demo", "s.py", *words) == (0, f"{words}\n", "")


def test_commands_are_modules() -> None:
    """Each command is answered by the module of its name, and by no other."""
    package = Path(arguments.__file__).parent / "cli"
    helpers = {
        "__init__",
        "about",
        "change",
        "display",
        "drawing",
        "explain",
        "isolated",
        "progress",
        "run",
        "scene",
        "table",
        "words",
    }
    found = {path.stem for path in package.iterdir() if path.name != "__pycache__"}
    assert found - helpers == set(COMMANDS)


def test_help_lists_every_option(user: User) -> None:
    """The page of help names every option, its letter and every command."""
    status, out, err = user.run("scriptrun", "--help")
    assert (status, err) == (0, "")
    for option in OPTIONS:
        assert f"--{option.name}" in out
        assert not option.letter or f"-{option.letter}, --{option.name}" in out
    for command in COMMANDS:
        assert f"\n  {command} " in out
    assert out.index("hello.py") < out.index("Usage:")
    assert max(len(line) for line in out.split("\n")) <= 120
