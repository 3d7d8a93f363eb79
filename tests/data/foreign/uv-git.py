#!/usr/bin/env -S uv run
# /// script
# dependencies = ["Library"]
# [tool.uv.sources]
# library = { git = "https://git.example/repository", tag = "v1", subdirectory = "packages/library" }
# ///
from importlib.metadata import version

import library

print("library", version("library"), library.V)
