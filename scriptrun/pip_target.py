"""Let pip choose for a Python on another machine: a program for `pip_child`, run in pip's own process.

pip has options for this, but judges markers by the Python that it runs on, makes no locks so, and installs to no
environment. So what it takes for its own Python is another one here.
"""

import functools
import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def aim(target: "Mapping[str, Any]") -> None:
    """Let pip choose for what `target` says.

    `version` has the three numbers of a CPython, `abis` and `platforms` the tags for its wheels, `markers` what markers
    are judged by.
    """
    markers: Any = importlib.import_module("pip._vendor.packaging.markers")
    python = importlib.import_module("pip._internal.models.target_python").TargetPython
    candidate = importlib.import_module("pip._internal.resolution.resolvelib.candidates").RequiresPythonCandidate
    version = tuple(target["version"])
    markers.default_environment = functools.partial(dict, target["markers"])
    _give(python, target["platforms"], version, target["abis"], "cp")
    _give(candidate, version)
    _refuse_builds()


def _give(kind: "Any", *values: "Any") -> None:
    """Let all of a kind be made of these values, whatever pip gives."""
    make = kind.__init__

    def made(self: "Any", *_args: "Any", **_kwargs: "Any") -> None:
        make(self, *values)

    kind.__init__ = made


def _refuse_builds() -> None:
    """Refuse what a build needs where this process itself would choose it: that would be for the other machine."""
    installer = importlib.import_module("pip._internal.build_env").InprocessBuildEnvironmentInstaller
    error = importlib.import_module("pip._internal.exceptions").InstallationError

    def refuse(_self: "Any", requirements: "Any", _prefix: "Any", *, for_req: "Any", **_options: "Any") -> None:
        if requirements:
            raise error(  # read by `pip_messages`
                f"scriptrun: [{for_req.name}] a build of `{for_req.name}` needs `{', '.join(requirements)}`, which is "
                "not chosen for this machine under a policy, or with a password for an index"
                "\nHINT: make a wheel of it, and ask for that"
            )

    installer.install = refuse
