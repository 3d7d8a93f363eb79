# /// script
# dependencies = ["demo", "early"]
# [tool.uv]
# constraint-dependencies = ["demo[extra]<2", "never-asked-for<1"]
# prerelease = "allow"
# no-build = true
# ///
import importlib.metadata as m

print("demo", m.version("demo"), "early", m.version("early"), len(list(m.distributions())))
