"""Locks of scripts: what was chosen once, with hashes, and installed from then on."""
