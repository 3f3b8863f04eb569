"""Imputation estimator of Borusyak, Jaravel & Spiess (2024).

Estimand
    tau = sum over treated cells of omega_it (Y_it - Y_it(0)), sum omega_it = 1 (section 2);
    ``att`` weights every treated cell by its weight, the other rows average subsets of them.
Assumptions
    Y_it(0) follows the model of ``untreated_fit`` (unit and period effects, trends, covariates)
    in every period, and effects start no earlier than ``anticipation`` periods before adoption.
Variance
    sum over clusters c of (sum_{it in c} v_it eps_it)^2, with v_it the weight of outcome it in
    the estimate (Theorem 3). On treated cells eps_it is the effect less the mean effect of its
    residual group (equation 8), so that the standard error is conservative: effects that differ inside a
    group widen it. The default groups are cohort x event time. ``leave_one_out`` leaves a
    cluster out of its own group's mean (supplementary appendix A.9). Groups sum within clusters,
    as Stata does; R and diff-diff sum within units, which is the same where clusters are units.
Reproduces
    Stata ``did_imputation y i t first, horizons() pretrends() avgeffectsby() autosample``; R
    ``didimputation::did_imputation``. Both have normal intervals, and no G/(G-1) where clusters
    hold several units: ``inference: {distribution: normal, small_sample: none}``.

Review of Economic Studies 91(6): 3253-3285.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from replication.core.details import Details, Dropped
from replication.core.errors import SpecError, nearest
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.imputation.residual_groups import GROUPS, treated_scores
from replication.estimators.imputation.untreated_cells import describe_cells
from replication.estimators.imputation.untreated_fit import fit_untreated
from replication.estimators.imputation.untreated_pretrends import lead_coefficients
from replication.estimators.registry import registered
from replication.estimators.shared.cell_averages import (
    effect_averages,
    event_time_support,
    overall_means,
    require_window,
)
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.cluster import influence_factor
from replication.inference.row_table import EstimateRow


@registered("Imputation (Borusyak-Jaravel-Spiess)", takes=("trends", "covariates", "weights"))
def imputation(
    panel: Panel,
    *,
    trends: Sequence[str] = (),
    window: tuple[int, int] | None = None,
    anticipation: int = 0,
    residual_groups: str = "cohort_event",
    leave_one_out: bool = False,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Impute untreated outcomes and average the effects on the treated, with pre-trend coefficients.

    Parameters
    ----------
    panel : Panel
        N units by T periods; gaps, covariates and weights that change over time are allowed.
    trends : such as ``("unit_linear",)`` or ``("region_by_time",)``
        Part of the model of Y(0). With unit-specific linear trends, treated units need two untreated periods;
        those with fewer are dropped with the count.
    window : first and last event time shown; ``att``, group and calendar rows use all cells.
    anticipation : periods before adoption in which the effect may start; they are not used to fit the
        model and appear as event rows, but not in ``att``.
    residual_groups : ``cohort_event``, ``cohort`` or ``none``
        Treated cells that share a mean effect in the standard error; ``none`` is one group.
    leave_one_out : whether a cluster is left out of its own group's mean.

    Returns
    -------
    Estimates
        Rows ``att``; ``event`` (leads before adoption are pre-trend coefficients from untreated
        cells, relative to all earlier untreated periods; from adoption on they are effects);
        ``group``; ``calendar``; and the mean of each kind (of event times: those shown from 0
        on). Units of the outcome.

    Raises
    ------
    PanelError
        If nothing can be imputed, the window is empty, or a covariate cannot be fitted.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.imputation(panel).att[0], 3))
    0.719
    """
    require_groups(residual_groups)
    model = fit_untreated(panel, trends, anticipation, "imputation")
    cells = model.cells
    averages = effect_averages(cells, window, ("event", "group", "calendar"))
    weight, total = cells.effect_weight, averages.total
    estimate = averages.sums(weight * model.remainder) / total
    treated, alone = treated_scores(model, averages, residual_groups, leave_one_out)
    scores = (treated - model.through(model.project(averages), model.scaled_residual)) / total
    scores *= np.sqrt(influence_factor(cells.panel, inference.small_sample))
    leads = lead_coefficients(model, window)
    means, loadings = overall_means(averages, cells)
    rows = [
        EstimateRow("att"),
        *(EstimateRow("event", event_time=int(h)) for h in leads.event_time),
        *averages.rows[1:],
        *means,
    ]
    events = [row.event_time for row in rows if row.event_time is not None]
    require_window(window, cells, len(events))
    omitted = tuple(int(h) for h in leads.omitted)
    details = Details(
        absorbed=model.effects.absorbed,
        linear_trends=model.effects.linear_trends,
        control_group="not_yet_treated",
        base_period="untreated_before_leads",
        average="cells_by_weight",
        support=event_time_support(cells, np.array(events)),
        dropped=(Dropped("leads_not_identified", len(omitted), "leads", omitted),) if omitted else (),
        extras={
            "residual_groups": residual_groups,
            "leave_one_out": leave_one_out,
            "groups_of_one_cluster": alone,
        },
    )
    points = PointEstimates(
        cells.panel,
        "imputation",
        rows,
        np.concatenate([estimate[:1], leads.estimate, estimate[1:], estimate @ loadings]),
        inference,
        n_obs=cells.n_obs,
        details=describe_cells(details, cells, panel),
    )
    return from_scores(points, np.hstack([scores[:, :1], leads.scores, scores[:, 1:], scores @ loadings]))


def require_groups(residual_groups: str) -> None:
    """Refuse a grouping of residuals that is not known."""
    if residual_groups not in GROUPS:
        raise SpecError(
            f"There are no residual groups {residual_groups!r}{nearest(residual_groups, GROUPS)}. "
            f"Use {', '.join(GROUPS)}."
        )
