# /// script
# dependencies = ["library[more]>=7; sys_platform != 'nowhere'", "demo"]
#
# [tool.uv.sources]
# library = [
#     { git = "https://git.example/never", marker = "sys_platform == 'nowhere'" },
#     { path = "./library", editable = true },
# ]
# demo = { path = "nowhere", marker = "python_version < '3'" }
# ///

import demo
import library
import tool

print("library", "editable" if "site-packages" not in library.__file__ else "installed", demo.V, tool.__name__)
