"""Every estimator on 32 drawn staggered panels, beside every package that has it.

``TABLE`` is the list of comparisons: which panels of ``parity_panels`` a package can take, what is
compared (points, standard errors), to which tolerance, and why a panel is left out. Nothing is
skipped: what the table says is compared, and the last tests count it. Where no package has the
number (clusters above the unit in imputation) or only on some panels, the second peer is a
regression with every dummy written out, or the formula cell by cell.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import parity_averages as averages
import parity_group_time as group_time
import parity_regressions as regressions
import pytest
from parity_panels import (
    CASES,
    FEATURES,
    Case,
    cohorts_are_tied,
    cohorts_have_reference,
    first_stage_is_whole,
)
from parity_regressions import Found

ROUNDING = 1e-8
"""Relative to the largest value of the estimator: floating point and demeaning to 1e-13."""
ITERATED = 5e-6
"""pyfixest's did2s recovers the fixed effects by iteration, to five or six digits."""
LAST_STEP = 1e-6
"""pyfixest's fepois evaluates its variance one step before the end."""


@dataclass(frozen=True)
class Comparison:
    """One estimator beside one package, and the panels that it can take."""

    estimator: str
    package: str
    run: Callable[[Case], Found]
    panels: Callable[[Case], bool] = lambda _: True
    reason: str = ""
    points: float = ROUNDING
    std_errors: float = ROUNDING

    def __str__(self) -> str:
        return f"{self.estimator}-{self.package}"


TABLE = [
    Comparison("twfe", "pyfixest", regressions.twfe_pyfixest),
    Comparison("event_study", "pyfixest", regressions.event_study_pyfixest),
    Comparison("poisson", "pyfixest", regressions.poisson_pyfixest, std_errors=LAST_STEP),
    Comparison("callaway_santanna", "csdid", group_time.callaway_santanna_csdid),
    Comparison("callaway_santanna", "moderndid", group_time.callaway_santanna_moderndid),
    Comparison("callaway_santanna", "diff-diff", group_time.callaway_santanna_diff_diff),
    Comparison("sun_abraham", "pyfixest", regressions.sun_abraham_pyfixest),
    Comparison(
        "sun_abraham",
        "diff-diff",
        averages.sun_abraham_diff_diff,
        cohorts_have_reference,
        "diff-diff has only g - 1 as reference, and no numbers for a cohort without it",
    ),
    Comparison("imputation", "diff-diff", averages.imputation_diff_diff),
    Comparison("imputation", "formula", averages.imputation_written_out),
    Comparison("two_stage", "diff-diff", averages.two_stage_diff_diff),
    Comparison(
        "two_stage",
        "pyfixest",
        averages.two_stage_pyfixest,
        first_stage_is_whole,
        "did2s drops singletons of the first stage and stops: unequal lengths",
        ITERATED,
        ITERATED,
    ),
    Comparison("etwfe", "pyfixest", regressions.etwfe_pyfixest),
    Comparison(
        "etwfe",
        "diff-diff",
        averages.etwfe_diff_diff,
        cohorts_are_tied,
        "diff-diff prints effects of a cohort whose reference cell is empty; ours leaves it out",
    ),
    Comparison("stacked", "pyfixest", regressions.stacked_pyfixest),
    Comparison(
        "stacked",
        "diff-diff",
        averages.stacked_diff_diff,
        lambda case: not case.weighted and not case.skipped,
        "diff-diff weights cells otherwise, and where a year is skipped it keeps sub-experiments "
        "in which an event time has no outcome",
    ),
    Comparison("local_projections", "pyfixest", regressions.local_projections_pyfixest),
    Comparison(
        "local_projections",
        "diff-diff",
        averages.local_projections_diff_diff,
        lambda case: not case.skipped,
        "diff-diff refuses a calendar with gaps",
    ),
    Comparison("synthetic_did", "diff-diff", averages.synthetic_did_diff_diff),
    Comparison("dcdh", "moderndid", averages.dcdh_moderndid),
    Comparison("goodman_bacon", "diff-diff", averages.goodman_bacon_diff_diff),
    Comparison("twfe_weights", "diff-diff", averages.twfe_weights_diff_diff),
]
CHOSEN = [(row, case) for row in TABLE for case in CASES if row.panels(case)]
PANELS = {
    "sun_abraham-diff-diff": 27,
    "two_stage-pyfixest": 6,
    "etwfe-diff-diff": 31,
    "stacked-diff-diff": 8,
    "local_projections-diff-diff": 16,
}
"""Panels of the comparisons that a package cannot take everywhere; 32 of all others."""


@pytest.mark.parametrize(("row", "case"), CHOSEN, ids=str)
def test_equal(row: Comparison, case: Case) -> None:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        found = row.run(case)
    assert found.points
    for pairs, tolerance in ((found.points, row.points), (found.std_errors, row.std_errors)):
        scale = max((abs(theirs) for _, theirs in pairs.values() if np.isfinite(theirs)), default=1)
        for name, (ours, theirs) in pairs.items():
            close = pytest.approx(theirs, abs=tolerance * scale, rel=0, nan_ok=True)
            assert ours == close, name


def test_the_panels_cross_the_features() -> None:
    """Every feature is in half of the panels, every pair of features in a quarter of them."""
    matrix = np.array([[getattr(case, name) for name in FEATURES] for case in CASES]) * 1
    together = matrix.T @ matrix
    assert (np.diag(together) == 16).all()
    assert (together[~np.eye(len(FEATURES), dtype=bool)] == 8).all()
    for case in CASES:
        panel = case.panel
        sizes = dict(zip(*np.unique(panel.cohort, return_counts=True), strict=True))
        assert (sizes.get(2005) == 1) == case.alone
        assert (2002 in sizes) == case.second
        assert (0 in sizes) == case.never
        assert panel.balanced != case.missing
        assert (2007 not in panel.periods) == case.skipped


def test_every_estimator_is_compared_on_every_panel() -> None:
    counts = {str(row): sum(row.panels(case) for case in CASES) for row in TABLE}
    assert counts == {str(row): PANELS.get(str(row), 32) for row in TABLE}
    assert all(row.reason for row in TABLE if str(row) in PANELS)
    covered = {(row.estimator, case.seed) for row, case in CHOSEN}
    estimators = {row.estimator for row in TABLE}
    assert covered == {(name, case.seed) for name in estimators for case in CASES}
