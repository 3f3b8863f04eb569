"""Outcomes less unit lines before adoption, with the whole procedure bootstrapped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from group_time_data import cell, staggered, value

from replication.core.errors import PanelError, SpecError
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.callaway_santanna import callaway_santanna

LINES = ("unit_linear",)
PERIODS = range(1, 11)
ADOPTION = (0, 4, 6, 8)


def by_hand(panel: Panel, cohort: int, time: int, base: int, anticipation: int = 0) -> float:
    """One cell from the definition: numpy's line for every unit, then a difference of means."""
    before = panel.periods + anticipation < cohort
    lines = np.polyfit(panel.periods[before], panel.y[:, before].T, 1)
    residual = panel.y - (lines[0][:, None] * panel.periods + lines[1][:, None])
    change = residual[:, panel.periods == time] - residual[:, panel.periods == base]
    own = panel.cohort == cohort
    later = (panel.cohort == 0) | (panel.cohort > max(time, base) + anticipation)
    means = [np.average(change[side, 0], weights=panel.weight[side, 0]) for side in (own, later & ~own)]
    return float(means[0] - means[1])


@pytest.mark.parametrize(
    ("artificial", "anticipation"),
    [({}, 0), ({"weights": "constant"}, 1), ({"periods": (1, 2, 4, 5, 8, 11), "clusters": 20}, 0)],
)
def test_cells_are_differences_of_outcomes_less_lines(artificial, anticipation) -> None:
    panel = staggered(51, **{"periods": PERIODS, "adoption": ADOPTION, **artificial})
    found = callaway_santanna(panel, trends=LINES, anticipation=anticipation, inference=Inference(draws=20))
    for row in found.rows("att_gt").itertuples():
        base = panel.periods[panel.periods + anticipation < row.cohort][-1]
        expected = by_hand(panel, int(row.cohort), int(row.time), int(base), anticipation)
        assert row.estimate == pytest.approx(expected, abs=1e-11)


def test_unit_lines_and_common_shocks_of_any_form_change_nothing() -> None:
    panel = staggered(52, periods=PERIODS, adoption=ADOPTION)
    rng = np.random.default_rng(52)
    slopes = rng.normal(size=(80, 1)) + (panel.cohort[:, None] > 0)
    bent = panel.y + slopes * panel.periods + 3 * rng.normal(size=10)
    plain, moved = (
        callaway_santanna(replace(panel, y=y), trends=LINES, inference=Inference(draws=50))
        for y in (panel.y, bent)
    )
    np.testing.assert_allclose(moved.table["estimate"], plain.table["estimate"], atol=1e-10)
    np.testing.assert_allclose(moved.table["std_error"], plain.table["std_error"], atol=1e-10)
    # Without lines the slopes of the treated, one a period, are taken for an effect.
    assert callaway_santanna(replace(panel, y=bent)).att[0] > plain.att[0] + 1


def test_each_draw_redoes_the_whole_procedure() -> None:
    """The first draws, redone on panels in which the drawn clusters are really repeated."""
    panel = staggered(53, periods=PERIODS, adoption=ADOPTION, clusters=12)
    draws = 5
    found = callaway_santanna(panel, trends=LINES, inference=Inference(draws=draws, seed=9))
    rng = np.random.default_rng(9)
    counts = rng.multinomial(12, np.full(12, 1 / 12), size=draws)
    redone = []
    for count in counts:
        units = np.repeat(np.arange(80), count[panel.cluster])
        again = replace(
            panel,
            y=panel.y[units],
            units=np.arange(units.size),
            cohort=panel.cohort[units],
            weight=panel.weight[units],
            clusters={"unit": np.arange(units.size)},
        )
        result = callaway_santanna(again, trends=LINES, inference=Inference(draws=1))
        redone.append([value(result, term)[0] for term in ("att", "event", "group", "calendar")])
    expected = np.std(redone, axis=0, ddof=1)
    ours = [value(found, term)[1] for term in ("att", "event", "group", "calendar")]
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


def test_error_of_the_lines_is_in_the_interval() -> None:
    """Over 60 made-up panels the error reported is the spread of the estimates.

    The spread of 60 estimates has 9 percent noise. Were the slopes known, the error would be less
    than half of it: that is what the first step adds.
    """
    estimates, std_errors, known = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(120, 10))
        panel = Panel(
            y=noise + rng.normal(size=(120, 1)) * np.arange(10),
            units=np.arange(120),
            periods=np.arange(1, 11),
            cohort=rng.choice(ADOPTION, 120),
            weight=np.ones((120, 10)),
            clusters={"unit": np.arange(120)},
        )
        found = callaway_santanna(panel, trends=LINES, inference=Inference(draws=99, seed=seed))
        estimates.append(found.att[0])
        std_errors.append(found.att[1])
        without = callaway_santanna(replace(panel, y=noise), inference=Inference(draws=1))
        known.append(without.att[1])
    spread = np.std(estimates)
    assert np.mean(estimates) == pytest.approx(0, abs=4 * spread / np.sqrt(60))
    assert np.mean(std_errors) == pytest.approx(spread, rel=0.25)
    assert np.mean(known) < 0.5 * spread


def test_influence_function_agrees_with_the_bootstrap() -> None:
    panel = staggered(54, n_units=400, periods=PERIODS, adoption=ADOPTION, clusters=100)
    found = callaway_santanna(panel, trends=LINES, inference=Inference(draws=2000))
    assert found.att[1] == pytest.approx(found.details.extras["analytic_std_error"], rel=0.1)
    assert found.details.uncertainty.resampled_clusters == 100


def test_cohorts_without_two_periods_before_are_dropped_with_the_count() -> None:
    panel = staggered(55, adoption=(0, 2, 5, 7))
    early = int((panel.cohort == 2).sum())
    found = callaway_santanna(panel, trends=LINES, inference=Inference(draws=20))
    assert set(found.rows("group")["cohort"].dropna()) == {5, 7}
    assert any(note.startswith(f"{early} of ") and "cohorts (2)" in note for note in found.details.notes)


def test_lines_need_whole_panels_without_covariates() -> None:
    for panel, options in [
        (staggered(56, covariates=1), {}),
        (staggered(56), {"unbalanced": "pairwise"}),
    ]:
        with pytest.raises(SpecError, match="panels without gaps and without covariates"):
            callaway_santanna(panel, trends=LINES, **options)
    with pytest.raises(SpecError, match="not state_linear"):
        callaway_santanna(staggered(56), trends=("state_linear",))
    with pytest.raises(PanelError, match="fix_weights: first_period"):
        callaway_santanna(staggered(56, weights="varying"), trends=LINES)


def test_changing_weights_can_be_fixed_at_the_first_period() -> None:
    panel = staggered(57, weights="varying", periods=PERIODS, adoption=ADOPTION)
    found = callaway_santanna(panel, trends=LINES, fix_weights="first_period", inference=Inference(draws=20))
    assert cell(found, 6, 9)[0] == pytest.approx(by_hand(panel, 6, 9, 5), abs=1e-11)
