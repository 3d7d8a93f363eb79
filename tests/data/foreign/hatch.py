#!/usr/bin/env -S hatch run
# /// script
# requires-python = ">=3.8"
# dependencies = [
#   "demo",
# ]
#
# [tool.hatch]
# installer = "pip"
# dependencies = ["tool"]
# ///
import importlib.util

import demo

print("demo", demo.V, "tool" if importlib.util.find_spec("tool") else "no tool")
