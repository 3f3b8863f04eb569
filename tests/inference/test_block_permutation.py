"""Schedules of adoption are permuted across blocks of units."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Inference, parse_spec
from replication.estimators.estimate_spec import estimate
from replication.estimators.twfe import twfe
from replication.inference.block_permutation import block_permutations, matched_units, ranked_blocks
from replication.inference.permutation import permutation_test

PERIODS = np.arange(2001, 2007)


def artificial(cohorts: list[list[int]], seed: int = 1) -> Panel:
    """A panel with one block per list of cohorts."""
    cohort = np.concatenate([np.array(block) for block in cohorts])
    block = np.repeat(np.arange(len(cohorts)), [len(part) for part in cohorts])
    y = np.random.default_rng(seed).normal(size=(cohort.size, PERIODS.size))
    return Panel(
        y=y,
        units=np.arange(cohort.size),
        periods=PERIODS,
        cohort=cohort,
        weight=np.ones_like(y),
        clusters={"block": block},
        strata={"block": block},
    )


BLOCKS = Inference(method="permutation", draws=50, blocks="block")


def test_equal_blocks_exchange_whole_schedules() -> None:
    panel = artificial([[2003, 0], [2004, 2005], [2002, 2002]])
    schedules = {tuple(sorted(part)) for part in ([2003, 0], [2004, 2005], [2002, 2002])}
    for order in block_permutations(panel, BLOCKS):
        drawn = panel.cohort[order].reshape(3, 2)
        assert {tuple(sorted(row)) for row in drawn.tolist()} == schedules
        assert sorted(order.tolist()) == list(range(6))


def test_units_keep_their_place_in_the_order_of_adoption() -> None:
    panel = artificial([[2005, 2002], [0, 2003]])
    assert [block.tolist() for block in ranked_blocks(panel, panel.strata["block"])] == [[1, 0], [3, 2]]
    orders = {tuple(order.tolist()) for order in block_permutations(panel, BLOCKS)}
    assert orders == {(0, 1, 2, 3), (2, 3, 0, 1)}


def test_the_order_inside_a_block_may_be_drawn_too() -> None:
    panel = artificial([[2005, 2002], [0, 2003]])
    inference = replace(BLOCKS, strata="block", draws=200)
    orders = {tuple(order.tolist()) for order in block_permutations(panel, inference)}
    own, other = {(0, 1), (1, 0)}, {(2, 3), (3, 2)}
    assert orders == {(*a, *b) for a in own for b in other} | {(*b, *a) for a in own for b in other}


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, [7]), (2, [5, 9]), (3, [5, 7, 9]), (6, [5, 5, 7, 7, 9, 9])],
)
def test_schedules_are_stretched_and_thinned(count, expected) -> None:
    assert matched_units(count, np.array([5, 7, 9])).tolist() == expected


def test_fast_path_equals_estimating_again() -> None:
    panel = artificial([[2003, 0, 2003], [2004, 2005], [2002], [0, 0, 2004, 2006], [2005, 0]])
    fast = permutation_test(twfe, panel, BLOCKS, two_way=True)
    slow = permutation_test(twfe, panel, BLOCKS)
    for key in ("estimates", "statistics"):
        assert getattr(fast.details.permutation, key) == pytest.approx(getattr(slow.details.permutation, key))
    assert fast.details.permutation.blocks == "block"


def test_blocks_are_more_spread_than_units_where_blocks_share_shocks() -> None:
    """Twelve blocks with one date each and common shocks: single units average them away."""
    dates = [2003, 2003, 2004, 2004, 2005, 2005, 0, 0, 0, 0, 0, 0]
    panel = artificial([[date] * 8 for date in dates])
    shock = np.random.default_rng(3).normal(size=(12, PERIODS.size)).repeat(8, axis=0)
    panel = replace(panel, y=0.1 * panel.y + shock)
    alone = replace(panel, clusters={"unit": np.arange(96)})
    spreads = [
        np.std(permutation_test(twfe, given, one, two_way=True).details.permutation.estimates)
        for given, one in ((panel, BLOCKS), (alone, replace(BLOCKS, blocks=None)))
    ]
    assert spreads[0] > 2 * spreads[1]


def test_a_specification_reaches_the_blocks() -> None:
    panel = artificial([[2003, 0], [2004, 2005], [2002, 2006], [0, 0]])
    rows = [
        {
            "unit": unit,
            "time": int(time),
            "y": panel.y[unit, column],
            "cohort": int(panel.cohort[unit]),
            "state": f"S{unit // 2}",
        }
        for unit in range(8)
        for column, time in enumerate(PERIODS)
    ]
    spec = parse_spec(
        {
            "id": "a",
            "outcome": "y",
            "estimator": "twfe",
            "inference": {"method": "permutation", "draws": 30, "blocks": "state"},
        }
    )
    found = estimate(build_panel(pd.DataFrame(rows), spec), spec)
    p_value = found.rows("att")["p_value"].iloc[0]
    record = found.details.permutation
    larger = np.abs(record.statistics) >= abs(record.statistic) * (1 - 1e-9)
    assert p_value == (1 + larger.sum()) / (1 + len(record.statistics))


@pytest.mark.parametrize(
    ("cohorts", "options", "message"),
    [
        ([[2003, 0, 2004]], {}, "share one value of 'block'"),
        ([[2003, 0], [2004, 0]], {"strata": "region"}, "name the same column"),
    ],
)
def test_refusals(cohorts, options, message) -> None:
    with pytest.raises(PanelError, match=message):
        next(block_permutations(artificial(cohorts), replace(BLOCKS, **options)))
