"""Randomization inference on clusters: which assignments there are, and both statistics."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from replication.core.estimates import row_labels
from replication.core.panel import Panel
from replication.core.spec import Inference, Spec
from replication.estimators.estimate_spec import estimate
from replication.inference.loadings import points_of
from replication.inference.permuted_assignments import (
    count_assignments,
    every_assignment,
    exchanges,
    label_orders,
)
from replication.inference.permuted_estimates import linear_draws

RI = Inference(method="permutation")


def artificial(
    seed: int, cohorts: list[int], sizes: list[int] | int = 1, regions: list[int] | None = None
) -> Panel:
    """Clusters of given sizes with one cohort each and common shocks."""
    rng = np.random.default_rng(seed)
    size = np.full(len(cohorts), sizes)
    code = np.repeat(np.arange(len(cohorts)), size)
    y = rng.normal(size=(len(cohorts), 6))[code] + 0.3 * rng.normal(size=(code.size, 6))
    return Panel(
        y=y,
        units=np.arange(code.size),
        periods=np.arange(1, 7),
        cohort=np.array(cohorts)[code],
        weight=np.ones_like(y),
        clusters={"state": code},
        outcome="y",
        strata={} if regions is None else {"region": np.array(regions)[code]},
    )


def spec_of(estimator: str, **changes: object) -> Spec:
    return Spec(id="ri", outcome="y", estimator=estimator, inference=replace(RI, **changes))


@pytest.mark.parametrize("statistic", ["t", "coefficient"])
@pytest.mark.parametrize("estimator", ["twfe", "callaway_santanna", "imputation"])
@pytest.mark.parametrize("sizes", [1, 3, [1, 4, 2, 3, 1, 2, 5]])
def test_p_value_is_that_of_all_assignments_of_whole_clusters(estimator, sizes, statistic) -> None:
    """Two of seven states on one date: 21 assignments, each estimated as a panel of its own."""
    panel = artificial(1, [4, 4, 0, 0, 0, 0, 0], sizes)
    found = estimate(panel, spec_of(estimator, statistic=statistic))
    plain = replace(spec_of(estimator), inference=Inference())
    column = "statistic" if statistic == "t" else "estimate"
    values = []
    for pair in itertools.combinations(range(7), 2):
        cohort = np.where(np.isin(panel.cluster, pair), 4, 0)
        row = estimate(replace(panel, cohort=cohort), plain).rows("att").iloc[0]
        values.append(abs(row[column]))
    expected = np.mean(np.array(values) >= values[0] * (1 - 1e-9))
    assert found.rows("att")["p_value"].iloc[0] == pytest.approx(expected, rel=1e-12)
    record = found.details.permutation
    assert (record.draws, record.complete) == (20, True)
    assert record.exchanged == ("units" if sizes == 1 else "clusters of state")
    assert record.tested == statistic


@pytest.mark.parametrize(
    "estimator",
    ["event_study", "callaway_santanna", "sun_abraham", "two_stage", "etwfe", "dcdh"],
)
def test_sums_of_loadings_equal_estimating_again(estimator) -> None:
    panel = artificial(2, [3, 4, 5, 0, 0, 0, 0, 0, 0], 2)
    spec = spec_of(estimator, statistic="coefficient", draws=60)
    function = spec_of(estimator)
    once = Inference(draws=1)

    def fit(given: Panel, *, inference: Inference):
        return estimate(given, replace(function, inference=inference))

    labels = row_labels(fit(panel, inference=once).table)
    compared = exchanges(panel, spec.inference)
    fast = linear_draws(fit, panel, once, compared, labels)
    assert fast is not None
    slow = [points_of(fit, panel.reassigned(order), once, labels) for order in compared.orders()]
    assert compared.count == len(slow) == 60
    # Loadings are differences of fits, exact to about 1e-12.
    assert fast[:, :, 0] == pytest.approx(np.stack(slow), rel=1e-8, abs=1e-9)
    record = estimate(panel, spec).details.permutation
    place = labels.index("att")
    assert record.estimates == pytest.approx([one[place] for one in slow], rel=1e-8)


def test_clusters_of_different_sizes_are_estimated_draw_by_draw() -> None:
    panel = artificial(3, [4, 4, 0, 0, 0, 0, 0], [1, 4, 2, 3, 1, 2, 5])
    spec = spec_of("callaway_santanna", statistic="coefficient")

    def fit(given: Panel, *, inference: Inference):
        return estimate(given, replace(spec, inference=inference))

    compared = exchanges(panel, spec.inference)
    assert linear_draws(fit, panel, Inference(draws=1), compared, ["att"]) is None


def test_units_exchange_where_clusters_are_mixed_or_strata_cut_through_them() -> None:
    assert exchanges(artificial(4, [4, 4, 0, 0, 0], 2), RI).who == "clusters of state"
    panel = artificial(4, [4, 4, 0, 0, 0], 2)
    cohort = panel.cohort.copy()
    cohort[0] = 0
    assert exchanges(replace(panel, cohort=cohort), RI).who == "units"
    cut = replace(panel, strata={"region": np.arange(10) % 2})
    assert exchanges(cut, replace(RI, strata="region")).who == "units"


def test_clusters_exchange_within_strata() -> None:
    panel = artificial(5, [4, 0, 0, 5, 0, 0, 0], 2, [0, 0, 0, 1, 1, 1, 1])
    compared = exchanges(panel, replace(RI, strata="region"))
    assert (compared.count, compared.complete) == (3 * 4 - 1, True)
    seen = {tuple(panel.cohort[order][::2].tolist()) for order in compared.orders()}
    assert len(seen) == 11
    for assigned in seen:
        assert sorted(assigned[:3]) == [0, 0, 4]
        assert sorted(assigned[3:]) == [0, 0, 0, 5]


def test_every_distinct_arrangement_once() -> None:
    labels = np.array([0, 1, 1, 2, 0])
    every = {tuple(row) for row in label_orders(labels.tolist())}
    assert every == set(itertools.permutations(labels.tolist()))
    assert count_assignments(labels, np.zeros(5, dtype=np.int64)) == len(every) == 30
    orders = list(every_assignment(labels, np.zeros(5, dtype=np.int64)))
    assert {tuple(labels[order].tolist()) for order in orders} == every - {(0, 1, 1, 2, 0)}
    assert count_assignments(np.arange(400), np.zeros(400, dtype=np.int64)) == np.inf


def test_what_cannot_be_rejected_is_noted() -> None:
    found = estimate(artificial(6, [4, *[0] * 9]), spec_of("twfe"))
    assert found.rows("att")["p_value"].iloc[0] >= 0.1
    assert any("in 10 ways, so no p-value is below 0.1" in note for note in found.details.notes)
    enough = estimate(artificial(6, [4, *[0] * 29]), spec_of("twfe"))
    assert not any("no p-value" in note for note in enough.details.notes)


def test_an_interval_that_disagrees_with_the_p_value_is_noted() -> None:
    noted = []
    for seed in range(12):
        found = estimate(artificial(seed, [4, 4, *[0] * 24]), spec_of("twfe"))
        row = found.rows("att").iloc[0]
        differ = (row["p_value"] <= 0.05) != (row["conf_low"] > 0 or row["conf_high"] < 0)
        assert differ == any("permutation p-value disagree" in n for n in found.details.notes)
        noted.append(differ)
    # Clustered intervals with two treated clusters exclude a true zero in one of three panels.
    assert sum(noted) >= 2


def test_leads_are_tested_by_the_largest_permuted_one() -> None:
    panel = artificial(7, [4, 4, *[0] * 7])
    spec = spec_of("event_study", statistic="coefficient")
    found = estimate(panel, spec)
    test = found.details.pretrend
    leads = found.rows("event").query("event_time < -1")["estimate"].abs()
    assert (test.df, test.statistic) == (2, leads.max())
    plain = replace(spec, inference=Inference())
    largest = []
    for pair in itertools.combinations(range(9), 2):
        cohort = np.where(np.isin(panel.cluster, pair), 4, 0)
        path = estimate(replace(panel, cohort=cohort), plain).rows("event")
        largest.append(path.query("event_time < -1")["estimate"].abs().max())
    expected = np.mean(np.array(largest) >= largest[0] * (1 - 1e-9))
    assert test.p_value == pytest.approx(expected, rel=1e-12)


def test_size_is_exact_with_equal_clusters() -> None:
    """One of twenty treated: each of the twenty p-values is as likely as any other."""
    panel = artificial(8, [4, *[0] * 19])
    values = []
    for place in range(20):
        cohort = np.where(np.arange(20) == place, 4, 0)
        found = estimate(replace(panel, cohort=cohort), spec_of("twfe", statistic="coefficient"))
        values.append(found.rows("att")["p_value"].iloc[0])
    assert sorted(values) == pytest.approx(np.arange(1, 21) / 20)
