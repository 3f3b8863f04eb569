"""Efficient estimator under (quasi-)random treatment timing, Roth & Sant'Anna (2023).

Estimand
    theta = sum_{t,g} a_tg ATE(t, g), with ATE(t, g) the mean over all N units of Y_t(g) - Y_t(inf):
    ``att`` (simple: cells by cohort size), ``group`` (cohorts by size, each averaged over its
    periods), ``calendar`` (periods equally, cohorts by size in each) and ``event`` (cohorts by
    size at one event time); section 2.3.
Estimator
    theta(beta) = theta_0 - beta X: differences in means between treated and control cohorts, less
    beta times the same difference in the last period before adoption. ``beta: efficient`` is the
    plug-in of the smallest variance, Var(X)^-1 Cov(X, theta_0); 1 is Callaway & Sant'Anna (with
    ``control_group: not_yet_treated``) and Sun & Abraham (with the last cohort as control); 0 is
    the difference in means.
Assumptions
    When units adopt is random given the sizes of the cohorts (in particular, not related to past
    outcomes: ``details.balance`` tests it), and there is no anticipation. Parallel trends is
    implied. Units are assigned one by one, so there is no clustering above the unit.
Variance
    Design-based, over assignments of the units at hand: ``design_variance: adjusted`` (sigma_**)
    or ``neyman`` (conservative); formulas in ``design_moments``. Intervals are normal.
Reproduces
    R ``staggered(estimand, beta)``, ``staggered_cs``, ``staggered_sa`` and ``balance_checks`` of
    the authors' package staggered, with three differences: an event time averages over the
    cohorts that have it, where the package counts cohorts whose lead lies before the first period
    as zero; the joint test of balance has the rank of the covariance as its degrees of freedom;
    and randomization p-values are (1 + draws as large) / (1 + draws), not the share alone.

Journal of Political Economy: Microeconomics 1(4): 669-709.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from replication.core.arrays import Bools, Floats
from replication.core.details import Details, EventSupport, JointTest
from replication.core.errors import PanelError
from replication.core.estimates import Estimates, row_labels
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.registry import registered
from replication.estimators.roth_santanna.design_moments import (
    EstimandMoments,
    Loadings,
    drawn_moments,
    estimand_moments,
)
from replication.estimators.roth_santanna.design_sample import assigned_units
from replication.estimators.roth_santanna.design_tests import (
    Balance,
    balance_of,
    describe_balance,
    fisher_balance,
    joint_wald,
)
from replication.estimators.roth_santanna.design_weights import (
    Cohorts,
    EstimandWeights,
    cohorts_of,
    design_weights,
)
from replication.estimators.shared.cohort_comparisons import support_row, with_means
from replication.inference.assemble import PointEstimates, from_variance
from replication.inference.joint_tests import hotelling_test, impossible_test
from replication.inference.methods import OwnMethods
from replication.inference.permutation import with_p_values
from replication.inference.permuted_assignments import Exchanges, draw_permutations, strata_of

# With 13 units as the control group, 12% of true null hypotheses are rejected at the 5% level
# (permuted dates of the Chicago training); with some hundreds, 5%.
FEW_UNITS = 30


@dataclass(frozen=True)
class TimingDesign:
    """Design of a panel under random treatment timing.

    Attributes
    ----------
    panel : balanced, with two or more units in each cohort.
    cohorts, weights : cohorts and the K estimands.
    beta : ``efficient``, 0 or 1.
    variance : ``adjusted`` or ``neyman``.
    """

    panel: Panel
    cohorts: Cohorts
    weights: EstimandWeights
    beta: str | int
    variance: str

    @cached_property
    def loadings(self) -> Loadings:
        """The weights as every draw uses them."""
        return Loadings.of(self.cohorts, self.weights)

    @cached_property
    def fixed(self) -> Bools:
        """(K,) estimands that are zero whatever the outcomes: theta_0 and X are the same."""
        same = (self.weights.outcome == self.weights.difference).all(axis=(1, 2))
        return np.asarray(same & (self.beta != 0))

    def coefficients(self, found: EstimandMoments) -> Floats:
        """(K,) beta."""
        if self.beta == "efficient":
            return found.efficient_beta()
        return np.full(len(self.weights.rows), float(self.beta))

    def covariance(self, found: EstimandMoments) -> tuple[Floats, Bools]:
        """(K, K) covariance, and the (K,) rows where the Neyman form stands for the adjusted."""
        beta = self.coefficients(found)
        if self.variance == "neyman":
            return found.neyman(beta), np.zeros(beta.size, dtype=bool)
        return found.adjusted(beta)

    def statistics(self, found: EstimandMoments) -> tuple[Floats, Balance]:
        """(K, 2) estimates and t statistics under an assignment of the cohorts, and balance."""
        estimate = found.estimate(self.coefficients(found))
        variance = np.diag(self.covariance(found)[0])
        std_error = np.sqrt(np.where(self.fixed | (variance <= 0), np.nan, variance))
        return np.column_stack([estimate, estimate / std_error]), balance_of(found, self.weights.rows)


@registered(
    "Roth-Sant'Anna (efficient)",
    takes=(),
    methods=("analytic", "permutation"),
    own=lambda spec: OwnMethods(permutation=True),
)
def roth_santanna(
    panel: Panel,
    *,
    beta: str | int = "efficient",
    control_group: str = "not_yet_treated",
    design_variance: str = "adjusted",
    window: tuple[int, int] | None = None,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate average effects and event-study effects under random treatment timing.

    Parameters
    ----------
    panel : Panel
        N units by T periods. Units with a gap and cohorts of one unit are dropped with a note.
    beta : ``efficient``, 1, or 0; the coefficient on the difference before adoption.
    control_group : ``not_yet_treated``, ``never_treated`` (not treated in the panel), or
        ``last_treated`` (the last cohort to adopt in the panel).
    design_variance : ``adjusted`` or ``neyman``; the other one is in the details.
    window : first and last event time; all that can be compared if None.
    inference : Inference
        With ``method: permutation`` the p-values are those of the Fisher randomization test with
        the studentized statistic: dates of first treatment are permuted across units.

    Returns
    -------
    Estimates with ``att``, ``group``, ``calendar``, and ``event`` rows, in units of the outcome.
    ``details.balance`` has the difference before adoption (X-hat) for each row with its standard error and
    the joint tests that all are zero (``details.balance.largest``, ``details.balance.wald``);
    ``details.by_row["std_errors_neyman"]`` (or ``_adjusted``) has the other standard error of each row.

    Raises
    ------
    PanelError
        If clusters are larger than units, no cohort of two units can be compared, or the window
        is empty.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.roth_santanna(panel).att[0], 3))
    0.735
    """
    panel = assigned_units(panel, control_group, beta)
    cohorts = cohorts_of(panel)
    weights = design_weights(cohorts, control_group, window)
    design = TimingDesign(panel, cohorts, weights, beta, design_variance)
    found = design_estimates(design, control_group, inference)
    if inference.method != "permutation":
        return found
    return randomization_test(design, found, inference)


def design_estimates(design: TimingDesign, control_group: str, inference: Inference) -> Estimates:
    """The estimates with their design-based covariance."""
    cohorts, weights = design.cohorts, design.weights
    found = estimand_moments(design.panel.y, design.loadings, cohorts.codes)
    beta, fixed = design.coefficients(found), design.fixed
    variance, unadjusted = design.covariance(found)
    variance = np.where(np.logical_or.outer(fixed, fixed), 0.0, variance)
    estimate = np.where(fixed, 0.0, found.estimate(beta))
    panel = with_notes(design, int((unadjusted & ~fixed).sum()))
    analytic = replace(inference, method="analytic")
    result = from_variance(PointEstimates(panel, "roth_santanna", weights.rows, estimate, analytic), variance)
    details = replace(
        with_means(with_design(design, found, result), panel),
        control_group=control_group,
        pretrend=leads_test(result, variance, len(panel.units)),
        balance=describe_balance(
            balance_of(found, weights.rows), weights.rows, int(cohorts.sizes.min()), inference
        ),
    )
    return replace(result, details=details)


def with_design(design: TimingDesign, found: EstimandMoments, result: Estimates) -> Details:
    """The details with what the design knows: coefficients, the other standard errors, support."""
    weights, beta = design.weights, design.coefficients(found)
    labels = row_labels(result.table)
    other = "adjusted" if design.variance == "neyman" else "neyman"
    variance = found.adjusted(beta)[0] if other == "adjusted" else found.neyman(beta)
    std_errors = np.sqrt(np.where(design.fixed, 0.0, np.maximum(np.diag(variance), 0.0)))
    return replace(
        result.details,
        # The event time whose effect is zero by construction, if there is one in the window.
        base_period=next(
            (row.event_time for row, zero in zip(weights.rows, design.fixed, strict=True) if zero), None
        ),
        average="cells_by_size",
        support=timing_support(weights, design.cohorts),
        by_row={
            "coefficient_on_difference": dict(zip(labels, beta.tolist(), strict=True)),
            f"std_errors_{other}": dict(zip(labels, std_errors.tolist(), strict=True)),
        },
        extras={
            "beta": design.beta,
            "design_variance": design.variance,
            "cohorts": int(design.cohorts.inside.sum()),
        },
    )


def with_notes(design: TimingDesign, unadjusted: int) -> Panel:
    """The panel, noting variances that could not be adjusted and sides of few units."""
    notes = []
    if unadjusted:
        notes.append(
            f"the standard errors of {unadjusted} estimates are Neyman's, because the adjustment "
            "would leave no variance"
        )
    sides = zip(("treated", "control"), units_by_side(design.weights, design.cohorts), strict=True)
    few = [f"{count} {side} units" for side, count in sides if count < FEW_UNITS]
    if few:
        notes.append(
            f"the overall effect relies on only {' and '.join(few)}, so tests based on the normal "
            "approximation may over-reject; 'inference.method: permutation' does not rely on it"
        )
    return replace(design.panel, notes=(*design.panel.notes, *notes)) if notes else design.panel


def units_by_side(weights: EstimandWeights, cohorts: Cohorts) -> tuple[int, int]:
    """Units of the cohorts that the overall effect counts as treated, and as controls."""
    treated = weights.cells[0].any(axis=1)
    control = (weights.outcome[0] < 0).any(axis=1)
    return int(cohorts.sizes[treated].sum()), int(cohorts.sizes[control].sum())


def timing_support(weights: EstimandWeights, cohorts: Cohorts) -> tuple[EventSupport, ...]:
    """Cohorts and units behind each event time."""
    out = []
    for row, cells in zip(weights.rows, weights.cells, strict=True):
        if row.event_time is not None:
            there = cells.any(axis=1)
            out.append(support_row(row.event_time, there.sum(), cohorts.sizes[there].sum()))
    return tuple(out)


def leads_test(result: Estimates, variance: Floats, n_units: int) -> JointTest:
    """Joint test that the effects before adoption are zero."""
    event = result.table["event_time"].to_numpy()
    leads = np.flatnonzero((event < 0) & (np.diag(variance) > 0))
    estimate = result.table["estimate"].to_numpy()[leads]
    statistic, rank = joint_wald(estimate, variance[np.ix_(leads, leads)])
    if rank == 0:
        return impossible_test(0, "no event time before the reference is in the window")
    return hotelling_test(statistic, rank, n_units)


def randomization_test(design: TimingDesign, found: Estimates, inference: Inference) -> Estimates:
    """The estimates with p-values from permuted dates of first treatment."""
    if inference.blocks is not None:
        raise PanelError(
            "The randomization test of roth_santanna permutes dates across units, and 'blocks' "
            "would change how many units each cohort has. Leave 'inference.blocks' empty; use "
            "'strata' where timing was assigned within groups."
        )
    orders = draw_permutations(strata_of(design.panel, inference), inference)
    codes = (design.cohorts.codes[order] for order in orders)
    drawn = [design.statistics(one) for one in drawn_moments(design.panel.y, design.loadings, codes)]
    compared = Exchanges(lambda: iter(()), inference.draws, "units")
    tested = with_p_values(found, np.stack([values for values, _ in drawn]), 0, inference, compared)
    own = estimand_moments(design.panel.y, design.loadings, design.cohorts.codes)
    observed = balance_of(own, design.weights.rows)
    assert found.details.balance is not None
    balance = fisher_balance(found.details.balance, observed, [balance for _, balance in drawn])
    return replace(tested, details=replace(tested.details, balance=balance))
