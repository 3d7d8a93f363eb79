"""Debuggers, profilers and prompts: modules that run a script, whose block counts."""

from __future__ import annotations

import pytest
from support import terminal
from support.user import User

from scriptrun import arguments, hosts

BODY = "import demo\ndef f(x):\n    breakpoint_here = x\n    return x\nprint(demo.V, f(41) + 1)\n"


@pytest.mark.parametrize(
    ("words", "script"),
    [
        ("pdb s.py a", "s.py"),
        ("pdb -c continue s.py", "s.py"),
        ("pdb --command=continue -- s.py", "s.py"),
        ("pdb -m module", ""),
        ("pdb", ""),
        ("ipdb -c continue s.py", "s.py"),
        ("cProfile -s cumtime -o out s.py", "s.py"),
        ("cProfile -m module", ""),
        ("profile s.py", "s.py"),
        ("trace --count -C here s.py", "s.py"),
        ("trace -t --ignore-dir=/usr s.py", "s.py"),
        ("trace --module module", ""),
        ("IPython -i s.py", "s.py"),
        ("IPython --profile p s.py", "s.py"),
        ("IPython -c 1", ""),
        ("IPython", ""),
        ("pudb --pre-run make s.py", "s.py"),
        ("debugpy --listen 5678 --wait-for-client s.py --listen", "s.py"),
        ("debugpy --configure-qt none --listen 5678 s.py", "s.py"),
        ("debugpy --listen 5678 -m module", ""),
        ("debugpy --listen 5678 --pid 1", ""),
        ("coverage run --branch --source a s.py", "s.py"),
        ("coverage report s.py", ""),
        ("coverage", ""),
        ("http.server s.py", ""),
    ],
)
def test_script_among_the_arguments(words: str, script: str) -> None:
    """The script is the first argument that is neither an option nor the value of one."""
    module, *rest = words.split()
    assert hosts.script(module, rest) == script


@pytest.mark.slow
def test_modules_that_take_a_script_have_its_dependencies(user: User) -> None:
    """`-m pdb`, cProfile and trace run the script with what its block asks for, in the environment of a plain run."""
    user.script("s.py", "demo", body=BODY)
    assert user.run("scriptrun", "s.py") == (0, "2.0 42\n", "")
    for words in (("cProfile", "-s", "tottime"), ("trace", "--count", "-C", "counts"), ("pdb", "-c", "continue")):
        status, out, _ = user.run("scriptrun", "-m", *words, "s.py", stdin=b"q\n")
        assert (status, "2.0 42\n" in out) == (0, True), out
    assert len(user.environments()) == 1
    assert user.run("scriptrun", "-m", "pdb", "nosuch.py").status not in (0, 125)


@pytest.mark.slow
def test_debugger_by_stdin(user: User) -> None:
    """A breakpoint, `where`, an expression with a dependency, and quit, as in plain Python."""
    user.script("s.py", "demo", body=BODY)
    line = 1 + next(n for n, text in enumerate((user.directory / "s.py").read_text().split("\n")) if "here" in text)
    typed = f"break {line}\ncontinue\nwhere\np x, demo.V\nquit\n"
    status, out, err = user.run("scriptrun", "-m", "pdb", "s.py", "a", stdin=typed.encode())
    assert (status, err) == (0, "")
    assert f"Breakpoint 1 at {user.directory / 's.py'}:{line}\n" in out
    assert f"> {user.directory / 's.py'}({line})f()\n" in out
    assert "(41, '2.0')\n" in out


@pytest.mark.slow
def test_debugger_at_a_terminal(user: User) -> None:
    """At a terminal the debugger talks with the user, and the prompt after a script does."""
    user.script("s.py", "demo", body=BODY)
    seen = terminal.run(
        user, "scriptrun", "-m", "pdb", "s.py", typed=[("(Pdb) ", "n\n"), ("(Pdb) ", "p demo.V\n"), ("(Pdb) ", "q\n")]
    )
    assert (seen.status, "'2.0'" in seen.shown) == (0, True)
    seen = terminal.run(user, "scriptrun", "-i", "s.py", typed=[(">>> ", "demo.V * 2\n"), (">>> ", "exit()\n")])
    assert (seen.status, "'2.02.0'" in seen.shown) == (0, True)


def test_options_belong_before_the_module(user: User) -> None:
    """An option of scriptrun's after `-m pdb` would be the debugger's: an error says where it belongs."""
    user.script("s.py")
    status, out, err = user.run("scriptrun", "-m", "IPython", "--python", "3.12", "s.py")
    assert (status, out) == (2, "")
    assert "`--python` stands after `-m IPython`, so `IPython` would get it\n" in err
    assert "hint: options of scriptrun come first: scriptrun --python … -m IPython SCRIPT\n" in err
    assert user.run("scriptrun", "-m", "pdb", "-c", "q", "--with", "demo", "s.py").status == 2
    assert user.run("scriptrun", "-m", "cProfile", "s.py", "--with", "x").status == 0


@pytest.mark.parametrize(
    ("words", "requirements", "rest"),
    [
        ("IPython --with ipython s.py a", ["ipython"], "s.py a"),
        ("IPython -w ipython --with=rich -i s.py --with x", ["ipython", "rich"], "-i s.py --with x"),
        ("coverage --with coverage run s.py", ["coverage"], "run s.py"),
        ("pdb s.py --with x", [], "s.py --with x"),
        ("http.server --with x", [], "--with x"),
    ],
)
def test_requirements_between_module_and_script(words: str, requirements: list[str], rest: str) -> None:
    """`--with` right after a module that runs scripts is scriptrun's; after any other module it is the module's."""
    invocation = arguments.parse(["--with", "first", "-m", *words.split()], {"SCRIPTRUN_WITH": "none"})
    hosts.take_requirements(invocation)
    assert invocation.options.many("with") == ("first", *requirements)
    assert invocation.arguments == rest.split()


def test_requirement_after_the_module_counts(user: User) -> None:
    """It is installed beside what the block asks for, in the environment that the same before `-m` has."""
    user.script("s.py", "demo", body="import demo, other\nprint(demo.V, other.V)\n")
    for words in (("-m", "cProfile", "--with", "other"), ("--with", "other", "-m", "cProfile")):
        status, out, err = user.run("scriptrun", *words, "s.py")
        assert (status, out.split("\n")[0], err) == (0, "1.0 1.0", "")
    assert len(user.environments()) == 1
    status, _, err = user.run("scriptrun", "-m", "pdb", "--with")
    assert (status, "`--with` needs a value" in err) == (2, True)


def test_other_modules_take_the_block_by_option(user: User) -> None:
    """A module that is not known to run scripts gets the block of `--script`, and none of its arguments' else."""
    user.script("s.py", "demo")
    user.write(
        "host.py",
        "import sys\ntry:\n    import demo\n    print(demo.V)\nexcept ImportError:\n    print(sys.argv[1:])\n",
    )
    assert user.run("scriptrun", "-m", "host", "s.py") == (0, "['s.py']\n", "")
    assert user.run("scriptrun", "--script", "s.py", "-m", "host", "s.py") == (0, "2.0\n", "")


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize(
    ("distribution", "words", "stdin"),
    [
        ("ipython", ("IPython", "--colors=NoColor", "s.py"), b""),
        ("ipdb", ("ipdb", "-c", "continue", "s.py"), b"q\n"),
        ("debugpy", ("debugpy", "--listen", "127.0.0.1:0", "s.py"), b""),
        ("coverage", ("coverage", "run", "--data-file", "c", "s.py"), b""),
    ],
)
def test_real_hosts(user: User, distribution: str, words: tuple[str, ...], stdin: bytes) -> None:
    """Each of the modules that come from an index runs the script with its own dependencies beside those of --with."""
    user.variables.pop("PIP_INDEX_URL")
    user.variables.pop("PIP_CONFIG_FILE")
    user.script("s.py", "tomli", body="import tomli\nprint('answer', tomli.loads('a = 42')['a'])\n")
    finished = user.run("scriptrun", "-m", words[0], "--with", distribution, *words[1:], stdin=stdin)
    assert (finished.status, "answer 42" in finished.out) == (0, True), finished
