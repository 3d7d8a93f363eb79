#!/usr/bin/env python
# /// script
# dependencies = ["demo"]
# ///
