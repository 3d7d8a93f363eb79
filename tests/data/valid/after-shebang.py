#!/usr/bin/env scriptrun
# /// script
# dependencies = ["demo"]
# ///
print('ran')
