"""The report: a static site that opens from disk, one page per study, with the data behind it."""
