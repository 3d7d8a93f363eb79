# /// script
# dependecies = ['demo']
# ///
