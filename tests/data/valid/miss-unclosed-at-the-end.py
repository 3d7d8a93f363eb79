# /// script
# dependencies = ["demo"]
