"""Held against moderndid's port of did_multiplegt_dyn, which prints full precision."""

import warnings
from dataclasses import replace

import moderndid
import numpy as np
import pytest
from drawn_panels import as_frame, draw_panel

from replication.core.errors import PanelError
from replication.core.spec import Inference
from replication.core.wording import series
from replication.estimators.dcdh import dcdh
from replication.estimators.dcdh.control_slopes import control_slopes
from replication.estimators.dcdh.treatment_paths import switching_panel

ANALYTIC = Inference()


def peer(panel, **options):
    frame = as_frame(panel).assign(d=lambda rows: rows["d"].astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return moderndid.did_multiplegt(
            data=frame, yname="y", tname="time", idname="unit", dname="d", effects=6, placebo=3, **options
        )


def path_of(estimates):
    return estimates.rows("event").set_index("event_time")[["estimate", "std_error"]]


@pytest.mark.parametrize(
    ("options", "weights", "adoption"),
    [
        ({}, None, (0, 2003, 2004, 2006, 2007)),
        ({"weighted": True}, "w", (0, 2003, 2004, 2006, 2007)),
        ({"n_units": 15}, None, (0, 2003, 2004, 2008)),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_effects_placebos_and_total_equal_the_peer(seed, options, weights, adoption) -> None:
    panel = draw_panel(seed, adoption=adoption, **options)
    found, theirs = dcdh(panel, inference=ANALYTIC), peer(panel, weightsname=weights)
    path = path_of(found)
    for block in (theirs.effects, theirs.placebos):
        for horizon, estimate, std_error in zip(
            block.horizons, block.estimates, block.std_errors, strict=True
        ):
            if np.isfinite(estimate):
                # Effect l is event time l-1, placebo l (their horizon -l) event time -1-l.
                assert tuple(path.loc[horizon - 1]) == pytest.approx((estimate, std_error), abs=1e-12)
    assert found.att == pytest.approx((theirs.ate.estimate, theirs.ate.std_error), abs=1e-12)


def test_without_never_treated_units_the_last_cohort_is_the_control() -> None:
    """The peer stops with an error there; before 2008 its never-treated are the 2008 cohort."""
    panel = draw_panel(3, adoption=(2003, 2005, 2006, 2008))
    theirs = peer(panel.keep_periods(panel.periods < 2008)).effects
    path = path_of(dcdh(panel, inference=ANALYTIC))
    assert path.index.max() == 4
    for horizon, estimate, std_error in zip(
        theirs.horizons, theirs.estimates, theirs.std_errors, strict=True
    ):
        assert tuple(path.loc[horizon - 1]) == pytest.approx((estimate, std_error), abs=1e-12)


def test_gaps_in_the_panel_equal_the_peer() -> None:
    panel = draw_panel(4, missing=0.06)
    theirs, path = peer(panel).effects, path_of(dcdh(panel, inference=ANALYTIC))
    for horizon, estimate, std_error in zip(
        theirs.horizons, theirs.estimates, theirs.std_errors, strict=True
    ):
        assert tuple(path.loc[horizon - 1]) == pytest.approx((estimate, std_error), abs=1e-12)


def test_points_ignore_clusters_and_errors_are_near_the_peer() -> None:
    """The peer counts "no cluster" as one more cluster among the controls, so errors differ."""
    panel = draw_panel(5, n_clusters=14)
    theirs, path = peer(panel, cluster="cluster").effects, path_of(dcdh(panel, inference=ANALYTIC))
    ours = path.loc[theirs.horizons - 1].to_numpy()
    assert ours[:, 0] == pytest.approx(theirs.estimates, abs=1e-12)
    assert ours[:, 1] == pytest.approx(theirs.std_errors, rel=0.02)


def test_clustered_errors_equal_the_formula_written_out() -> None:
    """One cohort, one effect: sums by cluster of the scaled deviations of both groups."""
    panel = draw_panel(6, n_units=40, adoption=(0, 2004), n_clusters=9)
    change = panel.y[:, 3] - panel.y[:, 2]
    total = 0.0
    parts = np.zeros(9)
    for group, sign in ((panel.cohort == 2004, 1), (panel.cohort == 0, -1)):
        mean = change[group].mean()
        total += sign * mean
        clusters = panel.cluster[group]
        size = len(set(clusters))
        parts += sign * np.bincount(
            clusters, np.sqrt(size / (size - 1)) * (change[group] - mean) / group.sum(), 9
        )
    first = dcdh(panel, window=(0, 0), inference=ANALYTIC)
    assert first.att == pytest.approx((total, np.sqrt(parts @ parts)), rel=1e-12)


def test_first_effect_is_the_weighted_mean_of_two_by_twos() -> None:
    panel = draw_panel(7)
    total = mass = 0.0
    for cohort in (2003, 2004, 2006, 2007):
        column = cohort - 2001
        change = panel.y[:, column] - panel.y[:, column - 1]
        own, later = panel.cohort == cohort, (panel.cohort > cohort) | (panel.cohort == 0)
        total += own.sum() * (change[own].mean() - change[later].mean())
        mass += own.sum()
    first = path_of(dcdh(panel, inference=ANALYTIC)).loc[0, "estimate"]
    assert first == pytest.approx(total / mass, rel=1e-12)


def test_units_treated_throughout_are_dropped_and_counted() -> None:
    panel = draw_panel(8, adoption=(0, 2001, 2003, 2005))
    always = panel.cohort == 2001
    found = dcdh(panel, inference=ANALYTIC)
    without = dcdh(panel.keep_units(~always), inference=ANALYTIC)
    assert found.att == without.att
    named = series(str(unit) for unit in panel.units[always][:5])
    assert found.details.notes[0].startswith(f"{always.sum()} of 48 units")
    assert found.details.notes[0].endswith(f"for example units {named}")


def test_support_counts_units_and_cohorts() -> None:
    panel = draw_panel(9)
    entries = dcdh(panel, inference=ANALYTIC).details.support
    support = {entry.event_time: entry for entry in entries}
    assert support[0].cohorts == 4
    assert support[0].units == int((panel.cohort > 0).sum())
    assert support[5].units == int((panel.cohort == 2003).sum())


def test_refusals_say_what_is_missing() -> None:
    panel = draw_panel(10)
    with pytest.raises(PanelError, match=r"in the window \[-3, -2\]: no period has both a switcher"):
        dcdh(panel, window=(-3, -2), inference=ANALYTIC)
    with pytest.raises(PanelError, match="All 48 units in the sample adopt in period 2004"):
        dcdh(replace(panel, cohort=np.full(48, 2004)), inference=ANALYTIC)


def test_a_panel_with_a_missing_year_counts_in_years() -> None:
    """2007 is missing: 2008 is two years after 2006, and the cohort of 2008 has no base period."""
    panel = draw_panel(11, n_units=60, adoption=(0, 2003, 2006, 2008))
    gap = panel.keep_periods(panel.periods != 2007)
    found = dcdh(gap, inference=ANALYTIC)
    holes = replace(panel, y=np.where(panel.periods == 2007, np.nan, panel.y))
    theirs, path = peer(holes).effects, path_of(found)
    for horizon, estimate, std_error in zip(
        theirs.horizons, theirs.estimates, theirs.std_errors, strict=True
    ):
        if np.isfinite(estimate):
            assert tuple(path.loc[horizon - 1]) == pytest.approx((estimate, std_error), abs=1e-12)
    cohorts = {row.event_time: row.cohorts for row in found.details.support}
    assert [cohorts.get(e, 0) for e in range(6)] == [2, 1, 2, 1, 0, 1]
    lost = int((panel.cohort == 2008).sum())
    assert any(
        f"{lost} units in 1 cohort (2008) serve only as controls in the overall effect" in n
        for n in found.details.notes
    )


def test_a_panel_of_every_second_year_counts_in_years() -> None:
    panel = draw_panel(12)
    spread = replace(
        panel,
        periods=2001 + 2 * (panel.periods - 2001),
        cohort=np.where(panel.cohort > 0, 2001 + 2 * (panel.cohort - 2001), 0),
    )
    found, plain = (
        dcdh(spread, window=(-4, 5), inference=ANALYTIC),
        path_of(dcdh(panel, window=(-2, 2), inference=ANALYTIC)),
    )
    assert list(path_of(found).index) == [-4, 0, 2, 4]
    assert path_of(found).to_numpy() == pytest.approx(plain.to_numpy(), abs=1e-14)
    assert found.details.base_period == -2


@pytest.mark.parametrize("covariates", [0, 2])
def test_a_panel_of_every_second_year_has_the_same_effects_two_years_apart(covariates: int) -> None:
    """Gaps and labels aside nothing differs; event times are in years."""
    panel = draw_panel(9, missing=0.05)
    x = np.random.default_rng(9).normal(size=(covariates, *panel.y.shape)).cumsum(axis=2)
    if covariates:
        panel = replace(panel, covariates=x, covariate_names=("a", "b"))
    apart = replace(
        panel, periods=2 * panel.periods - 2001, cohort=np.where(panel.cohort > 0, 2 * panel.cohort - 2001, 0)
    )
    one, two = (path_of(dcdh(each, inference=ANALYTIC)) for each in (panel, apart))
    assert list(two.index) == [2 * step for step in one.index]
    np.testing.assert_allclose(two, one, atol=1e-10)


def test_slopes_and_scores_of_covariates_are_those_of_first_differences_on_period_effects() -> None:
    """Differences before adoption, period by period less their mean; scores times sqrt(n / (n - 1)).

    Two units are never treated, so that they are the only ones in the last periods.
    """
    panel = draw_panel(13, n_units=9, n_periods=6, adoption=(0, 0, 2003, 2003, 2004, 2004, 2005, 2005, 2005))
    x = np.random.default_rng(13).normal(size=(1, 9, 6))
    panel = replace(panel, covariates=x, covariate_names=("x",))
    moved, change, factor = (np.zeros((9, 5)) for _ in range(3))
    for t in range(1, 6):
        used = (panel.cohort == 0) | (panel.cohort > 2001 + t)
        for out, values in ((moved, x[0]), (change, panel.y)):
            step = (values[:, t] - values[:, t - 1])[used]
            out[used, t - 1] = step - step.mean()
        factor[used, t - 1] = np.sqrt(used.sum() / (used.sum() - 1))
    assert (factor > 0).sum(axis=0)[-1] == 2
    slope = (moved * change).sum() / (moved**2).sum()
    scores = (moved * (change - slope * moved) * factor).sum(axis=1) / (moved**2).sum()
    switching, grid, paths = switching_panel(panel, None)
    y, found = control_slopes(switching, grid, paths)
    np.testing.assert_allclose(y, panel.y - slope * x[0], atol=1e-12)
    np.testing.assert_allclose(found[:, 0], scores, atol=1e-12)


@pytest.mark.parametrize(("noise", "refused"), [(1e-4, True), (1.0, False)])
def test_a_covariate_that_moves_within_rounding_of_its_level_has_no_changes(
    noise: float, refused: bool
) -> None:
    """It grows by 1e7 a year for all; a share of 1e-10 of that is what counts as rounding."""
    panel = draw_panel(14)
    own = np.random.default_rng(14).normal(size=(1, *panel.y.shape))
    panel = replace(panel, covariates=1e7 * np.arange(8) + noise * own, covariate_names=("size",))
    if refused:
        with pytest.raises(PanelError, match="covariate 'size' are zero or collinear among the 48 units"):
            dcdh(panel, inference=ANALYTIC)
    else:
        assert np.isfinite(dcdh(panel, inference=ANALYTIC).att).all()


def test_units_without_weight_are_neither_switchers_nor_controls() -> None:
    panel = draw_panel(22, weighted=True)
    there = np.arange(48) % 6 != 5
    found = dcdh(replace(panel, weight=panel.weight * there[:, None]), inference=ANALYTIC)
    expected = dcdh(panel.keep_units(there), inference=ANALYTIC)
    np.testing.assert_allclose(path_of(found), path_of(expected), atol=1e-12)
    counts = [[(one.event_time, one.units) for one in each.details.support] for each in (found, expected)]
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("window", "noted"), [((-2, 1), True), ((-2, 90), False), (None, False)])
def test_a_window_that_changes_the_overall_effect_is_noted(window, noted) -> None:
    panel = draw_panel(8, adoption=(0, 2003, 2005))
    found = dcdh(panel, window=window, inference=ANALYTIC)
    note = "the overall effect averages event times 0 to 1 only; 'window' leaves out the later ones"
    assert (note in found.details.notes) == noted
    assert (found.att == dcdh(panel, inference=ANALYTIC).att) == (not noted)
