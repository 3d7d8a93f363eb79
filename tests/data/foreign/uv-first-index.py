# /// script
# dependencies = ["demo", "tool"]
# [[tool.uv.index]]
# url = "https://second.example/simple/"
# ///
"""What the second index has comes from there, however old it is."""

import importlib.metadata

print(*(importlib.metadata.version(name) for name in ("demo", "tool")))
