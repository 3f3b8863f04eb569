"""Extended two-way fixed effects of Wooldridge (2021 working paper, 2025; Poisson: 2023).

Estimand
    delta_gt = E[Y_t(g) - Y_t(0) | cohort g], one for every treated cohort and period, in one
    regression; ``att`` is their mean with the weights of the treated cells, the other rows average
    subsets of them.
Assumptions
    Parallel trends of Y(0) in levels (gaussian) or of log E[Y(0)] (poisson), given covariates
    with slopes that differ by cohort and by period; no anticipation beyond the stated.
Variance
    Clustered as in fixest: G/(G-1) (N-1)/(N-K), K without unit effects; averages by the delta
    method with shares and covariates taken as given. Gaussian: t with G-1 degrees of freedom, as
    Stata ``jwdid`` on reghdfe (R ``emfx`` prints normal intervals). Poisson: normal, as
    both, where units are the clusters and 40 or more.
Reproduces
    Gaussian: R ``etwfe(y ~ x, t, g, ivar = i, cgroup = )`` and ``emfx(type = )``; Stata ``jwdid
    y x, ivar(i) tvar(t) gvar(g) [never]`` and ``estat simple|event|group|calendar``. On balanced
    panels without covariates the points equal imputation (not-yet-treated), or the group-time
    effects with never-treated comparison and universal base. Poisson: R ``etwfe(family =
    "poisson")`` with ``emfx(predict = "response")``: effects in units of the outcome.

Empirical Economics 69: 2545-2587 (2025); The Econometrics Journal 26(3): C31-C66 (2023).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from replication.core.arrays import Floats
from replication.core.details import Details
from replication.core.errors import SpecError, nearest
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.etwfe import etwfe_linear, etwfe_poisson
from replication.estimators.etwfe.etwfe_cells import model_cells, positive_cohorts, positive_treated
from replication.estimators.etwfe.etwfe_shares import ExtendedShares, extended_influence
from replication.estimators.imputation.untreated_cells import SortedCells, describe_cells, without_cells
from replication.estimators.registry import registered
from replication.estimators.shared.cell_averages import (
    Averages,
    count_cells,
    effect_averages,
    event_time_support,
    overall_means,
    require_window,
)
from replication.estimators.shared.collinear import spanned_everywhere
from replication.estimators.shared.estimation_sample import require_residual
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.cluster import small_sample_factor, sum_by_cluster
from replication.inference.leverage import cluster_influence
from replication.inference.row_table import EstimateRow
from replication.inference.variances import from_adjusted

FAMILIES = ("gaussian", "poisson")
CELL_ROWS = 400


@registered("Extended TWFE (Wooldridge)", takes=("covariates", "weights", "offset"))
def etwfe(
    panel: Panel,
    *,
    control_group: str = "not_yet_treated",
    family: str = "gaussian",
    window: tuple[int, int] | None = None,
    anticipation: int = 0,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate averages of the cohort-by-period effects of one saturated regression.

    Parameters
    ----------
    panel : Panel
        N units by T periods; gaps and weights that change over time are allowed. Covariates
        enter with slopes by period and by cohort and inside every treated cell; the offset enters
        the Poisson index.
    control_group : ``not_yet_treated`` or ``never_treated``
        The latter also adds dummies for the cells before adoption, whose averages are event rows
        relative to the last period before adoption (less anticipation), which is exactly 0.
    family : ``gaussian`` or ``poisson``
        For Poisson, all rows are mean differences in units of the outcome; the additional row
        ``coef:log_ratio`` is log(sum of outcomes / sum of their means without treatment) over
        treated cells, comparable to a Poisson coefficient.
    window : first and last event time shown; ``att``, group, and calendar rows use all cells.
    anticipation : periods before adoption in which the effect may start.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        Rows ``att``, ``event``, ``group``, ``calendar``, the mean of each kind, and the cells
        themselves (``att_gt``) where there are at most 400.

    Raises
    ------
    SpecError, PanelError
        For an unknown family or control group, no control or treated unit-period left, an empty window,
        or negative outcomes in a Poisson model.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.etwfe(panel).att[0], 3))
    0.719
    """
    require_family(family, offset=panel.offset is not None)
    cells, fit = _fit(panel, control_group, family, anticipation)
    cells = _with_collinear(cells, fit.basis)
    kinds = ("event", "group", "calendar", *(("att_gt",) if count_cells(cells) <= CELL_ROWS else ()))
    averages = effect_averages(cells, window, kinds)
    shows_leads = control_group == "never_treated"

    parts = partial(_parts, averages, cells, window, reference=shows_leads)
    estimate, scores = fit.averages(averages)
    ratio = [_log_ratio(fit, averages)] if isinstance(fit, etwfe_poisson.PoissonFit) else []
    rows, points, scores = _ordered([*parts(estimate, scores), *ratio])
    absorbed = len(cells.panel.units) - 1 if family == "gaussian" else 0
    require_residual(cells.n_obs, fit.n_params + absorbed, "Use fewer covariates, or add units.")
    factor = small_sample_factor(cells.panel.n_clusters, cells.n_obs, fit.n_params)
    details = replace(
        details_of(cells, family, shown_times(rows, window, cells)),
        base_period=-1 - anticipation if shows_leads else "untreated",
        control_group=control_group,
    ).with_extras(_proportional(rows, points, scores, cells, factor))
    found = PointEstimates(
        cells.panel,
        "etwfe",
        rows,
        points,
        inference,
        distribution="t" if family == "gaussian" else "influence",
        n_obs=cells.n_obs,
        details=describe_cells(details, cells, panel).measured(parameters=fit.n_params),
    )
    if isinstance(fit, etwfe_linear.LinearFit):
        found = found.with_influence(cluster_influence(cells.panel, *extended_influence(fit, averages)))
    if isinstance(fit, etwfe_poisson.PoissonFit) or inference.variance == "cv1":
        return from_scores(found, scores, factor)
    shares = ExtendedShares.of(fit, cells.panel.cluster)
    on_coefficients = _ordered(parts(estimate, shares.rows(averages)))[2]
    return from_adjusted(found, shares.adjusted(on_coefficients, inference))


def shown_times(rows: list[EstimateRow], window: tuple[int, int] | None, cells: SortedCells) -> list[int]:
    """The event times of the rows; a window without any is refused."""
    shown = [row.event_time for row in rows if row.term == "event" and row.event_time is not None]
    require_window(window, cells, len(shown))
    return shown


def details_of(cells: SortedCells, family: str, shown: list[int]) -> Details:
    """What the model says beside the numbers."""
    linear = family == "gaussian"
    return Details(
        absorbed=("unit" if linear else "cohort", "time"),
        average="cells_by_weight" if linear else "cells_in_levels",
        support=event_time_support(cells, np.array(shown)),
        extras={"cells": count_cells(cells), "family": family},
    )


def require_family(family: str, *, offset: bool) -> None:
    """Refuse an unknown family, and an offset in a linear model."""
    if family not in FAMILIES:
        raise SpecError(
            f"etwfe has no family {family!r}{nearest(family, FAMILIES)}. Use {', '.join(FAMILIES)}."
        )
    if offset and family != "poisson":
        raise SpecError(
            "An offset belongs to the index of a Poisson model; the linear etwfe would leave it "
            "out silently. Set 'family: poisson', or remove 'offset'."
        )


def _fit(
    panel: Panel, control_group: str, family: str, anticipation: int
) -> tuple[SortedCells, etwfe_linear.LinearFit | etwfe_poisson.PoissonFit]:
    cells = model_cells(panel, control_group, anticipation, family)
    if family == "gaussian":
        linear = etwfe_linear.fit_linear(cells)
        return without_cells(cells, etwfe_linear.open_cells(linear, cells)), linear
    cells = positive_treated(positive_cohorts(cells))
    poisson = etwfe_poisson.fit_poisson(cells)
    return without_cells(cells, etwfe_poisson.open_cells(poisson, cells)), poisson


def _with_collinear(cells: SortedCells, basis: Floats) -> SortedCells:
    """The cells with a note on covariates that those before them span."""
    used = cells.fit | cells.effect
    spanned = spanned_everywhere(basis, used, cells.panel.cohort)
    if not spanned:
        return cells
    names = ", ".join(cells.panel.covariate_names[q - 1] for q in spanned)
    note = f"covariates omitted because of collinearity: {names}"
    return replace(cells, panel=replace(cells.panel, notes=(*cells.panel.notes, note)))


Part = tuple[list[EstimateRow], Floats, Floats]


def _parts(
    averages: Averages,
    cells: SortedCells,
    window: tuple[int, int] | None,
    estimate: Floats,
    columns: Floats,
    *,
    reference: bool,
) -> list[Part]:
    """Averages of cells, the means of each kind, and the reference period if there is one.

    ``columns`` (M, K) are scores of units, or the rows in any other M coordinates.
    """
    means, loadings = overall_means(averages, cells)
    parts = [(averages.rows, estimate, columns), (means, estimate @ loadings, columns @ loadings)]
    if reference:
        parts.append(_reference_row(cells, window, len(columns)))
    return parts


def _reference_row(cells: SortedCells, window: tuple[int, int] | None, size: int) -> Part:
    """The reference period, exactly zero, if the window shows it."""
    event_time = -1 - cells.anticipation
    if window is not None and not window[0] <= event_time <= window[1]:
        return [], np.zeros(0), np.zeros((size, 0))
    return [EstimateRow("event", event_time=event_time)], np.zeros(1), np.zeros((size, 1))


def _log_ratio(fit: etwfe_poisson.PoissonFit, averages: Averages) -> Part:
    """Log of summed outcomes over summed means without treatment, in the cells of ``att``."""
    first = averages.subset(np.arange(len(averages.rows)) == 0)
    weight = first.by_unit(averages.weight * fit.y).sum()
    without = first.by_unit(averages.weight * fit.untreated).sum()
    if weight == 0:
        return [], np.zeros(0), np.zeros((len(fit.y), 0))
    own, common = fit.parts(first)
    ratio = np.array([np.log(weight / without)])
    return [EstimateRow("coef:log_ratio")], ratio, own / weight - common / without


def _ordered(parts: list[Part]) -> Part:
    """All rows: att, the ratio, event times ascending, groups, periods, cells."""
    rows = [row for part in parts for row in part[0]]
    rank = ["att", "coef:log_ratio", "event", "group", "calendar", "att_gt"]

    def key(place: int) -> tuple[float, ...]:
        """Where a row stands."""
        row = rows[place]
        labels = (row.cohort, row.time, row.event_time)
        mean = row.term != "att" and all(label is None for label in labels)
        return (rank.index(row.term), float(mean), *(float(label or 0) for label in labels))

    order = sorted(range(len(rows)), key=key)
    points = np.concatenate([part[1] for part in parts])
    scores = np.hstack([part[2] for part in parts])
    return [rows[place] for place in order], points[order], scores[:, order]


def _proportional(
    rows: list[EstimateRow], points: Floats, scores: Floats, cells: SortedCells, factor: float
) -> dict[str, float]:
    """The proportional effect exp(log ratio) - 1 with its standard error, for Poisson."""
    places = [place for place, row in enumerate(rows) if row.term == "coef:log_ratio"]
    if not places:
        return {}
    log_ratio = float(points[places[0]])
    sums = sum_by_cluster(scores[:, places], cells.panel.cluster)
    std_error = float(np.sqrt(factor * (sums**2).sum()))
    return {
        "proportional_effect": float(np.expm1(log_ratio)),
        "proportional_effect_std_error": float(np.exp(log_ratio)) * std_error,
    }
