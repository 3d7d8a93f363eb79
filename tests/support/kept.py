"""A cache as a version of scriptrun wrote it, kept as data, and put to use again later, at another place.

`python tests/support/kept.py`, with the Python of `.work/test-…/bin`, writes the data anew with the scriptrun installed
there. Once a version is released, its data stays as it is: another one gets another directory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from scriptrun import interpreters, probe, spec
from scriptrun.arguments import Options
from scriptrun.interpreter import Interpreter
from support.user import User

DATA = Path(__file__).parent.parent / "data" / "cache-v1"

SCRIPT = """\
#!/usr/bin/env scriptrun
# /// script
# dependencies = []
# ///
import sys
print(sys.prefix)
"""

GENERATION = "0123abcd"


@dataclass(frozen=True)
class Kept:
    """A user's cache, and where each kind of file is in it."""

    user: User

    @property
    def script(self) -> Path:
        """The script that the cache has an environment for."""
        return self.user.directory / "script.py"

    @property
    def interpreter(self) -> Interpreter:
        """The base interpreter of that environment: the one that scriptrun runs on."""
        found = interpreters.identify(sys.executable, str(self.user.directory), self.user.variables)
        assert found is not None
        return found

    @property
    def key(self) -> str:
        """The key of that environment."""
        return spec.specify(self.interpreter, (), Options()).key

    def values(self) -> dict[str, str]:
        """Return what differs from place to place, the longest first, by the word that stands for it in the data."""
        interpreter = self.interpreter
        status = os.stat(interpreter.path)
        values = {
            "@CACHE@": str(self.user.cache),
            "@WORK@": str(self.user.directory),
            "@KEY@": self.key,
            "@PYTHON@": interpreter.path,
            "@VERSION@": interpreter.version,
            "@ABI@": interpreter.abi,
            "@PLATFORM@": interpreter.platform,
            "@MARKS@": json.dumps([status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]),
            "@SYS.VERSION@": repr(sys.version)[1:-1],
            "@NUL@": "\0",
        }
        return dict(sorted(values.items(), key=lambda item: -len(item[1])))

    def places(self, data: Mapping[str, bytes]) -> dict[str, Path]:
        """Return where in the cache each file of the data belongs, whose names are checksums of what is in them."""
        layout = self.user.cache / "v1"
        result = {
            "manifest": layout / "envs" / self.key / GENERATION / "scriptrun.json",
            "pointer": layout / "keys" / self.key,
            "record": layout / "launch" / str(self.script)[1:] / "@record",
        }
        for name, content in data.items():
            if name == "answer":
                question = content.split(b"\0", 6)[6]
                result[name] = layout / "answers" / f"{zlib.crc32(question):08x}"
            elif name.startswith("interpreter-"):
                checksum = zlib.crc32(self.interpreter.path.encode(), int(name.removeprefix("interpreter-"), 16))
                result[name] = layout / "interpreters" / f"{checksum:08x}.json"
        return result


def restore(user: User) -> Kept:
    """Put the kept cache into that of a user, with an environment that the interpreter's own `venv` makes."""
    kept = Kept(user)
    values = kept.values()
    data = {path.name: path.read_text() for path in DATA.iterdir()}
    for word, value in values.items():
        data = {name: content.replace(word, value) for name, content in data.items()}
    contents = {name: content.encode() for name, content in data.items()}
    user.write("script.py", contents.pop("script.py"), executable=True)
    places = kept.places(contents)
    environment = places["manifest"].parent
    for directory in (user.cache, environment):
        directory.mkdir(parents=True, mode=0o700)
    subprocess.run([kept.interpreter.path, "-I", "-m", "venv", "--without-pip", environment], check=True)
    (environment / ".stamp").touch()
    for name, content in contents.items():
        places[name].parent.mkdir(parents=True, exist_ok=True)
        places[name].write_bytes(content)
    return kept


def keep(user: User) -> None:
    """Run the script once, and write what is then in the user's cache to the data."""
    kept = Kept(user)
    user.write("script.py", SCRIPT, executable=True)
    finished = user.run(kept.script)
    assert (finished.status, finished.err) == (0, "")
    values = {os.path.basename(finished.out.strip()): GENERATION, **{v: word for word, v in kept.values().items()}}
    asked = zlib.crc32(Path(probe.__file__).read_bytes())  # part of the name of what is remembered
    files = {
        "script.py": "work/script.py",
        "manifest": "home/.cache/scriptrun/v1/envs/*/*/scriptrun.json",
        "pointer": "home/.cache/scriptrun/v1/keys/*",
        "record": "home/.cache/scriptrun/v1/launch/**/@record",
        "answer": "home/.cache/scriptrun/v1/answers/*",
        f"interpreter-{asked:08x}": "home/.cache/scriptrun/v1/interpreters/*",
    }
    DATA.mkdir(parents=True, exist_ok=True)
    for name, pattern in files.items():
        (path,) = user.home.parent.glob(pattern)
        content = path.read_text()
        for value, word in values.items():
            content = content.replace(value, word)
        (DATA / name).write_text(content)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as root:
        for name in ("home", "work"):
            Path(root, name).mkdir()
        command = sysconfig.get_path("scripts")
        keep(User(Path(root, "home"), Path(root, "work"), {"HOME": f"{root}/home", "PATH": f"{command}:/usr/bin:/bin"}))
