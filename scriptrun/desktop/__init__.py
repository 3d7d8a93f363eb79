"""Scripts on a desktop: opened by a double click, or as entries of the application menu."""
