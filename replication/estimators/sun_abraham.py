"""Interaction-weighted event study of Sun & Abraham (2021).

Estimand
    beta_e = sum_g s_ge delta_{g,g+e}: the average over cohorts of the effect e periods after
    adoption, weighted by the cohorts' shares s_ge among the cells observed at e (section 4.1).
    ``att`` averages delta_gt over all treated cells, each with its weight: cohort-size weights.
Regression
    y_it = alpha_i + lambda_t + sum_g sum_{s != r_g} delta_gs 1{G_i = g} 1{t = s} + x_it'b + e_it
    with r_g the last period before adoption less ``anticipation``, and the units never treated
    (else the last cohort, with the periods from its adoption on cut) as comparison.
Assumptions
    Parallel trends between every cohort and the comparison in all periods, no anticipation
    beyond the stated; effects may differ by cohort and by time.
Variance
    Clustered as in fixest: K counts the interactions and the period effects. Shares are taken as
    given by default, as R ``fixest::sunab``, pyfixest and diff-diff take them; ``shares:
    estimated`` adds the influence of the shares, as Stata ``eventstudyinteract`` does.
Reproduces
    R ``feols(y ~ sunab(g, t) | i + t)`` and ``summary(., agg = "att")``; Stata
    ``eventstudyinteract`` (points). On a balanced panel without covariates the points equal the
    group-time event path with never-treated comparison and universal base.

Journal of Econometrics 225(2): 175-199.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, Dropped, EventSupport
from replication.core.dropped_units import units_dropped
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.registry import registered
from replication.estimators.shared.cohort_comparisons import (
    LAST_COHORT,
    base_period_gaps,
    comparison_panel,
    empty_window,
    last_adopters,
    outcomes_and_weights,
    require_never_treated,
    support_row,
    untreated_throughout,
    with_means,
)
from replication.estimators.shared.estimation_sample import estimation_sample, require_residual
from replication.estimators.shared.fixed_effects import Effects
from replication.estimators.shared.lost_cohorts import with_lost_cohorts
from replication.estimators.shared.saturated_regression import Saturated, fit_saturated
from replication.estimators.shared.saturated_shares import SaturatedShares
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.cluster import small_sample_factor, sum_by_cluster
from replication.inference.leverage import cluster_influence
from replication.inference.row_table import EstimateRow
from replication.inference.variances import from_adjusted

NOT_COMPARED = "have no unit observed both when treated and in the last period before adoption, with controls"


@dataclass(frozen=True, slots=True)
class PathCells:
    """The cohort-by-period cells of the path.

    Attributes
    ----------
    cohorts : (G,) first treated period of each cohort that has a reference period.
    base : (G,) its reference column.
    event : (G, T) event time.
    mass : (G, T) summed weights; zero where the effect is not identified.
    """

    cohorts: Ints
    base: Ints
    event: Ints
    mass: Floats

    @property
    def estimated(self) -> list[int]:
        """First treated periods of the cohorts with an effect after adoption."""
        found: list[int] = self.cohorts[(self.mass * (self.event >= 0)).any(axis=1)].tolist()
        return found


@registered("Sun-Abraham", takes=("covariates", "weights"))
def sun_abraham(
    panel: Panel,
    *,
    control_group: str = "not_yet_treated",
    anticipation: int = 0,
    window: tuple[int, int] | None = None,
    shares: str = "fixed",
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate the interaction-weighted event study and its overall average.

    Parameters
    ----------
    panel : Panel
        N units by T periods; gaps, covariates, and time-varying weights are allowed.
    control_group : ``never_treated``, ``last_treated``, or ``not_yet_treated``
        ``not_yet_treated``: never-treated units if there are any, otherwise the last cohort.
    anticipation : periods before adoption in which the effect may start.
    window : first and last event time reported; the regression keeps all of them.
    shares : ``fixed`` or ``estimated``; whether the variance accounts for estimation of the cohort shares.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates with ``att`` and ``event`` rows, in units of the outcome.

    Raises
    ------
    PanelError
        If no control group or no cohort with a reference period remains, if the window is empty,
        or if a covariate is collinear with the fixed effects and the other covariates.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.sun_abraham(panel).att[0], 3))
    0.712
    """
    panel, reference, used = comparison(
        comparison_panel(panel, "sun_abraham", anticipation), control_group, anticipation
    )
    panel = with_reference_period(panel, reference, anticipation)
    adopters = panel.keep_units(~np.isin(panel.cohort, reference))
    panel = used_cells(panel, reference, anticipation)
    n_obs = int(panel.observed.sum())
    fit, found = fit_cohorts(panel, reference, anticipation)
    if gaps := base_period_gaps(panel, found.cohorts, anticipation):
        panel = replace(panel, notes=(*panel.notes, gaps))
    rows, picked = path_rows(found, window)
    on_paths = with_comparison(shares_of(found.mass, picked), found.base)
    estimate, scores = fit.contrast(on_paths)
    require_residual(n_obs, fit.n_params + len(panel.units) - 1, "Use fewer covariates, or add units.")
    details = replace(
        with_means(details_of(found, rows, fit), panel),
        covariates=panel.covariate_names,
        control_group=used,
        base_period=-1 - anticipation,
        anticipation=anticipation,
        extras={"shares": shares},
    )
    panel = with_lost_cohorts(panel, adopters, found.estimated, NOT_COMPARED)
    blocks = SaturatedShares.of(fit, panel.cluster)
    points = PointEstimates(panel, "sun_abraham", rows, estimate, inference, "t", details=details)
    points = points.with_influence(cluster_influence(panel, *blocks.influence(on_paths[:, :, 0])))
    if inference.variance != "cv1":
        require_fixed_shares(shares, inference)
        return from_adjusted(points, blocks.adjusted(on_paths, inference))
    factor = small_sample_factor(panel.n_clusters, n_obs, fit.n_params)
    estimated = scores + share_influence(fit, found, picked, estimate)
    return by_shares(points, {"fixed": scores, "estimated": estimated}, shares, factor)


def by_shares(points: PointEstimates, scores: dict[str, Floats], shares: str, factor: float) -> Estimates:
    """The estimates with shares fixed or estimated; the other standard error is among the details."""
    (other,) = scores.keys() - {shares}
    sums = sum_by_cluster(scores[other][:, :1], points.panel.cluster)
    std_error = float(np.sqrt(factor * (sums**2).sum()))
    details = points.details.with_extras({f"att_std_error_{other}_shares": std_error})
    return from_scores(replace(points, details=details), scores[shares], factor)


def details_of(found: PathCells, rows: list[EstimateRow], fit: Saturated) -> Details:
    """What the cells and the regression say beside the numbers."""
    unidentified = int((found.mass == 0).sum())
    return Details(
        absorbed=("unit", "time"),
        average="cells_by_size",
        support=path_support(found, rows, fit),
        dropped=(Dropped("not_identified", unidentified, "cells"),) if unidentified else (),
    ).measured(parameters=fit.n_params)


def require_fixed_shares(shares: str, inference: Inference) -> None:
    """Refuse a corrected variance of the regression together with that of the shares."""
    if shares != "fixed":
        raise SpecError(
            f"sun_abraham with 'shares: {shares}' has no 'inference.variance: "
            f"{inference.variance}', which corrects the variance of the regression and not that of "
            "the shares. Set 'shares: fixed', or remove 'inference.variance'."
        )


def comparison(panel: Panel, control_group: str, anticipation: int) -> tuple[Panel, Ints, str]:
    """The panel, the cohort labels of its comparison units, and which comparison that is."""
    never = untreated_throughout(panel, anticipation)
    require_never_treated(panel, control_group, anticipation, LAST_COHORT)
    if control_group != "last_treated" and never.any():
        return panel, np.unique(panel.cohort[never]), "never_treated"
    labels = np.unique(panel.cohort[last_adopters(panel, anticipation)])
    if not labels.size:
        raise PanelError(
            "No unit is treated inside the panel, so there is no last cohort to compare with. "
            "Check the cohort column and the periods."
        )
    if never.any():
        note = (
            f"{int(never.sum())} units not treated inside the panel are dropped, since the control group is "
            "the last cohort to adopt"
        )
        panel = panel.keep_units(~never, note)
    cut = panel.periods >= int(labels.min()) - anticipation
    if cut.all():
        raise PanelError(
            "No period is left before the last cohort adopts. Start the panel earlier, or add "
            "units that are never treated."
        )
    if cut.any():
        ends = " to ".join(dict.fromkeys(panel.written(one) for one in panel.periods[cut][[0, -1]]))
        note = (
            f"The last cohort to adopt ({', '.join(panel.written(one) for one in labels)}) serves only as "
            f"the control group; {int(cut.sum())} periods ({ends}) are dropped"
        )
        panel = panel.keep_periods(~cut, note)
    return panel, labels, "last_treated"


def with_reference_period(panel: Panel, reference: Ints, anticipation: int) -> Panel:
    """The panel without cohorts that lack a period before adoption less anticipation."""
    other = ~np.isin(panel.cohort, reference)
    early = other & (panel.cohort - anticipation <= panel.periods[0])
    if (other & ~early).any():
        note = units_dropped(panel.units[early], early.size, "they have no period before adoption")
        return panel.keep_units(~early, note) if early.any() else panel
    raise PanelError(
        "No cohort is left to estimate: apart from the comparison units, no unit is both observed before its "
        "adoption and treated before the comparison units are. Check the cohort column and gaps in the "
        "outcome, use a longer panel, or add units that are never treated."
    )


def used_cells(panel: Panel, reference: Ints, anticipation: int) -> Panel:
    """The panel of the cells that identify something.

    Its first period may be a later one, before which some cohort has no reference period.
    """
    while True:
        sample = estimation_sample(panel, Effects()).panel
        panel = with_reference_period(sample, reference, anticipation)
        if panel is sample:
            return panel


def fit_cohorts(panel: Panel, reference: Ints, anticipation: int) -> tuple[Saturated, PathCells]:
    """The regression, cohort by cohort, and its identified cells."""
    y, weight = outcomes_and_weights(panel)
    compared = np.isin(panel.cohort, reference)
    cohorts = np.unique(panel.cohort[~compared])
    base = reference_columns(panel, cohorts, anticipation)
    groups = [np.flatnonzero(panel.cohort == g) for g in cohorts]
    groups.append(np.flatnonzero(compared))
    grounds = [*base, base[0] if base.size else 0]
    fit = fit_saturated(
        y, weight, list(zip(groups, grounds, strict=True)), panel.covariates, panel.covariate_names
    )
    return fit, identified_cells(fit, panel.periods, cohorts, base)


def reference_columns(panel: Panel, cohorts: Ints, anticipation: int) -> Ints:
    """(G,) last observed period before adoption less anticipation."""
    return (np.searchsorted(panel.periods, cohorts - anticipation) - 1).astype(np.int64)


def identified_cells(fit: Saturated, periods: Ints, cohorts: Ints, base: Ints) -> PathCells:
    """Cells whose effect is identified, with their weight.

    A cell needs the cohort observed in it and connected with its reference period by units seen
    in both (or through others), and the same of the comparison group.
    """
    other = fit.groups[-1].component
    mass = np.zeros((cohorts.size, periods.size))
    for place, (group, b) in enumerate(zip(fit.groups[:-1], base, strict=True)):
        linked = (group.component == group.component[b]) & (other == other[b])
        if group.component[b] >= 0 and other[b] >= 0:
            mass[place] = np.where(linked, group.weight.sum(axis=0), 0.0)
    return PathCells(cohorts, base, periods - cohorts[:, None], mass)


def path_rows(found: PathCells, window: tuple[int, int] | None) -> tuple[list[EstimateRow], list[Bools]]:
    """The rows of the result and the (G, T) cells that each of them averages."""
    live = found.mass > 0
    treated = live & (found.event >= 0)
    if not treated.any():
        raise PanelError(
            "No treated cell can be compared: no period is left in which a cohort is treated "
            "and the comparison group is observed. Add later periods or untreated units."
        )
    free = live & (np.arange(found.event.shape[1]) != found.base[:, None])
    low, high = window or (int(found.event.min()), int(found.event.max()))
    inside = (found.event >= low) & (found.event <= high)
    if not (free & inside).any():
        raise empty_window(window, int(found.event[live].min()), int(found.event[live].max()))
    times = np.unique(found.event[live & inside])
    rows = [EstimateRow("att"), *(EstimateRow("event", event_time=int(e)) for e in times)]
    return rows, [treated, *(live & (found.event == e) for e in times)]


def shares_of(mass: Floats, picked: list[Bools]) -> Floats:
    """(G, T, K) shares of the cells in each row of the result."""
    loadings = np.stack([mass * cell for cell in picked], axis=2)
    shares: Floats = loadings / loadings.sum(axis=(0, 1))
    return shares


def with_comparison(loadings: Floats, base: Ints) -> Floats:
    """(G+1, T, K) the shares, and the loadings on the comparison group that they entail."""
    other = -loadings.sum(axis=0)
    np.add.at(other, base, loadings.sum(axis=1))
    return np.concatenate([loadings, other[None]])


def share_influence(fit: Saturated, found: PathCells, picked: list[Bools], estimate: Floats) -> Floats:
    """(N, K) influence of the shares: w_i (delta_gt - beta) over the summed weights of the row."""
    other = fit.path[-1]
    effect = fit.path[:-1] - other + other[found.base][:, None]
    out = np.zeros((fit.residual.shape[0], len(picked)))
    total = np.array([(found.mass * cell).sum() for cell in picked])
    for place, group in enumerate(fit.groups[:-1]):
        cell = np.stack([p[place] for p in picked], axis=1)
        out[group.rows] = group.weight @ (cell * (effect[place][:, None] - estimate) / total)
    return out


def path_support(found: PathCells, rows: list[EstimateRow], fit: Saturated) -> tuple[EventSupport, ...]:
    """Cohorts and units behind each event time."""
    live = found.mass > 0
    sizes = np.array([(group.weight > 0).sum(axis=0) for group in fit.groups[:-1]])
    out = []
    for row in rows:
        if row.event_time is not None:
            cell = live & (found.event == row.event_time)
            out.append(support_row(row.event_time, cell.any(axis=1).sum(), sizes[cell].sum()))
    return tuple(out)
