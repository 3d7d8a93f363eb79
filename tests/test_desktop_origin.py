"""Whether a script was made by this user on this machine: what its file, and the place of it, tell."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from support import everybody

from scriptrun.desktop import origin

NOBODY = 65534
DOWNLOADS = "is in your downloads folder"
TEMPORARY = "is in a folder for temporary files, as attachments of mails are"
ELSEWHERE = "is on another drive than your own files, such as a USB stick or a shared folder"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home directory."""
    path = tmp_path / "home"
    path.mkdir()
    return path


def script(directory: Path, name: str = "s.py") -> Path:
    """Make a file in a directory, which is made too, and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text("print()\n")
    return path


def reasons(path: Path, home: Path, **variables: str) -> tuple[str, ...]:
    """Return what speaks for the file having come from elsewhere, to who has this home and these variables."""
    return origin.reasons(str(path), {"HOME": str(home), **variables})


def test_what_the_user_has_made_gives_no_reason(home: Path) -> None:
    """A file of one's own, in one's home, below it, or beside it on the same drive, did not come from elsewhere."""
    for directory in (home, home / "tools" / "mine", home / "Downloads-no-more", home.parent / "work"):
        assert reasons(script(directory), home) == ()


@pytest.mark.parametrize(
    ("url", "page", "expected"),
    [
        ("https://jo:s3cret@Example.org:8443/a/s.py?key=s3cret#s3cret", None, "was downloaded from example.org"),
        ("https://cdn.example.org/s.py", "https://example.org/p?s3cret", ", by a link on example.org"),
        ("https://example.org/s.py", "https://example.org/page", "was downloaded from example.org"),
        (None, "https://example.org/page", "was downloaded, by a link on example.org"),
        ("", "", "was downloaded"),
        ("data:text/plain,print()", None, "was downloaded"),
        ("http://[", None, "was downloaded"),
        ("https://python.org, and was checked by your administrator/", None, "was downloaded"),
    ],
)
def test_where_a_browser_had_it_from_is_told(home: Path, url: str | None, page: str | None, expected: str) -> None:
    """A download is known by the attributes that browsers set; of URLs only the hosts are shown."""
    path = script(home)
    for name, value in (("origin", url), ("referrer", page)):
        if value is not None:
            os.setxattr(path, f"user.xdg.{name}.url", value.encode())
    link = home / "link.py"
    link.symlink_to(path)
    (reason,) = reasons(path, home)
    assert reason.startswith("was downloaded")
    assert reason.endswith(expected)
    assert "s3cret" not in reason
    assert reasons(link, home) == (reason,)


def test_downloads_folder_is_a_reason_with_all_that_is_below(home: Path) -> None:
    """So are links that lead there, and links that lie there."""
    inside = script(home / "Downloads" / "unpacked")
    outside = script(home / "tools")
    into, out = home / "into.py", home / "Downloads" / "out.py"
    into.symlink_to(inside)
    out.symlink_to(outside)
    for path in (inside, into, out, home / "tools" / ".." / "Downloads" / "unpacked" / "s.py"):
        assert reasons(path, home) == (DOWNLOADS,)


def test_downloads_folder_is_the_one_that_the_desktop_uses(home: Path) -> None:
    """`user-dirs.dirs` names it, also as a link; where it names the home itself, it is `Downloads` as ever."""
    real = home / "elsewhere"
    path, usual = script(real), script(home / "Downloads")
    (home / "Heruntergeladen").symlink_to(real)
    configuration = home / ".config" / "user-dirs.dirs"
    configuration.parent.mkdir()
    configuration.write_text('XDG_DOWNLOAD_DIR="$HOME/Heruntergeladen"\n')
    for one in (path, home / "Heruntergeladen" / "s.py"):
        assert reasons(one, home) == (DOWNLOADS,)
    assert reasons(usual, home) == ()
    configuration.write_text('XDG_DOWNLOAD_DIR="$HOME/"\n')
    assert (reasons(path, home), reasons(usual, home)) == ((), (DOWNLOADS,))


def test_places_of_attachments_are_a_reason(home: Path) -> None:
    """Mail and archive programs put what is opened into a temporary directory, or below the cache."""
    cache, other = script(home / ".cache" / "mail"), script(home / "other")
    temporary = script(home.parent / "temporary")
    assert reasons(cache, home) == (TEMPORARY,)
    assert (reasons(other, home), reasons(other, home, XDG_CACHE_HOME=str(home / "other"))) == ((), (TEMPORARY,))
    assert (reasons(temporary, home), reasons(temporary, home, TMPDIR=str(temporary.parent))) == ((), (TEMPORARY,))
    assert reasons(temporary, home, TMPDIR=".") == ()


@pytest.mark.parametrize("place", ["/tmp", "/var/tmp"])
def test_temporary_directories_of_the_machine_are_a_reason(place: str) -> None:
    """They are known without a variable, unless the home itself is in there."""
    with tempfile.TemporaryDirectory(dir=place) as directory:
        path = script(Path(directory))
        assert TEMPORARY in reasons(path, Path("/"))
        assert TEMPORARY not in reasons(path, Path(directory))


def test_files_and_links_of_others_are_a_reason(home: Path) -> None:
    """Whose it is, is told by name; this is for root, too, whose script another user could have made."""
    everybody.require_root()
    path, mine = script(home), script(home, "mine.py")
    link = home / "link.py"
    link.symlink_to(mine)
    os.chown(path, NOBODY, -1)
    os.lchown(link, NOBODY, -1)
    assert reasons(path, home) == ("belongs to the user nobody",)
    assert reasons(link, home) == ("was reached by a link of the user nobody",)
    os.chown(path, 4_000_000, -1)
    assert reasons(path, home) == ("belongs to the user with the number 4000000",)


def test_another_drive_is_a_reason(home: Path) -> None:
    """What is on another file system than the home may come from another machine, also where a link leads there."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        path = script(Path(directory))
        link = home / "link.py"
        link.symlink_to(path)
        assert reasons(path, home) == (ELSEWHERE,)
        assert reasons(link, home) == (ELSEWHERE,)
        assert ELSEWHERE in reasons(script(home), Path(directory))
    assert reasons(script(home), home / "gone") == (ELSEWHERE,)


def test_all_reasons_are_told(home: Path) -> None:
    """A file may have several; where there is no file there is nothing to tell."""
    path = script(home / "Downloads")
    os.setxattr(path, "user.xdg.origin.url", b"https://example.org/s.py")
    assert reasons(path, home) == ("was downloaded from example.org", DOWNLOADS)
    with pytest.raises(FileNotFoundError):
        reasons(home / "gone.py", home)
