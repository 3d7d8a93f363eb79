# /// script
# tool = {scriptrun = {python = "pypy3", with = ["demo"]}}
# ///
