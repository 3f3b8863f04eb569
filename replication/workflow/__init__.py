"""Functions called by the rules of the Snakefile."""
