# /// script
# dependencies = ["demo"]
  # ///
x = 1
