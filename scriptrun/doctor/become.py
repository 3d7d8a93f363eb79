"""Become a job, as cron does; run from its file. What it is told stands in a variable, which nobody else can read.

That is JSON: the name and the numbers of a user, the job's variables and its command, and the file that is to be its
stdout, which need not be open to the user.
"""

from __future__ import annotations

import json
import os


def main() -> None:
    """Take on a user's rights, directory and variables, and become the shell that runs a command."""
    told = json.loads(os.environ["SCRIPTRUN_TOLD"])
    os.dup2(os.open(told["output"], os.O_WRONLY), 1)
    os.closerange(3, 65536)
    if os.geteuid() == 0:
        os.initgroups(told["name"], told["gid"])
        os.setgid(told["gid"])
        os.setuid(told["uid"])
    os.umask(0o022)
    for directory in (told["variables"]["HOME"], "/var/spool/cron", "/"):
        try:
            os.chdir(directory)
            break
        except OSError:
            pass
    shell = told["variables"]["SHELL"]
    os.execve(shell, [shell, "-c", told["command"]], told["variables"])  # noqa: S606 - the shell is cron's


if __name__ == "__main__":
    main()
