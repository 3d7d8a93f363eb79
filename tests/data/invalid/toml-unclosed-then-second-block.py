# /// script
# dependencies = [
# ///
# /// script
# ///
