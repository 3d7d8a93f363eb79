# /// script
# 'dependencies' = 4
# ///
