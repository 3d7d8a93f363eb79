## /// script
## dependencies = ['demo']
## ///
