"""`scriptrun init FILE`: make a new script, or a script of a file that has no block."""

from __future__ import annotations

import codecs
import os
import shlex
from collections.abc import Iterator, Mapping

from scriptrun import output
from scriptrun.arguments import Invocation
from scriptrun.cli import add, change
from scriptrun.cli.change import Change
from scriptrun.editing import document, skeleton
from scriptrun.editing.document import Document
from scriptrun.errors import ScriptMissing, UsageError


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Make a script of a file, which may be missing. Raises ScriptrunError."""
    if len(invocation.arguments) != 1:
        raise UsageError(
            "`scriptrun init` takes one file", hint="scriptrun init FILE [--with REQ]… [--python VERSION|PATH] [--lock]"
        )
    path, options = invocation.arguments[0], invocation.options
    script = _start(path, invocation, environ)
    if script.block() is not None:
        raise UsageError("it is a script already: it has a block", place=path, hint="scriptrun add adds to that")
    text = script.new_block()
    if options.many("with"):
        text = add.extend(script, text, options.many("with"), "lower")
    old = document.with_shebang(script.original.content)
    content = skeleton.program(text) if script.new else document.with_block(old, text, path)
    script.keep_content(content, locked="--lock" in invocation.extra)
    if not options.flag("quiet"):
        output.note(f"{'made' if script.new else 'put a block into'} {shlex.quote(path)}")
        for message, remedy in _obstacles(script, content):
            output.warn(message, remedy, path)
    return 0


def _start(path: str, invocation: Invocation, environ: Mapping[str, str]) -> Change:
    try:
        return change.start(path, invocation.options, environ)
    except ScriptMissing:
        return Change(Document(path, os.path.realpath(path), b""), invocation.options, environ, new=True)


def _obstacles(script: Change, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield what keeps a script with this content from being started by its name, with the remedy."""
    first = content.splitlines()[0]
    if first.startswith(codecs.BOM_UTF8):
        yield "it begins with a byte order mark, so the system does not see the shebang", "save it without"
    elif not first.startswith(b"#!"):
        yield "it got no shebang, as its encoding must stay in the second line", "write that into the first one"
    elif b"scriptrun" not in first:
        shown = first.decode("utf-8", "replace")
        yield f"its first line stays `{shown}`, which does not read the block", f"write {document.SHEBANG.decode()}"
    elif document.newline(content) != b"\n":
        yield "its lines end in carriage returns, so the system does not understand the shebang", "save it without"
    if not os.access(script.original.file, os.X_OK):
        yield "it may not be executed", f"chmod +x {shlex.quote(script.original.name)}"
