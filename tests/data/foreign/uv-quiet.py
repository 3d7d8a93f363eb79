#!/usr/bin/env -S uv run --quiet --script
#
# /// script
# requires-python = ">=3.8"
# dependencies = ["library"]
#
# [tool.uv.sources]
# library = { path = "library" }
# ///

import library

print("library", library.V, "editable" if "site-packages" not in library.__file__ else "installed")
