"""For whom scriptrun is registered: one user, or everybody on the machine."""

from __future__ import annotations

import os
from dataclasses import dataclass

from scriptrun.desktop.associations import Session


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
