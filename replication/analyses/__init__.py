"""Analyses beyond single specifications, one kind per file."""
