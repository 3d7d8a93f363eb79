"""`scriptrun --help` and `scriptrun --version`."""

from __future__ import annotations

from collections.abc import Mapping

import scriptrun
from scriptrun import output
from scriptrun.arguments import OPTIONS, Invocation, Option

_HELP = """\
Run a Python file that declares its own dependencies. Put this into hello.py:

  #!/usr/bin/env scriptrun
  # /// script
  # dependencies = ["rich"]
  # ///
  from rich import print
  print("[bold]Hello[/bold]")

  chmod +x hello.py
  ./hello.py                         the first time, pip installs rich

More examples:
  scriptrun hello.py --name Ada      what follows the script is the script's own
  scriptrun --with fire calc.py      one more requirement; works for any file
  scriptrun -p 3.12 hello.py         with another Python
  scriptrun --refresh hello.py       ask pip again for the newest versions
  scriptrun --explain hello.py       what would be done, and why
  scriptrun --with rich -i           a Python prompt that has rich
  scriptrun --with httpie -m httpie  a module of a distribution
  scriptrun -m pdb hello.py          a debugger, with what hello.py needs
  scriptrun --script hello.py w.py   another program, with what hello.py needs

Usage:
  scriptrun [OPTIONS] SCRIPT [ARG...]       a file or a URL; - is standard input
  scriptrun [OPTIONS] -m MODULE [ARG...]    a module
  scriptrun [OPTIONS] -c CODE [ARG...]      code
  scriptrun [OPTIONS] -i [SCRIPT [ARG...]]  a prompt, after the script if any
  scriptrun [OPTIONS] COMMAND

Commands:
  init FILE [--with REQ]...       make a script; [--python VERSION|PATH]
    [--lock]                      and its lock
  add SCRIPT REQ... [--bounds KIND]   ask for more: lower, major, minor, exact
                                  or no bound (none) where REQ has none
    [--infer]                     and for what it imports and does not declare
  remove SCRIPT NAME...           ask for less
  upgrade SCRIPT [NAME...]        raise the bounds to what pip chooses now
  config [SCRIPT] [--json]        each setting, and where it comes from
  env SCRIPT [--json]             where the environment is, and what is in it
  check SCRIPT... [--json]        what is wrong with scripts; see docs/check.md
    [--ignore CODE,CODE]
  doctor [SCRIPT] [--json]        what would keep it from running; in cron, with
    [--cron] [--user NAME]        cron's environment, as another user if root
  python find SCRIPT [--json]     the Python that the script gets
  python list [--json]            the Pythons of this machine
  sync SCRIPT... [--system]       prepare, without running; for all users
    [--venv-link]                 with a link .venv, for editors
  lock SCRIPT [--embed]           keep versions and hashes beside the script,
    [--upgrade]                   or inside it; all newest with --upgrade
  bundle SCRIPT [-o FILE]         script, lock and wheels in one file NAME.pyz,
    [--platform TAG]              for hosts without scriptrun and network
  export SCRIPT [--format FORMAT] its lock as `requirements` or `pylock`
  tree SCRIPT                     which distribution is there because of which
  cron SCRIPT [ARG...]            a line for your crontab, put in by --install;
    --schedule "*/5 * * * *"      cron SCRIPT --remove takes it out; for cron.d,
    [--install] [--user NAME]     with a user; see docs/cron.md
  systemd SCRIPT [ARG...]         a service that runs it; with --on-calendar a
    [--on-calendar TIME]          timer; written with --output; --user alone,
    [--user] [--output DIR]       without a name, is for your own systemd
    [--name NAME]
  desktop install [--default]     open scripts by a double click, for all users
    [--system]                    with --system; desktop uninstall ends it
  desktop status [--json]         what opens scripts; see docs/desktop.md
  desktop add SCRIPT              an entry in the menu, also --on-desktop; with
    [--name NAME] [--icon ICON]   --autostart at each login, too; desktop
    [--autostart] [--on-desktop]  remove SCRIPT takes it out
  cache dir                       where environments are kept
  cache prune [--dry-run]         remove what is unused for 90 days; also
    [--older-than AGE] [--max-size SIZE] [--all] [--grace SECONDS]
  cache clear                     remove all that is not in use
  cache list [--json]             the environments; [--sort used|size|created|
                                  python|key]
  cache size [--json]             how much room they take
  cache verify [--repair]         whether they still are what was installed

Options:
{options}
  -h, --help                      this text
  -V, --version                   the version

An option is also a variable (--index-url is SCRIPTRUN_INDEX_URL, a flag 1 or 0)
and a key of [tool.scriptrun] in the block, except --script, --trust, --explain.
What the command line says counts first, then the variable, then the block.
SCRIPTRUN_CACHE_DIR moves the cache, SCRIPTRUN_SYSTEM_CACHE the one that `sync
--system` fills for all. ~/.config/scriptrun/config.toml, and for the machine
/etc/scriptrun/config.toml, hold the same keys, which count after the block's,
and the tables [cache], [policy] and [trust]; docs/settings.md tells of all.
pip's own settings (pip.conf, PIP_INDEX_URL and so on) say which index is asked.

Exit status: the script's own, or 2 wrong use of scriptrun, 125 it failed, 126
the script cannot be read, 127 there is no such script, 128+n ended by
signal n while preparing.
"""


def main(invocation: Invocation, _environ: Mapping[str, str]) -> int:
    """Print help or version to stdout."""
    if invocation.action == "version":
        output.give(f"scriptrun {scriptrun.__version__}\n")
    else:
        output.give(_HELP.format(options="\n".join(_line(option) for option in OPTIONS)))
    return 0


def _line(option: Option) -> str:
    letter = f"-{option.letter}, " if option.letter else "    "
    placeholder = f" {option.placeholder}" if option.placeholder else ""
    return f"  {letter}--{option.name + placeholder:<25} {option.help}"
