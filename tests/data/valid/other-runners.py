# /// script
# [tool.pixi]
# [tool.hatch]
# dependencies = ["x"]
# [[tool.pdm.source]]
# url = "x"
# [tool.marimo.runtime]
# ///
