"""Held against diff-diff 3.13 (a port of R synthdid) on drawn panels.

The published Proposition 99 estimate (-15.604) is met as well; its data are not ours to ship, see
``docs/statistics.md``.
"""

import importlib
import warnings
from dataclasses import replace

import diff_diff
import numpy as np
import pandas as pd
import pytest
from drawn_panels import as_frame, draw_panel
from scipy import optimize, stats

from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.synthetic_did import synthetic_did
from replication.estimators.synthetic_did.simplex_weights import FrankWolfe, exact_weights
from replication.estimators.synthetic_did.synthetic_paths import (
    describe_cohort,
    gap_path,
    minimum_weights,
    published_weights,
)
from replication.estimators.synthetic_did.synthetic_variance import cluster_strata, satterthwaite_degrees

FEW = Inference(draws=20, seed=1)
STAGGERED = (0, 0, 0, 0, 2004, 2004, 2006)


@pytest.fixture(scope="module")
def lone_treated() -> Panel:
    """39 units with factors, trends and noise over 31 periods; the last one treated in 1989."""
    rng = np.random.default_rng(99)
    factors = np.cumsum(rng.normal(size=(2, 31)), axis=1)
    y = 100 + rng.normal(size=(39, 2)) @ factors * 4 + rng.normal(size=(39, 31)) * 3
    return Panel(
        y=y,
        units=np.arange(39),
        periods=np.arange(1970, 2001),
        cohort=np.where(np.arange(39) == 38, 1989, 0).astype(np.int64),
        weight=np.ones(y.shape),
        clusters={"state": np.arange(39)},
    )


def peer(panel, method="placebo", draws=20, seed=1):
    frame = as_frame(panel)
    first = int(panel.cohort.max())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return diff_diff.SyntheticDiD(variance_method=method, n_bootstrap=draws, seed=seed).fit(
            frame.assign(treated=(frame["cohort"] > 0).astype(int)),
            outcome="y",
            treatment="treated",
            unit="unit",
            time="time",
            post_periods=[int(t) for t in panel.periods if t >= first],
        )


def test_one_treated_unit_equals_diff_diff(lone_treated) -> None:
    """The shape of the Proposition 99 study; the same 200 placebo permutations on both sides."""
    found = synthetic_did(lone_treated, inference=Inference(draws=200, seed=1))
    theirs = peer(lone_treated, draws=200)
    assert found.att[0] == pytest.approx(theirs.att, abs=1e-8)
    # Their placebo weights stop at a tolerance, ours at the minimum.
    assert found.att[1] == pytest.approx(theirs.se, rel=5e-3)


@pytest.mark.parametrize("method", ["placebo", "jackknife"])
@pytest.mark.parametrize("seed", range(6))
def test_one_cohort_equals_diff_diff(seed, method) -> None:
    panel = draw_panel(seed, n_units=30, n_periods=10, adoption=(0, 0, 0, 2006))
    order = np.argsort(panel.cohort, kind="stable")
    panel = replace(panel.keep_units(order), units=np.arange(30))
    found = synthetic_did(panel, donor_errors=method, inference=FEW)
    theirs = peer(panel, method)
    assert found.att[0] == pytest.approx(theirs.att, abs=1e-9)
    # The jackknife keeps the weights; placebo weights differ by the tolerance of their steps.
    assert found.att[1] == pytest.approx(theirs.se, rel=1e-9 if method == "jackknife" else 5e-3)


@pytest.mark.parametrize("seed", range(40))
def test_exact_weights_satisfy_the_conditions_of_the_minimum(seed) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(2, 40, 2)
    a, b = rng.normal(size=(rows, columns)), rng.normal(size=rows)
    a = a - a.mean(axis=0) if seed % 2 else a
    ridge = 10.0 ** rng.integers(-12, 2)
    weights = exact_weights(a, b, ridge)
    gradient = a.T @ (a @ weights - b) + ridge * weights
    slack = gradient - weights @ gradient
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert slack.min() > -1e-8
    assert np.abs(weights * slack).max() < 1e-8
    stepped, _ = FrankWolfe(a, b, ridge).weights(1e-16)
    assert loss(a, b, ridge, weights) <= loss(a, b, ridge, stepped) + 1e-10


def stepped_by_hand(a, b, ridge, w, decrease, limit):
    """Frank-Wolfe steps with exact line search, each from its definition."""
    last = np.inf
    for _ in range(limit):
        half = a.T @ (a @ w - b) + ridge * w
        toward = np.eye(w.size)[half.argmin()] - w
        curve = ((a @ toward) ** 2).sum() + ridge * (toward @ toward)
        w = w + (np.clip(-half @ toward / curve, 0, 1) if curve > 0 else 0) * toward
        value = loss(a, b, ridge, w)
        if last - value < decrease:
            return w, True
        last = value
    return w, False


@pytest.mark.parametrize("decrease", [1e-1, 1e-3, 1e-6])
@pytest.mark.parametrize(("rows", "columns", "ridge"), [(12, 5, 0.1), (5, 12, 1.0), (30, 8, 1e-4)])
def test_published_weights_are_those_of_the_steps_by_hand(rows, columns, ridge, decrease) -> None:
    """A hundred steps from equal weights, none at or below a quarter of the largest kept, then 10,000."""
    rng = np.random.default_rng(rows)
    a, b = rng.normal(size=(rows, columns)), rng.normal(size=rows)
    first, _ = stepped_by_hand(a, b, ridge, np.full(columns, 1 / columns), decrease, 100)
    kept = np.where(first > first.max() / 4, first, 0.0)
    expected, ended = stepped_by_hand(a, b, ridge, kept / kept.sum(), decrease, 10_000)
    found = FrankWolfe(a, b, ridge).weights(decrease)
    np.testing.assert_allclose(found[0], expected, atol=1e-9)
    assert found[1] == ended


def test_steps_that_never_end_are_stopped_and_reported() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(8, 6)), rng.normal(size=8)
    assert not FrankWolfe(a, b, 0.1).weights(-np.inf)[1]


def loss(a, b, ridge, w):
    return ((a @ w - b) ** 2).sum() + ridge * (w @ w)


def test_the_start_does_not_move_the_minimum() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(12, 20)), rng.normal(size=12)
    start = rng.dirichlet(np.ones(20))
    assert exact_weights(a, b, 0.3, start) == pytest.approx(exact_weights(a, b, 0.3), abs=1e-10)


def test_cohorts_are_estimated_apart_and_weighted_by_treated_unit_periods() -> None:
    panel = draw_panel(5, n_units=40, adoption=STAGGERED)
    found = synthetic_did(panel, donor_errors="jackknife", inference=FEW)
    effect, weight = [], []
    for g, after in ((2004, 5), (2006, 3)):
        one = panel.keep_units(np.isin(panel.cohort, [0, g]))
        alone = synthetic_did(one, donor_errors="jackknife", inference=FEW)
        row = found.rows("group").set_index("cohort").loc[g]
        assert row["estimate"] == pytest.approx(alone.att[0], abs=1e-12)
        path = alone.rows("event").set_index("event_time")["estimate"]
        assert path.loc[0:].mean() == pytest.approx(alone.att[0], abs=1e-12)
        effect.append(alone.att[0])
        weight.append(after * (panel.cohort == g).sum())
    assert found.att[0] == pytest.approx(np.average(effect, weights=weight), abs=1e-12)
    assert found.details.support[-1].cohorts == 1


def pieces(panel):
    never = panel.cohort == 0
    controls = panel.y[never]
    labels = np.unique(panel.cohort[~never])
    cohorts = [
        describe_cohort(int(g), int(g - 2001), int((panel.cohort == g).sum()), controls) for g in labels
    ]
    return controls, cohorts


def by_hand(controls, means, cohorts, weights, sizes):
    effects, mass = [], []
    for mean, c, w, n in zip(means, cohorts, weights, sizes, strict=True):
        effects.append(gap_path(controls, mean, w)[c.start :].mean())
        mass.append(n * (controls.shape[1] - c.start))
    return np.average(effects, weights=mass)


@pytest.mark.parametrize("n_clusters", [None, 8])
def test_staggered_jackknife_is_leaving_out_one_cluster_at_a_time(n_clusters) -> None:
    panel = draw_panel(6, n_units=24, adoption=STAGGERED, n_clusters=n_clusters)
    controls, cohorts = pieces(panel)
    groups = [np.flatnonzero(panel.cohort == c.first) for c in cohorts]
    weights = published_weights(controls, [panel.y[g].mean(axis=0) for g in groups], cohorts)
    never = np.flatnonzero(panel.cohort == 0)
    values = []
    for out in np.unique(panel.cluster):
        left = np.flatnonzero(panel.cluster != out)
        kept = np.isin(never, left)
        rescaled = [replace(w, unit=w.unit[kept] / w.unit[kept].sum()) for w in weights]
        rest = [np.intersect1d(g, left) for g in groups]
        means = [panel.y[g].mean(axis=0) for g in rest]
        sizes = [g.size for g in rest]
        values.append(by_hand(panel.y[never[kept]], means, cohorts, rescaled, sizes))
    count = len(values)
    expected = np.sqrt((count - 1) / count * ((values - np.mean(values)) ** 2).sum())
    found = synthetic_did(panel, donor_errors="jackknife", inference=FEW)
    assert found.att[1] == pytest.approx(expected, rel=1e-10)
    assert int(found.table["n_clusters"].iloc[0]) == count


def test_degrees_of_freedom_are_those_of_parts_of_the_variance() -> None:
    """Cohorts of 3 and 2 clusters, 4 of controls; the last row has the second cohort only."""
    stratum = np.array([2, 0, 0, 1, 2, 0, 1, 2, 2])
    d = np.random.default_rng(4).normal(size=(9, 3))
    d[stratum != 1, 2] = 0
    found = satterthwaite_degrees(d, stratum, 2)
    for row in (0, 1):
        first, second, rest = ((d[stratum == k, row] ** 2) for k in range(3))
        parts = np.array([first.sum(), second.sum(), rest.sum()])
        own = np.array([2, 1, 3 * rest.sum() ** 2 / (rest**2).sum()])
        assert found[row] == pytest.approx(parts.sum() ** 2 / (parts**2 / own).sum(), rel=1e-12)
    assert found[2] == pytest.approx(1)
    # Clusters of one cohort with equal shares: its own degrees; controls with equal ones: 3 n.
    assert satterthwaite_degrees(np.ones((6, 1)), np.zeros(6, int), 1)[0] == pytest.approx(5)
    assert satterthwaite_degrees(np.ones((6, 1)), np.ones(6, int), 1)[0] == pytest.approx(18)


def test_clusters_are_of_their_first_cohort_or_of_controls() -> None:
    member, cluster = np.array([-1, 1, -1, 0, 1, -1]), np.array([0, 0, 1, 2, 2, 1])
    assert cluster_strata(member, cluster).tolist() == [1, 2, 0]


def test_jackknife_intervals_are_t_with_few_degrees_unless_the_law_is_normal() -> None:
    """Two cohorts of 5 and 6 units: between 4 degrees and those of 9 and the controls."""
    panel = draw_panel(6, n_units=36, adoption=(0, 0, 0, 0, 2004, 2006))
    found, normal = (
        synthetic_did(panel, donor_errors="jackknife", inference=replace(FEW, distribution=distribution))
        for distribution in ("auto", "normal")
    )
    sizes = [c.units for c in found.details.donor_weights]
    rows = found.table.dropna(subset="std_error")
    usual = normal.table.loc[rows.index]
    assert rows["std_error"].tolist() == usual["std_error"].tolist()
    reach = (rows["conf_high"] - rows["estimate"]) / rows["std_error"]
    assert (reach <= stats.t.ppf(0.975, min(sizes) - 1) + 1e-9).all()
    assert (reach > 1.97).all()
    assert ((usual["conf_high"] - usual["estimate"]) / usual["std_error"]).max() < 1.96
    path = rows[(rows["term"] == "event") & rows["event_time"].notna()]
    wide, distribution = (
        (t["band_high"] - t["estimate"]) / t["std_error"] for t in (path, usual.loc[path.index])
    )
    degrees = [
        optimize.brentq(lambda v, r=r: stats.t.ppf(0.975, v) - r, 1, 1e4) for r in reach.loc[path.index]
    ]
    assert stats.t(degrees).sf(wide) == pytest.approx(stats.norm.sf(distribution), rel=1e-6)


def test_staggered_placebo_is_the_spread_over_assignments() -> None:
    panel = draw_panel(7, n_units=40, adoption=STAGGERED)
    controls, cohorts = pieces(panel)
    sizes = [c.size for c in cohorts]
    total = sum(sizes)
    rng = np.random.default_rng(1)
    values = []
    for _ in range(20):
        order = rng.permutation(controls.shape[0])
        donors, rest = controls[order[:-total]], controls[order[-total:]]
        means = [part.mean(axis=0) for part in np.split(rest, [sizes[0]])]
        weights = [minimum_weights(donors, m, c) for m, c in zip(means, cohorts, strict=True)]
        values.append(by_hand(donors, means, cohorts, weights, sizes))
    found = synthetic_did(panel, inference=FEW)
    assert found.att[1] == pytest.approx(np.std(values), rel=1e-6)


def test_bootstrap_repeats_itself_with_its_seed() -> None:
    panel = draw_panel(8, n_units=40, adoption=STAGGERED)
    by_unit = synthetic_did(panel, donor_errors="bootstrap", inference=FEW)
    again = synthetic_did(panel, donor_errors="bootstrap", inference=FEW)
    pd.testing.assert_frame_equal(by_unit.table, again.table)
    other = synthetic_did(panel, donor_errors="bootstrap", inference=replace(FEW, seed=2))
    assert other.att[0] == by_unit.att[0]
    assert other.att[1] != by_unit.att[1]
    assert other.att[1] == pytest.approx(by_unit.att[1], rel=0.8)


def test_bootstrap_error_is_near_the_jackknife() -> None:
    """Both estimate one variance; with 24 treated and 36 controls they agree within a third."""
    panel = draw_panel(9, n_units=60, adoption=(0, 0, 0, 2005, 2005))
    std_errors = [
        synthetic_did(panel, donor_errors=kind, inference=Inference(draws=200)).att[1]
        for kind in ("bootstrap", "jackknife")
    ]
    assert std_errors[0] == pytest.approx(std_errors[1], rel=0.35)


def test_constants_and_order_change_nothing_and_scaling_scales() -> None:
    panel = draw_panel(10, n_units=30, adoption=STAGGERED)
    base = synthetic_did(panel, donor_errors="jackknife", inference=FEW).table
    rng = np.random.default_rng(10)
    shifted = replace(panel, y=panel.y + rng.normal(size=(30, 1)))
    scaled = replace(panel, y=3 * panel.y)
    order = panel.keep_units(rng.permutation(30))
    for other, factor in ((shifted, 1.0), (scaled, 3.0), (order, 1.0)):
        table = synthetic_did(other, donor_errors="jackknife", inference=FEW).table
        for column in ("estimate", "std_error"):
            expected = factor * base[column].to_numpy()
            # Shifting the data moves the rounding of thousands of steps.
            assert table[column].to_numpy() == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_a_cohort_with_one_period_before_adoption_is_dropped_with_the_count() -> None:
    panel = draw_panel(3, n_units=30, adoption=(0, 0, 0, 2002, 2005))
    found = synthetic_did(panel, donor_errors="jackknife", inference=FEW)
    early = int((panel.cohort == 2002).sum())
    assert found.details.notes[0].startswith(f"{early} of 30 units")
    assert "they have one period before adoption" in found.details.notes[0]
    assert [c.cohort for c in found.details.donor_weights] == [2005]


def test_the_window_limits_the_path() -> None:
    panel = draw_panel(3, n_units=30, adoption=STAGGERED)
    found = synthetic_did(panel, donor_errors="jackknife", window=(-1, 1), inference=FEW)
    assert list(found.rows("event")["event_time"]) == [-1, 0, 1]


@pytest.fixture
def no_weights(monkeypatch) -> None:
    def never_reached(*_: object) -> None:
        raise AssertionError("weights, which take the time, were computed before the refusal")

    module = importlib.import_module("replication.estimators.synthetic_did.synthetic_did")
    monkeypatch.setattr(module, "published_weights", never_reached)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"missing": 0.05}, {}, "are not observed in every period"),
        ({"adoption": (2004, 2006)}, {}, "No unit is untreated throughout the panel"),
        ({"adoption": (0, 2002)}, {}, "No cohort is left that has two periods before"),
        ({"adoption": (0,)}, {}, "None of the 48 units in the sample is ever treated"),
        ({"adoption": (0, 2004, 2005)}, {}, "require more never-treated than treated units"),
        (
            {"adoption": STAGGERED, "n_clusters": 9},
            {},
            "treat the 48 units as independent, but standard errors",
        ),
        ({"adoption": STAGGERED, "weighted": True}, {}, "takes no weights"),
        ({"adoption": STAGGERED}, {"window": (30, 40)}, "contains no event time"),
        ({"adoption": STAGGERED, "n_clusters": 1}, {}, "are in one cluster"),
        ({"dose": True}, {}, "takes a binary treatment"),
    ],
)
def test_refusals(change, options, message, no_weights) -> None:
    with pytest.raises(PanelError, match=message):
        synthetic_did(draw_panel(1, **change), inference=FEW, **options)


def test_errors_that_need_two_treated_units_are_refused_with_one(lone_treated, no_weights) -> None:
    for kind, message in (
        ("jackknife", "cohort 1989 has all its units in one cluster"),
        ("bootstrap", "need at least two treated units"),
    ):
        with pytest.raises(PanelError, match=message):
            synthetic_did(lone_treated, donor_errors=kind, inference=FEW)
