"""What notes say of standard errors, p-values and intervals is what the result used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import replication as rp
from replication.cli import main
from replication.display.inference_text import critical_distribution

BOOTSTRAP = "Standard errors in parentheses are from a cluster bootstrap (99 draws; clusters: unit)."
CASES = {
    "analytic": ({}, "Standard errors, clustered by unit, are in parentheses.", ""),
    "permutation": (
        {"inference": {"method": "permutation", "draws": 99}},
        "Standard errors, clustered by unit, are in parentheses.",
        "The p-values are from randomization inference (99 permutations of adoption histories); standard "
        "errors and intervals are cluster-robust, with critical values from the normal distribution.",
    ),
    "bootstrap": (
        {"inference": {"method": "bootstrap", "draws": 99}},
        BOOTSTRAP,
        "Standard errors, p-values, and intervals are from a cluster bootstrap of the whole procedure (99 "
        "draws).",
    ),
    "trends": (
        {"trends": ["unit_linear"], "inference": {"draws": 99}},
        BOOTSTRAP,
        "Outcomes are net of unit-specific linear trends fitted before adoption; standard errors, p-values, "
        "and intervals are from a cluster bootstrap of the whole procedure (99 draws).",
    ),
    "wild": (
        {"estimator": "twfe", "cluster": "state", "inference": {"method": "wild", "draws": 99}},
        "Standard errors, clustered by state, are in parentheses.",
        "The p-values and intervals are from the wild cluster bootstrap (99 draws, null imposed); standard "
        "errors are cluster-robust.",
    ),
    "cv2": (
        {"estimator": "twfe", "cluster": "state", "inference": {"variance": "cv2"}},
        "CR2 standard errors, clustered by state, are in parentheses.",
        "Standard errors are CV2",
    ),
    "conley": (
        {"inference": {"method": "conley", "coordinates": ["lat", "lon"]}},
        "Conley (1999) standard errors with a 200 km Bartlett kernel are in parentheses.",
        "Standard errors are Conley (1999) with a 200 km Bartlett kernel",
    ),
    "jackknife": (
        {"estimator": "synthetic_did", "donor_errors": "jackknife"},
        "Jackknife standard errors, clustered by unit, are in parentheses.",
        "Jackknife standard errors are clustered by unit.",
    ),
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    found = rp.simulated_panel(seed=1)
    return found.assign(lat=30 + found["unit"] % 7, lon=-90 + found["unit"] % 11)


def estimated(frame: pd.DataFrame, keys: dict[str, Any]) -> rp.Estimates:
    """A result with the keys of a specification."""
    own = {**keys, "inference": rp.Inference(**keys.get("inference", {}))}
    return rp.estimate(frame, outcome="y", **own)


@pytest.mark.parametrize("name", CASES)
def test_tables_and_summaries_name_the_method(frame: pd.DataFrame, name: str) -> None:
    keys, below, noted = CASES[name]
    fit = estimated(frame, keys)
    assert below in rp.table(fit).to_text()
    assert noted in " ".join(fit.summary().split())
    if name == "analytic":
        assert "Note:" not in fit.summary()
    rows = rp.table(fit).to_text()
    assert ("Clustered by" in rows, "60 clusters" in fit.summary()) == (
        (False, False) if name == "conley" else (True, "cluster" not in keys)
    )


def test_results_of_several_methods_are_named(frame: pd.DataFrame) -> None:
    fits = [estimated(frame, CASES[name][0]) for name in ("analytic", "conley")]
    text = rp.table(fits, labels=["A", "B"]).to_text()
    assert "A: standard errors are clustered by unit. B: Conley (1999) standard errors with a 200 km" in text


def test_the_critical_values_named_are_those_of_the_interval(frame: pd.DataFrame) -> None:
    few = estimated(frame, {"cluster": "state"})
    assert critical_distribution(few.table, few.details) == "t(19)"
    row = few.table.iloc[0]
    half = stats.t.ppf(0.975, 19) * row["std_error"]
    assert row["conf_high"] == pytest.approx(row["estimate"] + half, rel=1e-12)
    drawn = estimated(frame, CASES["bootstrap"][0])
    assert critical_distribution(drawn.table, drawn.details) == ""


@pytest.fixture(scope="module")
def one_treated(frame: pd.DataFrame) -> pd.DataFrame:
    """One treated unit and 45 that are never treated."""
    never = frame[frame["cohort"] == 0]
    kept = pd.concat([never.assign(unit=never["unit"] + 100 * place) for place in range(1, 4)])
    return pd.concat([kept, frame[frame["unit"] == frame.loc[frame["cohort"] == 4, "unit"].iloc[0]]])


@pytest.mark.parametrize("method", ["conley_taber", "permutation"])
def test_one_treated_unit_has_one_note(one_treated: pd.DataFrame, method: str) -> None:
    """The note fits the standard errors that are printed, and none describes an interval that is not."""
    notes = estimated(one_treated, {"inference": {"method": method}}).notes
    assert sum("There is only 1 treated cluster" in note for note in notes) == 1
    assert not any("disagree" in note for note in notes)
    taken = "Conley-Taber standard errors, p-values, and intervals are reported (residuals of 45 control"
    assert any(taken in note for note in notes) == (method == "conley_taber")
    assert any("by construction" in note for note in notes) == (method == "permutation")


def test_honest_names_its_critical_values_and_no_breakdown_value(
    frame: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = frame.assign(y=np.random.default_rng(1).standard_normal(len(frame)))
    flat.to_csv(tmp_path / "flat.csv", index=False)
    call = ["estimate", "--panel", str(tmp_path / "flat.csv"), "--outcome", "y", "--cluster", "state"]
    assert main([*call, "--out", str(tmp_path / "flat")]) == 0
    capsys.readouterr()
    assert main(["honest", str(tmp_path / "flat")]) == 0
    text = capsys.readouterr().out
    assert "95% confidence intervals. Critical values are from the normal distribution" in text
    assert "the interval of the estimate itself uses t(19), so the row Mbar = 0 can be narrower" in text
    none = "Breakdown value: none. The interval contains zero even under exact parallel trends (Mbar = 0)."
    assert none in text
    assert "Mbar bounds the change in the violation of parallel trends" in text
