# /// script
# dependencies = [
#"demo",
# ]
# ///
