"""The distributions that pip unpacked once, each kept for all the environments that will hold it."""
