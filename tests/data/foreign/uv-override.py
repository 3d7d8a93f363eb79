#!/usr/bin/env -S uv run --script
# /// script
# dependencies = ["demo"]
#
# [tool.uv]
# override-dependencies = ["demo==1.0"]
# ///
