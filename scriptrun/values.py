"""Read the values of options out of TOML, that of a block or of `config.toml`; a mistake names its file and line."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from scriptrun import quantities
from scriptrun.arguments import FLAG, LIST, NUMBER, OPTIONS, Option, anchored, is_number, is_path
from scriptrun.errors import MetadataError

if TYPE_CHECKING:
    from scriptrun.places import Path

KNOWN: Mapping[str, Option] = {option.name: option for option in OPTIONS if option.everywhere}
"""The options that may stand in TOML."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Reader:
    """Reads values that stand in one file.

    `place` returns `file:line` of a path of keys, `requirement` raises MetadataError where a text is none. Relative
    paths start at `directory`, but those of the options that are `left` stay relative; `relative_paths` tells whether
    there were any, `places` where each option stands.
    """

    def __init__(
        self,
        place: Callable[..., str],
        directory: str,
        requirement: Callable[[str, str], object],
        left: Collection[str] = (),
    ) -> None:
        self.place = place
        self.directory = directory
        self.requirement = requirement
        self.left = left
        self.relative_paths = False
        self.places: dict[str, str] = {}

    def option(self, path: Path, option: Option, value: object) -> bool | str | tuple[str, ...]:
        """Return the value of an option, which stands at `path`. Raises MetadataError."""
        name = option.name
        self.places[name] = self.place(*path)
        if option.kind == FLAG:
            if not isinstance(value, bool):
                raise self.wrong(path, value, "true or false", f"{name} = true")
            return value
        if option.kind == LIST:
            entries = self.strings(path, value, f'{name} = ["{option.placeholder}"]')
            check = self.requirement if name == "with" else refuse_control_characters
            found = tuple(self._path(option, entry) for entry in entries)
            for index, entry in enumerate(entries):
                check(entry, self.place(*path, index))
                self.places[f"{name} {found[index]}"] = self.place(*path, index)
            return found
        if option.kind == NUMBER:
            return self._number(path, option, value)
        text = self.string(path, value, f'{name} = "{option.placeholder}"')
        refuse_control_characters(text, self.place(*path))
        self._check(path, name, text)
        return self._path(option, text)

    def _check(self, path: Path, name: str, text: str) -> None:
        """Raise MetadataError where the text is not what the option `name` wants."""
        if name == "exclude-newer":
            from scriptrun import moments  # rare

            try:
                moments.read(text)
            except ValueError:
                raise MetadataError(
                    f"`{_dotted(path)}` is `{text}`, which is neither a date nor a number of days",
                    place=self.place(*path),
                    hint=f'an example: {name} = "2026-01-31", or {name} = "7 days"',
                ) from None
        if name == "max-age":
            try:
                quantities.seconds(text)
            except ValueError as error:
                raise MetadataError(f"`{_dotted(path)}`: {error}", place=self.place(*path)) from None

    def _number(self, path: Path, option: Option, value: object) -> str:
        """Return the digits of a number, which may stand as a string too."""
        text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
        if not is_number(option, text):
            raise self.wrong(path, value, f"a whole number from 0 to {option.most}", f"{option.name} = 60")
        return text

    def string(self, path: Path, value: object, example: str) -> str:
        """Return a value that must be a string. Raises MetadataError."""
        if not isinstance(value, str):
            raise self.wrong(path, value, "a string", example)
        return value

    def strings(self, path: Path, value: object, example: str) -> list[str]:
        """Return a value that must be an array of strings. Raises MetadataError."""
        if not isinstance(value, list):
            raise self.wrong(path, value, "an array of strings", example)
        return [self.string((*path, index), entry, example) for index, entry in enumerate(value)]

    def wrong(self, path: Path, value: object, wanted: str, example: str) -> MetadataError:
        """Return the error for a value of another type than `wanted`."""
        what = f"`{_dotted(path)}`" if isinstance(path[-1], str) else f"entry {path[-1] + 1} of `{_dotted(path)}`"
        return MetadataError(
            f"{what} is {_kind(value)}, not {wanted}", place=self.place(*path), hint=f"an example: {example}"
        )

    def _path(self, option: Option, value: str) -> str:
        if is_path(option, value) and option.name not in self.left:
            found = anchored(value, self.directory)
            self.relative_paths = self.relative_paths or found != value
            return found
        return value


def refuse_control_characters(text: str, place: str) -> None:
    """Raise MetadataError where there is one in `text`."""
    if _CONTROL.search(text):
        raise MetadataError(f"`{text}` holds a control character", place=place, hint="take the character out")


def _dotted(path: Path) -> str:
    return ".".join(part for part in path if isinstance(part, str))


def _kind(value: object) -> str:
    names = {bool: "a boolean", str: "a string", int: "an integer", float: "a float", list: "an array", dict: "a table"}
    return names.get(type(value), "a date or time")
