"""The report: a static site that opens from disk, with one page per study, an explorer, and the data behind it."""
