"""What keeps a cache small, whole and explained; nothing here is needed to run a script."""
