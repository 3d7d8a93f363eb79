#!/bin/sh
# The command `scriptrun-attend`: run a script for somebody who has not started it from a terminal.
exec "${0%/*}/scriptrun" "$3"
