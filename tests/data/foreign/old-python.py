# /// script
# requires-python = "<3"
# dependencies = ["demo"]
# ///
print "ran"
