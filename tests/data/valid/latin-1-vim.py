# vim: set fileencoding=latin-1 :
# /// script
# [tool.x]
# s = "é"
# ///
