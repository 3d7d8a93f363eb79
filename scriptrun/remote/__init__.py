"""Programs at URLs: fetched, trusted, kept by content."""
