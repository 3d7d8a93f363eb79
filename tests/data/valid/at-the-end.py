print('ran')

# /// script
# dependencies = ["demo"]
# ///
