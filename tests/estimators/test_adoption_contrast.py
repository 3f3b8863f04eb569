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


def test_trends_that_absorb_the_treatment_are_named():
    frame = FRAME.assign(region=FRAME["cohort"])
    words = refusal(frame["cohort"], "twfe", frame, trends=["region_by_time"])
    assert "Some units must change treatment within the panel, and not all in the same period" in words
    assert "use fewer trends" in words
    assert "45 of 60 units are ever treated and 45 change" in words
