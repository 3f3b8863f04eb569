"""Inference: clustered variances, bootstraps, permutation tests and sensitivity analysis."""

# SciPy is first imported by these modules, which is to be this way.
import replication.core.special_functions  # noqa: F401
