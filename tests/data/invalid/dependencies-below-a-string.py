# /// script
# x = '''
# dependencies = 3'''
# dependencies = 4
# ///
