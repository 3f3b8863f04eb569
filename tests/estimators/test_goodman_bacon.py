"""Identities of the decomposition, diff-diff's components, and regressions on the subsamples."""

import warnings
from dataclasses import replace

import diff_diff
import numpy as np
import pytest
from drawn_panels import as_frame, draw_panel
from group_time_data import mpdta

from replication.core.errors import PanelError
from replication.core.spec import Inference
from replication.estimators.goodman_bacon import by_kind, components, goodman_bacon
from replication.estimators.twfe import twfe

ANALYTIC = Inference()
ADOPTIONS = {
    "never": (0, 2003, 2004, 2006, 2007),
    "no never": (2003, 2004, 2006),
    "always and never": (0, 2001, 2004, 2008),
    "always, no never": (2001, 2002, 2005),
    "before and after the panel": (1995, 2004, 2030),
    "one adoption": (0, 2005),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("adoption", ADOPTIONS.values(), ids=ADOPTIONS)
@pytest.mark.parametrize("seed", range(4))
def test_components_sum_to_two_way_effects(seed, adoption, weighted) -> None:
    panel = draw_panel(seed, adoption=adoption, weighted=weighted)
    parts = components(panel)
    assert parts.weight.sum() == pytest.approx(1, rel=1e-14)
    assert (parts.weight > 0).all()
    # 1e-12 of the estimate: sums of at most a few hundred doubles of the size of the outcome.
    direct = twfe(panel, inference=ANALYTIC).att[0]
    assert parts.weight @ parts.estimate == pytest.approx(direct, rel=1e-12, abs=1e-13)


def regression_on_subsample(panel, treated, comparison, low, high) -> float:
    """Two-way coefficient on two cohorts and the columns from low up to high."""
    units = (panel.first == treated) | (panel.first == comparison)
    columns = np.arange(panel.periods.size)
    part = panel.keep_units(units).keep_periods((columns >= low) & (columns < high))
    return twfe(part, inference=ANALYTIC).att[0]


@pytest.mark.parametrize("weighted", [False, True])
def test_each_component_is_a_two_way_regression_on_its_subsample(weighted) -> None:
    panel = draw_panel(11, adoption=ADOPTIONS["always and never"], weighted=weighted)
    parts = components(panel)
    assert parts.weight.size == 6
    for treated, comparison, estimate in zip(parts.treated, parts.comparison, parts.estimate, strict=True):
        low, high = (0, comparison) if treated < comparison else (comparison, 8)
        expected = regression_on_subsample(panel, treated, comparison, low, high)
        assert estimate == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_components_equal_the_peer(seed) -> None:
    panel = draw_panel(seed)
    frame = as_frame(panel)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.BaconDecomposition(weights="exact").fit(
            frame, outcome="y", unit="unit", time="time", first_treat="cohort"
        )
    never = {np.inf: 0, "never_treated": 0}
    expected = {
        (int(pair.treated_group), int(never.get(pair.control_group, pair.control_group))): pair
        for pair in theirs.comparisons
    }
    ours = goodman_bacon(panel, inference=ANALYTIC).details.comparisons
    assert len(ours) == len(expected) == 16
    for part in ours:
        pair = expected[part.treated, part.comparison]
        assert part.weight == pytest.approx(pair.weight, rel=1e-10)
        assert part.estimate == pytest.approx(pair.estimate, rel=1e-9, abs=1e-12)


def test_rows_and_totals_tell_the_same() -> None:
    panel = draw_panel(2, adoption=ADOPTIONS["always and never"])
    found = goodman_bacon(panel, inference=ANALYTIC)
    parts, rows = found.details.comparisons, found.rows("weight")
    assert rows["cohort"].tolist() == [part.treated for part in parts]
    assert rows["time"].tolist() == [part.comparison for part in parts]
    assert rows["estimate"].tolist() == [part.weight for part in parts]
    assert rows["std_error"].isna().all()
    totals = by_kind(components(panel))
    # Always-treated units are a comparison only for those that adopt inside the panel.
    assert totals["treated_vs_always"]["comparisons"] == 2
    assert sum(kind["weight"] for kind in totals.values()) == pytest.approx(1)
    overall = sum(kind["weight"] * kind["estimate"] for kind in totals.values())
    assert overall == pytest.approx(found.att[0])
    assert found.att == pytest.approx(twfe(draw_panel(2, adoption=(0, 2001, 2004, 2008))).att)


def test_mpdta_sums_to_the_two_way_estimate() -> None:
    """parity.csv: the components sum to TWFE, -0.0365489; error of pyfixest CRV1."""
    found = goodman_bacon(mpdta(), inference=ANALYTIC)
    assert found.att == pytest.approx((-0.03654894, 0.01326516), abs=5e-9)
    total = sum(part.weight * part.estimate for part in found.details.comparisons)
    assert total == pytest.approx(-0.03654894, abs=5e-9)


def test_refusals_carry_counts() -> None:
    panel = draw_panel(3)
    gap = panel.y.copy()
    gap[4, 2] = gap[7, :3] = np.nan
    with pytest.raises(PanelError, match=r"the outcome is missing in 4 unit-periods \(2 of 48 units\)"):
        goodman_bacon(replace(panel, y=gap), inference=ANALYTIC)
    with pytest.raises(PanelError, match="binary treatment"):
        goodman_bacon(draw_panel(3, dose=True), inference=ANALYTIC)
    with pytest.raises(PanelError, match="All 48 units in the sample adopt in period 2004"):
        goodman_bacon(replace(panel, cohort=np.full(48, 2004)), inference=ANALYTIC)
    varying = panel.weight.copy()
    varying[0, 0] = 2
    with pytest.raises(PanelError, match="1 of 48 units change over time"):
        goodman_bacon(replace(panel, weight=varying), inference=ANALYTIC)
