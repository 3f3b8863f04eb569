"""Covariates of synthetic difference-in-differences: slopes by pyfixest, errors by leaving out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyfixest
import pytest
from drawn_panels import as_frame, draw_panel
from two_way_data import EXACT

from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.synthetic_did import synthetic_did
from replication.estimators.synthetic_did.projected_covariates import outcomes_of, slopes_without

STAGGERED = (0, 0, 0, 2004, 2006)
CLOSE = 1e-8
"""Slopes of pyfixest are iterated to about this, in outcomes of size one."""


def with_covariates(seed: int, shift: float = 5, **options) -> Panel:
    panel = draw_panel(seed, adoption=STAGGERED, **options)
    rng = np.random.default_rng(seed + 100)
    x = rng.normal(size=(2, *panel.y.shape)).cumsum(axis=2) + shift * panel.treated
    y = panel.y + 0.8 * x[0] - 0.5 * x[1]
    return replace(panel, y=y, covariates=x, covariate_names=("x1", "x2"))


def slopes_by_pyfixest(panel: Panel) -> np.ndarray:
    frame = as_frame(panel).assign(x1=panel.covariates[0].ravel(), x2=panel.covariates[1].ravel())
    fit = pyfixest.feols("y ~ x1 + x2 | unit + time", frame[~panel.treated.ravel()], demeaner=EXACT)
    return fit.coef()[["x1", "x2"]].to_numpy()


def without(panel: Panel, beta: np.ndarray) -> Panel:
    y = panel.y - np.tensordot(beta, panel.covariates, 1)
    return replace(panel, y=y, covariates=None, covariate_names=())


@pytest.mark.parametrize("seed", range(20))
def test_the_point_is_that_of_outcomes_less_what_pyfixest_explains(seed: int) -> None:
    panel = with_covariates(seed)
    few = Inference(draws=2)
    found = synthetic_did(panel, donor_errors="jackknife", inference=few)
    expected = synthetic_did(
        without(panel, slopes_by_pyfixest(panel)), donor_errors="jackknife", inference=few
    )
    assert found.table["estimate"].to_numpy() == pytest.approx(
        expected.table["estimate"].to_numpy(), abs=CLOSE
    )


@pytest.mark.parametrize("shift", [0.0, 0.1, 1e4])
@pytest.mark.parametrize("seed", range(4))
def test_a_covariate_that_varies_in_one_unit_has_no_slope_without_it(seed: int, shift: float) -> None:
    panel = draw_panel(seed, adoption=STAGGERED)
    rng, unit = np.random.default_rng(seed), int(np.flatnonzero(panel.cohort == panel.cohort.max())[0])
    x = rng.normal(size=(2, *panel.y.shape)) + shift
    # A level of each unit, and one unit in which it moves.
    x[1] = rng.normal(size=len(panel.units))[:, None] + shift
    x[1, unit] += rng.normal(size=panel.periods.size)
    outcomes = outcomes_of(replace(panel, covariates=x, covariate_names=("x1", "x2")))
    every = np.arange(len(panel.units))
    found = slopes_without(outcomes, every)
    assert found[unit, 1] == 0
    assert np.isin(0, found[:, 1])
    assert (found[:, 1] != 0).sum() == len(panel.units) - 1
    others = np.delete(every, unit)
    alone = outcomes_of(replace(panel, covariates=x[:1], covariate_names=("x1",)))
    assert found[unit, 0] == pytest.approx(slopes_without(alone, every)[unit, 0], rel=1e-9)
    np.testing.assert_allclose(
        outcomes.adjusted(others, outcomes.start[others]),
        alone.adjusted(others, alone.start[others]),
        rtol=1e-9,
        atol=1e-9,
    )


def test_the_jackknife_estimates_slopes_without_each_cluster() -> None:
    """One cohort: the gap with the weights kept and rescaled, and the slopes of the others."""
    panel = with_covariates(3, n_clusters=12)
    panel = panel.keep_units(np.isin(panel.cohort, [0, 2004]))
    found = synthetic_did(panel, donor_errors="jackknife", inference=Inference(draws=2))
    record = found.details.donor_weights[0]
    never = panel.cohort == 0
    whole = without(panel, slopes_by_pyfixest(panel))
    before = record.periods_before
    period = np.zeros(before)
    for label, share in record.period_weights.items():
        period[int(label) - 2001] = share
    unit = unit_weights(whole, never, before)
    rows = []
    for one in range(panel.n_clusters):
        kept = panel.cluster != one
        y = without(panel, slopes_by_pyfixest(panel.keep_units(kept))).y
        omega = np.where(kept & never, unit, 0)
        gap = y[kept & ~never].mean(axis=0) - omega @ y / omega.sum()
        rows.append(gap[before:].mean() - period @ gap[:before])
    deviation = np.array(rows) - np.mean(rows)
    variance = (panel.n_clusters - 1) / panel.n_clusters * deviation @ deviation
    assert found.att[1] == pytest.approx(np.sqrt(variance), rel=1e-6)


def unit_weights(panel: Panel, never: np.ndarray, before: int) -> np.ndarray:
    """(N,) weights of the units as the estimator finds them."""
    from replication.estimators.synthetic_did.synthetic_paths import describe_cohort, published_weights

    y = panel.y - panel.y.mean()
    cohort = describe_cohort(2004, before, int((~never).sum()), y[never])
    found = np.zeros(never.size)
    found[never] = published_weights(y[never], [y[~never].mean(axis=0)], [cohort])[0].unit
    return found


@pytest.mark.parametrize("kind", ["placebo", "bootstrap"])
def test_redrawn_errors_are_near_those_with_known_slopes(kind: str) -> None:
    """Covariates that do not move with treatment: the error of their slopes hardly matters."""
    panel = with_covariates(4, shift=0, n_units=60)
    known = without(panel, np.array([0.8, -0.5]))
    errors = [
        synthetic_did(one, donor_errors=kind, inference=Inference(draws=60)).att[1] for one in (panel, known)
    ]
    # Sixty draws give a standard deviation to about 9 percent.
    assert errors[0] == pytest.approx(errors[1], rel=0.2)


def test_bootstrap_and_jackknife_see_the_error_of_slopes_that_matter() -> None:
    """Covariates that jump with treatment: what is taken out is five times as uncertain as the slope."""
    panel = with_covariates(4, n_units=60)
    known = without(panel, np.array([0.8, -0.5]))
    redrawn, left_out, certain = (
        synthetic_did(one, donor_errors=kind, inference=Inference(draws=60)).att[1]
        for one, kind in ((panel, "bootstrap"), (panel, "jackknife"), (known, "jackknife"))
    )
    assert redrawn == pytest.approx(left_out, rel=0.25)
    assert left_out > 1.5 * certain


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda x: np.stack([x[0], np.repeat(x[1][:, :1], 8, axis=1)]), "x2"),
        (lambda x: np.stack([x[0], 1 - 3 * x[0]]), "x2"),
        (lambda x: np.stack([np.tile(np.arange(8.0), (48, 1)), x[1]]), "x1"),
    ],
)
def test_covariates_without_variation_of_their_own_are_refused(change, name: str) -> None:
    panel = with_covariates(5)
    with pytest.raises(PanelError, match=f"Covariate '{name}' is collinear with the unit and period"):
        synthetic_did(replace(panel, covariates=change(panel.covariates)))
