# /// script
# dependencies = ["demo"]
# [[tool.uv.index]]
# name = "local"
# url = "./links"
# format = "flat"
# explicit = true
# [tool.uv.sources]
# demo = { index = "local" }
# ///
import demo

print("demo", demo.V)
