"""Change the block of a script: what pip says of the new text decides whether it is written."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scriptrun import arguments, consult, lockfile, markers, metadata, output, pip_messages, resolve, signals
from scriptrun import block as blocks
from scriptrun.arguments import Options
from scriptrun.cli import lock
from scriptrun.cli.progress import Progress
from scriptrun.editing import document, requirements, skeleton
from scriptrun.editing.document import Document
from scriptrun.errors import InstallError, UsageError, escape, without_credentials
from scriptrun.metadata import Asked, ScriptMetadata
from scriptrun.pinning import embedded
from scriptrun.request import Request
from scriptrun.resolve import Wanted
from scriptrun.source import Source


@dataclasses.dataclass(frozen=True)
class Change:
    """A script that is about to be changed, or `new`: as it was read; options of the command line; surroundings."""

    original: Document
    options: Options
    environ: Mapping[str, str]
    new: bool = False

    def block(self) -> str | None:
        """Return the text of the block that is there, None where there is none.

        Raises MetadataError where it is not valid, and UsageError where something was probably meant as a block.
        """
        found, misses = blocks.cut(self.original.content, self.original.name)
        if misses:
            place = f"{self.original.name}:{misses[0].line}"
            raise UsageError(misses[0].message, hint=misses[0].remedy, place=place)
        self._before()
        return None if found is None else found.text(self.original.name)

    def command(self, name: str, *words: str) -> str:
        """Return the command `name` for this script, to be copied."""
        return shlex.join(["scriptrun", name, arguments.word(self.original.name), *words])

    def new_block(self) -> str:
        """Return the text of a first block, for the Python that is asked for, pinned or chosen, and later ones.

        Specifiers that are asked for (`>=3.9,<4`) stand as they are. Raises InterpreterError for what is not installed.
        """
        asked, options = self.options.value("python"), self.options
        if not asked:
            pinned, file = skeleton.pin(os.path.dirname(self.original.file))
            options = options.below(Options({"python": pinned}, {"python": file})) if pinned else options
        version = Version(dataclasses.replace(self, options=options).wanted("").choice.interpreter.version)
        return skeleton.block(asked if asked[:1] in tuple("<>=!~") else f">={version.major}.{version.minor}")

    def resolve(self, text: str) -> Callable[[str], str]:
        """Let pip resolve the script as it is with `text` in its block. Raises ScriptrunError.

        What is returned gives the version for a requirement, `""` for one that does not count here.
        """
        wanted = self.wanted(text)
        if wanted.options.flag("offline") and wanted.spec.requirements:
            raise pip_messages.offline(self.original.name)
        order = wanted._replace(asked=tuple(self._placed(wanted))).order
        try:
            with signals.interruptible(), Progress(wanted.options) as progress:
                found = consult.candidates(order(self.environ, progress.show), wanted.request.caches.writable())
                progress.resolved(len(found))
        except InstallError as error:
            unchanged = f"`{self.original.name}` {'was not made' if self.new else 'is as it was'}"
            error.hint = f"{error.hint}; {unchanged}" if error.hint else unchanged
            raise
        versions = {one.name: one.version for one in found}
        facts = markers.environment(wanted.choice.interpreter)

        def version(entry: str) -> str:
            return versions.get(requirements.name(entry), "") if markers.hold(Requirement(entry), facts) else ""

        return version

    def keep(self, text: str) -> None:
        """Write the script with `text` in its block, and say what is different."""
        self.keep_content(document.with_block(self.original.content, text, self.original.name))

    def keep_content(self, content: bytes, *, locked: bool = False) -> None:
        """Write the script, and say what is different in its block, unless asked to be quiet.

        A lock that it has, or is to be `locked` with, is made for the new text; where that fails nothing is written.
        """
        name, before = self.original.name, self.original
        inside = embedded.text(before.content, name) is not None
        beside = lockfile.read(lockfile.beside(before.file)[1]) is not None
        made = None
        if locked or ((inside or beside) and content != before.content):
            with signals.interruptible():
                made = lock.prepare(self._request(content), self.environ, upgrade=False)
        if self.new:
            document.create(name, content)
            before = Document(name, before.file, content)
        if made is not None:
            lock.write(before, content, made, embed=inside)
        elif content != before.content:
            document.write(before, content)
        if not self.options.flag("quiet"):
            texts = (document.block_text(one, name) or "" for one in (self.original.content, content))
            for line in _differences(*(requirements.listed(text) for text in texts)):
                output.tell(f"{escape(without_credentials(line))}\n")
            if made is not None and made.changes:
                output.note("in the lock: " + ", ".join(made.changes))
            if content == self.original.content:
                output.note(f"nothing to change in `{name}`")

    def _before(self) -> ScriptMetadata:
        name, file = self.original.name, self.original.file
        return metadata.parse(blocks.cut(self.original.content, name)[0], name, os.path.dirname(file))

    def wanted(self, text: str) -> Wanted:
        """Return what the script wants with `text` in its block. Raises ScriptrunError."""
        request = self._request(document.with_block(self.original.content, text, self.original.name), self.options)
        return resolve.resolve(request, self.environ, with_lock=False)

    def _request(self, content: bytes, options: Options | None = None) -> Request:
        """Return the request to run the script with this content; `--with` is in that, unless `options` are given."""
        name = self.original.name
        found, _ = blocks.cut(content, name)
        program = Source(name, content, [name], name)
        plain = Options({key: value for key, value in self.options.given() if key != "with"})
        return Request(arguments.script(name, options or plain), program, found, self.environ)

    def _placed(self, wanted: Wanted) -> Iterator[Asked]:
        """Yield what is asked for, each with its line in the file as it is; a new one has none, so that it is named."""
        lines = {str(one.requirement): one.place for one in self._before().dependencies}
        for one in wanted.asked:
            text = str(one.requirement)
            shown = f"{self.original.name}: {without_credentials(text)}"
            yield one._replace(place=lines.get(text, shown)) if one in wanted.script.dependencies else one


def start(path: str, options: Options, environ: Mapping[str, str]) -> Change:
    """Return the change of the file at `path`. Raises ScriptMissing and ScriptUnreadable."""
    return Change(document.read(path), options, environ)


def _differences(old: list[str], new: list[str]) -> Iterator[str]:
    """Yield a line for each requirement that came, went or changed."""
    gone = [one for one in old if one not in new]
    for entry in (one for one in new if one not in old):
        before = next((one for one in gone if requirements.same(one, entry)), None)
        if before is None:
            yield f"+ {entry}"
        else:
            gone.remove(before)
            yield f"{before} → {requirements.NAME.sub('', entry, count=1).strip() or entry}"
    yield from (f"- {entry}" for entry in gone)


def indexed(script: Change, names: Sequence[str]) -> tuple[str, set[int]]:
    """Return the block's text, and the numbers of its requirements for these distributions (none named: of all).

    Raises UsageError where there is no block, or a name is not in it.
    """
    text = script.block()
    path = script.original.name
    if text is None:
        raise UsageError("the file has no `script` block", place=path, hint=script.command("init"))
    found = [requirements.name(one) for one in requirements.listed(text)]
    missing = [name for name in names if canonicalize_name(name) not in found]
    if missing:
        raise UsageError(
            f"the block does not ask for {', '.join(f'`{name}`' for name in missing)}",
            place=path,
            hint=f"it asks for: {', '.join(found)}" if found else "it asks for nothing",
        )
    wanted = {str(canonicalize_name(name)) for name in names} or set(found)
    return text, {index for index, name in enumerate(found) if name in wanted}
