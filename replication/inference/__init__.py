"""Inference: clustered variances, bootstraps, permutation tests and sensitivity analysis."""
