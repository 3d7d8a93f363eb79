r"""Cut the `script` block out of a file's bytes.

Implements the specification "Inline script metadata" (packaging.python.org), by lines and in linear
time: a block opens at a line that is exactly `# /// TYPE` and closes at the last line that is exactly
`# ///` of the comment lines that follow without a gap. Lines end at `\n`, `\r\n` or `\r`, and nowhere else.
"""

from scriptrun.errors import MetadataError

MAX_BLOCK = 64 * 1024
"""The longest block that is read, in bytes: TOML parsers can be made to work for minutes on more."""

MAX_LINE = 4 * 1024
"""The longest line of a block that is read, in bytes."""

_MOST_NEAR_MISSES = 5
"""Each may look at all lines below it: without a bound, a file of them would take quadratic time."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CLOSING = b"# ///"
_TYPE_CHARACTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_ENCODING_CHARACTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class Block:
    r"""A `script` block as it stands in the file, not yet decoded.

    `first` and `last` are the numbers of its opening and closing lines, from 1; `raw` holds the lines between
    them as bytes, `\n` after each; `encoding` is what the file declares (PEP 263), else `utf-8`.
    """

    __slots__ = ("encoding", "first", "last", "raw")

    def __init__(self, first: int, last: int, raw: bytes, encoding: str) -> None:
        self.first = first
        self.last = last
        self.raw = raw
        self.encoding = encoding

    def text(self, name: str) -> str:
        """Return the TOML text: the lines without their `# `.

        Raises MetadataError, naming the line of the file called `name`, where a line cannot be decoded.
        """
        lines = []
        for number, line in enumerate(self.raw.split(b"\n")[:-1], self.first + 1):
            try:
                lines.append(line.decode(self.encoding)[2:] + "\n")
            except LookupError:
                raise MetadataError(
                    f"the file declares the encoding `{self.encoding}`, which Python does not know",
                    place=f"{name}:{number}",
                    hint="save the file as UTF-8 and take the encoding line out",
                ) from None
            except UnicodeError as error:
                raise MetadataError(
                    f"the line is not valid {self.encoding}: {error}",
                    place=f"{name}:{number}",
                    hint="save the file in that encoding, or declare the one it has (PEP 263)",
                ) from None
        return "".join(lines)


class NearMiss:
    """A line that was probably meant to be part of a block, and is not: its number, what is wrong, the remedy."""

    __slots__ = ("line", "message", "remedy")

    def __init__(self, line: int, message: str, remedy: str) -> None:
        self.line = line
        self.message = message
        self.remedy = remedy


class _Found:
    """One block of any type: offsets of its opening line and of the end of its closing line."""

    __slots__ = ("closing", "content", "end", "start", "type")

    def __init__(self, kind: bytes, start: int, content: int, closing: int, end: int) -> None:
        self.type = kind
        self.start = start
        self.content = content
        self.closing = closing
        self.end = end


def cut(source: bytes, name: str) -> "tuple[Block | None, list[NearMiss]]":
    """Return the `script` block of `source`, or None and the lines that may have been meant as one.

    Raises MetadataError where there are two `script` blocks, or where the block is larger than MAX_BLOCK or
    has a line longer than MAX_LINE. `name` is the file's name for the messages.
    """
    if b"///" not in source:
        return None, []
    marked = source.startswith(_BYTE_ORDER_MARK)
    source = _plain(source)
    blocks = _find(source)
    scripts = [found for found in blocks if found.type == b"script"]
    if not scripts:
        return None, _near_misses(source, blocks)
    found = scripts[0]
    first = _line_number(source, found.start)
    if len(scripts) > 1:
        raise two_blocks(name, first, _line_number(source, scripts[1].start))
    raw = source[found.content : found.closing]
    _check_size(raw, first, name)
    encoding = "utf-8" if marked else declaration(source)[0]
    return Block(first, first + raw.count(b"\n") + 1, raw, encoding), []


def contents(source: bytes, kind: str) -> "list[bytes]":
    r"""Return the lines of each block of this type, `\n` after each, not yet decoded and however long."""
    opener = f"# /// {kind}".encode("ascii")
    if opener not in source:
        return []
    source = _plain(source)
    return [source[found.content : found.closing] for found in _find(source) if found.type == opener[6:]]


def spans(source: bytes, kind: str) -> "list[tuple[int, int]]":
    """Return the numbers of the opening and of the closing line of each block of this type, from 1."""
    source = _plain(source)
    found = [one for one in _find(source) if one.type == kind.encode("ascii")]
    return [(_line_number(source, one.start), _line_number(source, one.closing)) for one in found]


def _plain(source: bytes) -> bytes:
    r"""Return `source` without byte order mark, and with `\n` at the end of each line."""
    source = source.removeprefix(_BYTE_ORDER_MARK)
    return source.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in source else source


def two_blocks(name: str, first: int, second: int) -> MetadataError:
    """Return the error for a second `script` block, which the specification forbids."""
    return MetadataError(
        f"two `script` blocks, at line {first} and at line {second}",
        place=f"{name}:{second}",
        hint="put everything into one block and delete the other",
    )


def declaration(source: bytes) -> "tuple[str, int]":
    """Return the encoding that `source`, which has no carriage returns, declares as PEP 263 has it, and the line.

    Without one it is `utf-8`, and the line 0.
    """
    start = 0
    for number in (1, 2):
        end = _line_end(source, start)
        line = source[start:end].lstrip(b" \t\f")
        if line.startswith(b"#"):
            declared = _cookie(line)
            if declared:
                return declared, number
        elif line:
            break
        start = end + 1
    return "utf-8", 0


def _cookie(comment: bytes) -> str:
    at = comment.find(b"coding")
    while at >= 0:
        rest = comment[at + 6 :]
        if rest[:1] in (b":", b"="):
            rest = rest[1:].lstrip(b" \t")
            length = 0
            while length < len(rest) and rest[length] in _ENCODING_CHARACTERS:
                length += 1
            if length:
                return rest[:length].decode("ascii")
        at = comment.find(b"coding", at + 6)
    return ""


def _find(source: bytes) -> "list[_Found]":
    """Return all blocks of all types. Each run of comment lines is walked once: linear in the size of `source`."""
    blocks = []
    at = source.find(b"# /// ")
    while at >= 0:
        end = _line_end(source, at)
        kind = source[at + 6 : end]
        opens = (at == 0 or source[at - 1] == 10) and kind and _TYPE_CHARACTERS.issuperset(kind)
        if opens:
            closing, run_end = _last_closing(source, end + 1)
            if closing >= 0:
                blocks.append(_Found(kind, at, end + 1, closing, closing + len(_CLOSING)))
                end = closing + len(_CLOSING)
            else:
                end = run_end
        at = source.find(b"# /// ", end)
    return blocks


def _last_closing(source: bytes, start: int) -> "tuple[int, int]":
    """Return the offset of the last closing line of the comment lines from `start` (-1: none), and their end."""
    closing = -1
    at = start
    while at < len(source) and source[at] == 35:  # "#"
        end = _line_end(source, at)
        if end > at + 1 and source[at + 1] != 32:  # neither a bare "#" nor "# "
            break
        if end - at == len(_CLOSING) and source.startswith(_CLOSING, at):
            closing = at
        at = end + 1
    return closing, min(at, len(source))


def _line_end(source: bytes, at: int) -> int:
    end = source.find(b"\n", at)
    return len(source) if end < 0 else end


def _line_number(source: bytes, at: int) -> int:
    return source.count(b"\n", 0, at) + 1


def _check_size(raw: bytes, first: int, name: str) -> None:
    if len(raw) > MAX_BLOCK:
        raise MetadataError(
            f"the block is {len(raw)} bytes long, more than the {MAX_BLOCK} that are read",
            place=f"{name}:{first}",
            hint="move what is not metadata out of the block",
        )
    for number, line in enumerate(raw.split(b"\n"), first + 1):
        if len(line) > MAX_LINE:
            raise MetadataError(
                f"the line is {len(line)} bytes long, more than the {MAX_LINE} that are read in a block",
                place=f"{name}:{number}",
                hint="break the line: arrays may span several",
            )


def _near_misses(source: bytes, blocks: "list[_Found]") -> "list[NearMiss]":
    """Return what looks like a `script` block in a file that has none, in the order of the lines."""
    misses = []
    line = 1
    counted = 0
    at = source.find(b"///")
    while at >= 0:
        start = source.rfind(b"\n", 0, at) + 1
        end = _line_end(source, at)
        line += source.count(b"\n", counted, start)
        counted = start
        miss = _near_miss(source, start, end, line, blocks)
        if miss is not None:
            misses.append(miss)
            if len(misses) == _MOST_NEAR_MISSES:
                break
        at = source.find(b"///", end)
    return misses


def _near_miss(source: bytes, start: int, end: int, line: int, blocks: "list[_Found]") -> "NearMiss | None":
    if end - start > MAX_LINE:
        return None
    text = source[start:end].decode("utf-8", "replace")
    bare = text.strip()
    if not bare.startswith("#") or not bare[1:].lstrip().startswith("///"):
        return None
    words = bare[1:].lstrip()[3:].split()
    if not words or not _resembles(words[0]):
        return None
    if text == "# /// script":
        return _unusable_opener(source, start, end, line, blocks)
    is_type = _TYPE_CHARACTERS.issuperset(words[0].encode())
    if words[0] != "script" and is_type and text == f"# /// {words[0]}":
        message = f"`{text}` opens a block of type `{words[0]}`, which is not metadata of the script"
    elif bare == "# /// script":
        message = f"`{bare}` with blanks before or after it does not open a block"
    else:
        message = f"`{bare}` does not open a block"
    return NearMiss(line, message, "the line must be exactly `# /// script`")


def _unusable_opener(source: bytes, start: int, end: int, line: int, blocks: "list[_Found]") -> "NearMiss":
    for found in blocks:
        if found.content <= start < found.end:
            kind = found.type.decode("ascii")
            opener = _line_number(source, found.start)
            return NearMiss(
                line,
                f"the block that opens here is inside the block `{kind}` of line {opener}, and is not read",
                f"close the block `{kind}`, and leave a line without `#` between the two",
            )
    return _unclosed(source, end + 1, line)


def _unclosed(source: bytes, at: int, line: int) -> "NearMiss":
    """Explain why the opener in `line` has no closing line, the lines from offset `at` being what follows it."""
    number = line + 1
    limit = at + MAX_BLOCK
    while at < min(len(source), limit):
        end = _line_end(source, at)
        content = source[at:end]
        bare = content.strip()
        if bare.startswith(b"#") and bare[1:].strip() == b"///":
            reason, remedy = f"line {number} is not exactly `# ///`", f"make line {number} exactly `# ///`"
            break
        if content != b"#" and not content.startswith(b"# "):
            reason, remedy = _break(bare, number)
            break
        number += 1
        at = end + 1
    else:
        reason = "the file ends first" if at >= len(source) else f"none of the next {number - line - 1} lines does it"
        remedy = "end the block with a line `# ///`"
    return NearMiss(line, f"the block that opens here is not closed: {reason}", remedy)


def _break(bare: bytes, number: int) -> "tuple[str, str]":
    """Return what is wrong with the line `bare`, which ends the comment lines, and the remedy."""
    if bare.startswith(b"#"):
        return f"line {number} does not begin with `# `", f"begin line {number} with `# `, or with a bare `#` if empty"
    return f"line {number} is not a comment", f"end the block with a line `# ///` before line {number}"


def _resembles(word: str) -> bool:
    """Tell whether `word` was probably meant as `script`: other case, or one edit away."""
    word = word.lower()
    return word == "pyproject" or one_edit_apart(word, "script")


def one_edit_apart(left: str, right: str) -> bool:
    """Tell whether the two are equal, or one inserted, deleted, replaced or swapped character apart."""
    prefix = 0
    while prefix < min(len(left), len(right)) and left[prefix] == right[prefix]:
        prefix += 1
    left, right = left[prefix:], right[prefix:]
    if left[:2] == right[:2][::-1] and left[2:] == right[2:]:
        return True
    return left[1:] == right[1:] or left[1:] == right or left == right[1:]
