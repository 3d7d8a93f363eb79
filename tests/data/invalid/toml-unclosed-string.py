# /// script
# dependencies = ['demo',
# 'other]
# ///
