"""Group-time effects from repeated cross-sections: moderndid's numbers, formulas, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sampled_people import sampled_people

import replication as rp
from replication.core import column_roles
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.estimators.callaway_santanna import cross_section_cells
from replication.estimators.callaway_santanna.cross_section_adjustment import (
    SECTION_ADJUSTMENTS,
    Sections,
    Total,
    regression,
    section_odds,
)

REFERENCE = pd.read_csv(Path(__file__).parents[1] / "reference" / "repeated_cross_sections.csv")
# The reference is printed to nine digits; the logit of moderndid (statsmodels) stops once the deviance moves
# by less than 1e-8.
TOLERANCE = 1e-6


def fitted(data: dict | pd.DataFrame, **options: object) -> Estimates:
    frame = pd.DataFrame(data)
    return rp.estimate(frame, outcome="y", **{"repeated_cross_sections": True, **options})


@pytest.mark.parametrize("seed", range(20))
def test_equals_moderndid(seed: int) -> None:
    reference = REFERENCE[REFERENCE["seed"] == seed]
    compared = 0
    for (adjustment, control), known in reference.groupby(["adjustment", "control_group"]):
        covariates = {} if adjustment == "none" else {"covariates": ["x1", "x2"], "adjustment": adjustment}
        ours = fitted(sampled_people(seed), control_group=control, **covariates).table
        ours = ours[ours["term"].isin(["att", "att_gt"])]
        both = known.merge(ours, on=["term", "cohort", "time"], suffixes=("", "_ours"), validate="one_to_one")
        np.testing.assert_allclose(both["estimate_ours"], both["estimate"], atol=TOLERANCE)
        tested = both["std_error"].notna()
        np.testing.assert_allclose(both["std_error_ours"][tested], both["std_error"][tested], rtol=TOLERANCE)
        compared += len(both)
    assert compared == len(reference) == 4 * 19


def test_without_covariates_a_cell_is_four_means() -> None:
    data = pd.DataFrame(sampled_people(3))
    table = fitted(data, control_group="never_treated").table
    cells = table[(table["term"] == "att_gt") & table["std_error"].notna()]
    for row in cells.itertuples():
        point = variance = 0.0
        base = row.cohort - 1
        four = ((row.cohort, row.time, 1), (row.cohort, base, -1), (0, row.time, -1), (0, base, 1))
        for group, time, sign in four:
            y = data.loc[(data["cohort"] == group) & (data["time"] == time), "y"]
            point += sign * y.mean()
            variance += ((y - y.mean()) ** 2).sum() / len(y) ** 2
        assert row.estimate == pytest.approx(point, abs=1e-12)
        assert row.std_error == pytest.approx(np.sqrt(variance), rel=1e-12)
    assert len(cells) == 15


@pytest.mark.parametrize("method", SECTION_ADJUSTMENTS)
def test_scores_are_the_derivative_by_weights(method: str) -> None:
    """The influence of a row, times its weight's change, is the change of the estimate."""
    rng = np.random.default_rng(4)
    n, step = 300, 1e-5
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    treated, later = rng.uniform(size=n) < 1 / (1 + np.exp(-0.5 * x[:, 1])), rng.uniform(size=n) < 0.5
    y = x @ [1, 2, 3] + treated * later * x[:, 1] + rng.normal(size=n)
    weight = rng.uniform(0.5, 2, n)
    solve = SECTION_ADJUSTMENTS[method]
    _, scores = solve(Sections(y, x, weight, treated, later))
    for row in range(0, n, 23):
        ends = []
        for sign in (1, -1):
            moved = weight.copy()
            moved[row] *= 1 + sign * step
            ends.append(solve(Sections(y, x, moved, treated, later))[0])
        # Central differences in steps of 1e-5 are exact to about 1e-9.
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(scores[row], abs=1e-8)


def test_the_sign_in_the_source_of_drdid_rc_moves_standard_errors_as_the_page_states() -> None:
    """R adds the influence of the comparison regression of the base period, which is subtracted here."""
    changes = []
    for seed in range(20):
        data = pd.DataFrame(sampled_people(seed))
        for cohort in (3, 4, 6):
            rows = data[data["cohort"].isin([0, cohort]) & data["time"].isin([cohort - 1, cohort])]
            x = np.column_stack([np.ones(len(rows)), rows[["x1", "x2"]]])
            treated, later = (rows["cohort"] == cohort).to_numpy(), (rows["time"] == cohort).to_numpy()
            sections = Sections(rows["y"].to_numpy(), x, np.ones(len(rows)), treated, later)
            _, scores = SECTION_ADJUSTMENTS["doubly_robust"](sections)
            _, influence = regression(sections, sections.of(False, False), "comparison rows")
            slope, odds = Total(sections).slope, section_odds(sections)[0] * ~later
            moved = scores + 2 * influence @ (slope(odds) - slope(sections.of(True, False)))
            changes.append(np.linalg.norm(moved) / np.linalg.norm(scores) - 1)
    # docs/statistics.md rounds these to percent.
    np.testing.assert_allclose(np.quantile(changes, [0, 0.5, 1]), [-0.055, 0.011, 0.130], atol=5e-4)


def test_clusters_of_a_panel_read_as_cross_sections_give_its_effects() -> None:
    """On a balanced panel the points are the same, and clustering by unit gives the panel's errors."""
    data = rp.simulated_panel(seed=2)
    panel = rp.estimate(data, outcome="y")
    data["person"] = np.arange(len(data))
    rows = rp.estimate(data, outcome="y", unit="person", cluster="unit", repeated_cross_sections=True)
    cells = panel.table["term"] == "att_gt"
    np.testing.assert_allclose(rows.table["estimate"], panel.table["estimate"], atol=1e-12)
    factor = np.sqrt(60 / 59)  # clusters above the row count G / (G - 1)
    np.testing.assert_allclose(
        rows.table["std_error"][cells], panel.table["std_error"][cells] * factor, rtol=1e-10
    )


def test_a_unit_column_is_not_needed_and_weights_count_as_copies_do() -> None:
    data = pd.DataFrame(sampled_people(5)).drop(columns="unit")
    data["w"] = 1 + data["state"] % 2
    copies = pd.concat([data, data[data["w"] == 2]])
    options = {"cluster": "state", "covariates": ["x1"]}
    one, two = fitted(data, weights="w", **options), fitted(copies, **options)
    np.testing.assert_allclose(one.table["estimate"], two.table["estimate"], atol=1e-8)
    np.testing.assert_allclose(one.table["std_error"], two.table["std_error"], rtol=1e-7)


def test_whole_clusters_are_drawn() -> None:
    options = {"cluster": "state", "control_group": "never_treated"}
    plain = fitted(sampled_people(6), **options)
    drawn = fitted(sampled_people(6), inference={"method": "bootstrap", "draws": 199}, **options)
    # 199 draws of 40 clusters are within a third of the analytic standard error almost surely.
    assert drawn.att[1] == pytest.approx(plain.att[1], rel=0.33)
    assert drawn.att[0] == pytest.approx(plain.att[0], abs=1e-12)


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({"unit": 1}, {}, PanelError, "every individual is observed once"),
        ({}, {"estimator": "twfe"}, SpecError, "cannot take repeated cross-sections"),
        ({}, {"trends": "unit_linear"}, SpecError, "has no trend of its own"),
        ({}, {"inference": {"method": "permutation"}}, SpecError, "followed over time"),
        ({}, {"inference": {"method": "conley_taber"}}, SpecError, "followed over time"),
        ({"cohort": 0}, {}, PanelError, "is ever treated"),
    ],
)
def test_misuse_is_refused(change: dict, options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        fitted(pd.DataFrame(sampled_people(7)).assign(**change), **options)


def test_cells_without_rows_are_left_out_and_noted() -> None:
    data = pd.DataFrame(sampled_people(8))
    found = fitted(data[(data["cohort"] != 4) | (data["time"] != 5)], control_group="never_treated")
    assert any("there are no treated rows in the period" in note for note in found.notes)
    table = found.table
    assert table.loc[(table["cohort"] == 4) & (table["time"] == 5), "estimate"].isna().all()


def test_a_constant_outcome_is_refused() -> None:
    with pytest.raises(PanelError, match=r"'y' does not vary: it is 0\.1 in all"):
        fitted(pd.DataFrame(sampled_people(9)).assign(y=0.1), cluster="state")


@pytest.mark.parametrize("weighted", [False, True])
def test_too_many_individuals_are_refused_with_what_gives_the_same(
    monkeypatch: pytest.MonkeyPatch, weighted: bool
) -> None:
    people = pd.DataFrame(sampled_people(5)).assign(w=np.random.default_rng(5).uniform(0.5, 2, 900))
    weights = {"weights": "w"} if weighted else {}
    keys = {"cluster": "state", "control_group": "not_yet_treated"}
    expected = fitted(people, **keys, **weights).table
    monkeypatch.setattr(column_roles, "MOST_CELLS", 5_000)
    of = "sum of their weights" if weighted else "number of individuals"
    with pytest.raises(PanelError, match=rf"900 individuals over 6 periods.*\(state\).*{of} as weights"):
        fitted(people, **keys, **weights)
    people = people.assign(w=people["w"] if weighted else 1.0)
    people = people.assign(wy=people["w"] * people["y"])
    means = people.groupby(["state", "cohort", "time"], as_index=False)[["w", "wy"]].sum()
    means = means.assign(y=means["wy"] / means["w"])
    ours = fitted(means, **keys, weights="w").table
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "band_low", "band_high"]
    # Sums in another order.
    np.testing.assert_allclose(ours[numbers], expected[numbers], atol=1e-13)
    assert len(means) < len(people)


def test_without_clusters_the_level_of_treatment_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_roles, "MOST_CELLS", 5_000)
    with pytest.raises(PanelError, match=r"then belongs in 'cluster'.*, with clustered standard errors"):
        fitted(sampled_people(5))
    with pytest.raises(PanelError, match="Leave out the covariates"):
        fitted(sampled_people(5), covariates=["x1"])


def test_as_many_clusters_as_individuals_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    people = sampled_people(5)
    monkeypatch.setattr(cross_section_cells, "MOST_SCORES", 10_000)
    with pytest.raises(
        PanelError, match=r"18 group-time cells of .* clusters take 0 million scores.*'cluster'"
    ):
        fitted(people)
    assert np.isfinite(fitted(people, cluster="state").att[0])
