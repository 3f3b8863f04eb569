"""What must not matter does not, for every estimator, on drawn panels of every kind."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest
from parity_panels import CASES, Case, cut, whole
from parity_regressions import ANALYTIC, values

from replication.core.panel import Panel
from replication.estimators.synthetic_did import synthetic_did

WINDOW = {"window": (-3, 2)}
OPTIONS = {
    "twfe": {},
    "event_study": WINDOW,
    "callaway_santanna": {},
    "sun_abraham": {"control_group": "not_yet_treated"},
    "imputation": {},
    "two_stage": {},
    "etwfe": {},
    "stacked": {"window": (-1, 1)},
    "local_projections": {"window": (-2, 1)},
    "synthetic_did": {"donor_errors": "bootstrap"},
    "dcdh": {},
    # With other coefficients, and in the adjusted variance, levels before adoption matter.
    "roth_santanna": {"beta": 1, "design_variance": "neyman"},
    "goodman_bacon": {},
    "twfe_weights": {},
}
CHOSEN = CASES[::3]


def suited(name: str, case: Case) -> Panel:
    """The panel as the estimator takes it."""
    panel = case.panel
    if name == "goodman_bacon":
        return whole(panel)
    if name == "roth_santanna":
        panel = whole(panel)
        units = np.arange(len(panel.units))
        plain = replace(panel, weight=np.ones(panel.y.shape), weighted=False)
        return replace(plain, clusters={"unit": units})
    if name == "synthetic_did":
        panel = whole(cut(panel))
        return replace(panel, weight=np.ones(panel.y.shape), weighted=False)
    return panel


def estimates(name: str, panel: Panel) -> dict:
    module = importlib.import_module(f"replication.estimators.{name}")
    result = getattr(module, name)(panel, inference=ANALYTIC, **OPTIONS[name])
    if name != "twfe_weights":
        return {key: pair for key, pair in values(result).items() if key[0] != "weight"}
    return {("att", None): result.att} | {
        (row.cohort, row.time): (row.estimate, np.nan) for row in result.rows("weight").itertuples()
    }


def held(found: dict, expected: dict, factor: float = 1.0) -> None:
    assert found.keys() == expected.keys()
    for name, pair in expected.items():
        known = np.array(pair) * factor
        assert np.array(found[name]) == pytest.approx(known, abs=1e-8 * factor, nan_ok=True), name


@pytest.mark.parametrize("case", CHOSEN, ids=str)
@pytest.mark.parametrize("name", OPTIONS)
def test_constants_of_units_and_periods_change_nothing(name: str, case: Case) -> None:
    panel = suited(name, case)
    rng = np.random.default_rng(case.seed)
    panel = whole(panel) if name == "stacked" else panel
    n_units, n_periods = panel.y.shape
    # Synthetic DiD takes its ridge from the spread of first differences, over periods too.
    periods = 0.0 if name == "synthetic_did" else 5 * rng.normal(size=n_periods)
    moved = panel.y + 5 * rng.normal(size=(n_units, 1)) + periods
    after, before = (invariant(name, each) for each in (replace(panel, y=moved), panel))
    held(after, before)


def invariant(name: str, panel: Panel) -> dict:
    """What constants leave alone where they do not leave everything.

    The stack has no unit effects, so constants are in its errors, and in its points where units
    have gaps. The published steps to synthetic weights stop before the minimum, at a distance
    that depends on the level of the outcome; the minimum does not.
    """
    found = estimates(name, panel)
    if name == "stacked":
        return {key: (pair[0], np.nan) for key, pair in found.items()}
    if name == "synthetic_did":
        result = synthetic_did(panel, inference=ANALYTIC, **OPTIONS[name])
        return {"minimum": (result.details.extras["att_at_minimum"], np.nan)}
    return found


@pytest.mark.parametrize("case", CHOSEN, ids=str)
@pytest.mark.parametrize("name", OPTIONS)
def test_scaling_the_outcome_scales_everything(name: str, case: Case) -> None:
    panel = suited(name, case)
    before, after = (estimates(name, replace(panel, y=k * panel.y)) for k in (1.0, 4.0))
    if name == "twfe_weights":  # only the coefficient has the unit of the outcome
        assert after.pop(("att", None))[0] == pytest.approx(4 * before.pop(("att", None))[0])
    held(after, before, 1.0 if name == "twfe_weights" else 4.0)


@pytest.mark.parametrize("case", CHOSEN, ids=str)
@pytest.mark.parametrize("name", OPTIONS)
def test_names_and_order_of_units_and_names_of_periods_change_nothing(name: str, case: Case) -> None:
    panel = suited(name, case)
    order = np.random.default_rng(case.seed).permutation(len(panel.units))
    if name == "synthetic_did":  # draws of its bootstrap are draws of units by place
        order = np.arange(len(panel.units))
    moved = panel.keep_units(order)
    moved = replace(
        moved,
        units=np.array([f"unit {unit}" for unit in moved.units]),
        periods=moved.periods - 1950,
        cohort=np.where(moved.cohort == 0, 0, moved.cohort - 1950),
    )
    found = {
        tuple(
            part + 1950 if k and isinstance(part, int | float) and key[0] != "event" else part
            for k, part in enumerate(key)
        )
        if isinstance(key[0], str)
        else tuple(part + 1950 for part in key): pair
        for key, pair in estimates(name, moved).items()
    }
    held(found, estimates(name, panel))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_imputation_two_stage_and_linear_etwfe_have_the_same_points(case: Case) -> None:
    """Two stages always; the regression where every unit is observed throughout."""
    panel = case.panel
    for chosen, names in (
        (panel, ("imputation", "two_stage")),
        (whole(panel), ("imputation", "two_stage", "etwfe")),
    ):
        first, *others = (estimates(name, chosen) for name in names)
        for other in others:
            effects = [
                key
                for key in first.keys() & other.keys()
                if key[0] != "event" or (key[1] is not None and key[1] >= 0)
            ]
            assert len(effects) >= 3
            for key in effects:
                assert other[key][0] == pytest.approx(first[key][0], abs=1e-9), key


@pytest.mark.parametrize("case", CASES, ids=str)
def test_sun_abraham_is_the_group_time_path(case: Case) -> None:
    """On panels without missing cells: one comparison group and the last period as base."""
    panel = whole(cut(case.panel))
    sun_abraham, group_time = (
        importlib.import_module(f"replication.estimators.{name}").__dict__[name](
            panel, control_group="never_treated", inference=ANALYTIC
        )
        for name in ("sun_abraham", "callaway_santanna")
    )
    ours, theirs = values(sun_abraham), values(group_time)
    events = [key for key in ours if key[0] == "event" and key[1] is not None]
    assert len(events) >= 4
    for key in events:
        assert ours[key][0] == pytest.approx(theirs[key][0], abs=1e-10), key


@pytest.mark.parametrize("case", CASES, ids=str)
def test_components_of_goodman_bacon_sum_to_two_way_effects(case: Case) -> None:
    panel = whole(case.panel)
    module = importlib.import_module("replication.estimators.goodman_bacon")
    parts = module.goodman_bacon(panel, inference=ANALYTIC).details.comparisons
    total = sum(part.weight * part.estimate for part in parts)
    assert sum(part.weight for part in parts) == pytest.approx(1)
    assert total == pytest.approx(estimates("twfe", panel)["att", None][0], abs=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("name", ["callaway_santanna", "imputation", "etwfe"])
def test_averages_by_cohort_size_are_the_group_average(name: str, case: Case) -> None:
    """R did weights cohorts by their size; imputation and etwfe by treated cells."""
    panel = whole(case.panel)
    found = estimates(name, panel)
    cohorts = [key[1] for key in found if key[0] == "group" and key[1] is not None]
    points = np.array([found["group", g][0] for g in cohorts])
    size = np.array([panel.weight[panel.cohort == g, 0].sum() for g in cohorts])
    last = panel.periods[-1] if case.never else panel.cohort.max() - 1
    cells = np.array([((panel.periods >= g) & (panel.periods <= last)).sum() for g in cohorts])
    assert found["att", None][0] == pytest.approx(np.average(points, weights=size * cells))
    if name == "callaway_santanna":
        assert found["group", None][0] == pytest.approx(np.average(points, weights=size))
