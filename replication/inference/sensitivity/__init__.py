"""Sensitivity of event-time paths to violations of parallel trends, and what pre-tests can see."""

from replication.inference.sensitivity.honest import (
    breakdown_value,
    honest_did,
    original,
    sensitivity_frame,
)
from replication.inference.sensitivity.path import SensitivityError, event_path

__all__ = [
    "SensitivityError",
    "breakdown_value",
    "event_path",
    "honest_did",
    "original",
    "sensitivity_frame",
]
