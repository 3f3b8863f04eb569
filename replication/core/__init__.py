"""Shared data types (panel, estimates, specification) and the code that builds, reads and writes them."""
