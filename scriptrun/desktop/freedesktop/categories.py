"""The categories of the application menu: freedesktop.org "Desktop Menu" specification 1.1, registered categories."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

DEFAULT = "Utility"
"""That of a script which names none: without a main one, menus have no place for it."""

_MAIN = "AudioVideo Audio Video Development Education Game Graphics Network Office Science Settings System Utility"

_ADDITIONAL = """
    Building Debugger IDE GUIDesigner Profiling RevisionControl Translation Calendar ContactManagement Database
    Dictionary Chart Email Finance FlowChart PDA ProjectManagement Presentation Spreadsheet WordProcessor 2DGraphics
    VectorGraphics RasterGraphics 3DGraphics Scanning OCR Photography Publishing Viewer TextTools DesktopSettings
    HardwareSettings Printing PackageManager Dialup InstantMessaging Chat IRCClient Feed FileTransfer HamRadio News P2P
    RemoteAccess Telephony TelephonyTools VideoConference WebBrowser WebDevelopment Midi Mixer Sequencer Tuner TV
    AudioVideoEditing Player Recorder DiscBurning ActionGame AdventureGame ArcadeGame BoardGame BlocksGame CardGame
    KidsGame LogicGame RolePlaying Shooter Simulation SportsGame StrategyGame Art Construction Music Languages
    ArtificialIntelligence Astronomy Biology Chemistry ComputerScience DataVisualization Economy Electricity Geography
    Geology Geoscience History Humanities ImageProcessing Literature Maps Math NumericalAnalysis MedicalSoftware Physics
    Robotics Spirituality Sports ParallelComputing Amusement Archiving Compression Electronics Emulator Engineering
    FileTools FileManager TerminalEmulator Filesystem Monitor Security Accessibility Calculator Clock TextEditor
    Documentation Adult Core KDE GNOME XFCE GTK Qt Motif Java ConsoleOnly
"""


def registered() -> list[str]:
    """Return the names of all categories."""
    return f"{_MAIN} {_ADDITIONAL}".split()


def is_known(name: str) -> bool:
    """Tell whether a category is registered, or somebody's own."""
    return name in registered() or name.startswith("X-")


def near(name: str) -> str:
    """Return the category that is written nearly so, `""` where none is."""
    return next(iter(difflib.get_close_matches(name, registered(), 1, 0.7)), "")


def completed(names: Sequence[str]) -> list[str]:
    """Return those categories that are known, with those that the specification wants beside them."""
    known = [name for name in names if is_known(name)]
    known += ["AudioVideo"] if {"Audio", "Video"} & {*known} else []
    known += [] if {*known} & {*_MAIN.split()} else [DEFAULT]
    return list(dict.fromkeys(known))
