"""What cannot be estimated is refused in a paragraph; what is left out is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from group_time_data import cell, staggered, value

from replication.core.details import Dropped
from replication.core.errors import PanelError, SpecError
from replication.core.spec import Inference
from replication.core.wording import series
from replication.estimators.callaway_santanna import callaway_santanna


@pytest.mark.parametrize(
    ("artificial", "message"),
    [
        ({"adoption": (0,)}, "None of the 80 units in the sample is ever treated"),
        ({"adoption": (5,)}, "All 80 units in the sample adopt in period 5, so no unit is untreated"),
        ({"adoption": (1,)}, "All 80 treated units are treated in or before the first period \\(1\\)"),
        ({"adoption": (2, 9)}, None),
        (
            {"adoption": (11, 12)},
            r"No unit adopts in the panel's periods \(1 to 8\): the cohorts are 11 to 12",
        ),
        ({"adoption": (0, 3), "periods": (3,)}, "80|The panel has one period, 3"),
        ({"adoption": (2, 3), "periods": (1, 3, 4)}, "All 80 units .* after period 1 and by period 3"),
    ],
)
def test_no_comparison_is_refused(artificial, message) -> None:
    panel = staggered(61, **artificial)
    if message is None:
        # Cohort 9 adopts after the last period: never treated inside the panel.
        assert callaway_santanna(panel, control_group="never_treated").att[0] > 0
        return
    with pytest.raises(PanelError, match=message):
        callaway_santanna(panel)


def test_one_cluster_is_refused() -> None:
    panel = replace(staggered(62), clusters={"state": np.zeros(80, dtype=np.int64)})
    with pytest.raises(PanelError, match="only one cluster in column 'state'"):
        callaway_santanna(panel)


@pytest.mark.parametrize("options", [{"window": (20, 30)}, {"balance_e": 40}])
def test_a_window_without_cells_is_refused_with_what_there_is(options) -> None:
    (key,) = options
    with pytest.raises(PanelError, match=rf"the panel has event times -6 to 5\. Change '{key}'"):
        callaway_santanna(staggered(63), **options)


def test_methods_that_do_not_apply_are_refused() -> None:
    with pytest.raises(SpecError, match=r"does not support 'inference\.method: wild'"):
        callaway_santanna(staggered(64), inference=Inference(method="wild"))


def test_weights_of_each_period_do_not_go_with_covariates() -> None:
    panel = staggered(65, covariates=1, weights="varying")
    with pytest.raises(SpecError, match="a unit has no one weight in the regression"):
        callaway_santanna(panel, fix_weights="varying")


def test_no_unit_in_every_period_is_refused_and_pairs_are_named() -> None:
    panel = staggered(66)
    y = panel.y.copy()
    y[np.arange(80), np.arange(80) % 8] = np.nan
    with pytest.raises(PanelError, match="None of the 80 units is observed in all 8 periods"):
        callaway_santanna(replace(panel, y=y))
    assert np.isfinite(callaway_santanna(replace(panel, y=y), unbalanced="pairwise").att).all()


def test_covariate_that_tells_treated_from_comparison_is_flagged_with_cell_and_count() -> None:
    panel = staggered(67, covariates=1, n_units=200, adoption=(0, 4, 6))
    split = panel.covariates.copy()
    split[0, panel.cohort == 4] += 100
    panel = replace(panel, covariates=split)
    found = callaway_santanna(panel)
    assert np.isnan(cell(found, 4, 5)[0])
    assert np.isfinite(cell(found, 6, 7)[0])
    # Seven estimated cells of cohort 4: all but the reference.
    assert found.details.count_dropped("not_estimated") == 7
    output = found.details.notes[-1]
    assert output.startswith("7 of 14 group-time cells could not be estimated and are in no average")
    assert (
        "cohort 4 in period 1: the covariates almost perfectly separate treated from comparison units"
        in output
    )
    # Averages are over the other cohort.
    assert value(found, "event", 0) == pytest.approx(cell(found, 6, 6))
    # A regression needs no overlap.
    regressed = callaway_santanna(panel, adjustment="outcome_regression")
    assert np.isfinite(cell(regressed, 4, 5)[0])


def test_no_overlap_anywhere_is_refused() -> None:
    panel = staggered(68, covariates=1, adoption=(0, 4))
    split = panel.covariates + 100 * (panel.cohort == 4)[:, None]
    with pytest.raises(
        PanelError,
        match=r"None of the 7 group-time cells can be estimated; for example, cohort .* outcome_regression",
    ):
        callaway_santanna(replace(panel, covariates=split))


def test_collinear_covariates_are_refused() -> None:
    panel = staggered(69, covariates=1, adoption=(0, 4))
    twice = np.concatenate([panel.covariates, 2 * panel.covariates])
    with pytest.raises(PanelError, match="collinear"):
        callaway_santanna(replace(panel, covariates=twice))


def test_units_treated_from_the_start_are_dropped_with_the_count() -> None:
    panel = staggered(70, adoption=(0, 1, 4, 6))
    early = int((panel.cohort == 1).sum())
    found = callaway_santanna(panel)
    named = series(str(unit) for unit in panel.units[panel.cohort == 1][:5])
    share = f"{100 * early / 80:.0f}%"
    assert found.details.notes == (
        f"{early} of 80 units ({share}) are dropped because they are treated in or before the "
        f"first period (1) and have no pre-treatment period, for example units {named}",
    )
    assert found.table["n_units"].iloc[0] == 80 - early
    without = callaway_santanna(panel.keep_units(panel.cohort != 1))
    np.testing.assert_array_equal(found.table["estimate"], without.table["estimate"])


@pytest.mark.parametrize("control_group", ["not_yet_treated", "last_treated"])
def test_without_never_treated_units_the_last_cohort_is_the_comparison(control_group) -> None:
    panel = staggered(71, adoption=(3, 5, 7))
    found = callaway_santanna(panel, control_group=control_group)
    assert found.details.dropped == (
        Dropped("comparison_cohort", 1, "cohorts", (7,)),
        Dropped("periods_cut", 2, "periods", (7, 8)),
    )
    role = "the control group;" if control_group == "last_treated" else "a control, and"
    note = f"he last cohort to adopt (7) serves only as {role} 2 periods (7 to 8) are dropped"
    assert note in found.details.notes[-1]
    assert set(found.rows("calendar")["time"].dropna()) == {3, 4, 5, 6}
    expected = "last_treated" if control_group == "last_treated" else "not_yet_treated"
    assert found.details.control_group == expected


def test_last_treated_compares_with_the_last_cohort_only() -> None:
    panel = staggered(72, adoption=(0, 3, 5, 7))
    found = callaway_santanna(panel, control_group="last_treated")
    chosen = panel.keep_units(np.isin(panel.cohort, (3, 5, 7))).keep_periods(panel.periods < 7)
    # Seen from a panel that ends before cohort 7 adopts, its units are never treated.
    expected = callaway_santanna(chosen, control_group="never_treated")
    np.testing.assert_allclose(
        found.table[["estimate", "std_error"]], expected.table[["estimate", "std_error"]]
    )
    count = int((panel.cohort == 0).sum())
    assert found.details.count_dropped("units_not_treated") == count


def test_cohort_whose_units_all_have_gaps_goes_and_the_comparison_is_sought_again() -> None:
    panel = staggered(73, adoption=(0, 3, 5, 7))
    y = panel.y.copy()
    y[panel.cohort == 0, 1] = np.nan
    found = callaway_santanna(replace(panel, y=y))
    count = int((panel.cohort == 0).sum())
    assert found.details.count_dropped("units_with_gaps") == count
    assert found.details.count_dropped("periods_cut") == 2
    expected = callaway_santanna(panel.keep_units(panel.cohort > 0))
    np.testing.assert_array_equal(found.table["estimate"], expected.table["estimate"])
