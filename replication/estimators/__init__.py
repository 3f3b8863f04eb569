"""One estimator per file: ``Panel`` in, ``Estimates`` out. ``registry`` finds them by name."""
