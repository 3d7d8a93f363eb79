# /// script
# dependencies = ["demo"]
# [tool.uv]
# index-strategy = "unsafe-best-match"
# [[tool.uv.index]]
# url = "https://second.example/simple/"
# [[tool.uv.index]]
# url = "https://index.example/simple/"
# default = true
# ///
import demo

print("demo", demo.V)
