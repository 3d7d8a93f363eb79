# /// script
# dependencies = ["demo"]
# ///
x = 'ÿ'
