# /// script
# dependencies = 1979-05-27 07:32:00
# ///
