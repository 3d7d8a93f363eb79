"""Scripts that came from elsewhere are shown before they run for the first time, and nowhere but on a desktop."""

from __future__ import annotations

import ast
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.user import User

import scriptrun
from scriptrun import arguments, metadata, request
from scriptrun.desktop import approval, dialogs, known, origin
from scriptrun.desktop.dialogs import Question
from scriptrun.errors import ApprovalError, Declined

RAN = "#!/usr/bin/env scriptrun\n# /// script\n# dependencies = []\n# ///\n\nprint('ran')\n"


class Answers:
    """Somebody who says yes or no to questions, and keeps them; `before` is done while they look."""

    def __init__(self, *, yes: bool = True) -> None:
        self.yes = yes
        self.questions: list[Question] = []
        self.touched: tuple[Path, str] | None = None

    def __call__(self, question: Question, environ: Mapping[str, str]) -> bool:
        """Answer a question."""
        assert "HOME" in environ
        self.questions.append(question)
        if self.touched is not None:
            self.touched[0].write_text(self.touched[1])
        return self.yes


def require(user: User, script: Path, answers: approval.Ask) -> None:
    """Ask for the approval of a script, as opening it does."""
    environ = user.environment()
    asked = request.make(arguments.parse([str(script)], environ), environ)
    reasons = origin.reasons(str(script), environ)
    approval.require(asked, metadata.parse(asked.block, asked.name, asked.directory), reasons, environ, answers)


def is_asked(user: User, script: Path, *, yes: bool = True) -> bool:
    """Tell whether a script is asked about. Raises Declined where the answer is no."""
    answers = Answers(yes=yes)
    require(user, script, answers)
    return bool(answers.questions)


def asked_of(user: User, script: Path) -> Question:
    """Return the question that is asked about a script, which is then refused."""
    answers = Answers(yes=False)
    with pytest.raises(Declined):
        require(user, script, answers)
    (question,) = answers.questions
    return question


def downloaded(user: User, name: str, text: str | bytes = RAN) -> Path:
    """Write an executable script as a browser does that downloads it from example.org; return its path."""
    path = user.home / "Downloads" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o755)
    os.setxattr(path, "user.xdg.origin.url", b"https://example.org/files/" + os.fsencode(name) + b"?s3cret")
    return path


def approved(user: User) -> list[Path]:
    """Return what is kept of scripts that were let run."""
    return sorted((user.home / ".local/state/scriptrun/approved").glob("*"))


def test_what_was_made_here_is_never_asked_about(user: User) -> None:
    """A script of the user's own in their own directory runs; nothing is kept of it."""
    assert not is_asked(user, user.script("s.py"))
    assert approved(user) == []


def test_what_was_let_run_is_known_by_its_content(user: User) -> None:
    """It is asked about once, also under another name and path; with any other byte it is asked about again."""
    script = downloaded(user, "s.py")
    assert [is_asked(user, script), is_asked(user, script)] == [True, False]
    assert not is_asked(user, downloaded(user, "other name.py"))
    assert is_asked(user, downloaded(user, "s.py", RAN + "\n"))
    assert not is_asked(user, downloaded(user, "s.py"))


def test_what_was_refused_is_asked_about_again(user: User) -> None:
    """Cancel ends quietly: an error of its own kind, and nothing is kept."""
    script = downloaded(user, "s.py")
    for _ in range(2):
        with pytest.raises(Declined):
            is_asked(user, script, yes=False)
    assert approved(user) == []


def test_only_hashes_are_kept_in_private(user: User) -> None:
    """Nobody else can read which scripts were let run, and neither names nor paths are kept."""
    script = downloaded(user, "s.py")
    assert is_asked(user, script)
    kept = approved(user)
    assert hashlib.sha256(RAN.encode()).hexdigest() in [path.name for path in kept]
    assert [len(path.name) for path in kept] == [64, 64]
    for path in kept:
        assert path.read_bytes() == b""
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_hashes_that_are_kept_are_bounded(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not used for longest goes first."""
    monkeypatch.setattr(known, "MOST", 2)
    environ = user.environment()
    for number, name in enumerate("abc"):
        known.remember(name, environ)
        os.utime(user.home / ".local/state/scriptrun/approved" / name, (number, number))
        assert known.is_agreed("a", environ)
    assert [path.name for path in approved(user)] == ["a", "c"]


@pytest.mark.parametrize("change", ["mode", "owner"])
def test_hashes_that_others_could_have_put_there_do_not_count(user: User, change: str) -> None:
    """Under `sudo` with the home of another user, that one does not decide what root runs."""
    script = downloaded(user, "s.py")
    assert is_asked(user, script)
    directory = approved(user)[0].parent
    if change == "mode":
        directory.chmod(0o777)
    else:
        os.chown(directory, 65534, -1)
    assert is_asked(user, script)


def test_no_place_to_remember_is_no_obstacle(user: User) -> None:
    """Where the state cannot be kept, the script may run, and is asked about again."""
    (user.home / ".local").write_text("")
    script = downloaded(user, "s.py")
    assert [is_asked(user, script), is_asked(user, script)] == [True, True]


def test_what_ran_from_a_terminal_has_run_before(user: User) -> None:
    """A script that was run here by its path is not asked about, until it changes, whatever its time says."""
    script = downloaded(user, "s.py")
    assert user.run(script).status == 0
    assert not is_asked(user, script)
    copy = downloaded(user, "copy.py")
    assert asked_of(user, copy).title == "Run copy.py?"
    times = script.stat()
    script.write_text(RAN + "print()\n")
    os.utime(script, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert asked_of(user, script).title == "Run s.py?"


def test_what_ran_with_a_lock_has_not_run_without(user: User) -> None:
    """A script that ran with a lock beside it is asked about, with that and without: other things are installed."""
    script = downloaded(user, "s.py")
    assert user.run("scriptrun", "-q", "lock", script).status == 0
    assert user.run(script).status == 0
    assert len(user.records()) == 1
    lock = script.with_name("pylock.s.toml").rename(user.home / "aside.toml")
    assert asked_of(user, script)
    lock.rename(script.with_name("pylock.s.toml"))
    assert asked_of(user, script)


def test_another_file_in_the_place_of_one_that_ran_is_asked_about(user: User) -> None:
    """An older file that takes its name has not run before, nor one that a link leads to now."""
    older, script = downloaded(user, "older/s.py", RAN + "print()\n"), downloaded(user, "newer/s.py")
    current = user.home / "Downloads" / "current"
    current.symlink_to(script.parent)
    through = current / "s.py"
    assert [user.run(path).status for path in (script, through)] == [0, 0]
    assert not is_asked(user, through)
    current.unlink()
    current.symlink_to(older.parent)
    assert asked_of(user, through)
    older.rename(script)
    assert asked_of(user, script)


def test_another_folder_in_the_place_of_one_that_ran_is_asked_about(user: User) -> None:
    """A script that wants something else than what ran at this path is told from it, though it was never changed."""
    older, script = downloaded(user, "older/s.py", RAN.replace("[]", "['demo']")), downloaded(user, "newer/s.py")
    assert user.run(script).status == 0
    script.parent.rename(user.home / "aside")
    older.parent.rename(script.parent)
    assert asked_of(user, script)


def test_that_a_script_ran_from_another_drive_proves_nothing(user: User) -> None:
    """By now another drive may be in its place, with a file of that name: it is asked about again."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        script = Path(directory, "s.py")
        script.write_text(RAN)
        assert user.run("scriptrun", script).status == 0
        assert asked_of(user, script)


def test_question_says_what_it_is_and_what_it_wants(user: User) -> None:
    """Name, folder, where it comes from, what it installs and from where: without passwords, and all of its text."""
    text = "#!/usr/bin/env scriptrun\n# /// script\n# requires-python = '>=3.8'\n"
    text += "# dependencies = ['demo>=1', 'other', 'third @ https://jo:s3cret@evil.invalid/third-1.0.tar.gz']\n"
    text += "# [tool.scriptrun]\n# extra-index-url = ['https://jo:s3cret@mine.invalid/simple']\n# [tool.uv.sources]\n"
    text += "# other = { git = 'https://jo:s3cret@git.invalid/other' }\n# ///\nprint('ü')\n"
    question = asked_of(user, downloaded(user, "s.py", text))
    assert "“s.py”" in question.sentence
    assert {label: text.replace("third@", "third @") for label, text in question.rows} == {
        "Name": "s.py",
        "Folder": str(user.home / "Downloads"),
        "Comes from": "it was downloaded from example.org, and is in your downloads folder",
        "Size": f"{len(text.encode())} B",
        "Python": "Python 3.8 or newer",
        "Depends on": "demo>=1, other, third @ https://evil.invalid/third-1.0.tar.gz",
        "Sources": "other from git+https://git.invalid/other",
        "Options": "extra-index-url = https://mine.invalid/simple",
    }
    assert question.source == text


def test_name_cannot_pretend_to_be_another(user: User) -> None:
    """Characters that turn the direction of writing, or begin a line, are shown as what they are."""
    question = asked_of(user, downloaded(user, "\u202eyp.fdp\n.py"))
    assert dict(question.rows)["Name"] == "\\u202eyp.fdp\\x0a.py"
    assert question.title == "Run \\u202eyp.fdp\\x0a.py?"
    assert "\u202e" not in question.sentence


def test_name_cannot_hide_its_ending(user: User) -> None:
    """What looks like nothing, or is very wide, does not push the ending out of sight."""
    question = asked_of(user, downloaded(user, "invoice.pdf" + " " * 100 + "\u3164\u2800.py"))
    assert dict(question.rows)["Name"] == "invoice.pdf … \\u3164\\u2800.py"
    assert question.title == "Run invoice.pdf … \\u3164\\u2800.py?"


@pytest.mark.parametrize(
    ("block", "beside", "asked"),
    [
        ("", "", False),
        ("", "notes about it.py", False),
        ("", "readme.txt", False),
        ("", "requests.py", True),
        ("", "requests/x.py", True),
        ("", "requests.cpython-311-x86_64-linux-gnu.so", True),
        ("# [tool.scriptrun]\n# env-file = ['keys']\n", "", True),
    ],
)
def test_another_folder_that_may_change_what_runs_is_asked_about(
    user: User,
    block: str,
    beside: str,
    asked: bool,  # noqa: FBT001
) -> None:
    """What was let run in one folder may import from another one, or name files in it: then its folder counts."""
    text = RAN.replace("[]\n", f"[]\n{block}")
    assert is_asked(user, downloaded(user, "a/s.py", text))
    script = downloaded(user, "b/s.py", text)
    if beside:
        user.write(f"{script.parent}/{beside}", "")
    assert [is_asked(user, script), is_asked(user, script)] == [asked, False]


def test_locks_are_part_of_what_is_asked(user: User) -> None:
    """What a lock beside or inside the script installs is told; another lock beside it is asked about again."""
    script = downloaded(user, "s.py", "# /// script\n# dependencies = ['demo']\n# ///\nimport demo\n")
    assert user.run("scriptrun", "-q", "lock", script).status == 0
    lock = script.with_name("pylock.s.toml")
    assert dict(asked_of(user, script).rows)["Locked"] == "1 distribution; demo 2.0"
    assert [is_asked(user, script), is_asked(user, script)] == [True, False]
    text = lock.read_text()
    lock.write_text(text + "\n")
    assert is_asked(user, script)
    lock.unlink()
    assert is_asked(user, script)
    assert user.run("scriptrun", "-q", "lock", "--embed", script).status == 0
    assert dict(asked_of(user, script).rows)["Locked"] == "1 distribution; demo 2.0"


def test_lock_that_appears_beside_what_ran_is_asked_about(user: User) -> None:
    """That the script ran before says nothing of what a lock makes it install now."""
    script = downloaded(user, "s.py")
    assert user.run(script).status == 0
    assert not is_asked(user, script)
    assert user.run("scriptrun", "-q", "lock", script).status == 0
    assert is_asked(user, script)


@pytest.mark.parametrize("name", ["s.py", "pylock.s.toml"])
def test_what_changes_while_it_is_looked_at_does_not_run(user: User, name: str) -> None:
    """What runs is what was shown: a change is an error, and nothing is remembered."""
    script = downloaded(user, "s.py")
    answers = Answers()
    answers.touched = (script.with_name(name), "print('other')\n")
    with pytest.raises(ApprovalError, match="has changed while you were asked about it") as error:
        require(user, script, answers)
    assert not isinstance(error.value, Declined)
    assert approved(user) == []


def test_where_nobody_can_be_asked_it_does_not_run(user: User) -> None:
    """Without a screen it is refused, with the line that runs it from a terminal."""
    script = downloaded(user, "it's mine.py")
    with pytest.raises(ApprovalError) as error:
        require(user, script, dialogs.ask)
    assert "no window can show it to you first" in error.value.reason
    assert f"type in a terminal: scriptrun '{user.home}/Downloads/it'\"'\"'s mine.py'" in error.value.hint
    assert approved(user) == []


def test_opening_without_a_screen_does_not_run_it(user: User) -> None:
    """What is said then has the line for a terminal, and that one runs it."""
    status, out, err = user.run("scriptrun", "desktop", "open", downloaded(user, "it's mine.py"))
    assert (status, out) == (125, "")
    line = err.rpartition("type in a terminal: ")[2]
    assert user.run("sh", "-c", line) == (0, "ran\n", "")


def test_stream_is_refused(user: User) -> None:
    """What is no ordinary file can be read only once."""
    with pytest.raises(ApprovalError, match="is no ordinary file"):
        require(user, Path("/dev/null"), Answers())


CRON = ("env", "-i", "HOME={home}", "LOGNAME=ada", "PATH=/usr/bin:/bin", "SHELL=/bin/sh", "/bin/sh", "-c", "{line}")
"""What cron gives to a job."""


@pytest.mark.parametrize("words", [("{script}",), ("scriptrun", "{script}"), CRON], ids=["shebang", "command", "cron"])
def test_neither_shebang_nor_command_line_nor_cron_asks(user: User, words: tuple[str, ...]) -> None:
    """A script that a desktop would ask about runs at once, with or without a screen, and nothing is remembered."""
    script = downloaded(user, "s.py")
    assert asked_of(user, script)
    table = user.run("scriptrun", "-q", "cron", script, "--schedule", "0 6 * * *").out
    (job,) = (line.removeprefix("0 6 * * * ") for line in table.splitlines() if line.startswith("0 6 "))
    for screen in (None, ":99999"):
        line = [word.format(script=script, home=user.home, line=job) for word in words]
        assert user.run(*line, DISPLAY=screen, cwd=user.home) == (0, "ran\n", "")
    assert approved(user) == []


def test_only_opening_asks() -> None:
    """No module but the one for files that a desktop opens imports what asks."""
    package = Path(scriptrun.__file__).parent
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = [one.name for one in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any("approval" in name.split(".") for name in names + modules):
                found.add(str(path.relative_to(package)))
    assert found == {"desktop/opening.py"}
