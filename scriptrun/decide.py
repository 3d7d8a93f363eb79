"""Decide what a command line needs: an environment that is known to be ready, or the rest of scriptrun.

Up to the moment that an environment is known, only what is on the list in `tests/test_imports.py` is imported.
"""

import os

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

from scriptrun import arguments, location, output, request
from scriptrun.errors import ScriptrunError
from scriptrun.launch import ATTENDED, Answer
from scriptrun.request import Request


def main(argv: "Sequence[str]", environ: "Mapping[str, str]") -> int:
    """Do what `argv` (without the program's name) asks for; return the exit status, unless this became the script."""
    try:
        invocation = arguments.parse(argv, environ)
        if invocation.action in ("help", "version", "command"):
            location.find_libraries()
            from scriptrun import cli

            return cli.command(invocation, environ)
        asked = request.make(invocation, environ)
        status = _run_if_known(asked, environ)
        if status is not None:
            return status
        location.find_libraries()
        from scriptrun.cli import run

        return run.run(asked, environ)
    except ScriptrunError as error:
        return _tell(error, argv, environ)
    except OSError as error:
        from scriptrun import refusals  # takes a third of a Python start

        return _tell(refusals.explain("the operating system refused something", error, ""), argv, environ)
    except KeyboardInterrupt:
        return 130


def _tell(error: ScriptrunError, argv: "Sequence[str]", environ: "Mapping[str, str]") -> int:
    """Tell of a failure, and return its exit status."""
    if ATTENDED in environ:  # a script that was not started by a command
        location.find_libraries()
        from scriptrun.desktop import attended

        attended.tell(error, argv, environ)
    else:
        output.tell(error.render())
    return error.status


def _run_if_known(asked: Request, environ: "Mapping[str, str]") -> "int | None":
    """Become the program, if this very question was answered before, else return None.

    Returns the exit status where the program must not run twice, and runs already.
    """
    options = asked.invocation.options
    if options.flag("refresh") or options.flag("isolated") or options.flag("explain"):
        return None
    answer = asked.recall() or _again(asked, environ)
    if answer is None:
        return None
    status = _enter(asked, answer)
    if status is None:
        asked.tell()
        asked.become(answer, environ)
    return status


def _again(asked: Request, environ: "Mapping[str, str]") -> "Answer | None":
    """Return the remembered answer with its environment put together once more, None where that is not as simple."""
    before = asked.answer_before()
    if before is None or os.path.lexists(before.environment):
        return None
    from scriptrun import again  # rare

    return again.prepare(asked, before, environ)


def _enter(asked: Request, answer: Answer) -> "int | None":
    """Return None if the program may run now, else the exit status."""
    if answer.overlap is None:
        return None
    from scriptrun import overlap  # rare

    return overlap.enter(asked, answer.overlap)
