"""Replication of staggered-adoption studies on public county crime and policy panels."""

__version__ = "0.1.0"
