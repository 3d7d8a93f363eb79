#!/usr/bin/env scriptrun
# /// script
# dependencies = [
#   "demo",
#   "other",
# ]
# ///
x = 1
