# /// script
# dependencies = [
# 	"demo",
# ]
# ///
