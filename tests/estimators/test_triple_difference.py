"""Triple differences: moderndid's numbers, the formula written out, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from eligible_panels import eligible_panel

import replication as rp
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates

REFERENCE = pd.read_csv(Path(__file__).parents[1] / "reference" / "triple_difference.csv")
KEYS = ["term", "cohort", "time", "event_time"]
# The logit of moderndid (statsmodels) stops once the deviance moves by less than 1e-8, which leaves 2e-6
# in the precision weights; without it the largest difference is that of the nine digits printed.
POINTS = 5e-6
# moderndid divides the covariance of combined comparison groups by n - 1, which moves standard errors by
# 1 / (2 x 240) at most, and those of averages less.
ERRORS = 0.0022
N_UNITS = 240


def fitted(seed: int, adjustment: str = "none", **options: object) -> Estimates:
    covariates = [] if adjustment == "none" else ["x1", "x2"]
    chosen = {} if adjustment == "none" else {"adjustment": adjustment}
    return rp.estimate(
        pd.DataFrame(eligible_panel(seed)),
        outcome="y",
        estimator="triple_difference",
        eligible="eligible",
        covariates=covariates,
        **{**chosen, **options},
    )


@pytest.mark.parametrize("seed", range(20))
def test_equals_moderndid(seed: int) -> None:
    reference = REFERENCE[REFERENCE["seed"] == seed]
    compared = 0
    for (adjustment, control), known in reference.groupby(["adjustment", "control_group"]):
        ours = fitted(seed, str(adjustment), control_group=control).table
        ours["event_time"] = ours["event_time"].where(ours["term"] == "event")
        both = known.merge(ours, on=KEYS, how="left", suffixes=("", "_ours"), validate="one_to_one")
        np.testing.assert_allclose(both["estimate_ours"], both["estimate"], atol=POINTS, rtol=POINTS)
        tested = both["std_error"].notna()
        np.testing.assert_allclose(
            both["std_error_ours"][tested], both["std_error"][tested], rtol=ERRORS, err_msg=f"{control}"
        )
        compared += len(both)
    assert compared == len(reference) >= 120


def written_out(data: pd.DataFrame, g: int, t: int, base: int) -> tuple[float, float]:
    """The triple difference of a cell and its variance, group by group and unit by unit."""
    wide = data.pivot(index="unit", columns="time", values="y")
    unit = data.drop_duplicates("unit").set_index("unit")
    change = wide[t] - wide[base]

    def gap(group: int) -> tuple[float, float]:
        point = variance = 0.0
        for side, sign in ((1, 1.0), (0, -1.0)):
            values = change[(unit["cohort"] == group) & (unit["eligible"] == side)]
            point += sign * values.mean()
            variance += ((values - values.mean()) ** 2).sum() / len(values) ** 2
        return point, variance

    own, own_variance = gap(g)
    controls = [c for c in np.unique(unit["cohort"]) if c != g and (c == 0 or c > max(t, base))]
    points, variances = np.array([gap(c) for c in controls]).T
    weights = (1 / variances) / (1 / variances).sum()
    return own - weights @ points, own_variance + weights**2 @ variances


@pytest.mark.parametrize("seed", [3, 4])
def test_without_covariates_it_is_the_difference_of_two_differences(seed: int) -> None:
    data = pd.DataFrame(eligible_panel(seed))
    table = fitted(seed).table
    cells = table[(table["term"] == "att_gt") & table["std_error"].notna()]
    for row in cells.itertuples():
        point, variance = written_out(data, int(row.cohort), int(row.time), int(row.cohort) - 1)
        assert row.estimate == pytest.approx(point, abs=1e-10)
        assert row.std_error == pytest.approx(np.sqrt(variance), rel=1e-10)
    assert len(cells) == 3 * 5
    post = cells[cells["time"] >= cells["cohort"]]
    units = data.drop_duplicates("unit")
    size = units[units["eligible"] == 1].groupby("cohort").size().loc[post["cohort"]].to_numpy()
    overall = table.loc[table["term"] == "att", "estimate"].iloc[0]
    assert overall == pytest.approx((post["estimate"] * size).sum() / size.sum(), abs=1e-10)


def test_never_treated_is_the_difference_of_two_group_time_estimates() -> None:
    data = pd.DataFrame(eligible_panel(5))
    ours = fitted(5, control_group="never_treated").table
    ours = ours[ours["term"] == "att_gt"].set_index(["cohort", "time"])
    for side, sign in ((1, 1.0), (0, -1.0)):
        part = rp.estimate(data[data["eligible"] == side], outcome="y", control_group="never_treated").table
        part = part[part["term"] == "att_gt"].set_index(["cohort", "time"])
        ours["estimate"] -= sign * part["estimate"]
        ours["variance"] = ours.get("variance", 0.0) + part["std_error"].fillna(0) ** 2
    np.testing.assert_allclose(ours["estimate"], 0, atol=1e-10)
    np.testing.assert_allclose(np.sqrt(ours["variance"]), ours["std_error"].fillna(0), rtol=1e-10)


def test_clusters_move_errors_and_no_estimate() -> None:
    by_unit, by_state = fitted(6), fitted(6, cluster="state")
    np.testing.assert_allclose(by_unit.table["estimate"], by_state.table["estimate"], atol=1e-12)
    assert by_state.table["n_clusters"].iloc[0] == 40
    assert not np.allclose(by_unit.att[1], by_state.att[1], rtol=1e-3)
    drawn = fitted(6, inference={"method": "multiplier", "draws": 999})
    # The interquartile range of 999 draws is within 15% of the standard deviation almost surely.
    assert drawn.att[1] == pytest.approx(by_unit.att[1], rel=0.15)


def test_weights_count_as_copies_do() -> None:
    data = pd.DataFrame(eligible_panel(7))
    data["w"] = 1 + data["unit"] % 2
    copies = pd.concat([data, data[data["w"] == 2].assign(unit=lambda frame: frame["unit"] + 1000)])
    options = {
        "outcome": "y",
        "estimator": "triple_difference",
        "eligible": "eligible",
        "control_group": "never_treated",
    }
    weighted = rp.estimate(data, weights="w", **options)
    assert weighted.att[0] == pytest.approx(rp.estimate(copies, **options).att[0], abs=1e-10)


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({}, {"eligible": None}, SpecError, "needs 'eligible'"),
        ({"eligible": 2}, {}, PanelError, "must be 1 for units"),
        ({"eligible": 1}, {}, PanelError, "both must occur"),
        ("moving", {}, PanelError, "change their 'eligible' over time"),
        ("treated only", {}, PanelError, "not 0 because the unit itself is never treated"),
        ("varying weight", {"weights": "w"}, PanelError, "change over time"),
        (
            {},
            {"inference": {"method": "permutation"}},
            SpecError,
            "does not support 'inference.method: permutation'",
        ),
        ({}, {"outcome": "y", "trends": "unit_linear"}, SpecError, "takes no trends"),
        ({}, {"eligible": "y"}, SpecError, "name the same column"),
    ],
)
def test_misuse_is_refused(change: object, options: dict, error: type, words: str) -> None:
    data = pd.DataFrame(eligible_panel(8))
    if isinstance(change, dict):
        data = data.assign(**change)
    elif change == "moving":
        data.loc[data["time"] == 2, "eligible"] = 1 - data["eligible"]
    elif change == "treated only":
        data.loc[data["eligible"] == 0, "cohort"] = 0
    else:
        data["w"] = data["time"].astype(float)
    keys = {"outcome": "y", "estimator": "triple_difference", "eligible": "eligible", **options}
    with pytest.raises(error, match=words):
        rp.estimate(data, **keys)


def test_thin_cohorts_are_dropped_and_noted() -> None:
    data = pd.DataFrame(eligible_panel(9))
    inside = (data["cohort"] == 4) & (data["eligible"] == 0)
    kept = data[~inside | (data["unit"] == data.loc[inside, "unit"].iloc[0])]
    found = rp.estimate(kept, outcome="y", estimator="triple_difference", eligible="eligible")
    assert any("fewer than 2 eligible or ineligible units" in note for note in found.notes)
    assert 4 not in found.table["cohort"].dropna().unique()


@pytest.mark.parametrize("covariates", [[], ["x1"]])
def test_what_an_eligible_and_an_ineligible_unit_share_cancels_in_their_cluster(
    covariates: list[str],
) -> None:
    """Pairs of one group and of equal covariates: a common shock moves no estimate and no error."""
    data = pd.DataFrame(eligible_panel(9))
    noise = np.random.default_rng(9)
    both = pd.concat([data.assign(eligible=side, unit=data["unit"] + 1000 * side) for side in (0, 1)])
    both["pair"] = both["unit"] % 1000
    both["y"] += noise.normal(size=len(both))
    shock = both[["pair", "time"]].drop_duplicates()
    shock["shock"] = 10 * noise.normal(size=len(shock))
    common = both.merge(shock, on=["pair", "time"])
    options = {
        "outcome": "y",
        "estimator": "triple_difference",
        "eligible": "eligible",
        "control_group": "never_treated",
        "cluster": "pair",
        "covariates": covariates,
        **({"adjustment": "outcome_regression"} if covariates else {}),
    }
    plain = rp.estimate(common, **options).table
    moved = rp.estimate(common.assign(y=common["y"] + common["shock"]), **options).table
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(moved[column], plain[column], atol=1e-9)


def test_covariates_are_those_of_the_period_before_adoption() -> None:
    """Cell (4, 5) compares with period 3 and takes its covariates; those of 1 and 2 are for earlier leads."""
    data = pd.DataFrame(eligible_panel(10))
    noise = np.random.default_rng(10).normal(size=len(data))
    options = {
        "outcome": "y",
        "estimator": "triple_difference",
        "eligible": "eligible",
        "covariates": ["x1", "x2"],
        "adjustment": "outcome_regression",
    }

    def cells(periods: tuple[int, ...]) -> pd.Series:
        x1 = data["x1"] + noise * data["time"].isin(periods)
        table = rp.estimate(data.assign(x1=x1), **options).table
        table = table[table["term"] == "att_gt"]
        return table.set_index(["cohort", "time"])["estimate"]

    plain, before, at_base, later = (cells(periods) for periods in ((), (1, 2), (3,), (5, 6)))
    assert (before[4, 5], later[4, 5]) == pytest.approx((plain[4, 5], plain[4, 5]), abs=1e-12)
    assert abs(at_base[4, 5] - plain[4, 5]) > 1e-3
    assert abs(before[4, 1] - plain[4, 1]) > 1e-3
