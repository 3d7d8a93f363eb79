#!/bin/x
# /// script
# dependencies = ["demo"]
import x
