"""Independent checks of results: other software, and the expected numbers."""
