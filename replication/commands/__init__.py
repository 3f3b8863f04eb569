"""The commands of ``replication``, one file per group: arguments, one call of the package, printed text."""
