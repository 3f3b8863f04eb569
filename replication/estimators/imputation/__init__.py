"""Imputation estimator of Borusyak, Jaravel & Spiess (2024); two-stage shares its model."""

from replication.estimators.imputation.imputation import imputation

__all__ = ["imputation"]
