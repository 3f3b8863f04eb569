"""Estimates go straight into the tables of the maketables package."""

from __future__ import annotations

import numpy as np
from maketables import ETable

from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.row_table import EstimateRow


def test_maketables_reads_estimates() -> None:
    rng = np.random.default_rng(3)
    panel = Panel(
        y=rng.normal(size=(30, 4)),
        units=np.arange(30),
        periods=np.arange(4),
        cohort=np.zeros(30, dtype=np.int64),
        weight=np.ones((30, 4)),
        clusters={"unit": np.arange(30)},
        outcome="rate",
    )
    rows = [EstimateRow("att"), EstimateRow("coef:x")]
    found = PointEstimates(panel, "twfe", rows, np.array([0.1234, -2.0]), Inference())
    result = from_scores(found, rng.normal(size=(30, 2)) / 30)
    table = ETable([result], model_stats=["N"]).make(type="tex")
    assert "0.123" in table
    assert "-2.000" in table
    assert "120" in table
