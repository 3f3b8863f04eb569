"""Intertemporal effects of de Chaisemartin & D'Haultfoeuille (2026), reversals and doses included."""

from replication.estimators.dcdh.dcdh import dcdh

__all__ = ["dcdh"]
