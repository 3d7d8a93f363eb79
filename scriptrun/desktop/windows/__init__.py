"""Scripts on the desktop of Windows: values of its registry, shortcuts, and a console that stays."""
