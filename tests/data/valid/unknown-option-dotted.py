# /// script
# tool.black.pyhton = 3
# tool.scriptrun.pyhton = '3.12'
# ///
