"""Decide what a command line needs: an environment that is known to be ready, or the rest of scriptrun.

Up to the moment that an environment is known, only what is on the list in `tests/test_imports.py` is imported.
"""

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

from scriptrun import arguments, location, output, request
from scriptrun.errors import ScriptrunError
from scriptrun.request import Request


def main(argv: "Sequence[str]", environ: "Mapping[str, str]") -> int:
    """Do what `argv` (without the program's name) asks for; return the exit status, unless this became the script."""
    try:
        invocation = arguments.parse(argv, environ)
        if invocation.action in ("help", "version", "command"):
            location.find_libraries()
            from scriptrun import cli

            return cli.command(invocation, environ)
        asked = request.read(invocation, environ)
        _run_if_known(asked, environ)
        location.find_libraries()
        from scriptrun.cli import run

        return run.run(asked, environ)
    except ScriptrunError as error:
        output.tell(error.render())
        return error.status
    except OSError as error:
        from scriptrun import refusals  # takes a third of a Python start

        output.tell(refusals.explain("the operating system refused something", error, "").render())
        return ScriptrunError.status
    except KeyboardInterrupt:
        return 130


def _run_if_known(asked: Request, environ: "Mapping[str, str]") -> None:
    """Become the script, if this very question was answered before; else return."""
    options = asked.invocation.options
    if options.flag("refresh") or options.flag("isolated") or options.flag("explain"):
        return
    answer = asked.recall()
    if answer is not None:
        asked.become(answer, environ)
