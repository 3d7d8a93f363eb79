# /// script
# dependencies = ["demo"]
# [tool.uv]
# no-index = true
# find-links = ["links"]
# ///
import demo

print("demo", demo.V)
