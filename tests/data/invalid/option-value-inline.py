# /// script
# tool = {other = {python = 3}, scriptrun = {python = 3.12}}
# ///
