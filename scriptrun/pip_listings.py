"""Write down what pip found of each project that it looked at: a program for `pip_child`.

It runs in pip's own process. What pip keeps in memory is read when it has ended, so that it costs nothing before. A pip
in which that is not found goes on, and nothing is written.
"""

import importlib
import json
import re


class Listings:
    """What the first of pip's finders found: that of what is installed; others serve builds."""

    def __init__(self):
        self.finder = None

    def watch(self):
        """Let pip show which finder it uses."""
        try:
            kind = importlib.import_module("pip._internal.index.package_finder").PackageFinder
            find = kind.find_all_candidates
        except (ImportError, AttributeError):
            return
        own = self

        def find_all_candidates(finder, *args, **kwargs):
            own.finder = own.finder or finder
            return find(finder, *args, **kwargs)

        kind.find_all_candidates = find_all_candidates

    def write(self, path):
        """Write all that was found to a file, as JSON, unless this pip keeps it in another way."""
        try:
            found = {_canonical(name): _versions(files) for name, files in self.finder._all_candidates.items()}
        except (AttributeError, TypeError, ValueError):
            return
        with open(path, "w", encoding="utf-8") as file:  # others are modules, which pip forbids to import by now
            json.dump(found, file, separators=(",", ":"))


def _versions(candidates):
    """Return pairs of a version and its files, newest first; a file is its hash, after `!` where it was yanked."""
    found = {}
    for one in candidates:
        digest = one.link._hashes.get("sha256", "")
        found.setdefault(one.version, []).append("!" * bool(one.link.is_yanked) + digest)
    return [(str(version), found[version]) for version in sorted(found, reverse=True)]


def _canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()
