"""The MIME type of scripts: which files have it, as GIO sees them, whose names and contents differ."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import desktop_home
from support.desktop_home import TYPE, DesktopHome
from support.user import User

BLOCK = "# /// script\n# dependencies = []\n# ///\n"

SCRIPTS = {
    "block.py": BLOCK,
    "BLOCK.PY": BLOCK,
    "block.pyw": BLOCK,
    "no-ending": BLOCK,
    "with blank.py": BLOCK,
    "mark.py": "\ufeff" + BLOCK,
    "crlf.py": BLOCK.replace("\n", "\r\n"),
    "mark-crlf.py": "\ufeff" + BLOCK.replace("\n", "\r\n"),
    "below-text.py": f'"""What it does."""\n\n{BLOCK}',
    "below-code.py": f"x = 1\r\n{BLOCK}".replace("\n", "\r\n"),
    "python.py": f"#!/usr/bin/env python3\n{BLOCK}",
    "python": f"#!/usr/bin/python3 -I\n# a comment\n{BLOCK}",
    "shebang.py": "#!/usr/bin/env scriptrun\nprint(1)\n",
    "shebang.pyw": "#!/usr/bin/env scriptrun\nprint(1)\n",
    "shebang": "#!/usr/bin/env scriptrun\nprint(1)\n",
    "shebang-crlf": "#!/usr/bin/env scriptrun\r\nprint(1)\r\n",
    "split": "#!/usr/bin/env -S scriptrun --quiet\nprint(1)\n",
    "tab": "#!/usr/bin/env\tscriptrun\nprint(1)\n",
    "options": "#!/usr/local/bin/scriptrun --offline\nprint(1)\n",
    "blank": "#! /usr/bin/scriptrun\nprint(1)\n",
    "last.py": f"#{'x' * 4078}\n{BLOCK}",
}

OTHERS = {
    "plain.py": "import sys\n",
    "shebang-python.py": "#!/usr/bin/env python3\nimport sys\n",
    "plain.pyw": "import sys\n",
    "shebang-python.pyw": "#!/usr/bin/env python3\nimport sys\n",
    "python-alone": "#!/usr/bin/env python3\nimport sys\n",
    "empty.py": "",
    "empty.pyw": "",
    "indented.py": f"if True:\n    # /// script\n    # ///\n{'x = 1'}\n",
    "near.py": "# /// scripts\n# ///\n",
    "other-block.py": "# /// pyproject\n# ///\n",
    "mentions.py": "# run it by scriptrun\nimport sys\n",
    "other-program": "#!/usr/bin/scriptrunner\n",
    "says-so.py": '#!/usr/bin/env python3\n"""Works like scriptrun does."""\n',
    "wrapper": "#!/bin/sh\nexec /usr/local/bin/scriptrun /srv/x.py\n",
    "perl": f"#!/usr/bin/perl\n# for python use\n{BLOCK}",
    "bash": f"#!/bin/bash\n# wrapper of a python tool\n{BLOCK}",
    "far.py": f"#{'x' * 5000}\n{BLOCK}",
    "shell": f"#!/bin/sh\ncat <<END\n{BLOCK}END\n",
    "shell.sh": BLOCK,
    "text.txt": BLOCK,
    "page.md": BLOCK,
    "stub.pyi": BLOCK,
    "page.html": f"<!DOCTYPE html>\n<pre>\n{BLOCK}</pre>\n",
}


@pytest.fixture
def desktop(user: User) -> DesktopHome:
    """A desktop with nothing of its own."""
    desktop_home.require()
    return DesktopHome(user)


def test_scripts_have_the_type_and_other_files_keep_theirs(desktop: DesktopHome) -> None:
    """A shebang or a block near the begin makes a `.py`, a `.pyw` or a file without ending a script; nothing else."""
    scripts = [desktop.user.write(name, text) for name, text in SCRIPTS.items()]
    others = [desktop.user.write(name, text) for name, text in OTHERS.items()]
    before = desktop.types(*others)
    assert TYPE not in [*before, *desktop.types(*scripts)]
    desktop.scriptrun("install", "-q")
    assert dict(zip(SCRIPTS, desktop.types(*scripts), strict=True)) == dict.fromkeys(SCRIPTS, TYPE)
    assert dict(zip(OTHERS, desktop.types(*others), strict=True)) == dict(zip(OTHERS, before, strict=True))


def test_an_installation_anywhere_is_known_by_its_path(user: User) -> None:
    """A first line with the path of the command that was installed, or of what it links to, makes a script too."""
    desktop_home.require()
    desktop = DesktopHome(user)
    real = Path(user.variables["PATH"].split(":")[0], "scriptrun")
    link = user.directory / "my 'own' <bin> & \\" / "scriptrun"
    link.parent.mkdir()
    link.symlink_to(real)
    scripts = [user.write(f"s{number}", f"#!{path}\nprint(1)\n") for number, path in enumerate((real, link))]
    path = f"{link.parent}:{user.variables['PATH']}"
    assert user.run("scriptrun", "desktop", "install", "-q", PATH=path) == (0, "", "")
    assert desktop.types(*scripts) == [TYPE, TYPE]


def test_the_mode_of_a_script_makes_no_difference(desktop: DesktopHome) -> None:
    """File managers execute text and executables themselves: the type is a sub-class of neither."""
    script = desktop.user.write("script.py", BLOCK, executable=True)
    desktop.scriptrun("install", "-q")
    assert desktop.types(script) == [TYPE]
    subclasses = Path(desktop.user.home, ".local/share/mime/subclasses").read_text()
    assert (TYPE.startswith("text/"), TYPE in subclasses) == (False, False)
