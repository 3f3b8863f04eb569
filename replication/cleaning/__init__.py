"""Cleaning: frames of the sources in, tidy panels and their sample flow out."""
