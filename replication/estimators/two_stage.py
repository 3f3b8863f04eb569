"""Two-stage difference-in-differences of Gardner (2022).

Estimand
    The first stage fits the model of untreated outcomes on untreated cells; the second regresses
    Y_it less its prediction on treatment dummies. With disjoint dummies every coefficient is a
    weighted mean: ``att`` over treated cells, event rows over the cells of one event time. The
    points equal those of the imputation estimator.
Assumptions
    Those of the imputation estimator.
Variance
    The two steps are one set of moments (Gardner, section 4): the score of a unit is its
    second-stage score, with residuals around the coefficient, less the first stage's influence,
    (X_2'X_2)^-1 (sum x_2 u_2 - gamma' sum x_10 u_1), gamma = (X_10'X_10)^-1 X_1'X_2. Where units
    are the clusters there is no small-sample factor: with it (G/(G-1) (N-1)/(N-1-k)) the castle
    panel would give 0.0577 where R ``did2s``, pyfixest, py2sdid and diff-diff all give 0.0570.
    Clusters that contain several units have G/(G-1).
Reproduces
    R ``did2s::did2s(y, ~ 0 | i + t, ~ i(treat), ...)`` and ``~ i(rel_year)``; Stata ``did2s``.
    Stata's GMM reports normal intervals; here they are t(G-1) where clusters are few or hold
    several units (``inference: {distribution: normal, small_sample: none}`` gives theirs).

Event rows before adoption are means of first-stage residuals, as in ``did2s``: they sum to
nearly zero by construction and are not comparable with the rows after adoption; the imputation
estimator has pre-trend coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from replication.core.arrays import Floats
from replication.core.details import Details
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.imputation.untreated_cells import describe_cells
from replication.estimators.imputation.untreated_fit import UntreatedModel, fit_untreated
from replication.estimators.registry import registered
from replication.estimators.shared.cell_averages import (
    Averages,
    effect_averages,
    event_time_support,
    lead_averages,
    leads_of,
    require_window,
)
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.cluster import influence_factor
from replication.inference.row_table import EstimateRow


@registered("Two-stage (Gardner)", takes=("trends", "covariates", "weights"))
def two_stage(
    panel: Panel,
    *,
    trends: Sequence[str] = (),
    window: tuple[int, int] | None = None,
    anticipation: int = 0,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate the overall effect and event study, with the variance of both stages.

    Parameters
    ----------
    panel, trends, anticipation : as in ``imputation``.
    window : first and last event time shown; ``att`` uses all treated cells.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates with ``att`` and ``event`` rows, in units of the outcome.

    Raises
    ------
    PanelError
        If no untreated outcome can be predicted, the window is empty, or a covariate is collinear.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.two_stage(panel).att[0], 3))
    0.719
    """
    model = fit_untreated(panel, trends, anticipation, "two_stage")
    cells = model.cells
    after = effect_averages(cells, window, ("event",))
    estimate, scores = _means(model, after)
    before = lead_averages(cells, leads_of(cells, window))
    lead, lead_scores = _means(model, before)
    rows = [EstimateRow("att"), *before.rows, *after.rows[1:]]
    require_window(window, cells, len(rows) - 1)
    details = Details(
        absorbed=model.effects.absorbed,
        linear_trends=model.effects.linear_trends,
        control_group="not_yet_treated",
        base_period="none",
        average="cells_by_weight",
        support=event_time_support(cells, np.array([row.event_time for row in rows[1:]])),
    )
    points = np.concatenate([estimate[:1], lead, estimate[1:]])
    details = describe_cells(details, cells, panel)
    found = PointEstimates(
        cells.panel, "two_stage", rows, points, inference, n_obs=cells.n_obs, details=details
    )
    scores = np.hstack([scores[:, :1], lead_scores, scores[:, 1:]])
    return from_scores(found, scores, influence_factor(cells.panel, inference.small_sample))


def _means(model: UntreatedModel, averages: Averages) -> tuple[Floats, Floats]:
    """Second-stage coefficients (K,) and their unit scores (N, K)."""
    if not averages.rows:
        return np.zeros(0), np.zeros((len(model.remainder), 0))
    weight = averages.weight
    effect, total = averages.by_unit(weight * model.remainder), averages.total
    estimate = effect.sum(axis=0) / total
    second = effect - averages.by_unit(weight) * estimate
    first = model.through(model.project(averages), model.scaled_residual)
    return estimate, (second - first) / total
