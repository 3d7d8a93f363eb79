"""`scriptrun desktop install --system`: for every user of a machine, whose directories are a test's own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import desktop_home, mounts
from support.desktop_home import HANDLER, TYPE
from support.everybody import NOBODY, Everybody
from support.index import Index
from support.user import Finished

pytestmark = pytest.mark.slow

_PRIVATE = """\
mount --make-rprivate /
for directory in /usr/local/share /etc/xdg /var/lib; do mount -t tmpfs -o mode=755 none $directory; done
cp -R {applications} /usr/local/share/
update-desktop-database /usr/local/share/applications
find /usr/local/share /etc/xdg /var/lib >{root}/before
as_other() {{ HOME={home} setpriv --reuid={nobody} --regid={nobody} --clear-groups "$@"; }}
type_of() {{ as_other gio info -a standard::content-type "$1" | sed -n 's/.*content-type: //p'; }}
opener() {{ LC_ALL=C as_other gio mime "$1" | sed -n 's/^Default.*: //p'; }}
umask 077
cd {root}
"""

_ASKED = """
type_of script.py
type_of plain.py
opener application/x-scriptrun
opener text/x-python
as_other xdg-mime query default application/x-scriptrun
"""


@pytest.fixture
def machine(programs: Path, shared_index: Index) -> Iterator[Everybody]:
    """A machine with an administrator, another user, and an editor for text."""
    desktop_home.require()
    root = Path(tempfile.mkdtemp(prefix="scriptrun-machine-"))
    root.chmod(0o755)
    (root / "applications").mkdir()
    (root / "applications/editor.desktop").write_text(
        "[Desktop Entry]\nType=Application\nName=Editor\nExec=true %f\nMimeType=text/plain;\n"
    )
    (root / "data").mkdir()
    (root / "data/mime").symlink_to("/usr/share/mime")
    (root / "script.py").write_text("# /// script\n# ///\n")
    (root / "plain.py").write_text("import sys\n")
    found = Everybody(root, programs, shared_index.url)
    for user in (found.administrator, found.other):
        user.variables["XDG_DATA_DIRS"] = f"/usr/local/share:{root}/data"
    yield found
    shutil.rmtree(root)


def run(machine: Everybody, commands: str) -> Finished:
    """Run shell commands as root where the machine's directories hold nothing but the editor and MIME types."""
    before = _PRIVATE.format(
        root=machine.root, applications=machine.root / "applications", home=machine.other.home, nobody=NOBODY
    )
    return mounts.in_namespace(machine.administrator, f"{before}{commands}")


def test_everybody_gets_it_and_nothing_is_left_of_it(machine: Everybody) -> None:
    """Whatever root's umask, another user's programs and `status` know it; `uninstall --system` leaves nothing."""
    commands = f"""
    scriptrun desktop install --system --default -q
    {_ASKED}
    as_other scriptrun desktop status --json >status
    scriptrun desktop uninstall --system -q
    find /usr/local/share /etc/xdg /var/lib >after
    """
    finished = run(machine, commands)
    assert (finished.status, finished.err) == (0, "")
    assert finished.out.split() == [TYPE, "text/x-python", HANDLER, "editor.desktop", HANDLER]
    status = json.loads((machine.root / "status").read_text())
    assert (status["scripts"]["opens-with"], status["python"]["opens-with"]) == (HANDLER, "editor.desktop")
    assert (status["system"]["installed"], status["system"]["wrong"], status["user"]["installed"]) == (True, [], False)
    assert (machine.root / "after").read_text() == (machine.root / "before").read_text()


def test_without_the_default_scripts_open_as_python_files_do(machine: Everybody) -> None:
    """Another user finds scriptrun offered for scripts, and what opens Python files opens them."""
    finished = run(machine, f"scriptrun desktop install --system -q\n{_ASKED}")
    assert finished.out.split() == [TYPE, "text/x-python", *["editor.desktop"] * 3]


def test_a_choice_of_a_user_counts_more(machine: Everybody) -> None:
    """Who has chosen another application for Python files keeps it, and may choose one for scripts."""
    (machine.root / "applications/mine.desktop").write_text("[Desktop Entry]\nType=Application\nName=M\nExec=true %f\n")
    (machine.other.home / ".config").mkdir()
    chosen = f"[Default Applications]\ntext/x-python=mine.desktop\n{TYPE}=mine.desktop\n"
    (machine.other.home / ".config/mimeapps.list").write_text(chosen)
    (machine.other.home / ".config").chmod(0o755)
    for path in (machine.other.home / ".config", machine.other.home / ".config/mimeapps.list"):
        os.chown(path, NOBODY, NOBODY)
    finished = run(machine, f"scriptrun desktop install --system --default -q\n{_ASKED}")
    assert finished.out.split() == [TYPE, "text/x-python", *["mine.desktop"] * 3]


def test_an_application_of_a_user_counts_more(machine: Everybody) -> None:
    """Who has installed one for Python files, and chosen nothing, keeps it as the default."""
    own = machine.other.home / ".local/share/applications"
    commands = f"""
    mkdir -p {own}
    sed 's/Editor/Mine/; s#text/plain#text/x-python#' applications/editor.desktop >{own}/mine.desktop
    update-desktop-database {own}
    chown -R {NOBODY} {machine.other.home}
    scriptrun desktop install --system --default -q
    {_ASKED}
    """
    assert run(machine, commands).out.split() == [TYPE, "text/x-python", HANDLER, "mine.desktop", HANDLER]


def test_what_others_cannot_reach_is_refused(machine: Everybody, programs: Path) -> None:
    """An installation in a directory of one user's is not given to all, and nothing is changed."""
    commands = f"""
    chmod 700 {shlex.quote(str(programs.parent))}
    scriptrun desktop install --system || echo $?
    chmod 755 {shlex.quote(str(programs.parent))}
    find /usr/local/share /etc/xdg /var/lib >after
    """
    finished = run(machine, commands)
    assert (finished.status, finished.out) == (0, "2\n")
    assert f"`{programs.parent}` is closed to them" in finished.err
    assert (machine.root / "after").read_text() == (machine.root / "before").read_text()


def test_another_user_cannot_install_for_all(machine: Everybody) -> None:
    """Who may not write there is told so, and that root may."""
    finished = run(machine, "as_other scriptrun desktop install --system || echo $?")
    assert (finished.status, finished.out) == (0, "125\n")
    told = "what opens scripts cannot be changed: Permission denied (`/var/lib/scriptrun"
    assert finished.err.startswith(f"scriptrun: error: {told}")
    assert finished.err.splitlines()[1] == "hint: run it as root"
