"""Which distribution provides a module: what the table says, and what is read from an environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import stdlibs
from packaging.utils import canonicalize_name

import scriptrun
from scriptrun.interpreter import Interpreter
from scriptrun.lint import distributions, imports, survey
from scriptrun.lint.distributions import Installed

PAIRS = """
pkg_resources setuptools,
cv2 opencv-python, yaml pyyaml, PIL pillow, sklearn scikit-learn, skimage scikit-image, bs4 beautifulsoup4,
dateutil python-dateutil, dotenv python-dotenv, google.protobuf protobuf, google.cloud.storage google-cloud-storage,
serial pyserial, usb pyusb, Crypto pycryptodome, Cryptodome pycryptodomex, jwt pyjwt, git gitpython, magic python-magic,
attr attrs, win32api pywin32, OpenSSL pyopenssl, docx python-docx, pptx python-pptx, fitz pymupdf, MySQLdb mysqlclient,
psycopg2 psycopg2-binary, wx wxpython, zmq pyzmq, nacl pynacl, ldap python-ldap, slugify python-slugify,
github pygithub, telegram python-telegram-bot, discord discord-py, jose python-jose, Levenshtein levenshtein,
socks pysocks, OpenGL pyopengl, Xlib python-xlib, bluetooth pybluez, faiss faiss-cpu, umap umap-learn,
community python-louvain, mpl_toolkits matplotlib, ruamel.yaml ruamel-yaml, pythoncom pywin32, vlc python-vlc,
websocket websocket-client, grpc grpcio, whois python-whois, frontmatter python-frontmatter, azure.storage.blob
azure-storage-blob, requests requests, numpy numpy, rich rich, httpx httpx, flask flask, click click, pandas pandas
"""
"""Modules, and the distributions that people mean who import them."""


@pytest.mark.parametrize("pair", [" ".join(pair.split()) for pair in PAIRS.split(",")])
def test_well_known_pairs(pair: str) -> None:
    """The likeliest distribution for a module is the one that people mean, whatever it is called."""
    module, distribution = pair.split()
    assert distributions.providers(module)[0] == distribution


def test_unknown_module() -> None:
    """Of a module that no well-known distribution has, nothing is said."""
    assert distributions.providers("nobody_knows_this") == ()
    assert "nobody-knows-this" not in distributions.known()


def test_table_is_well_formed() -> None:
    """Each line of the table is a module, and canonical names; it is sorted, and says its source."""
    first, *lines = (Path(distributions.__file__).parent / "modules.txt").read_text("utf-8").splitlines()
    assert first.startswith("# made by bench/modules.py from ")
    modules = [line.split()[0] for line in lines]
    assert len(modules) > 10000
    assert sorted(set(modules)) == modules
    assert [module for module in modules if not module.isidentifier()] == []
    assert [name for line in lines for name in line.split()[1:] if canonicalize_name(name) != name] == []


def test_modules_of_files() -> None:
    """A package counts as a whole; in a namespace each module counts; programs, data and metadata are none."""
    files = {
        "plain/__init__.py": "plain",
        "plain/inner.py": "plain",
        "plain/deep/er/__init__.py": "plain",
        "google/cloud/storage/__init__.py": "google.cloud.storage",
        "google/cloud/alone.py": "google.cloud.alone",
        "single.py": "single",
        "native.cpython-311-x86_64-linux-gnu.so": "native",
        "stable.abi3.so": "stable",
        "compiled/__init__.cpython-311-x86_64-linux-gnu.so": "compiled",
        "windows.pyd": "windows",
        "../../../bin/tool.py": "",
        "data/table.csv": "",
        "name-1.0.dist-info/METADATA": "",
        "no-identifier/x.py": "",
        "hook.pth": "",
    }
    assert distributions.modules(files) == set(files.values()) - {""}


def test_provided_by_an_installed_distribution() -> None:
    """What is in a package is provided by whoever has the package; a namespace alone provides nothing."""
    one = Installed("google-cloud-storage", frozenset({"google.cloud.storage"}))
    assert one.provides("google.cloud.storage.blob.Blob")
    assert not one.provides("google.cloud.bigquery")
    assert not one.provides("google")


def test_standard_library_of_each_python() -> None:
    """The modules of this Python's standard library are what it says itself; those of others are theirs."""
    own = survey.standard_library(_python(".".join(map(str, sys.version_info[:3]))))
    assert sys.stdlib_module_names - own == set()
    assert "tomllib" not in survey.standard_library(_python("3.10.1"))
    assert "tomllib" in survey.standard_library(_python("3.11.0"))
    assert "distutils" in survey.standard_library(_python("3.8.9"))
    assert "distutils" not in survey.standard_library(_python("3.12.0rc1"))
    assert {"tomllib", "distutils"} <= survey.standard_library(None)
    newest = max(stdlibs.KNOWN_VERSIONS, key=lambda version: tuple(map(int, version.split("."))))
    assert survey.standard_library(_python("3.99.0")) == stdlibs.stdlib_module_names(newest)


def _python(version: str) -> Interpreter:
    return Interpreter("/usr/bin/python3", "cpython", version, "", "", free_threaded=False)


def test_every_import_of_scriptrun_itself_is_declared() -> None:
    """scriptrun's own imports, put to the table, lead to the dependencies that its metadata declares."""
    import importlib.metadata

    from packaging.requirements import Requirement

    declared = {Requirement(text).name for text in importlib.metadata.requires("scriptrun") or ()}
    sources = [path.read_bytes() for path in Path(scriptrun.__file__).parent.rglob("*.py")]
    found = {one.module.partition(".")[0] for text in sources for one in imports.find(text).imports if not one.optional}
    foreign = found - sys.stdlib_module_names - {"scriptrun"}
    assert {distributions.providers(module)[0] for module in foreign} | {"pip"} == declared
