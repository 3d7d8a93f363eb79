"""Change what stands in a script, and nothing else in it."""
