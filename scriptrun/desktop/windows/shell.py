"""Scripts on the desktop of Windows: the values of the registry, and command lines.

Implements "File Types", "Programmatic Identifiers" and "How to Include an Application on the Open With Dialog Box" of
Microsoft's documentation of the shell. Everything here goes from a description to data; `registry` writes it.
What the user chose in a dialog (`UserChoice`) is the user's alone and is never written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scriptrun.errors import UsageError

CLASSES = r"Software\Classes"
PROGID = "scriptrun.Script.1"
BEFORE = r"Software\scriptrun\Before"
"""Where the defaults that were there before are kept, one value for each ending."""

ENDINGS = (".py", ".pyw")
CHOICES = r"Software\Microsoft\Windows\CurrentVersion\Explorer\FileExts"
FOLDERS = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"

_PLACEHOLDER = re.compile(r'"?%([1lL])"?|%[2-9*]')


@dataclass(frozen=True)
class Value:
    """A value of the registry, below HKEY_CURRENT_USER; the name `""` is the default one of its key.

    `kind` is the name of its type.
    """

    key: str
    name: str
    kind: str
    data: str | bytes


def registration(command: Sequence[str], icon: str = "", *, default: bool = False) -> tuple[Value, ...]:
    """Return the values that offer `command` for Python files, and with `default` let it open them.

    Explorer starts a command in the directory of the file. Raises UsageError where a word has a `%`, which the shell
    would take for the name of a variable.
    """
    for word in command:
        if "%" in word:
            raise UsageError(f"Windows starts no command whose path has a `%`: `{word}`", hint="install it elsewhere")
    progid = rf"{CLASSES}\{PROGID}"
    values = [
        Value(progid, "", "REG_SZ", "Python script (scriptrun)"),
        Value(rf"{progid}\shell", "", "REG_SZ", "open"),
        Value(rf"{progid}\shell\open", "FriendlyAppName", "REG_SZ", "Run Script"),
        Value(rf"{progid}\shell\open\command", "", "REG_SZ", f'{command_line(command)} "%1" %*'),
    ]
    values += [Value(rf"{CLASSES}\{ending}\OpenWithProgids", PROGID, "REG_NONE", b"") for ending in ENDINGS]
    if icon:
        values.append(Value(rf"{progid}\DefaultIcon", "", "REG_SZ", f'"{icon}",0'))
    if default:
        values += [Value(rf"{CLASSES}\{ending}", "", "REG_SZ", PROGID) for ending in ENDINGS]
    else:  # that it is there is no reason for Windows to prefer it
        values.append(Value(progid, "AllowSilentDefaultTakeOver", "REG_NONE", b""))
    return tuple(values)


def command_line(words: Sequence[str]) -> str:
    """Return words as one line that `CommandLineToArgvW` and C programs take apart into the same words."""
    return " ".join(_quoted(word) for word in words)


def expand(template: str, path: str) -> str:
    """Return the command line that a command of the registry stands for when the file at `path` is opened.

    Where the template names no file, the path follows.
    """
    line = _PLACEHOLDER.sub(lambda found: f'"{path}"' if found[1] else "", template).rstrip()
    return line if f'"{path}"' in line else f'{line} "{path}"'


def expand_variables(text: str, environ: Mapping[str, str]) -> str:
    """Return a value of the type REG_EXPAND_SZ with its variables replaced; what is not set stays."""
    upper = {name.upper(): value for name, value in environ.items()}
    return re.sub(r"%([^%]+)%", lambda found: upper.get(found[1].upper(), found[0]), text)


def _quoted(word: str) -> str:
    if word and not re.search(r'[\s"]', word):
        return word
    doubled = re.sub(r'(\\*)(?="|\Z)', lambda found: 2 * found[1], word)
    return '"' + doubled.replace('"', '\\"') + '"'
