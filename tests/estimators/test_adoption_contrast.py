"""One wording, from every estimator, for cohorts that leave nothing to compare."""

import numpy as np
import pytest

import replication as rp
from replication.core.errors import PanelError

FRAME = rp.simulated_panel(seed=1).assign(eligible=lambda d: d["unit"] // 4 % 2)
COHORT = (
    *("callaway_santanna", "event_study", "sun_abraham", "goodman_bacon", "roth_santanna", "etwfe"),
    *("imputation", "two_stage", "stacked", "local_projections", "synthetic_did", "dcdh"),
    *("twfe", "twfe_weights", "triple_difference"),
)
LEVELS = ("roth_santanna",)
"""Estimators that compare units treated throughout in levels."""
TWO_WAY = ("event_study", "goodman_bacon", "twfe", "twfe_weights")
"""Estimators in which units treated throughout are a comparison group."""


def refusal(cohort, estimator, frame=FRAME, **keys):
    """The words with which an estimator refuses a panel with other cohorts."""
    extra = {"eligible": "eligible"} if estimator == "triple_difference" else {}
    with pytest.raises(PanelError) as stopped:
        rp.estimate(frame.assign(cohort=cohort), outcome="y", estimator=estimator, **extra, **keys)
    return str(stopped.value)


@pytest.mark.parametrize("estimator", COHORT)
@pytest.mark.parametrize(
    ("cohort", "words"),
    [
        (0, "None of the 60 units in the sample is ever treated. Check the cohort column"),
        (
            5,
            "All 60 units in the sample adopt in period 5, so no unit is untreated while another is treated.",
        ),
        (
            np.where(FRAME["cohort"] > 0, 12, 0),
            "No unit adopts in the panel's periods (1 to 10): the only cohort is 12. Check",
        ),
        (np.where(FRAME["cohort"] > 0, 12, 15), "the panel's periods (1 to 10): the cohorts are 12 to 15."),
    ],
)
def test_cohorts_without_a_contrast_have_one_refusal(estimator, cohort, words):
    assert words in refusal(cohort, estimator)


@pytest.mark.parametrize("estimator", [name for name in COHORT if name not in LEVELS])
def test_all_treated_from_the_first_period_on(estimator):
    words = refusal(np.where(FRAME["cohort"] > 0, 1, 0), estimator)
    assert "All 45 treated units are treated in or before the first period (1)" in words
    assert "Start the panel earlier, or check the cohort column." in words


@pytest.mark.parametrize("estimator", [name for name in COHORT if name not in LEVELS + TWO_WAY])
def test_one_cohort_beside_units_treated_throughout(estimator):
    words = refusal(np.where(FRAME["cohort"] > 4, 5, 1), estimator)
    assert words.startswith("All 30 units in the sample adopt in period 5")
    assert "(30 of 60 units (50%) are dropped because they are treated in or before the first" in words


@pytest.mark.parametrize("estimator", ["roth_santanna", "twfe", "goodman_bacon", "twfe_weights"])
def test_units_treated_throughout_may_be_the_comparison(estimator):
    found = rp.estimate(
        FRAME.assign(cohort=np.where(FRAME["cohort"] > 4, 5, 1)), outcome="y", estimator=estimator
    )
    assert np.isfinite(found.att[0])


def test_levels_are_compared_where_all_are_treated_from_the_first_period_on():
    frame = FRAME.assign(cohort=np.where(FRAME["cohort"] > 0, 1, 0))
    assert np.isfinite(rp.estimate(frame, outcome="y", estimator="roth_santanna").att[0])


@pytest.mark.parametrize("estimator", ["imputation", "etwfe", "event_study", "sun_abraham"])
def test_anticipation_is_part_of_the_cause(estimator):
    words = refusal(np.where(FRAME["cohort"] > 0, 2, 0), estimator, anticipation=2)
    assert "(1, or within 2 periods after it)" in words
    assert "Reduce 'anticipation', start the panel earlier" in words


@pytest.mark.parametrize("estimator", ["callaway_santanna", "imputation", "event_study", "goodman_bacon"])
def test_cohorts_between_two_periods_adopt_at_once(estimator):
    frame = FRAME[FRAME["time"] % 2 == 1]
    words = refusal(np.where(frame["cohort"] > 4, 4, 5), estimator, frame)
    assert "All 60 units in the sample adopt after period 3 and by period 5 (the cohorts are 4 to 5)" in words


def test_a_cohort_without_controls_serves_as_one():
    adopters = FRAME[FRAME["cohort"] > 0]
    for estimator in ("etwfe", "imputation", "two_stage", "stacked", "local_projections", "dcdh"):
        found = rp.estimate(adopters, outcome="y", estimator=estimator)
        words = "15 units in 1 cohort (8) serve only as controls in the overall effect because they "
        assert any(words in note for note in found.notes), (estimator, found.notes)
        assert found.table["n_units"].max() == 45


def test_a_cohort_that_is_dropped_is_not_counted_twice():
    frame = FRAME.assign(cohort=np.where(FRAME["unit"].isin([2, 6]), 2, FRAME["cohort"]))
    found = rp.estimate(frame, outcome="y", estimator="imputation", trends=["unit_linear"])
    assert sum("2 of 60 units" in note or "2 units" in note for note in found.notes) == 1
    assert "no unit of cohort 2 remains in the sample" in found.notes


def test_a_cohort_without_overlap_is_lost_for_the_reason_that_its_cells_give():
    frame = FRAME.assign(x=np.where(FRAME["cohort"] == 4, 100 + FRAME["y"], FRAME["y"]))
    notes = " ".join(rp.estimate(frame, outcome="y", covariates=["x"]).notes)
    assert (
        "15 units in 1 cohort (4) are excluded from the overall effect because they have no group-time"
        in (notes)
    )
    assert "as the note on group-time cells says" in notes
    assert "15 of 60 units have a propensity score of 0.999 or higher" in notes


def test_collinear_covariates_have_their_own_remedy():
    frame = FRAME.assign(x=FRAME["y"] + 1, x2=2 * FRAME["y"])
    with pytest.raises(PanelError, match=r"collinear\. Remove covariates until none is a combination"):
        rp.estimate(frame, outcome="y", covariates=["x", "x2"], adjustment="outcome_regression")


def test_clusters_that_change_within_units_have_a_remedy_that_works():
    frame = FRAME.assign(block=FRAME["time"] // 5, state=FRAME["unit"] // 3)
    with pytest.raises(PanelError, match="constant within each unit, such as the unit or its state"):
        rp.estimate(frame, outcome="y", estimator="imputation", cluster="block")
    assert (
        rp.estimate(frame, outcome="y", estimator="imputation", cluster="state").table["n_clusters"][0] == 21
    )


def test_trends_that_absorb_the_treatment_are_named():
    frame = FRAME.assign(region=FRAME["cohort"])
    words = refusal(frame["cohort"], "twfe", frame, trends=["region_by_time"])
    assert "Some units must change treatment within the panel, and not all in the same period" in words
    assert "use fewer trends" in words
    assert "45 of 60 units are ever treated and 45 change" in words
