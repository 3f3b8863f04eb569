"""The stepdown against its definition written out, and cases with a known answer."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_panels import draw_panel
from scipy import stats

from replication.core.errors import InputError
from replication.core.spec import Inference
from replication.estimators.imputation import imputation
from replication.estimators.twfe import twfe
from replication.inference.multipliers import multipliers
from replication.inference.romano_wolf import (
    aligned_sums,
    holm_p_values,
    romano_wolf,
    stepdown_p_values,
    studentized_statistics,
)

MANY = Inference(draws=1999)


def written_out(statistic, draws):
    """Algorithm 3.1: the largest first, against the maximum over those not yet tested."""
    remaining = list(range(len(statistic)))
    adjusted, floor = {}, 0.0
    while remaining:
        leader = max(remaining, key=lambda s: statistic[s])
        count = sum(max(draw[s] for s in remaining) >= statistic[leader] for draw in draws)
        floor = max(floor, (1 + count) / (1 + len(draws)))
        adjusted[leader] = floor
        remaining.remove(leader)
    return [adjusted[s] for s in range(len(statistic))]


@pytest.mark.parametrize("seed", range(5))
def test_stepdown_equals_its_definition(seed) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(6, 6))
    draws = np.abs(rng.normal(size=(199, 6)) @ root) / np.sqrt((root**2).sum(axis=0))
    statistic = np.abs(rng.normal(size=6)) * 2
    assert stepdown_p_values(statistic, draws).tolist() == written_out(statistic, draws)


def outcomes(seed, number, shared=0.0):
    """Panels of one rollout with their own outcomes; ``shared`` mixes in the first outcome."""
    panel = draw_panel(seed, n_clusters=30, n_units=60)
    rng = np.random.default_rng(seed)
    noises = rng.normal(size=(number, *panel.y.shape))
    return [
        replace(panel, y=panel.y * shared + noise * (1 - shared), outcome=f"y{place}")
        for place, noise in enumerate(noises)
    ]


def test_equal_outcomes_need_no_adjustment() -> None:
    panel = draw_panel(1, n_clusters=30, n_units=60)
    twice = [twfe(replace(panel, y=scale * panel.y)) for scale in (1, 5, 0.1)]
    table = romano_wolf(twice, MANY)
    single = romano_wolf(twice[:1], MANY)
    assert table["p_romano_wolf"].tolist() == [single["p_romano_wolf"].iloc[0]] * 3
    assert table["p_holm"].iloc[0] == pytest.approx(min(1, 3 * table["p_value"].iloc[0]))


def test_independent_outcomes_are_near_sidak() -> None:
    found = [twfe(panel) for panel in outcomes(2, 5)]
    table = romano_wolf(found, MANY)
    statistic = table["statistic"].abs()
    first = statistic.idxmax()
    alone = romano_wolf([found[first]], MANY)["p_romano_wolf"].iloc[0]
    # Three standard errors of a share from 1,999 draws, plus what 30 clusters leave of dependence.
    assert table["p_romano_wolf"][first] == pytest.approx(1 - (1 - alone) ** 5, abs=0.06)


def test_adjusted_p_values_are_ordered_and_never_smaller() -> None:
    table = romano_wolf([imputation(panel, inference=MANY) for panel in outcomes(3, 4, 0.5)], MANY)
    ordered = table.sort_values("statistic", key=abs, ascending=False)["p_romano_wolf"]
    assert ordered.is_monotonic_increasing
    for place, row in table.iterrows():
        alone = romano_wolf([imputation(outcomes(3, 4, 0.5)[place], inference=MANY)], MANY)
        assert row["p_romano_wolf"] >= alone["p_romano_wolf"].iloc[0]
    assert table["outcome"].tolist() == ["y0", "y1", "y2", "y3"]


def test_a_single_outcome_with_few_clusters_is_near_its_t_test() -> None:
    """Without studentising each draw the p-value of a statistic of 2.7 would be below 0.003."""
    rng = np.random.default_rng(6)
    scores = rng.normal(size=(12, 1))
    scores *= 1 / np.sqrt((scores**2).sum())
    drawn = studentized_statistics(multipliers(rng, "rademacher", (50_000, 12)), scores)
    # The spread has no G / (G - 1), so a draw is sqrt(12 / 11) times a t statistic.
    expected = 2 * stats.t(11).sf(2.7 * np.sqrt(11 / 12))
    assert (drawn >= 2.7).mean() == pytest.approx(expected, rel=0.25)
    plain = np.abs(multipliers(rng, "rademacher", (50_000, 12)) @ scores)
    assert (plain >= 2.7).mean() < 0.2 * expected


def test_studentised_draws_written_out() -> None:
    rng = np.random.default_rng(7)
    scores, signs = rng.normal(size=(9, 2)), multipliers(rng, "webb", (5, 9))
    for sign, found in zip(signs, studentized_statistics(signs, scores), strict=True):
        for column, value in zip(scores.T, found, strict=True):
            parts = sign * column
            expected = abs(parts.sum()) / np.sqrt(((parts - parts.mean()) ** 2).sum())
            assert value == pytest.approx(expected, rel=1e-12)


def test_holm_by_hand() -> None:
    """0.01 x 4, 0.02 x 3, then 0.03 x 2 = 0.06 and 0.04 x 1, held up by the one before."""
    assert holm_p_values(np.array([0.04, 0.01, 0.03, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_clusters_of_different_samples_are_matched_by_their_units() -> None:
    panel = draw_panel(4, n_clusters=10)
    part = panel.keep_units(panel.cluster != 2)
    whole, less = twfe(panel), twfe(part)
    scores = aligned_sums([whole.overall, less.overall])
    assert scores.shape == (10, 2)
    assert scores[2, 1] == 0
    own = np.delete(scores[:, 1], 2)
    assert own.tolist() == less.overall.sums.tolist()
    reverse = aligned_sums([less.overall, whole.overall])
    assert sorted(reverse[:, 1]) == pytest.approx(sorted(scores[:, 0]))
    assert (scores**2).sum(axis=0) == pytest.approx([whole.att[1] ** 2, less.att[1] ** 2])


def test_refusals() -> None:
    panel = draw_panel(5, n_clusters=10)
    two = replace(panel, clusters={"a": panel.cluster, "b": np.arange(48) // 6})
    with pytest.raises(InputError, match="no scores by cluster"):
        romano_wolf([twfe(panel), twfe(two)], MANY)
    other = replace(panel, clusters={"b": np.arange(48) // 6})
    with pytest.raises(InputError, match="different columns"):
        romano_wolf([twfe(panel), twfe(other)], MANY)
