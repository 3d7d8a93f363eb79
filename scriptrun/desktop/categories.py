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
    Documentation Adult Core KDE GNOME XFCE DDE GTK Qt Motif Java ConsoleOnly
"""


def complaint(name: str) -> str:
    """Return what is wrong with a category, `""` if it is registered or somebody's own (`X-…`)."""
    known = f"{_MAIN} {_ADDITIONAL}".split()
    if name in known or name.startswith("X-"):
        return ""
    near = difflib.get_close_matches(name, known, 1, 0.7)
    return f"there is no category `{name}`; {f'did you mean `{near[0]}`?' if near else 'menus pass over it'}"


def completed(names: Sequence[str]) -> list[str]:
    """Return categories with those that the specification wants beside them."""
    missing = ["AudioVideo"] if {"Audio", "Video"} & {*names} else []
    missing += [] if {*names, *missing} & {*_MAIN.split()} else [DEFAULT]
    return list(dict.fromkeys([*names, *missing]))
