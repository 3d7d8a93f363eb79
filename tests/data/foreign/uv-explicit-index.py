#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.8"
# dependencies = ["demo", "other"]
#
# [[tool.uv.index]]
# name = "second"
# url = "https://second.example/simple/"
# explicit = true
#
# [tool.uv.sources]
# demo = { index = "second" }
# ///
"""`other` is in both indexes, and only `demo` may come from the second."""

import demo
import other

print("demo", demo.V, "other", other.V)
