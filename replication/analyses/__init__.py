"""What a study asks of its panel and estimates beyond single specifications, one kind per file."""
