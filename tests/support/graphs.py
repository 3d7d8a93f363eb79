"""Random graphs of distributions on an index, and random sets of requirements."""

from __future__ import annotations

from random import Random

from support import index as indexes
from support.index import Index

VERSIONS = ("1.0", "1.1", "1.2.post1", "2.0a1", "2.0", "2.0+local", "2.1.dev3", "3.0")
NAMES = ("ash", "birch", "cedar", "elm", "fir", "larch")
EXTRAS = ("x", "y")
MARKERS = (
    'python_version >= "3.10"',
    'python_version < "3"',
    'sys_platform == "nowhere"',
    'python_full_version != "3.0.1" and os_name != "nowhere"',
)
PYTHONS = (">=3.8", "<3", ">=3.10,!=3.9.1")


class Graph:
    """A graph in an index, made of what `random` says; `prefix` begins all of its names.

    Some distributions have several files, some extras ask for others of the same one; `constraints` go with a question.
    """

    def __init__(self, random: Random, prefix: str) -> None:
        self.random = random
        self.names = [f"{prefix}-{name}" for name in NAMES[: random.randint(2, len(NAMES))]]
        self.strictness = random.choice((0.1, 0.25, 0.5))
        counts = (1, 2, 2, 3, 4, len(VERSIONS))
        self.others = Random(prefix)  # for what is rare, so that the rest of a known graph stays as it is
        self.versions = {name: random.sample(VERSIONS, random.choice(counts)) for name in self.names}

        self.constraints = self._constraints() if self.others.random() < 0.4 else []

    def _constraints(self) -> list[str]:
        others, names = self.others, self.others.sample(self.names, self.others.randint(1, len(self.names)))
        versions = [(name, others.choice(self.versions[name]).partition("+")[0]) for name in names]
        return [f"{name}{others.choice(('<=', '<', '!=', '>='))}{version}" for name, version in versions]

    def publish(self, index: Index) -> None:
        """Let the index have all distributions of the graph."""
        for name, versions in self.versions.items():
            for version in versions:
                self.upload(index, name, version)

    def upload(self, index: Index, name: str, version: str) -> None:
        """Let the index have one distribution more."""
        random = self.random
        python = random.choice(PYTHONS) if random.random() < 0.1 else ""
        requires = [self.requirement(conditional=True) for _ in range(random.choice((0, 0, 1, 1, 2, 3)))]
        extras = [one for one in EXTRAS if random.random() < 0.6]
        requires += [f'{self.requirement()} ; extra == "{one}"' for one in extras if random.random() < 0.8]
        if "x" in extras and self.others.random() < 0.3:
            requires.append(f'{name}[y] ; extra == "x"')
        file = indexes.wheel(name, version, requires=requires, extras=extras, requires_python=python)
        index.add(file)
        if python and random.random() < 0.7:
            index.requires_python[file[0]] = python
        if random.random() < 0.1:
            index.yanked.add(file[0])
        if self.others.random() < 0.3:
            self._upload_another(index, name, version)

    def _upload_another(self, index: Index, name: str, version: str) -> None:
        """Let the index have another file of the same version, which pip may prefer and may not be able to use."""
        others = self.others
        file, content = indexes.wheel(name, version, requires=others.sample(self.names, 1), extras=EXTRAS)
        another = others.choice(("1-py3-none-any.whl", "py3-none-linux_x86_64.whl", "py2-none-any.whl", ".tar.gz"))
        if another == ".tar.gz":
            file, content = indexes.sdist(name, version, {})
        file = file.replace("py3-none-any.whl", another)
        index.add((file, content))
        if others.random() < 0.2:
            index.yanked.add(file)

    def requirement(self, *, conditional: bool = False) -> str:
        """Return a requirement, perhaps with extras, bounds and a marker."""
        random = self.random
        extras = random.choice(("",) * 8 + ("[x]", "[y]", "[x,y]"))
        name = random.choice(self.names)
        text = name + extras + self._bounds(name)
        return f"{text} ; {random.choice(MARKERS)}" if conditional and random.random() < 0.2 else text

    def _bounds(self, name: str) -> str:
        random = self.random
        kind = random.choice((">=", ">=", ">=", ">=", "<", "<=", "!=", "!=", "==", ">", "~=", "== .*"))
        if random.random() > self.strictness or (kind in "<>" and len(self.versions[name]) == 1):
            return ""
        version = random.choice(self.versions[name] if random.random() < 0.9 else VERSIONS)
        if kind == "== .*":
            return f"=={version[0]}.*"
        return f"{kind}{version if kind in ('==', '!=') else version.partition('+')[0]}"

    def question(self) -> list[str]:
        """Return a set of requirements that somebody may ask for."""
        return [
            self.requirement(conditional=self.random.random() < 0.3) for _ in range(self.random.choice((1, 1, 2, 3)))
        ]
