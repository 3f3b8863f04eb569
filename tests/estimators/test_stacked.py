"""Held against diff-diff 3.13 (StackedDiD) and against the regression on the written-out stack."""

import warnings
from dataclasses import replace

import diff_diff
import numpy as np
import pandas as pd
import pyfixest
import pytest
from drawn_panels import as_frame, draw_panel, every_second_year

from replication.core.details import Dropped
from replication.core.errors import PanelError
from replication.core.spec import Inference
from replication.estimators.stacked import stacked

ANALYTIC = Inference(draws=99)
ADOPTION = (0, 2003, 2004, 2006, 2007)


def path_of(estimates):
    return estimates.rows("event").set_index("event_time")[["estimate", "std_error"]]


PEER_GROUPS = {"not_yet_treated": "not_yet_treated", "never_treated": "never_treated"}
CASES = {
    "balanced": {},
    "gaps": {"missing": 0.05},
    "a cohort of one unit, another treated in period two": {
        "adoption": (0, 2002, 2005),
        "n_units": 9,
    },
}


@pytest.mark.parametrize("control_group", PEER_GROUPS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("seed", "window"), [(1, (-1, 1)), (2, (-2, 2)), (3, (-1, 3))])
def test_equals_diff_diff(seed, window, case, control_group) -> None:
    panel = draw_panel(seed, **CASES[case])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.StackedDiD(
            kappa_pre=-window[0], kappa_post=window[1], control_group=control_group, df_convention="cluster"
        ).fit(as_frame(panel).dropna(), outcome="y", unit="unit", time="time", first_treat="cohort")
    found = stacked(panel, control_group=control_group, window=window, inference=ANALYTIC)
    assert found.att == pytest.approx((theirs.overall_att, theirs.overall_se), abs=1e-9)
    path = path_of(found)
    for event_time, effect in theirs.event_study_effects.items():
        if event_time != -1:
            expected = (effect["effect"], effect["se"])
            assert tuple(path.loc[event_time]) == pytest.approx(expected, abs=1e-9)
    assert path.loc[-1, "estimate"] == 0.0
    assert np.isnan(path.loc[-1, "std_error"])


def written_out(panel, low, high):
    """The stack row by row, its weights from their definition, and pyfixest on it."""
    frame = as_frame(panel).dropna()
    frame["adopts"] = frame["cohort"].where(frame["cohort"] > 0, np.inf)
    parts = []
    for a in sorted(set(frame["cohort"]) - {0}):
        if a + low < panel.periods[0] or a + high > panel.periods[-1]:
            continue
        near = frame[frame["time"].between(a + low, a + high)]
        part = near[(near["adopts"] == a) | (near["adopts"] > a + high)]
        parts.append(part.assign(a=a, treat=(part["adopts"] == a) * 1, e=part["time"] - a))
    stack = pd.concat(parts, ignore_index=True)
    of_part = stack.groupby(["a", "treat", "e"])["w"].transform("sum")
    of_stack = stack.groupby(["treat", "e"])["w"].transform("sum")
    share = of_part / of_stack
    treated = stack[stack["treat"] == 1].groupby(["a", "e"])["w"].sum()
    treated = treated / treated.groupby("e").transform("sum")
    target = treated.reindex(pd.MultiIndex.from_frame(stack[["a", "e"]])).to_numpy()
    stack["q"] = np.where(stack["treat"] == 1, 1.0, target / share) * stack["w"]
    names = []
    for e in range(low, high + 1):
        stack[f"t{e - low}"] = ((stack["e"] == e) & (stack["treat"] == 1)) * 1.0
        names += [f"t{e - low}"] if e != -1 else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pyfixest.feols(
            f"y ~ {' + '.join(names)} | treat + e", stack, weights="q", vcov={"CRV1": "cluster"}
        )


@pytest.mark.parametrize("missing", [0.0, 0.06])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_weights_and_coarse_clusters_equal_the_written_out_stack(seed, missing) -> None:
    panel = draw_panel(seed, weighted=True, n_clusters=12, missing=missing)
    fit = written_out(panel, -2, 1)
    found = stacked(panel, window=(-2, 1), inference=ANALYTIC)
    path = path_of(found)
    for place, event_time in ((0, -2), (2, 0), (3, 1)):
        expected = (fit.coef()[f"t{place}"], fit.se()[f"t{place}"])
        assert tuple(path.loc[event_time]) == pytest.approx(expected, abs=1e-9)
    after = [list(fit._coefnames).index(name) for name in ("t2", "t3")]
    expected = np.sqrt(fit._vcov[np.ix_(after, after)].sum()) / 2
    assert found.att[1] == pytest.approx(expected, abs=1e-9)
    assert int(found.table["n_obs"].iloc[0]) == fit._N


def test_period_shocks_cancel_because_controls_weigh_each_experiment_like_its_treated() -> None:
    """Event time falls on other periods in every experiment: an unweighted stack would move."""
    panel = draw_panel(8)
    shocks = 5 * np.random.default_rng(8).normal(size=8) + np.arange(48)[:, None]
    first = stacked(panel, window=(-1, 1), inference=ANALYTIC).att[0]
    moved = stacked(replace(panel, y=panel.y + shocks), window=(-1, 1), inference=ANALYTIC).att[0]
    assert moved == pytest.approx(first, abs=1e-10)


def test_one_cohort_is_the_plain_difference_in_differences_of_means() -> None:
    panel = draw_panel(4, adoption=(0, 2005))
    found = stacked(panel, window=(-3, 2), inference=ANALYTIC)
    treated = panel.cohort == 2005
    gap = panel.y[treated].mean(axis=0) - panel.y[~treated].mean(axis=0)
    expected = (gap - gap[3])[1:7]
    assert path_of(found)["estimate"].to_numpy() == pytest.approx(expected, abs=1e-12)
    assert found.att[0] == pytest.approx(expected[3:].mean(), abs=1e-12)


def test_the_default_window_trims_no_cohort() -> None:
    found = stacked(draw_panel(1, adoption=ADOPTION), inference=ANALYTIC)
    assert found.details.window == (-2, 1)
    assert found.details.extras["cohorts"] == 4
    assert found.details.dropped == ()


def test_trimmed_cohorts_are_named_and_the_window_shows_part_of_the_clean_window() -> None:
    panel = draw_panel(1, adoption=ADOPTION)
    found = stacked(panel, window=(-1, 0), clean_window=(-3, 2), inference=ANALYTIC)
    whole = stacked(panel, clean_window=(-3, 2), inference=ANALYTIC)
    assert found.details.dropped == (Dropped("no_clean_window", 2, "cohorts", (2003, 2007)),)
    assert list(path_of(found).index) == [-1, 0]
    assert list(path_of(whole).index) == [-3, -2, -1, 0, 1, 2]
    assert found.att == pytest.approx(whole.att, abs=1e-12)
    assert found.details.support[0].cohorts == 2


def test_a_panel_of_every_second_year_counts_in_years() -> None:
    panel = draw_panel(5)
    spread = every_second_year(panel)
    found = stacked(spread, window=(-4, 3), inference=ANALYTIC)
    plain = stacked(panel, window=(-2, 1), inference=ANALYTIC)
    assert list(path_of(found).index) == [-4, -2, 0, 2]
    assert found.att == pytest.approx(plain.att, abs=1e-12)


def test_last_treated_compares_with_the_last_cohort_only() -> None:
    panel = draw_panel(6, adoption=ADOPTION)
    found = stacked(panel, control_group="last_treated", window=(-1, 0), inference=ANALYTIC)
    only = panel.keep_units(panel.cohort != 0)
    by_hand = stacked(
        replace(only, cohort=np.where(only.cohort == 2007, 0, only.cohort)).keep_periods(only.periods < 2007),
        control_group="never_treated",
        window=(-1, 0),
        inference=ANALYTIC,
    )
    assert found.att[0] == pytest.approx(by_hand.att[0], abs=1e-12)


def test_scaling_scales_and_order_does_not_matter() -> None:
    panel = draw_panel(7, weighted=True, missing=0.05)
    base = stacked(panel, window=(-2, 1), inference=ANALYTIC).table
    order = np.random.default_rng(7).permutation(len(panel.units))
    for other, factor in ((replace(panel, y=3 * panel.y), 3.0), (panel.keep_units(order), 1.0)):
        table = stacked(other, window=(-2, 1), inference=ANALYTIC).table
        for column in ("estimate", "std_error"):
            expected = factor * base[column].to_numpy()
            assert table[column].to_numpy() == pytest.approx(expected, abs=1e-10, nan_ok=True)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"window": (-9, 1)}, r"No adoption cohort .* the whole window \[-9, 1\]"),
        ({}, {"window": (0, 2)}, r"clean window \[0, 2\] must reach from before adoption"),
        ({}, {"window": (-3, 1), "clean_window": (-2, 1)}, "reaches beyond the clean window"),
        ({}, {"window": (-1, -1), "clean_window": (-2, 1)}, "contains no event time"),
        ({"adoption": (2004,)}, {}, "All 48 units in the sample adopt in period 2004"),
        ({"adoption": (2003, 2005)}, {"control_group": "never_treated"}, "none of the 48 units"),
        ({"n_clusters": 1}, {}, "are in one cluster"),
        ({"dose": True}, {}, "takes a binary treatment"),
    ],
)
def test_refusals(change, options, message) -> None:
    with pytest.raises(PanelError, match=message):
        stacked(draw_panel(1, **change), inference=ANALYTIC, **options)


@pytest.mark.parametrize("last", [2005, 2006, 2008])
def test_without_never_treated_units_the_window_ends_before_the_last_cohort_adopts(last: int) -> None:
    """Cohort 2003 has two periods before adoption, from 2001 on, and controls up to the year before."""
    panel = draw_panel(16, adoption=(2003, last))
    found = stacked(panel, inference=ANALYTIC)
    assert found.details.window == (-2, last - 1 - 2003)
    given = stacked(panel, clean_window=(-2, last - 1 - 2003), inference=ANALYTIC)
    assert found.att == given.att
    with pytest.raises(PanelError, match="No adoption cohort is observed and has clean controls"):
        stacked(panel, clean_window=(-2, last - 2003), inference=ANALYTIC)
