"""The absorbing engines against least squares on written-out dummies."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from two_way_data import two_way_panel

from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.estimators.shared import absorb
from replication.estimators.shared.absorb import Eliminated
from replication.estimators.shared.closed_form import ClosedForm, closed_form_codes
from replication.estimators.shared.estimation_sample import estimation_sample
from replication.estimators.shared.fixed_effects import Effects, absorbed_parameters, read_effects

EFFECTS = {
    "two_way": Effects(),
    "unit_lines": Effects(unit_linear=True),
    "state": Effects(by_time=("state",)),
    "nested": Effects(by_time=("state", "region")),
    "crossed": Effects(by_time=("state", "kind")),
    "lines": Effects(linear=("region",)),
    "crossed_lines": Effects(by_time=("kind",), linear=("state", "region")),
    "lines_within": Effects(by_time=("region",), linear=("state",)),
    "redundant_lines": Effects(by_time=("state",), linear=("region",), unit_linear=True),
}


def dummies(panel: Panel, effects: Effects) -> np.ndarray:
    """(N T, P) indicator columns of all effects and trends."""
    n_periods = panel.periods.size
    unit, period = (a.ravel() for a in np.indices(panel.y.shape))
    trend = (panel.periods - panel.periods.mean())[period]

    def indicators(codes: np.ndarray) -> np.ndarray:
        return (codes[:, None] == np.unique(codes)).astype(float)

    columns = [indicators(unit)]
    for codes in effects.level_codes(panel):
        columns.append(indicators(codes[unit] * n_periods + period))
    for codes in effects.slope_codes(panel):
        columns.append(indicators(codes[unit]) * trend[:, None])
    if effects.unit_linear:
        columns.append(indicators(unit) * trend[:, None])
    return np.hstack(columns)


def by_least_squares(panel: Panel, effects: Effects, weight: np.ndarray, z: np.ndarray):
    root = np.sqrt(weight).ravel()
    x = dummies(panel, effects)
    solved = np.linalg.lstsq(x * root[:, None], z.ravel() * root, rcond=1e-12)[0]
    return (z.ravel() - x @ solved).reshape(z.shape)


def eliminated(panel: Panel, effects: Effects, weight: np.ndarray) -> Eliminated:
    levels, slopes = effects.level_codes(panel), effects.slope_codes(panel)
    return Eliminated(weight, panel.periods, levels, slopes, effects.unit_linear)


@pytest.mark.parametrize("effects", EFFECTS.values(), ids=EFFECTS)
@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_elimination_equals_dummies(effects: Effects, spread: float) -> None:
    """With gaps, units seen once, and weights over four orders of magnitude."""
    panel = two_way_panel(1, n_units=30)
    rng = np.random.default_rng(2)
    weight = np.exp(spread * rng.normal(size=panel.y.shape))
    weight[rng.random(weight.shape) < 0.2] = 0
    weight[:2, 1:] = 0
    used = weight > 0
    z = 5 + rng.normal(size=weight.shape).cumsum(axis=1)
    expected = by_least_squares(panel, effects, weight, z)
    found = eliminated(panel, effects, weight).residual(z)
    np.testing.assert_allclose(found[used], expected[used], atol=1e-9)


@pytest.mark.parametrize("effects", EFFECTS.values(), ids=EFFECTS)
def test_closed_form_equals_dummies_where_it_applies(effects: Effects) -> None:
    panel = two_way_panel(3, n_units=30)
    weight = np.random.default_rng(4).uniform(0.1, 5, 30)
    levels, slopes = effects.level_codes(panel), effects.slope_codes(panel)
    codes = closed_form_codes(levels, slopes, effects.unit_linear)
    assert (codes is None) == ("kind" in effects.by_time)
    if codes is not None:
        found = ClosedForm(weight, panel.periods, *codes, effects.unit_linear).residual(panel.y)
        whole = np.repeat(weight[:, None], 9, axis=1)
        expected = by_least_squares(panel, effects, whole, panel.y)
        np.testing.assert_allclose(found, expected, atol=1e-11)


def test_unevenly_spaced_periods_have_lines_in_their_labels() -> None:
    panel = two_way_panel(5).keep_periods(np.isin(np.arange(9), [0, 1, 4, 8]))
    effects = Effects(unit_linear=True)
    weight = np.ones(panel.y.shape)
    closed = ClosedForm(weight[:, 0], panel.periods, np.zeros(45, dtype=int), None, True)
    expected = by_least_squares(panel, effects, weight, panel.y)
    np.testing.assert_allclose(closed.residual(panel.y), expected, atol=1e-11)
    np.testing.assert_allclose(eliminated(panel, effects, weight).residual(panel.y), expected, atol=1e-11)


def test_too_many_crossed_effects_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absorb, "LARGEST", 100)
    panel = two_way_panel(6)
    with pytest.raises(PanelError, match="leave 144 connected period effects, more than the 100"):
        eliminated(panel, Effects(by_time=("state", "kind")), np.ones(panel.y.shape))


@pytest.mark.parametrize(
    ("trends", "cluster", "expected"),
    [
        ((), "unit", 9),  # units are nested: the 9 periods
        ((), "period", 45),  # periods are nested: the 45 units
        ((), "unit_period", 1),  # both are: the constant
        (("region_by_time",), "unit", 1 + 3 * 8),  # a constant for each region is in the units
        (("region_by_time",), "state", 1 + 3 * 8),
        (("region_by_time",), "period", 45),
        (("state_by_time",), "state", 1),  # effects of state and year lie within states
        (("state_by_time", "region_by_time"), "unit", 1 + 12 * 8),  # states span regions
        (("state_by_time", "region_by_time"), "state", 1),
        (("region_by_time", "kind_by_time"), "unit", 1 + 6 * 8),  # 3 regions, 4 kinds
        (("region_linear",), "unit", 9 + 2),  # one of three lines is in the period effects
        (("region_by_time", "region_linear"), "unit", 1 + 3 * 8),
        (("unit_linear",), "unit", 9),  # lines of nested units are nested
        (("unit_linear", "region_linear"), "state", 9),
        (("unit_linear",), "period", 45 + 44),
    ],
)
@pytest.mark.parametrize("gaps", [False, True])
def test_parameters_not_nested_in_the_clusters(
    trends: tuple[str, ...], cluster: str, expected: int, gaps: bool
) -> None:
    panel = two_way_panel(7, cluster=cluster)
    if gaps:
        panel.y[::7, 3] = np.nan
    effects = read_effects(panel, trends)
    sample = estimation_sample(panel, effects)
    assert absorbed_parameters(sample.panel, effects, sample.used) == expected


@pytest.mark.parametrize(
    ("trends", "missing"),
    [
        *itertools.product([(), ("region_by_time",), ("kind_by_time",)], [0.0, 0.3, 0.7]),
        (("region_by_time", "kind_by_time"), 0.0),
    ],
)
def test_parameters_are_the_rank_of_the_effects(trends: tuple[str, ...], missing: float) -> None:
    """Rank of all indicators less that of the unit effects, which are nested, and the constant."""
    panel = two_way_panel(8, n_units=20, missing=missing)
    effects = read_effects(panel, trends)
    sample = estimation_sample(panel, effects)
    units, periods = np.nonzero(sample.used)
    size = len(sample.panel.periods)
    columns = [units, *(codes[units] * size + periods for codes in effects.level_codes(sample.panel))]
    indicators = np.hstack([codes[:, None] == np.unique(codes) for codes in columns])
    expected = np.linalg.matrix_rank(indicators.astype(float)) - np.unique(units).size + 1
    assert absorbed_parameters(sample.panel, effects, sample.used) == expected


def test_units_that_share_no_period_have_period_effects_of_their_own() -> None:
    panel = two_way_panel(9, n_units=20)
    panel.y[:10, 4:] = np.nan
    panel.y[10:, :4] = np.nan
    used = panel.observed
    assert absorbed_parameters(panel, Effects(), used) == 1 + 9 - 2


def test_singletons_are_dropped_until_none_is_left() -> None:
    """A unit whose partner in a stratum-period goes becomes alone there in its turn."""
    panel = two_way_panel(8, n_units=24)
    panel.y[0, 1:] = np.nan  # seen once
    panel.y[:, 8] = np.nan
    panel.y[3, 8] = 1.0  # the only unit in the last period
    sample = estimation_sample(panel, Effects(by_time=("state",)))
    alone = 1 + 8 + 1  # unit 0, then the only other unit of its state, unit 3 in the last period
    assert sample.dropped["singletons"] == alone
    assert sample.panel.units.tolist() == [*range(1, 12), *range(13, 24)]
    assert sample.panel.y.shape == (22, 8)
    assert sample.used.all()
    assert any("10 singleton observations" in note for note in sample.panel.notes)


def test_clusters_are_counted_in_the_sample() -> None:
    """A period cluster that only unused cells had does not count."""
    panel = two_way_panel(9, cluster="unit_period")
    panel.y[:, 2] = np.nan
    sample = estimation_sample(panel, Effects())
    assert sample.panel.n_clusters == 8
    codes = sample.panel.clusters["period"]
    assert np.unique(codes).tolist() == list(range(8))
