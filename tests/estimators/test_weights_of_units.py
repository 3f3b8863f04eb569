"""Weights count relative to each other, and what has no weight is not there, in every estimator."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn_panels import draw_panel

from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import Inference

WEIGHTED = {
    "twfe": {},
    "event_study": {"window": (-3, 2)},
    "callaway_santanna": {},
    "sun_abraham": {},
    "imputation": {},
    "two_stage": {},
    "etwfe": {},
    "stacked": {"window": (-1, 1)},
    "local_projections": {"window": (-2, 1)},
    "dcdh": {},
}
# The others take weights of one period: of the cohort, of the base period, of the unit.
BY_CELL = ("twfe", "event_study", "sun_abraham", "imputation", "two_stage", "stacked")
INFERENCE = Inference(draws=49)
# Weighted sums of a few hundred terms in another order; bands are drawn in single precision.
CLOSE = {"rtol": 1e-7, "atol": 1e-9}
SINGLE = {"rtol": 1e-4, "atol": 1e-5}


def run(name: str, panel: Panel) -> Estimates:
    module = importlib.import_module(f"replication.estimators.{name}")
    found: Estimates = getattr(module, name)(panel, inference=INFERENCE, **WEIGHTED[name])
    return found


def held(found: Estimates, expected: Estimates) -> None:
    keys = ["term", "cohort", "time", "event_time"]
    pd.testing.assert_frame_equal(found.table[keys], expected.table[keys])
    exact = ["estimate", "std_error", "p_value", "conf_low", "conf_high"]
    np.testing.assert_allclose(found.table[exact], expected.table[exact], **CLOSE)
    bands = ["band_low", "band_high"]
    np.testing.assert_allclose(found.table[bands], expected.table[bands], **SINGLE)


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("n_clusters", [None, 12], ids=["units", "clusters"])
def test_the_scale_of_the_weights_changes_nothing(name: str, n_clusters: int | None) -> None:
    """With weights of a thousandth the cohorts weigh less than one unit of weight."""
    panel = draw_panel(21, weighted=True, n_clusters=n_clusters)
    small = run(name, replace(panel, weight=panel.weight / 1000))
    held(small, run(name, panel))


@pytest.mark.parametrize("name", BY_CELL)
def test_cells_without_weight_are_as_unobserved(name: str) -> None:
    """In the effects by event time and in the counts behind them; cohorts are as large as before."""
    panel = draw_panel(22, weighted=True)
    empty = np.random.default_rng(22).random(panel.y.shape) < 0.04
    found = run(name, replace(panel, weight=np.where(empty, 0.0, panel.weight)))
    expected = run(name, replace(panel, y=np.where(empty, np.nan, panel.y)))
    rows = expected.table["event_time"].notna() | (expected.table["term"] == "att")
    exact = ["estimate", "std_error"]
    np.testing.assert_allclose(found.table.loc[rows, exact], expected.table.loc[rows, exact], **CLOSE)
    assert found.details.support == expected.details.support
