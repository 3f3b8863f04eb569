"""Held against diff-diff 3.13 (LPDiD) and against each regression written out (pyfixest)."""

import warnings
from dataclasses import replace

import diff_diff
import numpy as np
import pandas as pd
import pyfixest
import pytest
from drawn_panels import as_frame, draw_panel, every_second_year

from replication.core.errors import PanelError
from replication.core.spec import Inference
from replication.estimators.local_projections import local_projections
from replication.estimators.local_projections.horizon_regression import small_sample
from replication.estimators.stacked import stacked

ANALYTIC = Inference(draws=99)


def path_of(estimates):
    return estimates.rows("event").set_index("event_time")[["estimate", "std_error", "n_obs"]]


CASES = {
    "balanced": {},
    "gaps": {"missing": 0.06},
    "clusters": {"n_clusters": 12},
    "a cohort of one unit, another treated in period two": {
        "adoption": (0, 2002, 2005),
        "n_units": 11,
    },
    "no never-treated": {"adoption": (2003, 2004, 2006, 2008)},
}


@pytest.mark.parametrize("reweight", [False, True])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("seed", "window"), [(1, (-2, 1)), (2, (-4, 2))])
def test_equals_diff_diff(seed, window, case, reweight) -> None:
    panel = draw_panel(seed, **CASES[case])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.LPDiD(
            pre_window=-window[0], post_window=window[1], reweight=reweight, cluster="cluster"
        ).fit(as_frame(panel).astype({"d": int}), outcome="y", unit="unit", time="time", treatment="d")
    found = local_projections(panel, window=window, reweight=reweight, inference=ANALYTIC)
    path = path_of(found)
    event = theirs.event_study.set_index("horizon")
    for horizon in event.index.drop(-1):
        expected = tuple(event.loc[horizon, ["coefficient", "se", "n_obs"]])
        assert tuple(path.loc[horizon]) == pytest.approx(expected, abs=1e-9)
    assert path.loc[-1, "estimate"] == 0.0
    pooled = theirs.pooled.set_index("window")
    assert found.att == pytest.approx(tuple(pooled.loc["post", ["coefficient", "se"]]), abs=1e-9)
    placebo = found.details.pooled_placebo
    expected = tuple(pooled.loc["pre", ["coefficient", "se"]])
    assert (placebo.estimate, placebo.std_error) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", [3, 4])
def test_never_treated_controls_equal_diff_diff(seed) -> None:
    panel = draw_panel(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.LPDiD(pre_window=2, post_window=2, control_group="never_treated").fit(
            as_frame(panel).astype({"d": int}), outcome="y", unit="unit", time="time", treatment="d"
        )
    found = local_projections(panel, control_group="never_treated", window=(-2, 2), inference=ANALYTIC)
    pooled = theirs.pooled.set_index("window").loc["post", ["coefficient", "se"]]
    assert found.att == pytest.approx(tuple(pooled), abs=1e-9)


def written_out(panel, horizon):
    """The rows of one horizon and the regression on them."""
    frame = as_frame(panel)
    for k, name in enumerate(panel.covariate_names):
        frame[name] = panel.covariates[k].ravel()
    known = frame.set_index(["unit", "time"])["y"]
    at = [frame["unit"], frame["time"]]
    frame["after"] = known.reindex(pd.MultiIndex.from_arrays([at[0], at[1] + horizon])).to_numpy()
    frame["before"] = known.reindex(pd.MultiIndex.from_arrays([at[0], at[1] - 1])).to_numpy()
    adopts = frame["cohort"].where(frame["cohort"] > 0, np.inf)
    frame["entry"] = (adopts == frame["time"]) * 1.0
    clean = adopts > frame["time"] + max(horizon, 0)
    frame["change"] = frame["after"] - frame["before"]
    rows = frame[(frame["entry"] == 1) | clean].dropna(subset=["change", *panel.covariate_names])
    right = " + ".join(["entry", *panel.covariate_names])
    return pyfixest.feols(f"change ~ {right} | time", rows, weights="w", vcov={"CRV1": "cluster"})


@pytest.mark.parametrize("covariates", [0, 2])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_weights_covariates_and_clusters_equal_the_written_out_regression(seed, covariates) -> None:
    panel = draw_panel(seed, weighted=True, n_clusters=14, missing=0.04)
    x = np.random.default_rng(seed).normal(size=(2, *panel.y.shape)) + 0.2 * np.nan_to_num(panel.y)
    if covariates:
        panel = replace(panel, covariates=x, covariate_names=("x1", "x2"))
    found = path_of(local_projections(panel, window=(-3, 2), inference=ANALYTIC))
    for horizon in (-3, -2, 0, 1, 2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = written_out(panel, horizon)
        expected = (fit.coef()["entry"], fit.se()["entry"])
        assert tuple(found.loc[horizon, ["estimate", "std_error"]]) == pytest.approx(expected, abs=1e-9)


def test_intervals_are_those_of_the_regression_of_each_horizon() -> None:
    """Units, clusters and t(G-1) of the regression, not of the panel: a late cohort and its states leave."""
    panel = draw_panel(1, weighted=True, n_clusters=14, missing=0.04)
    panel = panel.keep_units((panel.cohort != 0) | (panel.cluster > 5))
    found = local_projections(panel, window=(-3, 2), inference=ANALYTIC)
    path = found.rows("event").set_index("event_time")
    counts = set()
    for horizon in (-3, -2, 0, 1, 2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = written_out(panel, horizon)
        rows = fit._data
        assert path.loc[horizon, "n_clusters"] == rows["cluster"].nunique()
        assert path.loc[horizon, "n_units"] == rows["unit"].nunique()
        interval = tuple(fit.confint().loc["entry"])
        assert tuple(path.loc[horizon, ["conf_low", "conf_high"]]) == pytest.approx(interval, abs=1e-9)
        assert path.loc[horizon, "p_value"] == pytest.approx(fit.pvalue()["entry"], abs=1e-9)
        counts.add(path.loc[horizon, "n_units"])
    assert len(counts) > 1
    assert path.loc[-1, "n_units"] == 0


def test_variance_weights_and_equal_weights_from_their_definition() -> None:
    panel = draw_panel(5)
    plain, equal = (
        local_projections(panel, window=(-1, 1), reweight=r, inference=ANALYTIC) for r in (False, True)
    )
    effect, variance, size = [], [], []
    for g in np.unique(panel.cohort[panel.cohort > 0]):
        k = int(g - panel.periods[0])
        adopter = panel.cohort == g
        control = (panel.cohort == 0) | (panel.cohort > g + 1)
        change = panel.y[:, k + 1] - panel.y[:, k - 1]
        effect.append(change[adopter].mean() - change[control].mean())
        variance.append(adopter.sum() * control.sum() / (adopter.sum() + control.sum()))
        size.append(adopter.sum())
    for found, weight in ((plain, variance), (equal, size)):
        expected = np.average(effect, weights=weight)
        assert path_of(found).loc[1, "estimate"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("control_group", ["not_yet_treated", "never_treated"])
@pytest.mark.parametrize("seed", [14, 15, 16])
def test_reweighted_and_pooled_it_is_the_weighted_stack(seed, control_group) -> None:
    panel = draw_panel(seed, weighted=True)
    options = {"control_group": control_group, "window": (-2, 1), "inference": ANALYTIC}
    found = local_projections(panel, reweight=True, **options)
    assert found.att[0] == pytest.approx(stacked(panel, **options).att[0], abs=1e-12)


def test_the_default_window_pools_over_what_every_cohort_reaches() -> None:
    panel = draw_panel(1)
    found = local_projections(panel, inference=ANALYTIC)
    assert found.details.averaged_times == (0, 1)
    assert found.att == pytest.approx(
        local_projections(panel, window=(-2, 1), inference=ANALYTIC).att, abs=1e-12
    )
    assert list(path_of(found).index) == list(range(-6, 6))
    assert found.details.support[-1].cohorts == 1


def test_a_panel_of_every_second_year_counts_in_years() -> None:
    panel = draw_panel(5)
    spread = every_second_year(panel)
    found = local_projections(spread, window=(-4, 3), inference=ANALYTIC)
    plain = local_projections(panel, window=(-2, 1), inference=ANALYTIC)
    assert list(path_of(found).index) == [-4, -2, 0, 2]
    assert found.att == pytest.approx(plain.att, abs=1e-12)


def test_constants_and_order_change_nothing_and_scaling_scales() -> None:
    panel = draw_panel(7, weighted=True, missing=0.05)
    rng = np.random.default_rng(7)
    base = local_projections(panel, window=(-3, 2), inference=ANALYTIC).table
    shifted = replace(panel, y=panel.y + rng.normal(size=(48, 1)) + rng.normal(size=8))
    scaled = replace(panel, y=3 * panel.y)
    order = panel.keep_units(rng.permutation(48))
    for other, factor in ((shifted, 1.0), (scaled, 3.0), (order, 1.0)):
        table = local_projections(other, window=(-3, 2), inference=ANALYTIC).table
        for column in ("estimate", "std_error"):
            expected = factor * base[column].to_numpy()
            assert table[column].to_numpy() == pytest.approx(expected, abs=1e-10, nan_ok=True)


def test_adopters_without_a_clean_control_are_counted() -> None:
    panel = draw_panel(6, adoption=(2003, 2004, 2006))
    found = local_projections(panel, window=(-2, 0), inference=ANALYTIC)
    assert found.details.count_dropped("no_clean_control") == int((panel.cohort == 2006).sum())


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"window": (20, 30)}, r"The window \[20, 30\] contains no event time"),
        ({}, {"window": (-4, -2)}, r"The window \[-4, -2\] ends before adoption"),
        ({}, {"window": (-2, 6)}, "No adoption period has both .* through horizon 6 and a clean control"),
        ({"adoption": (2004,)}, {}, "All 48 units in the sample adopt in period 2004"),
        ({"adoption": (2003, 2005)}, {"control_group": "never_treated"}, "none of the 48 units"),
        ({"adoption": (0,)}, {}, "None of the 48 units in the sample is ever treated"),
        ({"n_clusters": 1}, {}, "are in one cluster"),
        ({"dose": True}, {}, "takes a binary treatment"),
    ],
)
def test_refusals(change, options, message) -> None:
    with pytest.raises(PanelError, match=message):
        local_projections(draw_panel(1, **change), inference=ANALYTIC, **options)


def test_reweighting_with_covariates_and_collinear_covariates_are_refused() -> None:
    panel = draw_panel(1)
    x = np.repeat(np.random.default_rng(1).normal(size=(1, 1, 8)), 48, axis=1)
    panel = replace(panel, covariates=x, covariate_names=("national",))
    with pytest.raises(PanelError, match="equally weighted form with covariates"):
        local_projections(panel, reweight=True, inference=ANALYTIC)
    with pytest.raises(PanelError, match="collinear with the period effects"):
        local_projections(panel, inference=ANALYTIC)


@pytest.mark.parametrize("level", [0.0, 0.1, 1e6])
@pytest.mark.parametrize("weighted", [False, True])
def test_what_rounding_leaves_of_a_covariate_is_no_variation(level: float, weighted: bool) -> None:
    panel, rng = draw_panel(2), np.random.default_rng(2)
    if weighted:
        panel = replace(panel, weight=np.repeat(rng.uniform(0.5, 2, (48, 1)), 8, axis=1), weighted=True)
    own = rng.normal(size=panel.y.shape)
    national = np.repeat(rng.normal(size=(1, 8)), 48, axis=0) + level
    for other in (national, 3.3 * own + national):
        both = replace(panel, covariates=np.stack([own, other]), covariate_names=("own", "other"))
        with pytest.raises(PanelError, match="Covariate 'other' is collinear with the period effects"):
            local_projections(both, inference=ANALYTIC)
    nearly = national + 1e-3 * own
    one = replace(panel, covariates=nearly[None], covariate_names=("nearly",))
    assert np.isfinite(local_projections(one, inference=ANALYTIC).att).all()


def test_the_factor_of_a_horizon_is_that_of_reghdfe_or_zero_without_degrees_of_freedom() -> None:
    assert small_sample(10, 50, 4) == pytest.approx(10 / 9 * 49 / 46, rel=1e-15)
    assert small_sample(2, 20, 19) == pytest.approx(2 * 19, rel=1e-15)
    assert small_sample(1, 50, 4) == small_sample(10, 20, 20) == small_sample(10, 20, 21) == 0
