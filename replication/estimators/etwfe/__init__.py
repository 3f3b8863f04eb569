"""Extended two-way fixed effects of Wooldridge (2021, 2023)."""

from replication.estimators.etwfe.etwfe import etwfe

__all__ = ["etwfe"]
