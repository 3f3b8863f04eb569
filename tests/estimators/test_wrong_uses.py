"""Wrong uses are refused by every estimator, in one paragraph that says what to do."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest
from drawn_panels import as_frame, draw_panel
from hypothesis import given, settings
from hypothesis import strategies as st

from replication.core.errors import InputError, PanelError
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Inference, parse_spec
from replication.estimators.registry import ENTRIES

FEW = Inference(draws=9)
GENERAL = [name for name, entry in ENTRIES.items() if not entry.needs]
"""Estimators that run without a column of their own."""
WITH_WINDOW = [name for name in GENERAL if "window" in ENTRIES[name].keys]
ONE_WEIGHT = ("dcdh", "goodman_bacon")
PARTS = ("unit", "units", "cohort", "period", "cluster", "window", "weight")


def run(name: str, panel: Panel, **options) -> object:
    module = importlib.import_module(f"replication.estimators.{name}")
    if name == "poisson":
        panel = replace(panel, y=np.exp(panel.y))
    return getattr(module, name)(panel, inference=FEW, **options)


def refusal(name: str, panel: Panel, **options) -> str:
    with pytest.raises(InputError) as error:
        run(name, panel, **options)
    message = str(error.value)
    assert "\n" not in message
    assert message.count(".") >= 1
    assert any(part in message for part in PARTS)
    return message


@pytest.mark.parametrize("name", GENERAL)
@pytest.mark.parametrize("adoption", [2004, 0, 2001, 1999], ids=["one date", "never", "first", "past"])
def test_no_comparison_left(name: str, adoption: int) -> None:
    panel = replace(draw_panel(1), cohort=np.full(48, adoption, dtype=np.int64))
    message = refusal(name, panel)
    assert any(word in message for word in ("48", "No ", "no ", "None", "not")), message


@pytest.mark.parametrize("name", GENERAL)
def test_one_cluster(name: str) -> None:
    panel = replace(draw_panel(1), clusters={"state": np.zeros(48, dtype=np.int64)})
    assert "cluster" in refusal(name, panel).lower()


@pytest.mark.parametrize("name", WITH_WINDOW)
@pytest.mark.parametrize("window", [(40, 50), (-50, -40)])
def test_a_window_without_cells(name: str, window: tuple[int, int]) -> None:
    assert str(window[0]) in refusal(name, draw_panel(1), window=window)


@pytest.mark.parametrize("name", ONE_WEIGHT)
def test_weights_that_change_where_a_unit_has_one(name: str) -> None:
    weight = np.random.default_rng(1).uniform(1, 2, (48, 8))
    message = refusal(name, replace(draw_panel(1), weight=weight, weighted=True))
    assert "48 of 48 units change over time" in message


@pytest.mark.parametrize("name", [n for n in GENERAL if "weights" not in ENTRIES[n].takes])
def test_weights_where_there_can_be_none(name: str) -> None:
    assert "weights" in refusal(name, draw_panel(1, weighted=True))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 383), st.sampled_from([-1.0, -1e-9, np.nan, -np.inf]))
def test_negative_and_missing_weights_are_refused_with_the_row(row: int, value: float) -> None:
    frame = as_frame(draw_panel(1))
    frame.loc[row, "w"] = value
    spec = parse_spec({"id": "s", "outcome": "y", "estimator": "twfe", "weights": "w"})
    unit, time = frame.loc[row, ["unit", "time"]].astype(int)
    with pytest.raises(PanelError) as error:
        build_panel(frame, spec)
    message = str(error.value)
    if np.isfinite(value) or np.isnan(value):
        assert "1 of 384 weights in column 'w' is negative or missing" in message
        assert f"unit {unit} at time {time}" in message
    else:
        assert "'w'" in message


@pytest.mark.parametrize(
    ("column", "keys", "words"),
    [
        ("cohort", {}, "The cohort column 'cohort' takes different values within 1 of 48 units"),
        ("region", {"trends": ["region_by_time"]}, "1 unit changes its 'region' over time"),
    ],
)
def test_what_must_be_constant_within_units(column, keys, words) -> None:
    frame = as_frame(draw_panel(1)).assign(region=lambda data: data["unit"] % 3)
    frame.loc[3, column] += 1
    spec = parse_spec({"id": "s", "outcome": "y", "estimator": "twfe", **keys})
    with pytest.raises(PanelError, match=words):
        build_panel(frame, spec)


@pytest.mark.parametrize("name", ["callaway_santanna", "imputation", "dcdh", "stacked", "etwfe"])
def test_clusters_must_contain_whole_units(name: str) -> None:
    codes = np.arange(48)[:, None] // 4 + np.zeros((48, 8), dtype=np.int64)
    codes[0, 4:] = 11
    panel = replace(draw_panel(1), clusters={"state": codes})
    assert "The cluster 'state' varies over time within units" in refusal(name, panel)
