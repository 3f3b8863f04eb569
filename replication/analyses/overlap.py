"""Overlap and covariate balance behind the cells of a group-time estimate with covariates.

For a cohort and its comparison units, with D = 1 for the cohort, p(X) the logit that the cells use and w the
sampling weights, comparison units carry w p / (1 - p), zero where p >= 0.995 (R ``DRDID``). The effective
sample size is (sum of weights)^2 / sum of squared weights (Kish). A standardized mean difference is

    (mean of the cohort - mean of the comparison units) / sqrt((s_1^2 + s_0^2) / 2),

with sampling weights before and with w p / (1 - p) after weighting, over the spreads before weighting both
times, so that the two compare (Imbens & Rubin 2015, chapter 14).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.moments import weighted_mean, weighted_spread
from replication.core.arrays import Floats
from replication.core.errors import SpecError
from replication.core.panel_builder import build_panel
from replication.core.spec import Spec
from replication.estimators.callaway_santanna.cell_plan import GroupTimeCells, plan_cells
from replication.estimators.callaway_santanna.cells_one_by_one import Batch, batches, require_both_sides
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign, group_time_design
from replication.estimators.callaway_santanna.doubly_robust import (
    TRIM,
    CellProblem,
    Comparison,
    comparison_weight,
    propensity,
    standardized,
)

COLUMNS = [
    "cohort",
    "first_time",
    "last_time",
    "cells",
    "treated_units",
    "comparison_units",
    "propensity_min",
    "propensity_max",
    "share_trimmed",
    "effective_comparison",
    "covariate",
    "difference_before",
    "difference_after",
    "problem",
]


def overlap(context: AnalysisContext, *, spec: str) -> pd.DataFrame:
    """Propensity scores, effective sample sizes and balance of a group-time specification.

    Parameters
    ----------
    spec : id of a specification of ``callaway_santanna`` with covariates.

    Returns
    -------
    DataFrame
        One row per covariate and group of cells that share a propensity score: ``cohort``, ``first_time`` to
        ``last_time`` and number of ``cells``; ``treated_units``, ``comparison_units``; range of the
        propensity score, ``share_trimmed`` of the comparison units, ``effective_comparison`` units after
        weighting; standardized ``difference_before`` and ``difference_after``; and the ``problem`` where the
        score cannot be estimated.

    Raises
    ------
    SpecError
        If the specification is of another estimator, has no covariates, or reads repeated cross-sections.
    """
    chosen = context.spec(spec)
    if chosen.estimator != "callaway_santanna" or not chosen.covariates or chosen.repeated_cross_sections:
        raise SpecError(
            f"The specification {spec!r} has no propensity score by cohort: it is of {chosen.estimator} with "
            f"{len(chosen.covariates)} covariates. Name one of callaway_santanna with covariates on a panel."
        )
    return overlap_table(context.frame(chosen.panel), chosen)


def overlap_table(frame: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """The table of ``overlap`` from a tidy frame."""
    design = group_time_design(
        build_panel(frame, spec),
        control_group=spec.control_group,
        anticipation=spec.anticipation,
        unbalanced=spec.unbalanced,
    )
    cells = plan_cells(design, spec.base_period)
    rows = [
        row for batch in batches(design, cells, spec.fix_weights) for row in rows_of(design, cells, batch)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def rows_of(design: ComparisonDesign, cells: GroupTimeCells, batch: Batch) -> Iterator[dict[str, Any]]:
    """One row per covariate."""
    panel, used = design.panel, batch.own | batch.other
    assert panel.covariates is not None
    x = panel.covariates[:, used, batch.covariate_column].T
    treated, weight = batch.own[used], panel.weight[used, batch.weight_column]
    times = panel.periods[cells.time[batch.cells]]
    about = {
        "cohort": panel.label(int(design.cohorts[cells.level[batch.cells[0]]])),
        "first_time": panel.label(int(times.min())),
        "last_time": panel.label(int(times.max())),
        "cells": batch.cells.size,
        "treated_units": int(treated.sum()),
        "comparison_units": int((~treated).sum()),
    }
    data = Comparison(np.zeros((treated.size, 1)), treated, standardized(x), weight)
    try:
        require_both_sides(design.panel.weight[:, batch.weight_column], batch)
        score = propensity(data)[0]
    except CellProblem as problem:
        about["problem"] = str(problem)
        after: Floats = np.full(treated.size, np.nan)
    else:
        after = comparison_weight(data, score)
        about |= {
            "propensity_min": float(score.min()),
            "propensity_max": float(score.max()),
            "share_trimmed": float((score[~treated] >= TRIM).mean()),
            "effective_comparison": float(after.sum() ** 2 / (after**2).sum()) if after.any() else 0.0,
        }
    for name, values in zip(panel.covariate_names, x.T, strict=True):
        yield {**about, "covariate": name, **differences(values, treated, weight, after)}


def differences(values: Floats, treated: Any, weight: Floats, after: Floats) -> dict[str, float]:
    """Standardized differences of one covariate before and after weighting; missing without a spread."""
    mean, spread = (
        weighted_mean(values[treated], weight[treated]),
        weighted_spread(values[treated], weight[treated]),
    )
    other, own = values[~treated], weight[~treated]
    scale = np.sqrt((spread**2 + weighted_spread(other, own) ** 2) / 2)
    if not scale > 0:
        return {"difference_before": float("nan"), "difference_after": float("nan")}
    pull = after[~treated]
    weighted = (pull @ other) / pull.sum() if pull.any() and np.isfinite(pull).all() else float("nan")
    return {
        "difference_before": float((mean - weighted_mean(other, own)) / scale),
        "difference_after": float((mean - weighted) / scale),
    }
