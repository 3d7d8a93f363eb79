# /// pyproject
# run.requirements = ['demo']
# ///
