"""Efficient estimator under random treatment timing, Roth & Sant'Anna (2023)."""

from replication.estimators.roth_santanna.roth_santanna import roth_santanna

__all__ = ["roth_santanna"]
