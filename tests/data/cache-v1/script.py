#!/usr/bin/env scriptrun
# /// script
# dependencies = []
# ///
import sys
print(sys.prefix)
