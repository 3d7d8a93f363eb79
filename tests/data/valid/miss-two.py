#/// script
# ///

# /// script
x
