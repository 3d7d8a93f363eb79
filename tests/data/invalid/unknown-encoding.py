# coding: klingon
# /// script
# dependencies = ["demo"]
# ///
