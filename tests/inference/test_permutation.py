"""The fast path against re-estimation, and the p-value against all permutations."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from drawn_panels import draw_panel

from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.dcdh import dcdh
from replication.estimators.imputation import imputation
from replication.estimators.twfe import twfe
from replication.inference.permutation import permutation_test, two_way_of
from replication.inference.permuted_assignments import draw_permutations, strata_of

TEN = Inference(method="permutation", draws=40)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weighted": True, "n_clusters": 9},
        {"dose": True, "weighted": True, "n_clusters": 9, "stratum": True},
        {"adoption": (0, 2001, 2004, 2030)},
    ],
)
def test_fast_path_equals_estimating_again(options) -> None:
    panel = draw_panel(1, **options)
    inference = replace(TEN, strata="region" if "stratum" in options else None)
    fast = permutation_test(twfe, panel, inference, two_way=True)
    slow = permutation_test(twfe, panel, inference)
    for key in ("estimates", "statistics"):
        assert getattr(fast.details.permutation, key) == pytest.approx(getattr(slow.details.permutation, key))
    assert fast.table["p_value"].tolist() == slow.table["p_value"].tolist()
    assert fast.att == twfe(panel).att


def test_p_value_estimates_that_of_all_permutations() -> None:
    """Six units, three of them treated from 2004 on: 20 distinct assignments."""
    rng = np.random.default_rng(2)
    panel = Panel(
        y=rng.normal(size=(6, 5)),
        units=np.arange(6),
        periods=np.arange(2001, 2006),
        cohort=np.array([2004, 2004, 2004, 0, 0, 0]),
        weight=np.ones((6, 5)),
        clusters={"unit": np.arange(6)},
    )
    observed = abs(twfe(panel).table["statistic"].iloc[0])
    all_statistics = []
    for chosen in itertools.combinations(range(6), 3):
        cohort = np.zeros(6, dtype=np.int64)
        cohort[list(chosen)] = 2004
        found = twfe(replace(panel, cohort=cohort)).table["statistic"].iloc[0]
        all_statistics.append(abs(found))
    exact = np.mean(np.array(all_statistics) >= observed * (1 - 1e-9))
    found = permutation_test(twfe, panel, replace(TEN, draws=4999), two_way=True)
    # Three standard errors of a share from 4,999 draws.
    assert found.table["p_value"].iloc[0] == pytest.approx(exact, abs=0.022)


def test_p_value_is_the_share_of_draws_as_extreme() -> None:
    found = permutation_test(twfe, draw_panel(3), TEN, two_way=True)
    record = found.details.permutation
    count = sum(abs(draw) >= abs(record.statistic) for draw in record.statistics)
    assert found.table["p_value"].iloc[0] == (1 + count) / 41
    assert record.statistic == found.table["statistic"].iloc[0]
    assert len(set(record.statistics)) == 40


def test_exchanges_stay_within_strata_and_keep_every_row() -> None:
    panel = draw_panel(4, stratum=True, dose=True)
    strata = strata_of(panel, replace(TEN, strata="region"))
    moved = 0
    for order in draw_permutations(strata, TEN):
        assert (strata[order] == strata).all()
        assert sorted(order) == list(range(48))
        moved += (order != np.arange(48)).sum()
        again = panel.reassigned(order)
        assert (again.exposure == panel.exposure[order]).all()
        assert (again.y == panel.y).all()
    # Nearly every unit moves: a stratum of about 16 leaves one in place on average.
    assert moved > 0.8 * 40 * 48


def test_same_seed_same_draws() -> None:
    panel = draw_panel(5)
    first, second = (permutation_test(twfe, panel, TEN, two_way=True) for _ in range(2))
    other = permutation_test(twfe, panel, replace(TEN, seed=1), two_way=True)
    assert first.details.permutation == second.details.permutation
    assert first.details.permutation != other.details.permutation


@pytest.mark.parametrize("function", [imputation, dcdh])
def test_any_estimator_and_every_row_of_its_path(function) -> None:
    panel = draw_panel(6)
    found = permutation_test(function, panel, replace(TEN, draws=20))
    plain = function(panel, inference=Inference())
    rows = found.rows("event")
    tested = rows["std_error"].notna()
    assert (rows.loc[tested, "p_value"] * 21 % 1).round(9).isin([0, 1]).all()
    assert rows.loc[tested, "conf_low"].tolist() == (plain.rows("event").loc[tested, "conf_low"].tolist())


def test_false_rejections_happen_as_often_as_they_should() -> None:
    """Outcomes without effect, adoption at random: p-values of 60 panels are uniform."""
    values = []
    for seed in range(60):
        panel = draw_panel(seed, n_units=20, n_clusters=20)
        noise = np.random.default_rng(seed).normal(size=panel.y.shape).cumsum(axis=1)
        null = replace(panel, y=noise)
        test = permutation_test(twfe, null, replace(TEN, draws=99), two_way=True)
        values.append(test.table["p_value"].iloc[0])
    # A uniform share below 0.2 has standard error 0.05 over 60 panels.
    assert np.mean(np.array(values) <= 0.2) == pytest.approx(0.2, abs=0.15)
    assert np.mean(values) == pytest.approx(0.5, abs=0.12)


def test_panels_that_cannot_be_exchanged_are_refused() -> None:
    panel = draw_panel(7)
    alone = replace(panel, strata={"cohort": np.unique(panel.cohort, return_inverse=True)[1]})

    def fails_when_permuted(given, *, inference):
        if (given.cohort != panel.cohort).any():
            raise PanelError("nothing to compare")
        return twfe(given, inference=inference)

    with pytest.raises(PanelError, match="40 of 40 permuted panels"):
        permutation_test(fails_when_permuted, panel, TEN)
    unmoved = permutation_test(twfe, alone, replace(TEN, strata="cohort"), two_way=True)
    assert unmoved.table["p_value"].iloc[0] == 1


def test_tables_of_the_fast_path_reproduce_the_estimate() -> None:
    panel = draw_panel(8, dose=True, weighted=True)
    beta = two_way_of(panel).refit(np.arange(48)[None])[0, 0]
    assert beta == pytest.approx(twfe(panel).att[0], rel=1e-12)
