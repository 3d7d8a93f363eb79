"""Scripts on the desktop of macOS: the files of application bundles, and of the one that opens scripts.

Implements "Bundle Programming Guide", "Information Property List" and "Uniform Type Identifiers" of Apple's developer
documentation, and launchd.plist(5). Everything here goes from a description to bytes; `cli/desktop/macos` writes them.
"""

from __future__ import annotations

import hashlib
import plistlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scriptrun.desktop.application import Application
from scriptrun.desktop.macos import command_files

HANDLER = "scriptrun.handler"
"""The identifier of the application that opens scripts."""

OWNER = "ScriptrunScript"
"""The key of a bundle's property list that holds the path of its script: by this it is found again."""

_TYPES = {"public.python-script": "py", "org.python.pyw-script": "pyw"}
_ARCHITECTURES = ["arm64", "x86_64"]
"""Without them, an application that is a shell script is taken for one of Intel's, and Rosetta is asked for."""


@dataclass(frozen=True)
class File:
    """A file of a bundle: what is in it, and whether it is a program."""

    content: bytes
    executable: bool = False

    @property
    def mode(self) -> int:
        """The permissions that it gets."""
        return 0o755 if self.executable else 0o644


def identifier(script: str) -> str:
    """Return the bundle identifier of a script's application: letters, digits, `-` and `.` only."""
    return f"scriptrun.script.{hashlib.sha256(script.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"


def bundle(application: Application, attend: str, icon: bytes = b"") -> dict[str, File]:
    """Return the files of an application that runs a script, by their paths in it.

    `attend` is the path of the command `scriptrun-attend`, `icon` the content of an `.icns` file. A script that needs a
    terminal is in a file `.command` (see `command_files`).
    """
    words = [attend, "terminal" if application.terminal else "window", application.keep, application.script]
    start = '/usr/bin/open "${0%/*}/../Resources/run.command"' if application.terminal else shlex.join(words)
    files = {
        "Contents/Info.plist": File(plistlib.dumps(_properties(application, icon=bool(icon)))),
        "Contents/PkgInfo": File(b"APPL????"),
        "Contents/MacOS/start": _program(f"exec {start}"),
    }
    if application.terminal:
        files["Contents/Resources/run.command"] = _program(f"exec {shlex.join(words)}")
    if icon:
        files["Contents/Resources/icon.icns"] = File(icon)
    return files


def agent(application: Application, path: str) -> bytes:
    """Return the property list that lets launchd open the bundle at `path` when the user has logged in."""
    return plistlib.dumps(
        {
            "Label": identifier(application.script),
            "ProgramArguments": ["/usr/bin/open", path],
            "RunAtLoad": True,
            "LimitLoadToSessionType": "Aqua",
        }
    )


def handler(scriptrun: str) -> str:
    """Return the AppleScript of the application that opens scripts.

    Files come to an application as an event, which no shell script can receive. What runs goes on in the background:
    `do shell script` waits for what holds its output.
    """
    command = _string(f"{shlex.quote(scriptrun)} desktop open ")
    return (
        "on open theFiles\n"
        "\trepeat with theFile in theFiles\n"
        f'\t\tdo shell script {command} & quoted form of POSIX path of theFile & " >/dev/null 2>&1 &"\n'
        "\tend repeat\n"
        "end open\n"
        "\n"
        "on run\n"
        '\tdisplay dialog "Drop Python scripts on this application to run them." buttons {"OK"} default button 1\n'
        "end run\n"
    )


def handler_properties(compiled: Mapping[str, Any]) -> bytes:
    """Return the property list of that application, made from the one that `osacompile` gave it.

    It is offered for Python files and never becomes their default by itself (`LSHandlerRank`).
    """
    types = [
        {
            "CFBundleTypeName": "Python script",
            "CFBundleTypeRole": "Shell",
            "LSHandlerRank": "Alternate",
            "LSItemContentTypes": list(_TYPES),
        }
    ]
    own = {
        "CFBundleIdentifier": HANDLER,
        "CFBundleName": "Run Script",
        "CFBundleDisplayName": "Run Script",
        "CFBundleDocumentTypes": types,
        "UTImportedTypeDeclarations": [_declaration(name, ending) for name, ending in _TYPES.items()],
        "LSUIElement": True,
    }
    return plistlib.dumps({**compiled, **own})


def compilation(source: str, path: str) -> list[str]:
    """Return the command that makes the application at `path` from the AppleScript in the file `source`."""
    return ["/usr/bin/osacompile", "-o", path, source]


def signature(path: str) -> list[str]:
    """Return the command that signs an application for this machine: its property list differs from what was signed."""
    return ["/usr/bin/codesign", "--force", "--sign", "-", path]


def announcement(path: str) -> list[str]:
    """Return the command that tells Launch Services of an application (`LSRegisterURL`)."""
    program = (
        'function run(words) { ObjC.import("CoreServices"); $.LSRegisterURL($.NSURL.fileURLWithPath(words[0]), true); }'
    )
    return ["/usr/bin/osascript", "-l", "JavaScript", "-e", program, path]


def _properties(application: Application, *, icon: bool) -> dict[str, Any]:
    return {
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundlePackageType": "APPL",
        "CFBundleSignature": "????",
        "CFBundleIdentifier": identifier(application.script),
        "CFBundleName": application.name,
        "CFBundleDisplayName": application.name,
        "CFBundleExecutable": "start",
        "CFBundleVersion": "1",
        "CFBundleShortVersionString": "1.0",
        "LSArchitecturePriority": _ARCHITECTURES,
        "LSUIElement": application.terminal,  # the terminal has an icon in the Dock, what opens it needs none
        "NSHighResolutionCapable": True,
        OWNER: application.script,
        **({"CFBundleIconFile": "icon"} if icon else {}),
    }


def _declaration(name: str, ending: str) -> dict[str, Any]:
    return {
        "UTTypeIdentifier": name,
        "UTTypeDescription": "Python script",
        "UTTypeConformsTo": ["public.shell-script"],
        "UTTypeTagSpecification": {"public.filename-extension": [ending], "public.mime-type": ["text/x-python"]},
    }


def _program(line: str) -> File:
    return File(command_files.program(line), executable=True)


def _string(text: str) -> str:
    """Return a text as a literal of AppleScript."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
