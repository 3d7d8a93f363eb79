# /// script
# dependencies = ["demo"]
# [tool.uv.sources]
# demo = { url = "https://index.example/files/demo-1.0-py3-none-any.whl" }
# ///
import demo

print("demo", demo.V)
