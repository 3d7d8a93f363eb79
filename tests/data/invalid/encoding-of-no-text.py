# coding: hex
# /// script
# dependencies = ["demo"]
# ///
