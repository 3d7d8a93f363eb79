"""Scripts on the desktop of macOS: application bundles, and what its own programs are told."""
