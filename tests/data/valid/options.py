# /// script
# dependencies = []
# [tool.scriptrun]
# with = ["demo"]
# with-requirements = ["requirements.txt"]
# python = "3.12"
# offline = false
# exclude-newer = "7 days"
# index-url = "https://example.org/simple"
# extra-index-url = []
# find-links = ["wheels", "https://example.org/wheels"]
# constraint = ["../constraints.txt", "/etc/constraints.txt"]
# pre = true
# ///
