"""Look at scripts without running them: what they import, and what is wrong with them."""
