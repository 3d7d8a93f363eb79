#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.8"
# dependencies = [
#     "demo",
# ]
# [tool.uv]
# exclude-newer = "2025-12-31T00:00:00Z"
# ///
"""As uv's guide has it: a moment after which nothing counts."""

import demo

print("demo", demo.V)
