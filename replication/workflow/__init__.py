"""What the rules of the Snakefile call: load, one library call, save."""
