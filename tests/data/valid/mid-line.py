pass # /// script
# dependencies = ["demo"]
# ///
#
#
