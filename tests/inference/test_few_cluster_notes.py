"""Notes on few clusters propose what the panel allows, once, and fit the method in use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import replication as rp
from replication.inference.few_treated import TITLES

FRAME = rp.simulated_panel(seed=1)
FEW = FRAME[FRAME["unit"] <= 5]
"""Three treated units and two that are never treated (simulated)."""
THREE = FRAME.assign(cohort=np.where(FRAME["unit"].isin([2, 3, 4]), 4, 0))
ONE = FRAME.assign(cohort=np.where(FRAME["unit"] == 2, 4, 0))


def notes(frame: pd.DataFrame, **keys: Any) -> list[str]:
    """The notes of an estimate."""
    return list(rp.estimate(frame, outcome="y", **keys).notes)


def test_methods_are_proposed_where_they_run() -> None:
    """Three treated and 57 control units: every method that is named gives an estimate."""
    text = next(note for note in notes(THREE) if note.startswith("There are only 3 treated clusters (unit)"))
    for method in ("permutation", *TITLES):
        assert f"'{method}'" in text or f": {method}'" in text
        rp.estimate(THREE, outcome="y", inference={"method": method, "draws": 99})


@pytest.mark.parametrize("estimator", ["callaway_santanna", "twfe", "imputation", "dcdh"])
def test_methods_that_would_be_refused_are_not_proposed(estimator: str) -> None:
    """Conley-Taber needs many control clusters, and clusters that are treated as a whole."""
    mixed = FRAME.assign(g=FRAME["unit"] % 8)
    for frame, keys in ((FEW, {}), (mixed, {"cluster": "g"})):
        found = [note for note in notes(frame, estimator=estimator, **keys) if "designed for few" in note]
        assert found, "a note proposes a method"
        assert all("'inference.method: permutation' is designed for few treated clusters" in n for n in found)
        with pytest.raises(rp.InputError):
            rp.estimate(frame, outcome="y", estimator=estimator, inference={"method": "conley_taber"}, **keys)


@pytest.mark.parametrize("method", ["permutation", "conley_taber", "ferman_pinto"])
def test_no_method_is_proposed_beside_one_for_few_treated_clusters(method: str) -> None:
    """Nothing is said of what is in use already."""
    found = notes(THREE, inference={"method": method, "draws": 99})
    assert not any("designed for few" in note for note in found)


def test_critical_values_of_t_are_named_only_where_they_are_used() -> None:
    """The wild bootstrap has critical values of its own."""
    clause = "critical values are those of t(4)"
    assert any(clause in note for note in notes(FEW, estimator="twfe"))
    found = notes(FEW, estimator="twfe", inference={"method": "wild"})
    assert any(note.startswith("There are only 5 clusters (unit)") for note in found)
    assert not any(clause in note or "designed for few" in note for note in found)


def test_an_unbounded_interval_is_printed_as_infinite() -> None:
    """A dot stands for a missing number, and the interval is not missing."""
    fit = rp.estimate(FEW, outcome="y", estimator="twfe", inference={"method": "wild"})
    assert np.isinf(fit.table["conf_high"].iloc[0])
    assert "[-inf, inf]" in fit.summary()


def test_one_treated_cluster_is_one_note() -> None:
    """Why statistics are missing is said once, with what is missing."""
    found = [note for note in notes(ONE) if "1 treated cluster" in note or "not reported" in note]
    assert len(found) == 1
    assert "so the statistic, p-value, and interval are not reported" in found[0]


def test_the_effective_number_is_printed() -> None:
    """With its number, as in the details."""
    fit = rp.estimate(THREE, outcome="y")
    number = fit.details.effective_clusters
    assert number is not None
    assert any(f"effective number of clusters is {number:.1f} of 60" in note for note in fit.notes)


@pytest.mark.parametrize("estimator", ["callaway_santanna", "sun_abraham"])
def test_a_missing_period_before_adoption_is_noted(estimator: str) -> None:
    """The base period of the cohort after a gap is an earlier one."""
    text = (
        "the panel has no period 5, so for the cohort first treated in period 6 the base period is 4 "
        "(event time -2)"
    )
    assert text in notes(FRAME[FRAME["time"] != 5], estimator=estimator)
    assert not any("has no period" in note for note in notes(FRAME, estimator=estimator))
    # An even calendar in steps of two has no gap.
    even = FRAME[FRAME["time"] % 2 == 0]
    assert not any("has no period" in note for note in notes(even, estimator=estimator))


def test_the_last_cohort_as_control_group_is_no_lack_of_never_treated_units() -> None:
    """``last_treated`` leaves them out on request."""
    for estimator in ("callaway_santanna", "sun_abraham"):
        found = notes(FRAME, estimator=estimator, control_group="last_treated")
        assert (
            "The last cohort to adopt (8) serves only as the control group; 3 periods (8 to 10) are dropped"
            in found
        )
        assert not any("no never-treated units" in note for note in found)


@pytest.mark.parametrize("method", TITLES)
def test_one_treated_cluster_has_one_note_that_fits_the_method(method: str) -> None:
    """The standard error is not the clustered one, whose note says that it has no basis."""
    (found,) = [
        note
        for note in notes(ONE, inference={"method": method})
        if "cluster" in note and "same size" not in note
    ]
    assert found.startswith(
        "There is only 1 treated cluster (unit); the clustered standard error would reflect"
    )
    assert f"so {TITLES[method]} standard errors, p-values, and intervals are reported" in found
    assert "(residuals of 59 control clusters, 59 placebo values)" in found


def lone(*units):
    """A panel in which only these units are ever treated."""
    frame = rp.simulated_panel(seed=1)
    return frame[(frame["cohort"] == 0) | frame["unit"].isin(units)]


def test_nothing_is_advised_that_gives_no_standard_error() -> None:
    """With one treated unit CV3 has no variance, and says why; no other note contradicts it."""
    usual = " ".join(rp.estimate(lone(2), outcome="y", estimator="sun_abraham").notes)
    assert "the effective number of clusters is 1.1 of 16" in usual
    assert "cv3" not in usual
    assert "sampling variation in the control group only" in usual
    corrected = rp.estimate(lone(2), outcome="y", estimator="sun_abraham", inference={"variance": "cv3"})
    notes = " ".join(corrected.notes)
    assert np.isnan(corrected.att[1])
    assert "without one cluster (such as that of unit 2) the effect is not identified" in notes
    assert "No standard error is reported for" not in notes
    assert "sampling variation" not in notes


@pytest.mark.parametrize("keys", [{}, {"distribution": "bootstrap_t"}, {"method": "multiplier"}])
def test_a_bootstrap_is_not_advised_where_intervals_are_withheld(keys) -> None:
    found = rp.estimate(lone(2, 3), outcome="y", inference=keys)
    assert np.isnan(found.rows("att")["p_value"].iloc[0])
    assert not any("bootstrap_t" in note for note in found.notes)
