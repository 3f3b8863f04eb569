"""The commands of ``replication``, a file per group: arguments in, one call of the package, text out."""
