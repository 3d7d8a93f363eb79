"""A build backend that needs nothing from an index; its wheels have the version that stands in `pyproject.toml`."""

import os
import re
import zipfile

METADATA = """\
Metadata-Version: 2.1
Name: library
Version: {}
Provides-Extra: more
Requires-Dist: tool; extra == "more"
"""


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {}
    for parent, _, names in os.walk("src/library"):
        for name in names:
            if name.endswith((".py", ".txt")):
                path = os.path.join(parent, name)
                with open(path) as file:
                    files[os.path.relpath(path, "src")] = file.read()
    os.makedirs("build/lib", exist_ok=True)  # as setuptools does
    with open("build/lib/written", "a") as file:
        file.write("once more\n")
    return wheel(wheel_directory, files)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return wheel(wheel_directory, {"library.pth": os.path.abspath("src") + "\n"})


def wheel(directory, files):
    with open("pyproject.toml") as file:
        version = re.search('^version = "(.*)"$', file.read(), re.MULTILINE).group(1)
    name = "library-{}-py3-none-any.whl".format(version)
    info = "library-{}.dist-info/".format(version)
    files[info + "METADATA"] = METADATA.format(version)
    files[info + "WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[info + "RECORD"] = "".join("{},,\n".format(path) for path in [*files, info + "RECORD"])
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name
