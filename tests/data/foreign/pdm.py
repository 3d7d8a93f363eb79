#!/usr/bin/env -S pdm run
# /// script
# dependencies = ["demo<2"]
#
# [[tool.pdm.source]]
# name = "second"
# url = "https://second.example/simple/"
# ///
import demo

print("demo", demo.V)
