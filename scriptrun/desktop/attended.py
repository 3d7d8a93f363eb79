"""Run for somebody who has typed no command: `scriptrun-attend` started this process, and is told how that went.

It says so in SCRIPTRUN_ATTENDED: its process, whether there is a terminal, and the file to say in what it does not see.
As the process is named, what the script starts is not meant.
"""

import os

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

from scriptrun import decide, location, output
from scriptrun.errors import Interrupted, ScriptrunError
from scriptrun.launch import ATTENDED


class Attendance:
    """Whether there is a `terminal`, and the file that is for `scriptrun-attend`."""

    __slots__ = ("outcome", "terminal")

    def __init__(self, outcome: str, *, terminal: bool) -> None:
        self.outcome = outcome
        self.terminal = terminal

    def say(self, words: str) -> None:
        """Write a few words for `scriptrun-attend`, which does without them too."""
        try:
            descriptor = os.open(self.outcome, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.write(descriptor, f"{words}\n".encode("ascii"))
            os.close(descriptor)
        except OSError:
            pass


def find(environ: "Mapping[str, str]") -> "Attendance | None":
    """Return who attends this process, None where nobody does."""
    words = environ.get(ATTENDED, "").split(" ", 2)
    if len(words) != 3 or words[0] != str(os.getppid()) or not os.path.isabs(words[2]):
        return None
    return Attendance(words[2], terminal=words[1] == "terminal")


def begun(environ: "Mapping[str, str]") -> None:
    """Say that the script begins now, where it had to be prepared: the time before does not count as its own."""
    attendance = find(environ)
    if attendance is not None and attendance.terminal:
        import time  # only after a script was prepared

        attendance.say(f"began {int(time.time())}")


def main(argv: "Sequence[str]", environ: "Mapping[str, str]") -> int:
    """Do what `argv` asks for, and tell of a failure as it is told to somebody who does not program."""
    attendance = find(environ)
    if attendance is None:
        return decide.main(argv, {name: value for name, value in environ.items() if name != ATTENDED})
    try:
        return decide.attempt(argv, environ)
    except ScriptrunError as error:
        location.find_libraries()
        _tell(error, os.path.basename(_script(argv)), attendance, environ)
        return error.status


def _script(argv: "Sequence[str]") -> str:
    return next((word for word in argv if not word.startswith("--")), "")


def _tell(error: ScriptrunError, name: str, attendance: Attendance, environ: "Mapping[str, str]") -> None:
    """Tell of a failure; the windows are left to `scriptrun-attend` where they fail."""
    from scriptrun.desktop import dialogs, sentences

    sentence = sentences.of_error(error, name)
    if attendance.terminal:
        output.tell(_page(sentence, error.render()))
    elif isinstance(error, Interrupted):
        output.tell(error.render())
    else:
        dialogs.tell(name, sentence, error.render(), environ)
    attendance.say("told")


def _page(sentence: str, details: str) -> str:
    """Return what a terminal shows of a failure; the sentence comes again after details that move it out of sight."""
    import shutil
    import textwrap

    columns, rows = shutil.get_terminal_size()
    said = textwrap.fill(sentence, max(columns, 20)) + "\n"
    lines = sum(1 + len(line) // max(columns, 20) for line in details.splitlines())
    again = f"\n{said}" if lines > rows - 10 else ""
    return f"{said}\nDetails, for somebody who can help:\n{details}{again}"
