"""What must not change the group-time estimates, and what must change them in a known way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from group_time_data import cell, staggered, value
from hypothesis import given, settings
from hypothesis import strategies as st

from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.callaway_santanna import callaway_santanna
from replication.estimators.callaway_santanna.aggregation import average_points, plan_averages
from replication.estimators.callaway_santanna.cell_plan import plan_cells
from replication.estimators.callaway_santanna.comparison_sample import group_time_design

FEW = Inference(draws=50)
NUMBERS = ["estimate", "std_error"]


def numbers(panel: Panel, **options) -> np.ndarray:
    return callaway_santanna(panel, inference=FEW, **options).table[NUMBERS].to_numpy()


seeds = st.integers(0, 10_000)
options = st.fixed_dictionaries(
    {
        "control_group": st.sampled_from(["never_treated", "not_yet_treated", "last_treated"]),
        "base_period": st.sampled_from(["universal", "varying"]),
        "anticipation": st.integers(0, 1),
    }
)
drawn = settings(max_examples=12, deadline=None, derandomize=True)


@drawn
@given(seeds, options, st.floats(0.01, 100))
def test_scaling_the_outcome_scales_everything(seed, chosen, factor) -> None:
    panel = staggered(seed, weights="constant")
    scaled = numbers(replace(panel, y=factor * panel.y), **chosen)
    np.testing.assert_allclose(scaled, factor * numbers(panel, **chosen), rtol=1e-9, atol=1e-12)


@drawn
@given(seeds, options)
def test_unit_and_period_constants_change_nothing(seed, chosen) -> None:
    panel = staggered(seed, clusters=11)
    rng = np.random.default_rng(seed)
    y = panel.y + 5 * rng.normal(size=(panel.y.shape[0], 1)) + rng.normal(size=panel.y.shape[1])
    np.testing.assert_allclose(
        numbers(replace(panel, y=y), **chosen), numbers(panel, **chosen), rtol=1e-9, atol=1e-12
    )


@drawn
@given(seeds, options)
def test_order_of_units_and_names_of_periods_change_nothing(seed, chosen) -> None:
    panel = staggered(seed)
    order = np.random.default_rng(seed).permutation(len(panel.units))
    shifted = replace(
        panel,
        y=panel.y[order],
        units=panel.units[order],
        weight=panel.weight[order],
        clusters={"cluster": panel.cluster[order]},
        periods=panel.periods + 1990,
        cohort=np.where(panel.cohort > 0, panel.cohort + 1990, 0)[order],
    )
    np.testing.assert_allclose(numbers(shifted, **chosen), numbers(panel, **chosen), rtol=1e-9, atol=1e-12)


@drawn
@given(seeds, options)
def test_weights_only_matter_up_to_a_factor(seed, chosen) -> None:
    panel = staggered(seed, weights="constant")
    heavier = replace(panel, weight=7.0 * panel.weight)
    np.testing.assert_allclose(numbers(heavier, **chosen), numbers(panel, **chosen), rtol=1e-9, atol=1e-12)


@drawn
@given(seeds, st.sampled_from(["never_treated", "not_yet_treated"]))
def test_integer_weights_are_copies_of_units(seed, control_group) -> None:
    panel = staggered(seed, n_units=40)
    copies = np.random.default_rng(seed).integers(1, 4, 40)
    again = np.repeat(np.arange(40), copies)
    repeated = replace(
        panel.keep_units(np.ones(40, dtype=bool)),
        y=panel.y[again],
        units=np.arange(again.size),
        cohort=panel.cohort[again],
        weight=panel.weight[again],
        clusters={"cluster": again},
    )
    weighted = replace(panel, weight=copies[:, None] * panel.weight)
    one = callaway_santanna(weighted, control_group=control_group, inference=FEW)
    two = callaway_santanna(repeated, control_group=control_group, inference=FEW)
    np.testing.assert_allclose(one.table["estimate"], two.table["estimate"], atol=1e-12)
    # Copies of a unit are a cluster of their own: the same scores, but for the factor of clusters.
    ratio = (two.table["std_error"] / one.table["std_error"]).dropna()
    np.testing.assert_allclose(ratio, np.sqrt(40 / 39), rtol=1e-9)


@drawn
@given(seeds)
def test_group_averages_by_size_are_the_group_average(seed) -> None:
    panel = staggered(seed)
    found = callaway_santanna(panel, inference=FEW)
    rows = found.rows("group").dropna(subset="cohort")
    size = [(panel.cohort == cohort).sum() for cohort in rows["cohort"]]
    expected = np.average(rows["estimate"], weights=size)
    assert value(found, "group")[0] == pytest.approx(expected, abs=1e-12)
    # Weighted by the number of its treated cells each cohort gives the simple average.
    cells = [panel.periods[-1] - cohort + 1 for cohort in rows["cohort"]]
    simple = np.average(rows["estimate"], weights=np.multiply(size, cells))
    assert found.att[0] == pytest.approx(simple, abs=1e-12)


@drawn
@given(seeds, options)
def test_without_noise_the_effect_is_found_exactly(seed, chosen) -> None:
    panel = staggered(seed)
    rng = np.random.default_rng(seed)
    treated = (panel.cohort[:, None] > 0) & (panel.periods >= panel.cohort[:, None])
    effect = rng.normal(size=8)[np.clip(panel.periods - panel.cohort[:, None], 0, 7)]
    y = rng.normal(size=(80, 1)) + rng.normal(size=8) + effect * treated
    found = callaway_santanna(replace(panel, y=y), inference=FEW, **chosen)
    cells = found.rows("att_gt")
    cohort, time = cells["cohort"].astype(int), cells["time"].astype(int)
    truth = [
        effect[panel.cohort == g][0, t - 1] if t >= g else 0.0 for g, t in zip(cohort, time, strict=True)
    ]
    np.testing.assert_allclose(cells["estimate"], truth, atol=1e-12)


@pytest.mark.parametrize("balance_e", [0, 1, 2, 3])
def test_a_balanced_path_averages_the_cohorts_seen_that_long_by_size(balance_e: int) -> None:
    """From the cells: cohorts g with 8 - g >= e, event times that all of them could have."""
    panel = staggered(51, adoption=(0, 3, 4, 6, 7))
    whole = callaway_santanna(panel)
    found = callaway_santanna(panel, balance_e=balance_e).rows("event")
    cohorts = [g for g in (3, 4, 6, 7) if 8 - g >= balance_e]
    path = found[found["event_time"].notna()].set_index("event_time")["estimate"]
    assert list(path.index) == list(range(max(balance_e - 7, 1 - cohorts[-1]), balance_e + 1))
    for event_time, estimate in path.items():
        having = [g for g in cohorts if 1 <= g + event_time <= 8]
        size = [int((panel.cohort == g).sum()) for g in having]
        points = [cell(whole, g, int(g + event_time))[0] for g in having]
        assert estimate == pytest.approx(np.average(points, weights=size), abs=1e-12)


def test_summaries_weight_event_times_and_periods_equally_and_cohorts_by_size() -> None:
    """Also where the first cohort is not observed in the last periods, which only others then have."""
    panel = staggered(52, adoption=(0, 3, 4, 6, 7))
    gone = (panel.cohort == 3)[:, None] & (panel.periods >= 7)
    found = callaway_santanna(replace(panel, y=np.where(gone, np.nan, panel.y)), unbalanced="pairwise")
    rows = {term: found.rows(term) for term in ("event", "group", "calendar")}
    path = rows["event"][rows["event"]["event_time"] >= 0]["estimate"]
    assert value(found, "event")[0] == pytest.approx(path.mean(), abs=1e-12)
    periods = rows["calendar"][rows["calendar"]["time"].notna()]["estimate"]
    assert len(periods) == 6
    assert value(found, "calendar")[0] == pytest.approx(periods.mean(), abs=1e-12)
    cohorts = rows["group"][rows["group"]["cohort"].notna()]
    size = [int((panel.cohort == g).sum()) for g in cohorts["cohort"]]
    assert value(found, "group")[0] == pytest.approx(np.average(cohorts["estimate"], weights=size), abs=1e-12)


@pytest.mark.parametrize("n_clusters", [None, 12])
def test_the_bootstrap_does_not_depend_on_the_scale_of_the_weights(n_clusters: int | None) -> None:
    panel = staggered(53, weights="constant", clusters=n_clusters, n_units=40)
    inference = Inference(method="bootstrap", draws=40)
    plain, small = (
        callaway_santanna(replace(panel, weight=scale * panel.weight), inference=inference)
        for scale in (1.0, 1e-3)
    )
    np.testing.assert_allclose(small.table[NUMBERS], plain.table[NUMBERS], rtol=1e-6)


def test_bootstrap_draws_are_the_estimates_of_the_drawn_clusters() -> None:
    """Averages of a draw are those of the panel in which every cluster is weighted by how often it came."""
    panel = staggered(54, clusters=12, n_units=60)
    design = group_time_design(panel, control_group="never_treated")
    cells = plan_cells(design, "universal")
    usable = np.ones(cells.time.size, dtype=bool)
    plan = plan_averages(design, cells, usable)
    times = np.random.default_rng(54).integers(0, 3, 12)
    drawn = replace(panel, weight=times[panel.cluster][:, None] * np.ones(panel.y.shape))
    found = callaway_santanna(drawn, control_group="never_treated")
    att = np.array(
        [
            cell(found, int(design.cohorts[level]), int(panel.periods[time]))[0]
            for level, time in zip(cells.level, cells.time, strict=True)
        ]
    )
    mass = np.array([drawn.weight[panel.cohort == g, 0].sum() for g in design.cohorts])
    points = average_points(plan, cells.level, att[None], mass[None])[0]
    rows = [entry.row for entry in (*plan.averages, *plan.summaries)]
    assert len(rows) == points.size
    for row, point in zip(rows, points, strict=True):
        key = next((k for k in (row.cohort, row.time, row.event_time) if k is not None), None)
        assert point == pytest.approx(value(found, row.term, key)[0], abs=1e-12), row
