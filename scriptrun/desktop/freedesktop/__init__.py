"""Scripts on a desktop of freedesktop.org's, as Linux has them: files that such desktops read."""
