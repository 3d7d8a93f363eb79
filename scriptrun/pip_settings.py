"""Choose what of the user's environment and of pip's own configuration reaches pip.

Whom to ask for distributions, how to get there and with which credentials is the user's to say, and is handed on. Where
to install, and whether to, is not: `target`, `user`, `no-deps` and the like make pip report success and leave an
environment that is empty or somebody else's. So this is an allowlist, for variables and for configuration files alike.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from scriptrun.errors import InstallError

if TYPE_CHECKING:
    from configparser import RawConfigParser

SETTINGS = {
    "index-url": "urls",
    "pypi-url": "urls",
    "extra-index-url": "urls",
    "find-links": "urls",
    "no-index": "",
    "trusted-host": "",
    "cert": "path",
    "client-cert": "path",
    "proxy": "",
    "no-proxy-env": "",
    "timeout": "",
    "default-timeout": "",
    "retries": "",
    "resume-retries": "",
    "keyring-provider": "",
    "cache-dir": "path",
    "no-cache-dir": "",
    "constraint": "urls",
    "build-constraint": "urls",
    "only-binary": "",
    "no-binary": "",
    "prefer-binary": "",
    "pre": "",
    "all-releases": "",
    "only-final": "",
    "uploaded-prior-to": "",
    "use-feature": "",
    "use-deprecated": "",
}
"""The settings of pip that are handed on. The value says what a relative path may stand in."""

_SECTIONS = ("global", "install")
"""The sections of pip's files that count, the weaker first."""

_VARIABLES = frozenset(
    """
    HOME PATH USER LOGNAME LANG LANGUAGE TZ TERM NO_COLOR
    XDG_CACHE_HOME XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_DATA_HOME XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
    SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NETRC SSH_AUTH_SOCK SSH_AGENT_PID
    CC CXX CPP LD AR CFLAGS CXXFLAGS CPPFLAGS LDFLAGS ARCHFLAGS MAKEFLAGS PKG_CONFIG PKG_CONFIG_PATH LD_LIBRARY_PATH
    CPATH LIBRARY_PATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH CMAKE_PREFIX_PATH CARGO_HOME RUSTUP_HOME RUSTFLAGS JAVA_HOME
    SDKROOT DEVELOPER_DIR MACOSX_DEPLOYMENT_TARGET SOURCE_DATE_EPOCH KRB5CCNAME
    GIT_SSH GIT_SSH_COMMAND GIT_ASKPASS SSH_ASKPASS GIT_SSL_CAINFO GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM
    SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT APPDATA LOCALAPPDATA USERPROFILE PROGRAMDATA
    """.split()  # noqa: SIM905 - as a list it would be a page
)


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that pip is started with, those for its allowed settings included."""
    result = {name: value for name, value in environ.items() if name in _VARIABLES or name.startswith("LC_")}
    for setting, value in settings(environ).items():
        result[f"PIP_{setting.upper().replace('-', '_')}"] = value
    if not os.path.isabs(result.get("HOME", "")) and sys.platform != "win32":
        result["HOME"] = _home(environ)  # without one pip ends in a traceback
    result.update(
        PIP_CONFIG_FILE=os.devnull,  # what is wanted of the files is in the variables now
        PIP_REQUIRE_VIRTUALENV="1",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_NO_INPUT="1",
    )
    return result


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the allowed settings as pip itself would find them, relative paths made absolute; raises InstallError."""
    result: dict[str, str] = {}
    for section in _sections(environ):
        for setting, value in section.items():
            if setting in SETTINGS and value:
                result.pop(setting, None)  # of two names for one thing (`timeout`) the last counts
                result[setting] = _anchored(value, SETTINGS[setting])
    return result


def origins(environ: Mapping[str, str]) -> dict[str, str]:
    """Return where each setting of pip's stands: the file, or the variable."""
    found = {}
    for section in _SECTIONS:
        for path, table in _configuration(environ):
            found.update(dict.fromkeys(table[section] if table.has_section(section) else (), path))
    found.update({_normalized(name[len("PIP_") :]): name for name, text in environ.items() if _says(name) and text})
    return found


def _says(variable: str) -> bool:
    return variable.startswith("PIP_")


def _sections(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield what files and variables say, weakest first. Within a section an empty value takes back an earlier one."""
    tables = [table for _, table in _configuration(environ)]
    for section in _SECTIONS:
        yield {name: value for table in tables if table.has_section(section) for name, value in table.items(section)}
    yield {_normalized(name[len("PIP_") :]): value for name, value in environ.items() if _says(name)}


def _normalized(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def _anchored(value: str, kind: str) -> str:
    """Return `value` with the paths in it made absolute: pip runs in another directory than the user."""
    if kind == "":
        return value
    words = value.split() if kind == "urls" else [value]
    return " ".join(_absolute(word) for word in words)


def _absolute(word: str) -> str:
    path = os.path.expanduser(word)
    return os.path.abspath(path) if "://" not in word and os.path.exists(path) else word


def _configuration(environ: Mapping[str, str]) -> Iterator[tuple[str, RawConfigParser]]:
    """Yield pip's configuration files that exist, in pip's order, with their paths.

    Raises InstallError for one that is not valid: going on without it could mean to ask another index than the user's.
    """
    for path in files(environ):
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError:
            continue
        yield path, _parse(path, content)


@functools.cache  # a first run looks for settings some six times
def _parse(path: str, content: bytes) -> RawConfigParser:
    """Return what a configuration file says, names spelt as pip spells them. Raises InstallError."""
    import configparser  # most users have no such file

    table = configparser.RawConfigParser()
    table.optionxform = _normalized  # type: ignore[assignment,method-assign] # as its documentation has it
    try:
        table.read_string(content.decode("utf-8"))
    except (ValueError, configparser.Error) as error:
        raise InstallError(
            f"pip's configuration file `{path}` is not valid",
            details=_where(error),
            hint="correct it, or set PIP_CONFIG_FILE to another one",
        ) from None
    return table


def _where(error: Exception) -> str:
    """Return in which lines a configuration file is wrong, and not what stands there: that may be a password."""
    if isinstance(error, ValueError):  # no text
        return str(error)
    lines = [line for line, _ in getattr(error, "errors", ())] or [getattr(error, "lineno", "?")]
    return ", ".join(f"line {line}" for line in lines)


def files(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield where pip looks for its configuration, the strongest last."""
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    for directory in _site_directories():
        yield os.path.join(directory, name)
    if sys.platform not in ("win32", "darwin"):
        yield os.path.join("/etc", name)
    if not (named and os.path.exists(named)):
        home = _home(environ)
        yield os.path.join(home, "pip" if sys.platform == "win32" else ".pip", name)
        yield os.path.join(_user_directory(home), name)
    yield os.path.join(sys.prefix, name)
    if named:
        yield named


def _home(environ: Mapping[str, str]) -> str:
    """Return the user's home; one that is not there for a user without: a relative one would be in any directory."""
    home = environ.get("HOME") or os.path.expanduser("~")
    return home if os.path.isabs(home) else os.path.join(os.sep, "nonexistent")


def _site_directories() -> list[str]:
    """Return where pip looks for what counts for everybody: on Linux what platformdirs answers.

    Its import costs as much as half of Python's start.
    """
    if sys.platform == "linux":
        named = [one.strip() for one in os.environ.get("XDG_CONFIG_DIRS", "").split(os.pathsep)]
        return [os.path.join(one, "pip") for one in named if os.path.isabs(one)] or ["/etc/xdg/pip"]
    import platformdirs

    return platformdirs.site_config_dir("pip", appauthor=False, multipath=True).split(os.pathsep)


def _user_directory(home: str) -> str:
    """Return where pip looks for what is the user's, who is at home in `home`: on Linux the same as above."""
    if sys.platform == "linux" and os.path.isabs(os.environ.get("HOME", "")):
        named = os.environ.get("XDG_CONFIG_HOME", "").strip()
        return os.path.join(named if os.path.isabs(named) else os.path.join(home, ".config"), "pip")
    import platformdirs

    try:
        directory = platformdirs.user_config_dir("pip", appauthor=False, roaming=True)
    except RuntimeError:  # no home
        return os.path.join(home, ".config", "pip")
    if sys.platform == "darwin" and not os.path.isdir(directory):
        return os.path.join(home, ".config", "pip")
    return directory
