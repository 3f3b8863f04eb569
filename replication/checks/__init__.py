"""Independent checks of results: a second engine, and the expected numbers."""
