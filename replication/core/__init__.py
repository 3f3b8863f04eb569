"""The shapes that everything speaks, and what builds, reads and writes them."""
