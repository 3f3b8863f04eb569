"""One estimator a file: ``Panel`` in, ``Estimates`` out. ``registry`` finds them by name."""
