V = "old"
