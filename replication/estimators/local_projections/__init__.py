"""Local projections difference-in-differences of Dube et al. (2025)."""

from replication.estimators.local_projections.local_projections import local_projections

__all__ = ["local_projections"]
