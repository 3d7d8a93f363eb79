"""Every failure a user can meet: its text, its hint and its exit status.

ScriptrunError            125  scriptrun could not provide the environment
├── UsageError              2  wrong use of the command line
├── MetadataError         125  the block, or a value in it, is not valid
├── ConfigurationError    125  config.toml is not valid
├── PolicyError           125  the policy of config.toml forbids it
├── InterpreterError      125  no Python fits
├── LockError             125  the lock of the script is not valid, or not for this
├── InstallError          125  pip could not install what was asked for
├── CacheError            125  the cache cannot be used
├── BundleError          125  the bundle is damaged, or not for this machine
├── RemoteError           125  the program at a URL cannot be had, or is not trusted
├── ApprovalError         125  nobody has agreed that a script from elsewhere may run
│   └── Declined          125  the user has said no to it
├── EditError             125  the script cannot be changed as asked
├── ScriptUnreadable      126  the script exists and cannot be read
├── ScriptMissing         127  the script does not exist
└── Interrupted         128+n  a signal ended scriptrun while it prepared
"""


class ScriptrunError(Exception):
    """A failure that is shown to the user as text, never as a traceback."""

    status = 125

    def __init__(  # noqa: PLR0913 - all but the message by name
        self, message: str, *, hint: str = "", details: str = "", place: str = "", reason: str = ""
    ) -> None:
        """Take the text in parts.

        `message` says what failed, `hint` what to do, `details` holds lines shown as they are
        (pip's last ones), `place` is `file` or `file:line` of the user's own text. `reason` says why to somebody who
        does not program, where more is known than the class says: "the disk is full".
        """
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details
        self.place = place
        self.reason = reason

    def render(self) -> str:
        """Return the whole block of text for stderr, control characters escaped."""
        place = f"{self.place}: " if self.place else ""
        lines = [f"scriptrun: error: {place}{self.message}"]
        lines += [f"  {line}" for line in self.details.split("\n") if self.details]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "".join(f"{escape(without_credentials(line))}\n" for line in lines)


class UsageError(ScriptrunError):
    """The command line, or a `SCRIPTRUN_*` variable that stands for an option, is wrong."""

    status = 2


class MetadataError(ScriptrunError):
    """The script's block is not valid."""


class ConfigurationError(ScriptrunError):
    """A file of the configuration is not valid."""


class PolicyError(ScriptrunError):
    """The policy forbids what is asked for."""


class InterpreterError(ScriptrunError):
    """No Python interpreter fits. `wanted` is what would: a version, or specifiers; `""`: that is not the trouble."""

    def __init__(self, message: str, *, wanted: str = "", **parts: str) -> None:
        super().__init__(message, **parts)
        self.wanted = wanted


class LockError(ScriptrunError):
    """The script's lock cannot be used: it is damaged, stale, missing, or for another Python or platform."""


class InstallError(ScriptrunError):
    """pip did not install what was asked for. `name` is the distribution that it is about, where that is known."""

    def __init__(self, message: str, *, name: str = "", **parts: str) -> None:
        super().__init__(message, **parts)
        self.name = name


class CacheError(ScriptrunError):
    """The cache cannot be used."""


class BundleError(ScriptrunError):
    """The bundle is damaged, or not for this machine."""


class RemoteError(ScriptrunError):
    """The program at a URL cannot be had, or is not trusted."""


class ApprovalError(ScriptrunError):
    """Nobody has agreed that a script from elsewhere may run."""


class Declined(ApprovalError):
    """The user has said no to it, and need not be told."""


class EditError(ScriptrunError):
    """The script cannot be changed as it was asked for."""


class ScriptUnreadable(ScriptrunError):
    """The script exists, but is a directory or may not be read."""

    status = 126


class ScriptMissing(ScriptrunError):
    """The script does not exist."""

    status = 127


class Interrupted(ScriptrunError):
    """A signal arrived during some `work`."""

    def __init__(self, signal_number: int, work: str) -> None:
        super().__init__(f"interrupted by signal {signal_number} while {work}")
        self.status = 128 + signal_number


def escape(text: str) -> str:
    r"""Return `text` with control and bidirectional formatting characters as `\x1b`, `\u202e`, ….

    Tabs stay. What is not text (a surrogate that stands for an undecodable byte) is shown as `\xff`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if character == "\t" or character.isprintable():
        return character
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def without_credentials(text: str) -> str:
    """Return `text` without the user and password that may stand in a URL in it."""
    if "://" not in text or "@" not in text:
        return text
    import re  # takes a third of a Python start

    return re.sub(r"(?<=://)[^/?#\s]*@", "", text)
