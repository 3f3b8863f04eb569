"""Sensitivity of event-time paths to violations of parallel trends, and what pre-tests can see."""

from replication.inference.sensitivity.arguments import SensitivityError
from replication.inference.sensitivity.equivalence import equivalence_test
from replication.inference.sensitivity.event_path import event_path
from replication.inference.sensitivity.honest import (
    breakdown_value,
    honest_did,
    parallel_trends_interval,
    sensitivity_frame,
)
from replication.inference.sensitivity.pretest_power import pretest_path, pretest_power
from replication.inference.sensitivity.sensitivity_rows import sensitivity_table

__all__ = [
    "SensitivityError",
    "breakdown_value",
    "equivalence_test",
    "event_path",
    "honest_did",
    "parallel_trends_interval",
    "pretest_path",
    "pretest_power",
    "sensitivity_frame",
    "sensitivity_table",
]
