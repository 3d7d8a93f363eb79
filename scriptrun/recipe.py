"""What it takes to put an environment together once more without working out anything: its recipe.

It holds as long as all that was looked into to make it is as it was then: the base interpreter, what is remembered of
pip's answer, pip's settings. Of those it has no contents, but what changes with them.
"""

import os
import sys
import time

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

from scriptrun import paths

BEARING = (
    *("index-url", "pypi-url", "extra-index-url", "find-links", "no-index", "constraint", "build-constraint"),
    *("only-binary", "no-binary", "prefer-binary", "pre", "all-releases", "only-final", "uploaded-prior-to"),
    *("use-feature", "use-deprecated"),
)
"""The settings of pip that bear on what it answers; how to get to an index does not."""

_LEADING = ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "PIP_CONFIG_FILE")
"""The variables that lead to pip's files of settings."""

_FIRST, _LAST = b"scriptrun recipe 1", b"all"


class Part:
    """A distribution in the store: its directory's name there, and what is its own in one environment."""

    __slots__ = ("direct", "kept", "requested")

    def __init__(self, kept: str, direct: str, *, requested: bool) -> None:
        self.kept = kept
        self.direct = direct
        self.requested = requested


class Recipe:
    """An environment, as it is to be put together in `directory`, that of its key.

    `python` is path and version of the base interpreter, and `t` where that is free-threaded. `manifest` is the text of
    the manifest in three pieces: what says when it was made stands before the last of them, the name of the generation
    before the second. `files` and `said` are what it goes by: files with their marks, and variables.
    """

    __slots__ = ("directory", "files", "manifest", "parts", "python", "said")

    def __init__(
        self,
        directory: str,
        python: "Sequence[str]",
        manifest: "Sequence[str]",
        parts: "Sequence[Part]",
        grounds: "tuple[Mapping[str, str], Mapping[str, str]]",
    ) -> None:
        self.directory = directory
        self.python = tuple(python)
        self.manifest = tuple(manifest)
        self.parts = tuple(parts)
        self.files, self.said = grounds

    def holds(self, directory: str, environ: "Mapping[str, str]") -> bool:
        """Tell whether it is for this directory, and all that it goes by is as it was."""
        return (
            self.directory == directory
            and self.said == surroundings(environ)
            and all(marks(path) == before for path, before in self.files.items())
        )

    def made(self, environment: str) -> bool:
        """Tell whether the manifest of an environment is one that this makes, at whatever time."""
        before, between, after = (piece.encode("ascii") for piece in self.manifest)
        try:
            text = paths.read(paths.manifest(environment))
        except OSError:
            return False
        return text.startswith(before + os.path.basename(environment).encode() + between) and text.endswith(after)

    def manifest_of(self, environment: str) -> bytes:
        """Return the text of the manifest for an environment that is made now."""
        before, between, after = self.manifest
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return "".join((before, os.path.basename(environment), between, made, after)).encode("ascii")


def surroundings(environ: "Mapping[str, str]") -> "dict[str, str]":
    """Return what of the surroundings decides pip's settings, files aside: this installation, and variables."""
    found = {name: environ.get(name, "") for name in _LEADING}
    for name, value in environ.items():
        if name.startswith("PIP_") and name[len("PIP_") :].lower().replace("_", "-").removeprefix("--") in BEARING:
            from scriptrun.errors import without_credentials  # most often, no such variable is set

            found[name] = without_credentials(value)
    found[""] = os.path.dirname(sys.executable)
    return found


def marks(path: str) -> str:
    """Return what changes when the file at `path` does; `""` where there is none that can be looked at."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_mode} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def write(path: str, recipe: Recipe) -> None:
    """Keep a recipe. Raises OSError, and ValueError for a text that cannot be kept."""
    parts = [text for one in recipe.parts for text in (one.kept, one.direct, "requested" if one.requested else "")]
    grounds = [text for table in (recipe.files, recipe.said) for item in table.items() for text in item]
    numbers = [str(len(one)) for one in (recipe.parts, recipe.files, recipe.said)]
    texts = [recipe.directory, *recipe.python, *recipe.manifest, *numbers, *parts, *grounds]
    if any("\0" in text for text in texts):
        raise ValueError(path)
    paths.replace(path, b"\0".join([_FIRST, *(os.fsencode(text) for text in texts), _LAST]), durable=False)


def read(path: str) -> "Recipe | None":
    """Return the recipe in the file at `path`, None where there is none that can be read."""
    try:
        first, *fields, last = paths.read(path).split(b"\0")
        texts = iter([os.fsdecode(one) for one in fields])
        return _parsed(texts) if (first, last) == (_FIRST, _LAST) else None
    except (OSError, ValueError, StopIteration):  # the last where it ends too early
        return None


def _parsed(texts: "Iterator[str]") -> Recipe:
    directory, *six = _take(texts, 7)
    parts, files, said = (int(one) for one in _take(texts, 3))
    return Recipe(
        directory,
        six[:3],
        six[3:],
        [_part(*_take(texts, 3)) for _ in range(parts)],
        (_table(_take(texts, 2 * files)), _table(_take(texts, 2 * said))),
    )


def _take(texts: "Iterator[str]", number: int) -> "list[str]":
    return [next(texts) for _ in range(number)]


def _part(kept: str, direct: str, requested: str) -> Part:
    return Part(kept, direct, requested=bool(requested))


def _table(texts: "list[str]") -> "dict[str, str]":
    return dict(zip(texts[::2], texts[1::2], strict=True))
