"""Effects by dose: moderndid's numbers, a regression written out, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from unit_dose_panels import dosed_panel

import replication as rp
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates

REFERENCE = pd.read_csv(Path(__file__).parents[1] / "reference" / "continuous_dose.csv")
DOSES = [0.5, 0.75, 1.0, 1.5]
# The reference is printed to ten significant digits.
TOLERANCE = 1e-8


def fitted(seed: int, **options: object) -> Estimates:
    data = pd.DataFrame(dosed_panel(seed))
    return rp.estimate(
        data, outcome="y", estimator="continuous_dose", dose="dose", **{"doses": DOSES, **options}
    )


@pytest.mark.parametrize("seed", range(20))
def test_equals_moderndid(seed: int) -> None:
    reference = REFERENCE[REFERENCE["seed"] == seed]
    compared = 0
    for (control, degree, knots), known in reference.groupby(["control_group", "degree", "knots"]):
        ours = fitted(seed, control_group=control, degree=int(degree), knots=int(knots)).table
        both = known.merge(ours, on="term", how="left", suffixes=("", "_ours"), validate="one_to_one")
        np.testing.assert_allclose(both["estimate_ours"], both["estimate"], rtol=TOLERANCE, atol=TOLERANCE)
        np.testing.assert_allclose(both["std_error_ours"], both["std_error"], rtol=TOLERANCE)
        compared += len(both)
    assert compared == len(reference) == 40


def test_two_periods_are_a_robust_regression_on_powers_of_the_dose() -> None:
    """With no interior knot the spline spans the powers of the dose, with White's standard errors."""
    data = pd.DataFrame(dosed_panel(1))
    wide = data.pivot(index="unit", columns="time", values="y")
    unit = data.drop_duplicates("unit").set_index("unit")
    change, treated = (wide[2] - wide[1]).to_numpy(), (unit["cohort"] > 0).to_numpy()
    dose = unit.loc[treated, "dose"].to_numpy()
    powers = np.vander(dose, 4, increasing=True)
    bread = np.linalg.inv(powers.T @ powers)
    beta = bread @ powers.T @ change[treated]
    meat = powers * (change[treated] - powers @ beta)[:, None]
    variance = bread @ meat.T @ meat @ bread
    control = change[~treated]
    noise = ((control - control.mean()) ** 2).sum() / control.size**2
    table = fitted(1).table.set_index("term")
    for value in DOSES:
        at, slope = value ** np.arange(4), np.arange(4) * np.append(0, value ** np.arange(3))
        level, steep = table.loc[f"att_d:{value:g}"], table.loc[f"acrt_d:{value:g}"]
        assert level["estimate"] == pytest.approx(at @ beta - control.mean(), abs=1e-10)
        assert level["std_error"] == pytest.approx(np.sqrt(at @ variance @ at + noise), rel=1e-8)
        assert steep["estimate"] == pytest.approx(slope @ beta, abs=1e-9)
        assert steep["std_error"] == pytest.approx(np.sqrt(slope @ variance @ slope), rel=1e-8)
    assert table.loc["att", "estimate"] == pytest.approx(change[treated].mean() - control.mean(), abs=1e-12)


def test_the_overall_effect_is_the_group_average_of_the_binary_treatment() -> None:
    data = pd.DataFrame(dosed_panel(3))
    binary = rp.estimate(data, outcome="y").table
    group = binary[(binary["term"] == "group") & binary["cohort"].isna()].iloc[0]
    assert fitted(3).att[0] == pytest.approx(group["estimate"], abs=1e-10)
    assert fitted(3).att[1] == pytest.approx(group["std_error"], rel=1e-10)


def test_weights_count_as_copies_do() -> None:
    data = pd.DataFrame(dosed_panel(4))
    data["w"] = 1 + data["unit"] % 2
    copies = pd.concat([data, data[data["w"] == 2].assign(unit=lambda frame: frame["unit"] + 1000)])
    options = {"outcome": "y", "estimator": "continuous_dose", "dose": "dose", "doses": DOSES}
    one, two = rp.estimate(data, weights="w", **options), rp.estimate(copies, **options)
    np.testing.assert_allclose(one.table["estimate"], two.table["estimate"], atol=1e-9)


def test_bands_are_uniform_over_each_curve_and_clusters_move_no_estimate() -> None:
    by_unit, by_state = fitted(6), fitted(6, cluster="state")
    np.testing.assert_allclose(by_unit.table["estimate"], by_state.table["estimate"], atol=1e-12)
    assert not np.allclose(by_unit.table["std_error"], by_state.table["std_error"], rtol=1e-3)
    table = by_unit.table.set_index("term")
    curve = table[table.index.str.startswith("att_d:")]
    assert (curve["band_high"] - curve["conf_high"] > 0).all()
    assert table.loc["att", "band_high"] == table.loc["att", "conf_high"]
    assert len(fitted(6, doses=None).table) == 2 + 2 * 20


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({}, {"dose": None}, SpecError, "needs 'dose'"),
        ({"dose": -1.0}, {}, PanelError, "negative or infinite"),
        ({"dose": 0.0}, {}, PanelError, "is 0 in all their rows"),
        ({"dose": 2.0}, {}, PanelError, "No cohort has enough doses"),
        ("moving", {}, PanelError, "not the dose of the unit's other rows"),
        ({}, {"doses": [0.5, 90.0]}, SpecError, "stay inside"),
        (
            {},
            {"inference": {"method": "permutation"}},
            SpecError,
            "does not support 'inference.method: permutation'",
        ),
        ({}, {"covariates": ["state"]}, SpecError, "takes no covariates"),
        ({}, {"degree": 0}, SpecError, "degree"),
        ({}, {"dose": "y"}, SpecError, "name the same column"),
    ],
)
def test_misuse_is_refused(change: object, options: dict, error: type, words: str) -> None:
    data = pd.DataFrame(dosed_panel(8))
    if isinstance(change, dict):
        data = data.assign(**change)
    else:
        data.loc[data["time"] == 6, "dose"] *= 1.5
    keys = {"outcome": "y", "estimator": "continuous_dose", "dose": "dose", "doses": DOSES, **options}
    with pytest.raises(error, match=words):
        rp.estimate(data, **keys)


def test_a_cohort_without_a_curve_stays_in_the_overall_effect() -> None:
    data = pd.DataFrame(dosed_panel(3))
    whole = rp.estimate(data, outcome="y", estimator="continuous_dose", dose="dose", doses=DOSES)
    data.loc[data["cohort"] == 4, "dose"] = 1.0
    part = rp.estimate(data, outcome="y", estimator="continuous_dose", dose="dose", doses=DOSES)
    assert part.att[0] == pytest.approx(whole.att[0], abs=1e-12)
    assert any("cohorts 4 have too few distinct doses" in note for note in part.notes)


def test_the_dose_may_be_zero_before_adoption() -> None:
    data = pd.DataFrame(dosed_panel(3))
    before = data.assign(dose=data["dose"].where(data["time"] >= data["cohort"], 0.0))
    found = rp.estimate(before, outcome="y", estimator="continuous_dose", dose="dose", doses=DOSES)
    pd.testing.assert_frame_equal(found.table, fitted(3).table)


def test_summary_and_table_show_the_slope_and_both_curves() -> None:
    found = fitted(3)
    for name in ("Overall slope", "ATT(0.5)", "ACRT(1.5)"):
        assert name in found.summary()
        assert name in rp.table([found]).to_markdown()


def test_as_many_doses_as_coefficients_give_the_mean_of_each_dose() -> None:
    """Four doses and a cubic: ATT(d) is the mean change of the units of dose d less the controls'."""
    data = pd.DataFrame(dosed_panel(1))
    data["dose"] = 0.5 + data["unit"] % 4 / 2
    doses = [0.5, 1.0, 1.5, 2.0]
    options = {"outcome": "y", "estimator": "continuous_dose", "dose": "dose", "doses": doses, "knots": 0}
    table = rp.estimate(data, **options).table.set_index("term")
    wide = data.pivot(index="unit", columns="time", values="y")
    change, unit = wide[2] - wide[1], data.drop_duplicates("unit").set_index("unit")
    control = change[unit["cohort"] == 0].mean()
    for dose in doses:
        mean = change[(unit["cohort"] > 0) & (unit["dose"] == dose)].mean()
        assert table.loc[f"att_d:{dose:g}", "estimate"] == pytest.approx(mean - control, abs=1e-10)
    with pytest.raises(PanelError, match="No cohort has enough doses"):
        rp.estimate(data.assign(dose=data["dose"].clip(upper=1.5)), **{**options, "doses": doses[:3]})


def test_a_cohort_whose_doses_leave_a_gap_between_knots_has_no_curve_and_spoils_none() -> None:
    """Doses enough, but all at the ends: no unit lies where the inner functions of the spline do."""
    data = pd.DataFrame(dosed_panel(3))
    ends = data["cohort"] == 4
    rank = data.loc[ends, "unit"].rank(method="dense").to_numpy()
    data.loc[ends, "dose"] = np.where(rank % 2 == 0, 0.3 + 1e-3 * rank, 4.0 - 1e-3 * rank)
    options = {"outcome": "y", "estimator": "continuous_dose", "dose": "dose", "doses": DOSES, "knots": 7}
    found = rp.estimate(data, **options)
    assert any("cohorts 4 have too few distinct doses" in note for note in found.notes)
    assert np.isfinite(found.table["estimate"]).all()
