"""What to ask and in what order: one file, one spider, one name."""
