"""Distributions that differ in whatever a distribution can have: what is put together of them must be as pip has it."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support import index as indexes

TAG = "py3-none-any"
MODULE = b"def main():\n    import sys\n    print(sys.prefix, *sys.argv[1:])\n"

BACKEND = """\
import base64, hashlib, os, subprocess, sysconfig, zipfile
def get_requires_for_build_wheel(settings=None):
    return []
def build_wheel(directory, settings=None, metadata=None):
    files = {"NAME.py": b"V = 'built'\\n", "NAME-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\\nName: NAME\\nVersion: 1.0\\n"}
    tag = "py3-none-any"
    if os.path.exists("native.c"):
        subprocess.run(["cc", "-shared", "-fPIC", "-I", sysconfig.get_path("include"), "native.c", "-o", "native.so"], check=True)
        files["NAME_native" + sysconfig.get_config_var("EXT_SUFFIX")] = open("native.so", "rb").read()
        tag = "cp%s-cp%s-" % ((sysconfig.get_config_var("py_version_nodot"),) * 2) + sysconfig.get_platform().replace("-", "_").replace(".", "_")
    files["NAME-1.0.dist-info/WHEEL"] = ("Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: %s\\nTag: %s\\n" % (tag == "py3-none-any", tag)).encode()
    rows = ["%s,sha256=%s,%d\\n" % (name, base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode(), len(content)) for name, content in files.items()]
    files["NAME-1.0.dist-info/RECORD"] = ("".join(rows) + "NAME-1.0.dist-info/RECORD,,\\n").encode()
    with zipfile.ZipFile(os.path.join(directory, "NAME-1.0-%s.whl" % tag), "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return "NAME-1.0-%s.whl" % tag
"""  # noqa: E501 - a program of few lines

NATIVE = """\
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, 0}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "NAME_native", 0, -1, methods};
PyMODINIT_FUNC PyInit_NAME_native(void) { return PyModule_Create(&module); }
"""


def wheel(  # noqa: PLR0913 - what a wheel may have
    name: str,
    version: str,
    files: Mapping[str, bytes | tuple[bytes, int]],
    *,
    listed: Sequence[str] | None = None,
    more: str = "",
    tag: str = TAG,
) -> tuple[str, bytes]:
    """Return file name and content of a wheel of any files, some with a mode; `@` in a path stands for NAME-VERSION.

    `listed` are those that RECORD has with a hash (all by default), `more` is added to METADATA.
    """
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}".encode()
    pure = str(tag == TAG).lower()
    about = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\nTag: {tag}\n".encode()
    stem = f"{name.replace('-', '_')}-{version}"
    contents = {path.replace("@", stem): one for path, one in files.items()}
    contents |= {f"{stem}.dist-info/METADATA": metadata, f"{stem}.dist-info/WHEEL": about}
    buffer, rows = io.BytesIO(), []
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, one in contents.items():
            content, mode = one if isinstance(one, tuple) else (one, 0o644)
            info = zipfile.ZipInfo(path)
            info.external_attr = (0o100000 | mode) << 16
            archive.writestr(info, content)
            if listed is None or path.replace(stem, "@") in listed:
                digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                quoted = f'"{path}"' if "," in path else path
                rows.append(f"{quoted},sha256={digest},{len(content)}\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "".join(rows) + f"{stem}.dist-info/RECORD,,\n")
    return f"{stem}-{tag}.whl", buffer.getvalue()


def entry_points(**groups: Sequence[str]) -> bytes:
    """Return the text of entry_points.txt."""
    return "".join(f"[{group}]\n" + "".join(f"{one}\n" for one in lines) for group, lines in groups.items()).encode()


def pure() -> dict[str, tuple[str, bytes]]:
    """Return wheels that any Python can install, by their names."""
    info = "@.dist-info"
    binary = b"\x7fELF\0\n\xff"
    return {
        "with-data": wheel(
            "with-data",
            "1.0",
            {
                "with_data.py": b"",
                "@.data/data/share/with-data/a.txt": b"a",
                "@.data/data/etc/b.conf": b"b",
                "@.data/data/share/man/man1/with-data.1": b"manual",
            },
        ),
        "with-libraries": wheel(
            "with-libraries",
            "1.0",
            {
                "with_libraries.py": b"V = 'libraries'\n",
                "@.data/data/lib/libaa.so": binary,
                "@.data/data/lib/aa/site-packages/module.py": b"no module\n",
                "@.data/data/lib/cmake/aa/aa.cmake": b"set()",
                "@.data/data/lib/pkgconfig/aa.pc": b"Name: aa",
                "@.data/data/lib/zz/zz.txt": b"z",
            },
        ),
        "with-headers": wheel("with-headers", "1.0", {"@.data/headers/sub/x.h": b"#define X", "with_headers.py": b""}),
        "with-pth": wheel("with-pth", "1.0", {"with_pth.pth": b"import with_pth_start\n", "with_pth_start.py": b""}),
        "space-one": wheel("space-one", "1.0", {"space/one.py": b"V = 1\n"}),
        "space-two": wheel("space-two", "1.0", {"space/two.py": b"V = 2\n", "space/deep/__init__.py": b""}),
        "with-windows": wheel(
            "with-windows",
            "1.0",
            {
                "with_windows.py": MODULE,
                f"{info}/entry_points.txt": entry_points(gui_scripts=["win=with_windows:main"]),
            },
        ),
        "with-commands": wheel(
            "with-commands",
            "1.0",
            {
                "with_commands.py": MODULE,
                f"{info}/entry_points.txt": entry_points(
                    console_scripts=["first = with_commands:main", "second = with_commands:main [more]"],
                    others=["a.b = with_commands [more]"],
                ),
            },
            more="Provides-Extra: more\nRequires-Dist: with-data; extra == 'more'\n",
        ),
        "with-scripts": wheel(
            "with-scripts",
            "1.0",
            {
                "@.data/scripts/own": (b"#!python -E\nimport sys; print(sys.prefix)\n", 0o755),
                "@.data/scripts/own-w": (b"#!pythonw\nimport sys; print(sys.prefix)\n", 0o755),
                "@.data/scripts/plain.sh": (b"#!/bin/sh\necho shell\n", 0o755),
                "@.data/scripts/program": (binary, 0o755),
                "@.data/scripts/data.txt": b"no program",
            },
        ),
        "foo-bar-baz": wheel("Foo.Bar_baz", "1!2.0+local.1", {"Foo_Bar/__init__.py": b"V = 'odd'\n"}),
        "well-papered": wheel(
            "well-papered",
            "1.0",
            {
                "well_papered.py": b"",
                f"{info}/INSTALLER": b"somebody, by whom it was packed\n",
                f"{info}/licenses/LICENSE": b"free",
                f"{info}/licenses/sub/NOTICE.txt": b"as is",
                f"{info}/RECORD.jws": b"{}",
                f"{info}/sboms/x.json": b"{}",
                f"{info}/top_level.txt": b"well_papered\n",
            },
            listed=["well_papered.py", f"{info}/INSTALLER"],
        ),
        "odd-names": wheel(
            "odd-names",
            "1.0",
            {
                "odd/__init__.py": b"",
                "odd/with space.txt": b"space",
                "odd/größe-漢字.txt": b"letters",
                "odd/with, comma": b"comma",
                "odd/empty": b"",
                "odd/.hidden": b"",
                "odd/a": b"1",
                "odd/a b": b"2",
                "odd/a+b": b"3",
                "odd/#a": b"4",
                "odd/UPPER": b"5",
            },
        ),
        "with-modes": wheel(
            "with-modes",
            "1.0",
            {
                "modes/run.sh": (b"#!/bin/sh\necho ran\n", 0o755),
                "modes/closed": (b"", 0o600),
                "modes/open": (b"", 0o666),
                "modes/none": (b"", 0o000),
                "@.data/data/share/modes/run": (b"#!/bin/sh\n", 0o755),
            },
        ),
        "same-one": wheel("same-one", "1.0", {"same/__init__.py": b"", "same/shared.py": b"S = 1\n", "same/1.py": b""}),
        "same-two": wheel("same-two", "1.0", {"same/__init__.py": b"", "same/shared.py": b"S = 1\n", "same/2.py": b""}),
        "own-pip": wheel(
            "own-pip",
            "1.0",
            {
                "own_pip.py": MODULE,
                f"{info}/entry_points.txt": entry_points(
                    console_scripts=["pip = own_pip:main", "pip3.3 = own_pip:main", "easy_install = own_pip:main"]
                ),
            },
        ),
        "both-libs": wheel(
            "both-libs", "1.0", {"@.data/purelib/pl.py": b"", "@.data/platlib/pp.py": b"", "bl.py": b""}
        ),
        "with-pyc": wheel("with-pyc", "1.0", {"wp/__init__.py": b"", "wp/__pycache__/x.cpython-33.pyc": b"old"}),
        "requiring": wheel(
            "requiring", "1.0", {"requiring.py": b""}, more="Requires-Dist: space-one>=1\nRequires-Python: >=3.8\n"
        ),
    }


def sources() -> dict[str, tuple[str, bytes]]:
    """Return source distributions: a pure one, and one that a C compiler is needed for."""
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    built = {"pyproject.toml": project, "backend.py": BACKEND.replace("NAME", "built")}
    native = {"pyproject.toml": project, "backend.py": BACKEND.replace("NAME", "compiled")}
    native["native.c"] = NATIVE.replace("NAME", "compiled")
    return {"built": indexes.sdist("built", "1.0", built), "compiled": indexes.sdist("compiled", "1.0", native)}


def native(python: Path, directory: Path) -> tuple[str, bytes]:
    """Return a wheel of this machine with a module in C, compiled for a Python."""
    require_compiler()
    code = "import sysconfig as s; print(s.get_path('include'), s.get_config_var('EXT_SUFFIX'), s.get_platform())"
    found = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    include, suffix, platform = found.stdout.split()
    source, target = directory / "native.c", directory / "native.so"
    source.write_text(NATIVE.replace("NAME", "ready"))
    subprocess.run(["cc", "-shared", "-fPIC", "-I", include, source, "-o", target], check=True)
    tag = f"py3-none-{platform.replace('-', '_').replace('.', '_')}"
    return wheel("ready", "1.0", {f"ready_native{suffix}": (target.read_bytes(), 0o755)}, tag=tag)


def require_compiler() -> None:
    """Fail in CI, and skip elsewhere, where no module in C can be compiled."""
    if shutil.which("cc") and Path(sysconfig.get_path("include"), "Python.h").exists():
        return
    reason = "a C compiler and Python.h are needed; on Debian: apt-get install gcc libc6-dev python3-dev"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
