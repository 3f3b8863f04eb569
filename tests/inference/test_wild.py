"""Every draw held against a refitted dummy regression; p-values against wildboottest."""

import numpy as np
import pytest
from drawn_panels import draw_panel

from replication.core.errors import PanelError, SpecError
from replication.core.spec import Inference
from replication.estimators.event_study import event_study
from replication.estimators.poisson import poisson
from replication.estimators.shared.estimation_sample import estimation_sample
from replication.estimators.shared.fixed_effects import read_effects
from replication.estimators.shared.regression_wild import cluster_sums
from replication.estimators.twfe import fit_twfe, twfe
from replication.inference.wild import bootstrap, sign_patterns, wild_cluster

SIX = Inference(draws=64)
# Dummies of units and periods are dependent: their zero singular values are rounding errors, about 1e-16 of
# the largest, and the cutoff by default, which differs between versions of numpy, may lie below them.
RANK = 1e-10


def fitted(panel, trends=()):
    effects = read_effects(panel, trends)
    sample = estimation_sample(panel, effects)
    fit = fit_twfe(sample, effects)
    return sample.panel, fit, cluster_sums(sample, effects, fit)


def dummies(panel, trends):
    """Nuisance columns of the observed cells."""
    rows, columns = np.nonzero(panel.observed)
    time = np.eye(panel.periods.size)[columns]
    parts = [np.eye(len(panel.units))[rows], time]
    if "unit_linear" in trends:
        parts.append(parts[0] * columns[:, None])
    if "region_by_time" in trends:
        region = np.eye(3)[panel.strata["region"][rows]]
        parts.append(np.einsum("mr,mt->mrt", region, time).reshape(rows.size, -1))
    return rows, columns, np.hstack(parts)


def refitted(panel, signs, null, trends=()):
    """Statistic of the data and of every draw, each from a regression on all dummies."""
    rows, columns, nuisance = dummies(panel, trends)
    root = np.sqrt(panel.weight[rows, columns])[:, None]
    y, dose = panel.y[rows, columns], panel.dose[rows, columns]
    cluster = panel.cluster[rows]
    design = np.column_stack([dose, nuisance]) * root
    solve = np.linalg.pinv(design, RANK)
    left = dose * root[:, 0] - (nuisance * root) @ np.linalg.pinv(nuisance * root, RANK) @ (dose * root[:, 0])

    def statistic(outcome):
        beta = solve @ (outcome * root[:, 0])
        error = outcome * root[:, 0] - design @ beta
        sums = np.bincount(cluster, left * error) / (left @ left)
        return (beta[0] - null) / np.sqrt(sums @ sums)

    rest = (y - null * dose) * root[:, 0]
    fit = (nuisance * root) @ np.linalg.pinv(nuisance * root, RANK) @ rest
    restricted = (rest - fit) / root[:, 0]
    mean = y - restricted
    return statistic(y), np.array([statistic(mean + sign[cluster] * restricted) for sign in signs])


@pytest.mark.parametrize(
    ("options", "trends"),
    [
        ({}, ()),
        ({"weighted": True}, ()),
        ({"weighted": True, "missing": 0.1}, ()),
        ({"dose": True}, ()),
        ({"n_units": 36}, ("unit_linear",)),
        ({"stratum": True, "n_units": 36}, ("region_by_time",)),
        ({"stratum": True, "missing": 0.1, "n_units": 36}, ("region_by_time", "unit_linear")),
    ],
)
@pytest.mark.parametrize("null", [0.0, 0.4])
def test_draws_equal_refitted_regressions(options, trends, null) -> None:
    panel = draw_panel(1, n_clusters=6, **{"n_units": 24, **options})
    panel, fit, sums = fitted(panel, trends)
    signs, complete = sign_patterns(6, SIX)
    assert complete
    assert len(np.unique(signs, axis=0)) == 64
    draws = bootstrap(sums, np.ones(1), signs)
    delta = fit.coefficient[0] - null
    observed, expected = refitted(panel, signs, null, trends)
    assert delta / draws.scale == pytest.approx(observed, rel=1e-9)
    # 1e-8: statistics near zero lose digits in the dummy regression, not here.
    assert draws.statistics(delta) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(("seed", "theirs"), [(0, 0.07421875), (1, 0.1640625), (2, 0.0)])
def test_p_values_equal_wildboottest(seed, theirs) -> None:
    """wildboottest 0.3.2, all 512 patterns, type 11, null imposed, dummies written out.

    It counts draws that are strictly larger; the two patterns that reproduce the data (all signs
    alike) tie with the statistic and count here, as they must for an exact test.
    """
    _, fit, sums = fitted(draw_panel(seed, n_units=30, n_clusters=9))
    inference = Inference(draws=999, interval="symmetric")
    found = wild_cluster(sums, np.ones(1), fit.coefficient[0], inference)
    assert found.p_value - theirs in (0, 2 / 512)
    assert found.p_value >= 2 / 512


@pytest.mark.parametrize("kind", ["equal_tailed", "symmetric"])
def test_intervals_invert_the_test(kind) -> None:
    panel, fit, sums = fitted(draw_panel(4, n_clusters=14))
    inference = Inference(draws=499, interval=kind, level=0.9)
    found = wild_cluster(sums, np.ones(1), fit.coefficient[0], inference)
    signs, complete = sign_patterns(14, inference)
    assert not complete
    for end, outward in ((found.conf_low, -1), (found.conf_high, 1)):
        for step, rejected in ((1e-6, True), (-1e-6, False)):
            null = end + outward * step
            observed, drawn = refitted(panel, signs, null)
            # One pattern may have all signs alike: it ties with the data, but for rounding.
            slack = 1e-9 * abs(observed)
            tails = ((drawn <= observed + slack).sum(), (drawn >= observed - slack).sum())
            larger = (abs(drawn) >= abs(observed) - slack).sum()
            count = min(tails) if kind == "equal_tailed" else larger
            p_value = (1 + count) / 500 * (2 if kind == "equal_tailed" else 1)
            assert (p_value < 0.1) == rejected


def test_webb_and_rademacher_agree_with_many_clusters() -> None:
    _, fit, sums = fitted(draw_panel(5, n_clusters=24))
    values = [
        wild_cluster(sums, np.ones(1), fit.coefficient[0], Inference(draws=1999, multiplier=distribution))
        for distribution in ("webb", "rademacher")
    ]
    # Three standard errors of a p-value near 0.3 from 1,999 draws.
    assert values[0].p_value == pytest.approx(values[1].p_value, abs=0.045)
    assert values[0].conf_low == pytest.approx(values[1].conf_low, rel=0.15)


def test_estimator_reports_wild_p_values_and_keeps_its_errors() -> None:
    panel = draw_panel(6, n_clusters=8)
    plain = twfe(panel, inference=Inference())
    wild = twfe(panel, inference=Inference(method="wild"))
    assert wild.att == plain.att
    row, kept = wild.rows("att").iloc[0], plain.rows("att").iloc[0]
    assert row["p_value"] * 256 == round(row["p_value"] * 256)
    assert row["conf_low"] != kept["conf_low"]
    assert wild.details.uncertainty.multiplier == "rademacher"


def test_every_row_of_an_event_study_is_tested_by_itself() -> None:
    """Event time 1 as a hypothesis of its own, in regressions on dummies."""
    panel = draw_panel(7, n_units=36, n_clusters=7)
    inference = Inference(method="wild", draws=128)
    path = event_study(panel, window=(-3, 3), inference=inference)
    rows = path.rows("event").set_index("event_time")
    assert rows.loc[-1, ["p_value", "conf_low"]].isna().all()
    expected = written_out_p_value(panel, 1, (-3, 3))
    assert rows.loc[1, "p_value"] == pytest.approx(expected, abs=1e-12)


def written_out_p_value(panel, event, window):
    """Equal-tailed p-value of one event-time coefficient from 128 regressions on dummies."""
    rows, columns, nuisance = dummies(panel, ())
    cohort = panel.cohort[rows]
    time = np.where(cohort == 0, -999, np.clip(panel.periods[columns] - cohort, *window))
    others = [time == e for e in range(window[0], window[1] + 1) if e not in (-1, event)]
    nuisance = np.column_stack([nuisance, *others]).astype(float)
    own, y, cluster = (time == event).astype(float), panel.y.ravel(), panel.cluster[rows]
    project = nuisance @ np.linalg.pinv(nuisance, RANK)
    left = own - project @ own
    restricted = y - project @ y
    signs = sign_patterns(7, Inference(draws=128))[0]

    def statistic(outcome):
        rest = outcome - project @ outcome
        beta = left @ rest / (left @ left)
        sums = np.bincount(cluster, left * (rest - beta * left))
        return beta / np.sqrt(sums @ sums)

    observed = statistic(y)
    drawn = np.array([statistic(y - restricted + sign[cluster] * restricted) for sign in signs])
    slack = 1e-9 * abs(observed)
    tails = (drawn <= observed + slack).mean(), (drawn >= observed - slack).mean()
    return min(1.0, 2 * min(tails))


def test_few_clusters_give_an_unbounded_interval_not_a_guess() -> None:
    _, fit, sums = fitted(draw_panel(8, n_clusters=4))
    found = wild_cluster(sums, np.ones(1), fit.coefficient[0], Inference())
    assert found.p_value >= 2 / 16
    assert found.conf_high - found.conf_low == np.inf


def test_refusals() -> None:
    panel = draw_panel(9, n_clusters=8)
    wild = Inference(method="wild")
    from dataclasses import replace

    two = replace(panel, clusters={**panel.clusters, "other": np.arange(48) // 6})
    with pytest.raises(PanelError, match=r"2 clusterings \(cluster, other\)"):
        twfe(two, inference=wild)
    with pytest.raises(SpecError, match="least squares"):
        poisson(replace(panel, y=np.exp(panel.y)), inference=wild)
    with pytest.raises(SpecError, match="19 draws"):
        twfe(panel.keep_units(panel.cohort != 1), inference=replace(wild, draws=19))
