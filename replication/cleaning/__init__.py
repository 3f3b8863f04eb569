"""Cleaning: from frames of the sources to tidy panels and their sample flow."""
