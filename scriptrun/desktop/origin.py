"""Whether a script was made by this user on this machine, as far as its file tells."""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Iterator, Mapping

from scriptrun.desktop import folders


def reasons(path: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what speaks for the file at `path` having come from elsewhere, each in words that follow its name.

    What a link leads to counts, and the place of the link itself. Raises OSError where there is no file.
    """
    places = {os.path.abspath(path), os.path.realpath(path)}
    return tuple(
        reason
        for reason in (
            _download(path),
            _in_downloads(places, environ),
            _in_passing(places, environ),
            *_owners(path),
            _elsewhere(path, environ),
        )
        if reason
    )


def _download(path: str) -> str:
    """Return from where a browser has noted to have it; only the hosts: the rest of a URL may be a key to it."""
    urls = [_attribute(path, name) for name in ("user.xdg.origin.url", "user.xdg.referrer.url")]
    if urls == [None, None]:
        return ""
    source, page = (_host(url or "") for url in urls)
    whence = f" from {source}" if source else ""
    return f"was downloaded{whence}" + (f", by a link on {page}" if page not in ("", source) else "")


def _attribute(path: str, name: str) -> str | None:
    """Return an extended attribute of a file, None where it has none."""
    if not hasattr(os, "getxattr"):  # Linux alone
        return None
    try:
        return os.fsdecode(os.getxattr(path, name))
    except OSError:
        return None


def _host(url: str) -> str:
    """Return the host that a URL names, `""` where that is none: somebody else may have written it."""
    try:
        host = urllib.parse.urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host if re.fullmatch(r"[A-Za-z0-9.:-]+", host) else ""


def _in_downloads(places: set[str], environ: Mapping[str, str]) -> str:
    """Tell of the downloads folder. Where that is the home itself, there is none, as the specification has it."""
    home = folders.home(environ)
    folder = folders.downloads(environ)
    if _same(folder, home):
        folder = os.path.join(home, "Downloads")
    return "is in your downloads folder" if _holds(folder, places) else ""


def _in_passing(places: set[str], environ: Mapping[str, str]) -> str:
    """Tell of directories where other programs put what somebody opens out of a mail or an archive."""
    home = {os.path.realpath(folders.home(environ))}
    temporary = ("/tmp", "/var/tmp", environ.get("TMPDIR", ""), folders.cache_home(environ))  # noqa: S108 - only named
    found = any(_holds(one, places) and not _holds(one, home) for one in temporary if os.path.isabs(one))
    return "is in a folder for temporary files, as attachments of mails are" if found else ""


def _owners(path: str) -> Iterator[str]:
    """Yield whose the file is, and whose the link to it, where that is somebody else."""
    if not hasattr(os, "geteuid"):
        return
    file, link = os.stat(path).st_uid, os.lstat(path).st_uid
    if file != os.geteuid():
        yield f"belongs to the user {_user(file)}"
    elif link != os.geteuid():
        yield f"was reached by a link of the user {_user(link)}"


def _user(number: int) -> str:
    import pwd  # not on every platform

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"with the number {number}"


def _elsewhere(path: str, environ: Mapping[str, str]) -> str:
    try:
        home = os.stat(folders.home(environ)).st_dev
    except OSError:
        home = -1
    if os.stat(path).st_dev == home:
        return ""
    return "is on another drive than your own files, such as a USB stick or a shared folder"


def _holds(directory: str, places: set[str]) -> bool:
    """Tell whether one of the places is below a directory, by the name that it has or by its real one."""
    both = {os.path.abspath(directory), os.path.realpath(directory)}
    return any(place.startswith(os.path.join(one, "")) for one in both for place in places)


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
