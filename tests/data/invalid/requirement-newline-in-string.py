# /// script
# dependencies = ["""demo
# other"""]
# ///
