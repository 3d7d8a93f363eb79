"""For whom scriptrun is registered: one user, or everybody on the machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from scriptrun.desktop import folders
from scriptrun.desktop.freedesktop import associations
from scriptrun.desktop.freedesktop.associations import Session


@dataclass(frozen=True)
class Scope:
    """For whom: where data, configuration and the journal are, and what programs find there before."""

    data: str
    configuration: str
    state: str
    session: Session
    system: bool

    @property
    def journal(self) -> str:
        """The path of the journal."""
        return os.path.join(self.state, "scriptrun", "registration", "journal.json")


def of(environ: Mapping[str, str], *, system: bool) -> Scope:
    """Return the scope of the machine or of the user."""
    if system:
        return Scope("/usr/local/share", "/etc/xdg", "/var/lib", associations.of_machine(environ), system)
    own = folders.data_home(environ), folders.config_home(environ), folders.state_home(environ)
    return Scope(*own, associations.of_user(environ), system)
