#/// script
# /// SCRIPT
  # /// script

# /// script
# dependencies = ["demo"]
# ///

# /// script 
