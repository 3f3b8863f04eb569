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
    residual group (equation 8), so the standard error is conservative: effects that differ inside a
    group widen it. The default groups are cohort x event time. ``leave_one_out`` leaves a
    cluster out of its own group's mean (supplementary appendix A.9). Groups sum within clusters,
    as Stata does; R and diff-diff sum within units, which is the same where clusters are units.
Reproduces
    Stata ``did_imputation y i t first, horizons() pretrends() avgeffectsby() autosample``; R
    ``didimputation::did_imputation``. Both have normal intervals, and no G/(G-1) where clusters
    contain several units: ``inference: {distribution: normal, small_sample: none}``.

Review of Economic Studies 91(6): 3253-3285.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, Dropped, Value
from replication.core.errors import SpecError, nearest
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.imputation.untreated_cells import describe_cells
from replication.estimators.imputation.untreated_fit import UntreatedModel, fit_untreated
from replication.estimators.imputation.untreated_pretrends import Leads, lead_coefficients
from replication.estimators.registry import registered
from replication.estimators.shared.cell_averages import (
    Averages,
    effect_averages,
    event_time_support,
    overall_means,
    require_window,
)
from replication.inference.assemble import PointEstimates, from_points, from_scores
from replication.inference.cluster import influence_factor, intersection_codes, sum_by_cluster
from replication.inference.row_table import EstimateRow
from replication.inference.table_only import PointsOnly


@registered("Borusyak-Jaravel-Spiess", takes=("trends", "covariates", "weights"))
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
        N units by T periods; gaps, covariates, and time-varying weights are allowed.
    trends : such as ``("unit_linear",)`` or ``("region_by_time",)``
        Part of the model of Y(0). With unit-specific linear trends, treated units need two untreated periods;
        those with fewer are dropped, and a note gives the number.
    window : first and last event time shown; ``att``, group, and calendar rows use all cells.
    anticipation : periods before adoption in which the effect may start; they are not used to fit the
        model and appear as event rows, but not in ``att``.
    residual_groups : ``cohort_event``, ``cohort``, or ``none``
        Treated cells that share a mean effect in the standard error; ``none`` is one group.
    leave_one_out : whether a cluster is left out of its own group's mean.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        Rows ``att``; ``event`` (leads are pre-trend coefficients from a regression on untreated
        observations, relative to the periods before the first lead shown; from adoption on, rows are
        effects); ``group``; ``calendar``; and the mean of each kind (of event times: those shown from
        0 on). Units of the outcome.

    Raises
    ------
    PanelError
        If nothing can be imputed, the window is empty, or a covariate is collinear.

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
    estimate = averages.sums(cells.effect_weight * model.remainder) / averages.total
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
    every = np.concatenate([estimate[:1], leads.estimate, estimate[1:], estimate @ loadings])
    points = PointEstimates(cells.panel, "imputation", rows, every, inference, n_obs=cells.n_obs)
    if isinstance(inference, PointsOnly):
        return from_points(points)
    treated, alone = treated_scores(model, averages, residual_groups, leave_one_out)
    scores = (treated - model.through(model.project(averages), model.scaled_residual)) / averages.total
    scores *= np.sqrt(influence_factor(cells.panel, inference.small_sample))
    extras: dict[str, Value] = {
        "residual_groups": residual_groups,
        "leave_one_out": leave_one_out,
        "groups_of_one_cluster": alone,
    }
    details = replace(details_of(model, leads, events), extras=extras)
    return from_scores(
        replace(points, details=describe_cells(details, cells, panel)),
        np.hstack([scores[:, :1], leads.scores(model), scores[:, 1:], scores @ loadings]),
    )


def details_of(model: UntreatedModel, leads: Leads, events: list[int]) -> Details:
    """What the model and the leads say beside the numbers."""
    omitted = tuple(int(h) for h in leads.omitted)
    return Details(
        absorbed=model.effects.absorbed,
        linear_trends=model.effects.linear_trends,
        control_group="not_yet_treated",
        base_period="untreated_before_leads",
        average="cells_by_weight",
        support=event_time_support(model.cells, np.array(events)),
        dropped=(Dropped("leads_not_identified", len(omitted), "leads", omitted),) if omitted else (),
    )


def require_groups(residual_groups: str) -> None:
    """Refuse a grouping of residuals that is not known."""
    if residual_groups not in GROUPS:
        raise SpecError(
            f"There are no residual groups {residual_groups!r}{nearest(residual_groups, GROUPS)}. "
            f"Use {', '.join(GROUPS)}."
        )


GROUPS = ("cohort_event", "cohort", "none")


def treated_scores(
    model: UntreatedModel, averages: Averages, groups: str, leave_one_out: bool
) -> tuple[Floats, int]:
    """(N, K) sums over each unit's cells of weight times deviation, before division by totals.

    The effect of a treated cell stands for its error after the mean effect of a group of cells is
    taken off (Borusyak, Jaravel & Spiess 2024, equation 8): with a_c and b_c the sums over cluster
    c's cells in the group of v_it and of v_it tau_it, the mean is sum_c a_c b_c / sum_c a_c^2.
    Leaving cluster c out of its own mean multiplies its deviation by 1 / (1 - a_c^2 / sum a^2).

    Returns also how many groups have one cluster only; leaving it out is not possible there, and
    they keep the ordinary deviation.
    """
    weight, tau = averages.weight, model.remainder
    cluster = model.cells.panel.cluster
    if groups == "cohort_event":
        # Every row has equal weights inside a cohort and period, up to scale: one mean serves all.
        means = _group_means(weight, weight * tau, averages.codes, cluster)
        scaled = weight * (tau - means.spread)
        scores = averages.by_unit(scaled * means.factor() if leave_one_out else scaled)
        return scores, int(means.alone.sum())
    codes = averages.codes if groups == "cohort" else np.zeros_like(averages.codes)
    a, b = averages.by_unit(weight), averages.by_unit(weight * tau)
    means = _group_means(a, b, codes, cluster)
    scores = b - a * means.spread
    return scores * means.factor() if leave_one_out else scores, int(means.alone[0])


@dataclass(frozen=True, slots=True)
class GroupMeans:
    """Mean effects of G groups in M separate problems (columns).

    Attributes
    ----------
    pair, owner : (N,) cluster within group of each unit, and (P,) group of each such pair.
    weight : (P, M) sums of weights; square : (G, M) sums of their squares.
    mean : (G, M); spread : (N, M) the same for each unit.
    """

    pair: Ints
    owner: Ints
    weight: Floats
    square: Floats
    mean: Floats
    spread: Floats

    @property
    def alone(self) -> Ints:
        """(M,) groups with a single cluster."""
        single: Ints = self._single().sum(axis=0)
        return single

    def factor(self) -> Floats:
        """(N, M) what leaving a cluster out of its own mean multiplies its deviation by."""
        own = self.weight**2
        others = self.square[self.owner] - own
        possible = (others > 0) & ~self._single()[self.owner]
        whole = self.square[self.owner]
        factor = np.divide(whole, others, out=np.ones_like(others), where=possible)
        return factor[self.pair]

    def _single(self) -> Bools:
        single: Bools = sum_by_cluster((self.weight > 0).astype(float), self.owner) == 1
        return single


def _group_means(a: Floats, b: Floats, codes: Ints, cluster: Ints) -> GroupMeans:
    """Means by group.

    Parameters
    ----------
    a, b : (N, M) weights and weighted effects of each unit.
    codes : (N,) group of each unit; columns are separate problems.
    """
    pair = intersection_codes([codes, cluster])
    owner = np.zeros(int(pair.max()) + 1, dtype=np.int64)
    owner[pair] = codes
    weight, effect = sum_by_cluster(a, pair), sum_by_cluster(b, pair)
    square = sum_by_cluster(weight**2, owner)
    cross = sum_by_cluster(weight * effect, owner)
    mean = np.divide(cross, square, out=np.zeros_like(cross), where=square > 0)
    return GroupMeans(pair, owner, weight, square, mean, mean[codes])
