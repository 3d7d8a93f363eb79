# /// script
# dependencies = ["demo @ http://h/x.whl\n--index-url=x"]
# ///
