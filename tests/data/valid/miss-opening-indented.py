if x:
    # /// script
    # dependencies = ['demo']
    # ///
