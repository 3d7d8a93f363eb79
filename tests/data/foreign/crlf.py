#!/usr/bin/env -S uv run --script
# /// script
# dependencies = [
#   "demo",
# ]
#
# [tool.uv]
# exclude-newer = "2025-06-01"
# ///
import demo
print("demo", demo.V)
