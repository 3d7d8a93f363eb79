"""`scriptrun --help` and `scriptrun --version`."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import scriptrun
from scriptrun.arguments import OPTIONS, Invocation, Option

_HELP = """\
Run a Python file that declares its own dependencies.

  hello.py:
    #!/usr/bin/env scriptrun
    # /// script
    # requires-python = ">=3.10"
    # dependencies = ["rich"]
    # ///
    from rich import print
    print("[bold]Hello[/bold]")

  chmod +x hello.py
  ./hello.py                          the first run lets pip install rich; later runs start at once

More examples:
  scriptrun hello.py --name Ada       what follows the script is the script's own
  scriptrun --with fire calc.py       one more requirement, also for a file that declares none
  scriptrun -p 3.12 hello.py          with another Python
  scriptrun --refresh hello.py        ask pip again for the newest versions
  scriptrun --with rich -i            a Python prompt that has rich
  scriptrun --with httpie -m httpie   a module of a distribution
  cat hello.py | scriptrun - --name Ada

Usage:
  scriptrun [OPTIONS] SCRIPT [ARG…]   run a file; - reads it from standard input
  scriptrun [OPTIONS] -m MODULE [ARG…]
  scriptrun [OPTIONS] -c CODE [ARG…]
  scriptrun [OPTIONS] -i [SCRIPT [ARG…]]
  scriptrun env SCRIPT [--json]       the environment of a script: where, what is in it, whether it is ready
  scriptrun python list [--json]      the Pythons that are found
  scriptrun python find SCRIPT        the Python that a script gets
  scriptrun cache dir                 where environments are kept

Options:
{options}
  -h, --help                          this text
  -V, --version                       the version

Each option but --script and --explain can be set as a variable (--index-url as SCRIPTRUN_INDEX_URL, flags as 1 or 0)
and as a key of [tool.scriptrun] in the block; the command line counts first, then the variable, then the block.
SCRIPTRUN_CACHE_DIR moves the cache. pip's own configuration (pip.conf, PIP_INDEX_URL, …) says which index is asked.

Exit status: the script's own; 2 wrong use; 125 scriptrun failed; 126 the script cannot be read; 127 there is no such
script; 128+n ended by signal n while preparing.
"""


def main(invocation: Invocation, _environ: Mapping[str, str]) -> int:
    """Print help or version to stdout."""
    if invocation.action == "version":
        sys.stdout.write(f"scriptrun {scriptrun.__version__}\n")
    else:
        sys.stdout.write(_HELP.format(options="\n".join(_line(option) for option in OPTIONS)))
    return 0


def _line(option: Option) -> str:
    letter = f"-{option.letter}, " if option.letter else "    "
    placeholder = f" {option.placeholder}" if option.placeholder else ""
    return f"  {letter}--{option.name + placeholder:<29} {option.help}"
