# /// script
# dependencies = ["demo"]
# ///
# /// 
print(1)
