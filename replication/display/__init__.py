"""Formatting of numbers and figures, independent of their content."""
