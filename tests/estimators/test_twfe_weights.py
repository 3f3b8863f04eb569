"""Held against diff-diff, regressions on dummies, and the problem that Corollary 1 solves."""

import warnings
from dataclasses import replace

import diff_diff
import numpy as np
import pytest
from drawn_panels import as_frame, draw_panel
from group_time_data import mpdta
from scipy.optimize import minimize

from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.twfe import twfe
from replication.estimators.twfe_weights import opposite_sign, twfe_weights

ANALYTIC = Inference()


def dummies(panel):
    """Unit and period dummies of the observed cells, row by row."""
    rows, columns = np.nonzero(panel.observed)
    units = np.eye(len(panel.units))[rows]
    periods = np.eye(panel.periods.size)[columns]
    return np.hstack([units, periods]), rows, columns


def weights_by_dummies(panel):
    """(N, T) weights from the residual of the dose on dummies; zero where not treated."""
    design, rows, columns = dummies(panel)
    dose, weight = panel.dose[rows, columns], panel.weight[rows, columns]
    root = np.sqrt(weight)
    solution = np.linalg.lstsq(design * root[:, None], dose * root, rcond=None)[0]
    raw = weight * dose * (dose - design @ solution)
    table = np.zeros(panel.y.shape)
    table[rows, columns] = raw / raw.sum()
    return table


@pytest.mark.parametrize("seed", range(4))
def test_share_and_threshold_equal_the_peer(seed) -> None:
    panel = draw_panel(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.twowayfeweights(
            as_frame(panel).astype({"d": int}), outcome="y", unit="unit", time="time", treatment="d"
        )
    found = twfe_weights(panel, inference=ANALYTIC)
    assert found.details.extras["share_negative"] == pytest.approx(theirs.fraction_negative, abs=1e-12)
    assert found.details.extras["sigma_fe"] == pytest.approx(theirs.sigma_fe, rel=1e-9)
    assert found.att[0] == pytest.approx(theirs.beta_fe, rel=1e-9)


@pytest.mark.parametrize(
    "options",
    [{}, {"weighted": True}, {"missing": 0.1}, {"dose": True}, {"dose": True, "weighted": True}],
)
def test_rows_equal_a_regression_on_dummies(options) -> None:
    panel = draw_panel(21, **options)
    table = weights_by_dummies(panel)
    rows = twfe_weights(panel, inference=ANALYTIC).rows("weight")
    assert rows["estimate"].sum() == pytest.approx(1)
    for row in rows.itertuples():
        expected = table[panel.cohort == row.cohort, int(row.time) - 2001].sum()
        assert row.estimate == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("options", [{}, {"weighted": True}, {"dose": True}, {"missing": 0.1}])
def test_weights_turn_effects_into_the_estimate(options) -> None:
    """With outcomes made of effects only, beta is the weighted sum of the effects."""
    panel = draw_panel(22, **options)
    effect = np.random.default_rng(1).normal(size=panel.y.shape)
    only = replace(panel, y=np.where(panel.observed, panel.dose * effect, np.nan))
    beta = (weights_by_dummies(panel) * effect).sum()
    assert twfe(only, inference=ANALYTIC).att[0] == pytest.approx(beta, rel=1e-9)


def test_second_threshold_solves_its_problem() -> None:
    """Least spread of effects such that all are <= 0 while the weighted sum is beta > 0."""
    share = np.array([0.1, 0.2, 0.15, 0.25, 0.3])
    omega = np.array([3.5, 2.6, 1.9, 0.4, -0.8])
    omega /= share @ omega
    beta = 0.7

    def spread(effect):
        return share @ (effect - share @ effect) ** 2

    best = min(
        (
            minimize(
                spread,
                -np.random.default_rng(seed).random(5),
                method="SLSQP",
                bounds=[(None, 0)] * 5,
                constraints={"type": "eq", "fun": lambda e: (share * omega) @ e - beta},
                options={"ftol": 1e-14, "maxiter": 500},
            )
            for seed in range(5)
        ),
        key=lambda found: found.fun if found.success else np.inf,
    )
    # SLSQP stops at about 1e-7 of the minimum.
    assert opposite_sign(beta, share, omega) == pytest.approx(np.sqrt(best.fun), rel=1e-5)


def test_without_negative_weights_there_is_no_second_threshold() -> None:
    panel = draw_panel(5, adoption=(0, 2008))
    extras = twfe_weights(panel, inference=ANALYTIC).details.extras
    assert extras["share_negative"] == 0
    assert extras["sigma_fe_opposite"] is None
    # One adoption date in the last period: all treated cells weigh the same.
    assert extras["sigma_fe"] is None


def test_mpdta() -> None:
    """parity.csv (diff-diff): 20 of 291 treated cells are negative, 0.0687; sigma_fe 0.0828."""
    extras = twfe_weights(mpdta(), inference=ANALYTIC).details.extras
    assert (extras["negative_cells"], extras["treated_cells"]) == (20, 291)
    assert extras["share_negative"] == pytest.approx(0.0687, abs=5e-5)
    assert extras["sigma_fe"] == pytest.approx(0.0828, abs=5e-5)
    assert extras["negative_cohort_periods"] == 1


def test_mpdta_design_alone() -> None:
    """The share needs the design only: 20, 40 and 131 counties adopt in 2004, 2006 and 2007."""
    cohort = np.repeat([0, 2004, 2006, 2007], [309, 20, 40, 131])
    panel = Panel(
        y=np.random.default_rng(0).normal(size=(500, 5)),
        units=np.arange(500),
        periods=np.arange(2003, 2008),
        cohort=cohort,
        weight=np.ones((500, 5)),
        clusters={"county": np.arange(500)},
    )
    extras = twfe_weights(panel, inference=ANALYTIC).details.extras
    assert (extras["negative_cells"], extras["treated_cells"]) == (20, 291)
    assert extras["sum_negative"] == pytest.approx(-0.010851, abs=5e-7)


def test_no_variation_is_refused() -> None:
    panel = draw_panel(6)
    with pytest.raises(PanelError, match="not identified"):
        twfe_weights(replace(panel, cohort=np.full(48, 2004)), inference=ANALYTIC)
