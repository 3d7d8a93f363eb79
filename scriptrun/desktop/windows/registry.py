"""The registry of Windows: put values there, and take them out so that what was there before is there again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scriptrun.desktop.windows import shell
from scriptrun.desktop.windows.shell import BEFORE, CLASSES, ENDINGS, PROGID, Value

_CREATED = "Created"
"""The value below BEFORE that lists the keys that were not there: written before they are made."""


@dataclass(frozen=True)
class Registry:
    """The user's part of the registry, through the module `winreg`."""

    winreg: Any

    def read(self, key: str, name: str = "", hive: str = "HKEY_CURRENT_USER") -> tuple[Any, int] | None:
        """Return the data of a value and the number of its type, None where there is none."""
        try:
            with self.winreg.OpenKey(getattr(self.winreg, hive), key) as opened:
                data, kind = self.winreg.QueryValueEx(opened, name)
        except FileNotFoundError:
            return None
        return data, kind

    def text(self, key: str, name: str = "", hive: str = "HKEY_CURRENT_USER") -> str:
        """Return the text of a value, `""` where there is none."""
        found = self.read(key, name, hive)
        return found[0] if found and isinstance(found[0], str) else ""

    def install(self, values: Sequence[Value]) -> None:
        """Put these values there, instead of those of an installation before."""
        self.uninstall()
        before = {ending: self.read(rf"{CLASSES}\{ending}") for ending in ENDINGS}
        keys = {part for value in values for part in _path(value.key)} | set(_path(BEFORE))
        missing = sorted(key for key in keys if not self._is_there(key))
        self._put(BEFORE, _CREATED, missing, self.winreg.REG_MULTI_SZ)
        for ending, found in before.items():
            if found is not None:
                self._put(BEFORE, ending, *found)
        for value in values:
            self._put(value.key, value.name, value.data, getattr(self.winreg, value.kind))

    def uninstall(self) -> None:
        """Take out what `install` put there. A default that another program has set meanwhile stays."""
        for ending in ENDINGS:
            key = rf"{CLASSES}\{ending}"
            if self.text(key) == PROGID:
                before = self.read(BEFORE, ending)
                if before is None:
                    self._delete_value(key, "")
                else:
                    self._put(key, "", *before)
            self._delete_value(rf"{key}\OpenWithProgids", PROGID)
        created = self.read(BEFORE, _CREATED)
        self._delete_tree(rf"{CLASSES}\{PROGID}")
        self._delete_tree(BEFORE)
        for key in sorted(created[0] if created else (), key=len, reverse=True):
            self._delete_if_empty(key)

    def opens(self, ending: str) -> str:
        """Return the ProgID that opens files with this ending: the user's choice, else the default."""
        key = rf"{CLASSES}\{ending}"
        chosen = self.text(rf"{shell.CHOICES}\{ending}\UserChoice", "ProgId")
        return chosen or self.text(key) or self.text(key, hive="HKEY_LOCAL_MACHINE")

    def opened_before(self, ending: str) -> str:
        """Return the command that opened files with this ending before `install`, `""`: none."""
        progid = self.text(BEFORE, ending) or self.text(rf"{CLASSES}\{ending}", hive="HKEY_LOCAL_MACHINE")
        key = rf"{CLASSES}\{progid}\shell\open\command"
        return (self.text(key) or self.text(key, hive="HKEY_LOCAL_MACHINE")) if progid else ""

    def _put(self, key: str, name: str, data: object, kind: int) -> None:
        with self.winreg.CreateKeyEx(self.winreg.HKEY_CURRENT_USER, key, 0, self.winreg.KEY_SET_VALUE) as opened:
            self.winreg.SetValueEx(opened, name, 0, kind, data)

    def _is_there(self, key: str) -> bool:
        try:
            self.winreg.OpenKey(self.winreg.HKEY_CURRENT_USER, key).Close()
        except FileNotFoundError:
            return False
        return True

    def _delete_value(self, key: str, name: str) -> None:
        try:
            with self.winreg.OpenKey(self.winreg.HKEY_CURRENT_USER, key, 0, self.winreg.KEY_SET_VALUE) as opened:
                self.winreg.DeleteValue(opened, name)
        except FileNotFoundError:
            return

    def _delete_tree(self, key: str) -> None:
        """Delete a key with all below it; the registry deletes none that has keys."""
        if not self._is_there(key):
            return
        with self.winreg.OpenKey(self.winreg.HKEY_CURRENT_USER, key) as opened:
            below = [self.winreg.EnumKey(opened, number) for number in range(self.winreg.QueryInfoKey(opened)[0])]
        for name in below:
            self._delete_tree(rf"{key}\{name}")
        self.winreg.DeleteKey(self.winreg.HKEY_CURRENT_USER, key)

    def _delete_if_empty(self, key: str) -> None:
        if not self._is_there(key):
            return
        with self.winreg.OpenKey(self.winreg.HKEY_CURRENT_USER, key) as opened:
            keys, values, _ = self.winreg.QueryInfoKey(opened)
        if not keys and not values:
            self.winreg.DeleteKey(self.winreg.HKEY_CURRENT_USER, key)


def _path(key: str) -> list[str]:
    """Return the key and all above it."""
    parts = key.split("\\")
    return ["\\".join(parts[:length]) for length in range(1, len(parts) + 1)]
