"""Synthetic difference-in-differences of Arkhangelsky et al. (2021) with staggered adoption."""

from replication.estimators.synthetic_did.synthetic_did import synthetic_did

__all__ = ["synthetic_did"]
