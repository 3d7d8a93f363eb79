"""What pip answered, kept so that it is not asked the same question twice."""
