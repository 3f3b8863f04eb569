"""Poisson with a line for every unit, where a unit's only positive month is its first or last."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from replication.core.panel_builder import build_panel
from replication.core.spec import parse_spec
from replication.estimators.estimate_spec import estimate
from replication.estimators.shared.poisson_irls import separated_by_trends

SPEC = {
    "id": "lines",
    "outcome": "y",
    "estimator": "poisson",
    "treatment": "d",
    "unit": "i",
    "time": "t",
    "trends": "unit_linear",
}


def drawn(units: int, periods: int) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    i, t = (part.reshape(-1) for part in np.mgrid[0:units, 0:periods])
    d = (t >= periods // 2 + i % 7).astype(float) * (i % 3 > 0)
    slope = rng.normal(0, 0.01, units)[i]
    y = rng.poisson(np.exp(1 - 0.3 * d + slope * t)).astype(float)
    return pd.DataFrame({"i": i, "t": t, "d": d, "y": y})


def result(frame: pd.DataFrame) -> tuple[float, int]:
    spec = parse_spec(SPEC)
    row = estimate(build_panel(frame, spec), spec).table.query("term == 'att'").iloc[0]
    return row["estimate"], row["n_units"]


@pytest.mark.parametrize("only", [0, 107])
def test_such_units_change_nothing(only: int) -> None:
    frame = drawn(40, 108)
    without = result(frame[~frame["i"].isin([3, 8])])
    alone = frame["i"].isin([3, 8])
    frame.loc[alone, "y"] = (frame.loc[alone, "t"] == only).astype(float)
    assert result(frame) == pytest.approx(without, rel=1e-8)
    assert without[1] == 38


def test_only_zeros_beside_a_lone_count_at_an_end_are_separated() -> None:
    y = np.array([[1, 0, 0, 0], [0, 0, 0, 2], [0, 1, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0], [np.nan, 1, 0, 0]])
    found = separated_by_trends(y, np.isfinite(y))
    assert found.sum(axis=1).tolist() == [3, 3, 0, 0, 0, 2]
    assert not found[y > 0].any()


def test_a_line_separates_the_zeros_of_a_unit_whose_one_positive_cell_is_at_an_end() -> None:
    """Ends are those of the cells that are used; a positive cell between zeros keeps a line finite."""
    y = np.array(
        [[3, 0, 0, 0], [0, 0, 0, 2], [0, 2, 0, 0], [9, 0, 0, 1], [9, 2, 0, 0], [0, 0, 2, 9.0], [0, 2, 9, 9]]
    )
    used = np.ones((7, 4), dtype=bool)
    used[4, 0] = used[5, 3] = False
    used[6, 2:] = False
    found = separated_by_trends(y, used)
    assert found.tolist() == [
        [False, True, True, True],
        [True, True, True, False],
        [False] * 4,
        [False] * 4,
        [False, False, True, True],
        [True, True, False, False],
        [True, False, False, False],
    ]
