# /// script
# tool.scriptrun.python = "./python"
# tool . "scriptrun" . exclude-newer = "2026-01-31T00:00:00Z"
# ///
