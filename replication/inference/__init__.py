"""Uncertainty: clustered variances, bootstraps, permutation, sensitivity."""
