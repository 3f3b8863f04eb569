"""Intertemporal effects of de Chaisemartin & D'Haultfoeuille (2024), reversals and doses included."""

from replication.estimators.dcdh.dcdh import dcdh

__all__ = ["dcdh"]
