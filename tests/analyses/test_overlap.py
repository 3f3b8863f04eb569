"""Overlap and balance of a group-time specification, against a logit maximized by scipy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from eligible_panels import eligible_panel
from scipy.optimize import minimize

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.kinds import analyze
from replication.core.errors import SpecError
from replication.core.panel_builder import build_panel
from replication.core.saved_results import save
from replication.core.spec import parse_spec
from replication.estimators.estimate_spec import estimate

SPECS = (
    {"id": "covered", "covariates": ["x1", "x2"], "control_group": "never_treated"},
    {"id": "later", "covariates": ["x1", "x2"]},
    {"id": "plain"},
)
# The optimizer stops at a gradient of 1e-8 of the mean likelihood.
TOLERANCE = 1e-5


@pytest.fixture
def context(tmp_path: Path) -> AnalysisContext:
    frame = pd.DataFrame(eligible_panel(3))
    (tmp_path / "clean").mkdir()
    frame.to_parquet(tmp_path / "clean" / "panel.parquet")
    for data in SPECS:
        spec = parse_spec({"estimator": "callaway_santanna", "outcome": "y", **data})
        save(estimate(build_panel(frame, spec), spec), spec, tmp_path / "specs" / spec.id)
    return AnalysisContext(tmp_path / "clean", tmp_path)


def odds_by_hand(x: np.ndarray, treated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logit by maximum likelihood: propensity scores, and their odds."""
    design = np.column_stack([np.ones(len(x)), x])

    def loss(beta: np.ndarray) -> float:
        index = design @ beta
        return float(np.mean(np.logaddexp(0, index) - treated * index))

    beta = minimize(loss, np.zeros(design.shape[1]), method="BFGS", options={"gtol": 1e-8}).x
    score = 1 / (1 + np.exp(-design @ beta))
    return score, score / (1 - score)


def test_equals_the_formulas_written_out(context: AnalysisContext) -> None:
    table = analyze({"id": "a", "kind": "overlap", "spec": "covered"}, context)
    unit = pd.DataFrame(eligible_panel(3)).drop_duplicates("unit")
    assert len(table) == 3 * 2
    for cohort, found in table.groupby("cohort"):
        kept = unit[unit["cohort"].isin([0, cohort])]
        treated = (kept["cohort"] == cohort).to_numpy()
        score, odds = odds_by_hand(kept[["x1", "x2"]].to_numpy(), treated)
        odds = odds[~treated]
        first = found.iloc[0]
        assert (first["treated_units"], first["comparison_units"]) == (treated.sum(), (~treated).sum())
        assert (first["first_time"], first["last_time"], first["cells"]) == (1, 6, 5)
        assert first["propensity_min"] == pytest.approx(score.min(), abs=TOLERANCE)
        assert first["propensity_max"] == pytest.approx(score.max(), abs=TOLERANCE)
        assert first["share_trimmed"] == 0
        effective = odds.sum() ** 2 / (odds**2).sum()
        assert first["effective_comparison"] == pytest.approx(effective, rel=TOLERANCE)
        assert effective < (~treated).sum()
        for row in found.itertuples():
            own, other = kept.loc[treated, row.covariate], kept.loc[~treated, row.covariate]
            scale = np.sqrt((own.var() + other.var()) / 2)
            assert row.difference_before == pytest.approx((own.mean() - other.mean()) / scale, rel=1e-10)
            weighted = np.average(other, weights=odds)
            assert row.difference_after == pytest.approx((own.mean() - weighted) / scale, abs=TOLERANCE)
    assert table["difference_after"].abs().max() < table["difference_before"].abs().max()
    assert table["problem"].isna().all()


def test_comparison_units_that_adopt_later_count_while_they_are_untreated(context: AnalysisContext) -> None:
    table = analyze({"id": "a", "kind": "overlap", "spec": "later"}, context)
    spans = table[table["covariate"] == "x1"].groupby("cohort")["comparison_units"]
    assert (spans.nunique() > 1).any()


def test_separation_is_a_problem_and_not_a_number(context: AnalysisContext) -> None:
    frame = context.frame("panel")
    frame["x1"] = frame["x1"].where(frame["cohort"] != 4, 9.0)
    table = analyze({"id": "a", "kind": "overlap", "spec": "covered"}, context)
    separated = table[table["cohort"] == 4]
    assert separated["problem"].str.contains("covariates").all()
    assert separated["propensity_max"].isna().all()
    assert separated["difference_before"].notna().all()


def test_a_specification_without_covariates_is_refused(context: AnalysisContext) -> None:
    with pytest.raises(SpecError, match="with 0 covariates"):
        analyze({"id": "a", "kind": "overlap", "spec": "plain"}, context)
