"""Covariates in the stack: regression adjustment against moderndid's group-time cells and written out."""

from __future__ import annotations

import warnings
from dataclasses import replace

import moderndid
import numpy as np
import pytest
from drawn_panels import as_frame, draw_panel

from replication.core.errors import PanelError, SpecError
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.stacked import stacked
from replication.inference.cluster import small_sample_factor

WINDOW = (-2, 2)
ROUNDING = 1e-10
"""Normal equations of two covariates, solved here and by a pivoted factorization there."""


def with_covariates(seed: int, **options) -> Panel:
    panel = draw_panel(seed, **{"n_units": 80, "adoption": (0, 0, 2003, 2004, 2006), **options})
    rng = np.random.default_rng(seed + 200)
    x = rng.normal(size=(2, len(panel.units), 1)) + 0.3 * rng.normal(size=(2, *panel.y.shape)).cumsum(axis=2)
    x[0] += 0.5 * (panel.cohort > 0)[:, None]
    y = panel.y + (0.4 * x[0] - 0.2 * x[1]) * np.arange(8)
    return replace(panel, y=y, covariates=x, covariate_names=("x1", "x2"))


def path(found) -> dict:
    rows = found.rows("event")
    return dict(
        zip(
            rows["event_time"].astype(int), zip(rows["estimate"], rows["std_error"], strict=True), strict=True
        )
    )


def moderndid_cells(panel: Panel, weights: str | None = None):
    frame = as_frame(panel).assign(x1=panel.covariates[0].ravel(), x2=panel.covariates[1].ravel())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = moderndid.att_gt(
            frame,
            yname="y",
            tname="time",
            idname="unit",
            gname="cohort",
            xformla="~ x1 + x2",
            est_method="reg",
            control_group="nevertreated",
            base_period="universal",
            weightsname=weights,
            boot=False,
        )
    cells = zip(found.groups, found.times, found.att_gt, found.se_gt, strict=True)
    return {(int(g), int(t)): (a, s) for g, t, a, s in cells}


@pytest.mark.parametrize("seed", range(20))
def test_effects_are_averages_of_adjusted_cells(seed: int) -> None:
    panel = with_covariates(seed, weighted=seed % 4 == 3)
    cells = moderndid_cells(panel, "w" if panel.weighted else None)
    found = path(stacked(panel, window=WINDOW, control_group="never_treated"))
    cohorts = (2003, 2004, 2006)
    mass = np.array([panel.weight[panel.cohort == g, 0].sum() for g in cohorts])
    # Before the reference period group-time cells take covariates of their own period.
    for e in (0, 1, 2):
        expected = mass @ [cells[g, g + e][0] for g in cohorts] / mass.sum()
        assert found[e][0] == pytest.approx(expected, abs=ROUNDING)


@pytest.mark.parametrize("seed", range(3))
def test_errors_of_one_cohort_are_those_of_its_cells_times_the_correction(seed: int) -> None:
    panel = with_covariates(seed, adoption=(0, 0, 2004))
    cells = moderndid_cells(panel)
    found = path(stacked(panel, window=WINDOW))
    rows, params = 80 * 5, 4 * 3 + 4
    for e in (0, 1, 2):
        expected = cells[2004, 2004 + e][1] * np.sqrt(small_sample_factor(80, rows, params))
        assert found[e][1] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("event", [-2, 1])
def test_the_formula_written_out_with_clusters_and_clean_controls(event: int) -> None:
    """Two cohorts, not-yet-treated controls: least squares of the controls, predicted for the treated."""
    panel = with_covariates(30, adoption=(0, 2003, 2005, 2008), n_clusters=15)
    found = stacked(panel, window=(-2, 1))
    scores, theta, parts = np.zeros(80), 0.0, []
    size = sum((panel.cohort == g).sum() for g in (2003, 2005))
    for g in (2003, 2005):
        at, before = g + event - 2001, g - 1 - 2001
        own, clean = panel.cohort == g, (panel.cohort == 0) | (panel.cohort > g + 1)
        change = panel.y[:, at] - panel.y[:, before]
        x = np.column_stack([np.ones(80), *panel.covariates[:, :, before]])
        slope = np.linalg.lstsq(x[clean], change[clean], rcond=None)[0]
        left = change - x @ slope
        theta += left[own].sum() / size
        pull = x[clean] @ np.linalg.inv(x[clean].T @ x[clean]) @ x[own].sum(axis=0) / size
        scores[clean] -= pull * left[clean]
        parts.append((own, left))
    for own, left in parts:
        scores[own] += (left[own] - theta) / size
    used = np.isin(panel.cohort, [0, 2003, 2005, 2008])
    sums = np.bincount(panel.cluster[used], scores[used])
    assert path(found)[event][0] == pytest.approx(theta, rel=1e-10)
    rows = int(found.table["n_obs"][0])
    expected = np.sqrt(sums @ sums * small_sample_factor(15, rows, 2 * 3 * 3 + 3))
    assert path(found)[event][1] == pytest.approx(expected, rel=1e-10)
    assert found.details.covariates == ("x1", "x2")


def test_a_constant_covariate_is_refused_and_centered_ones_change_nothing() -> None:
    panel = with_covariates(31)
    moved = replace(panel, covariates=panel.covariates * 3 + 1000)
    assert stacked(moved, window=WINDOW).att == pytest.approx(stacked(panel, window=WINDOW).att, rel=1e-8)
    flat = panel.covariates.copy()
    flat[1] = 7.0
    with pytest.raises(PanelError, match=r"clean controls of cohort 2003 do not identify.*'x2'"):
        stacked(replace(panel, covariates=flat), window=WINDOW)


def test_corrected_variances_are_refused() -> None:
    with pytest.raises(SpecError, match=r"'inference.variance: cv3'"):
        stacked(with_covariates(32), window=WINDOW, inference=Inference(variance="cv3"))


def test_units_with_gaps_are_left_out_of_the_window_and_counted() -> None:
    panel = with_covariates(33)
    y = panel.y.copy()
    treated = int(np.flatnonzero(panel.cohort == 2004)[0])
    y[treated, 4] = np.nan
    found = stacked(replace(panel, y=y), window=WINDOW)
    without = stacked(panel.keep_units(np.arange(80) != treated), window=WINDOW)
    assert found.att[0] == pytest.approx(without.att[0], rel=1e-12)
    assert any(note.startswith("1 unit of sub-experiments") for note in found.notes)
