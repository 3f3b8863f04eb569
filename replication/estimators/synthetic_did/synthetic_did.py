"""Synthetic difference-in-differences of Arkhangelsky et al. (2021), staggered adoption.

Estimand
    tau_a = mean over the periods after adoption of [mean of cohort a - sum_i omega_i Y_it], less
    the same gap before adoption averaged with period weights lambda; ``att`` = sum_a
    N_a T_a tau_a / sum_a N_a T_a over cohorts, weighted by treated unit-periods (Algorithm 1, one
    cohort at a time as in Clarke et al.).
Weights omega
    on the never-treated units match the cohort's path before adoption up to a level,
    with ridge zeta = (N_a T_a)^(1/4) sigma; weights lambda on the periods before match the controls'
    mean after, with ridge 1e-6 sigma; sigma is the standard deviation of the controls' first
    differences before adoption. Found by the steps of the published software, so its numbers
    come out; ``details.extras["att_at_minimum"]`` is the estimate with the weights at the exact minimum.
Assumptions
    A latent factor model in which the weights balance what drives adoption; no anticipation;
    many controls and periods before adoption.
Event path
    The gap at each event time less the weighted gap before (Clarke et al. 2024). Before adoption
    it shows the fit of the weights, which were chosen to make it flat: it is no test.
Covariates
    Taken out beforehand with slopes from untreated unit-periods (``projected_covariates``).
Reproduces
    R ``synthdid::synthdid_estimate`` and ``vcov``; Stata ``sdid y i t d, vce(placebo)``. Intervals
    are normal as theirs are; around jackknife standard errors t, with the degrees of freedom that few
    treated units leave (``synthetic_variance.satterthwaite_degrees``), as normal ones cover 91 to 93 percent
    with five units per cohort (``distribution: normal`` gives them).

Arkhangelsky, Athey, Hirshberg, Imbens & Wager (2021), American Economic Review 111(12): 4088-4118;
Clarke, Pailanir, Athey & Imbens (2024), Stata Journal 24(4): 557-598.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, EventSupport, Value
from replication.core.dropped_units import units_dropped
from replication.core.errors import PanelError
from replication.core.estimates import Estimates
from replication.core.estimator_records import DonorWeights
from replication.core.panel import Panel
from replication.core.reading import proposal
from replication.core.spec import ANALYTIC, Inference
from replication.core.threads import side_by_side
from replication.estimators.registry import registered
from replication.estimators.shared.cohort_comparisons import (
    comparison_panel,
    empty_window,
    support_row,
    untreated_throughout,
    used_units,
    with_means,
)
from replication.estimators.synthetic_did.projected_covariates import CovariateOutcomes, outcomes_of
from replication.estimators.synthetic_did.synthetic_paths import (
    PathLayout,
    SyntheticCohort,
    SyntheticWeights,
    describe_cohort,
    gap_path,
    minimum_weights,
    published_weights,
)
from replication.estimators.synthetic_did.synthetic_variance import (
    bootstrap_variance,
    jackknife_variance,
    placebo_variance,
    require_possible,
)
from replication.inference.assemble import PointEstimates, from_variance
from replication.inference.joint_tests import impossible_test
from replication.inference.psd import Repaired
from replication.inference.row_table import EstimateRow

FEWEST_BEFORE = 2
NO_TEST = (
    "the weights were chosen to make the path before adoption flat, so it shows their fit "
    "and no test of parallel trends follows from it"
)


@registered("Synthetic difference-in-differences", takes=("covariates",), methods=("analytic",))
def synthetic_did(
    panel: Panel,
    *,
    donor_errors: str = "placebo",
    window: tuple[int, int] | None = None,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate the overall effect, cohort effects, and event-study effects.

    Parameters
    ----------
    panel : balanced, unweighted, with never-treated units.
    donor_errors : ``placebo`` (needs more never-treated than treated units), ``jackknife`` (two
        or more units, or clusters, per cohort), or ``bootstrap``. The last two leave out and draw
        clusters; placebo needs clusters of one unit.
    window : first and last event time reported.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        Rows ``att``, ``group`` (one per cohort) and ``event`` (the gap before adoption shows the fit of the
        weights). Units of the outcome.

    Raises
    ------
    PanelError
        If the panel has gaps or weights, has no never-treated unit or no cohort with two periods
        before adoption, a covariate is collinear with the fixed effects, or the panel cannot support the
        requested standard errors.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.synthetic_did(panel, donor_errors="jackknife").att[0], 3))
    0.692
    """
    panel = usable(comparison_panel(panel, "synthetic_did"))
    panel = used_units(panel, np.ones(len(panel.units), dtype=bool), "synthetic comparison")
    means_of_data = with_means(Details(), panel)
    panel, outcomes = without_covariates(panel)
    never = untreated_throughout(panel)
    controls = panel.y[never]
    member, cohorts = cohorts_of(panel, never)
    layout, sizes = lay_out(panel, cohorts, window)
    require_possible(donor_errors, panel, member, cohorts)
    means = [panel.y[member == k].mean(axis=0) for k in range(len(cohorts))]
    weights = published_weights(controls, means, cohorts)
    found, freedom = covariance_of_rows(
        panel, outcomes, donor_errors, member, cohorts, weights, layout, inference
    )
    tasks = zip(means, cohorts, weights, strict=True)
    exact = list(side_by_side(lambda task: minimum_weights(controls, *task), tasks, panel.y.size))
    published, minimum = (
        layout.collect([gap_path(controls, m, w) for m, w in zip(means, chosen, strict=True)], sizes)
        for chosen in (weights, exact)
    )
    extras: dict[str, Value] = {
        "donor_errors": donor_errors,
        "att_at_minimum": float(minimum[0]),
        "controls": len(controls),
    }
    details = replace(
        details_of(panel, never, cohorts, weights, layout, sizes),
        mean_outcome=means_of_data.mean_outcome,
        mean_pre=means_of_data.mean_pre,
        extras=extras,
        notes=(*found.notes, *placebo_slopes(panel, donor_errors)),
    ).measured(missing_noted=bool(found.negative.any()))
    distribution = "normal" if freedom is None else "t"
    rows = rows_of(cohorts, layout)
    points = PointEstimates(panel, "synthetic_did", rows, published, inference, distribution, details=details)
    return from_variance(points, found.variance, freedom=freedom)


def without_covariates(panel: Panel) -> tuple[Panel, CovariateOutcomes]:
    """The panel with outcomes less what covariates explain, and how outcomes depend on covariates."""
    # Adding a constant changes nothing but the digits that are left for the differences.
    panel = replace(panel, y=panel.y - panel.y.mean())
    outcomes = outcomes_of(panel)
    return replace(panel, y=outcomes.adjusted(np.arange(len(panel.units)), outcomes.start)), outcomes


def rows_of(cohorts: list[SyntheticCohort], layout: PathLayout) -> list[EstimateRow]:
    """The rows of the result: overall, by cohort, by event time."""
    rows = [EstimateRow("att"), *(EstimateRow("group", cohort=c.first) for c in cohorts)]
    return [*rows, *(EstimateRow("event", event_time=int(e)) for e in layout.times)]


def details_of(
    panel: Panel,
    never: Bools,
    cohorts: list[SyntheticCohort],
    weights: list[SyntheticWeights],
    layout: PathLayout,
    sizes: Floats,
) -> Details:
    """What the synthetic controls say beside the numbers."""
    return Details(
        absorbed=("unit", "time"),
        covariates=panel.covariate_names,
        control_group="never_treated",
        average="cohorts_by_unit_periods",
        support=cohort_support(layout, sizes),
        pretrend=impossible_test(int((layout.times < 0).sum()), NO_TEST),
        donor_weights=tuple(record(c, w, panel, never) for c, w in zip(cohorts, weights, strict=True)),
    )


def placebo_slopes(panel: Panel, donor_errors: str) -> list[str]:
    """Note on placebo standard errors where there are covariates."""
    if donor_errors != "placebo" or not panel.covariate_names:
        return []
    return [
        "placebo standard errors assume that covariates of treated units move like those of never-treated "
        "units; otherwise 'donor_errors: bootstrap' or 'jackknife' reflects the uncertainty of their slopes"
    ]


def cohorts_of(panel: Panel, never: Bools) -> tuple[Ints, list[SyntheticCohort]]:
    """(N,) position of the unit's cohort, -1 for controls, and what is known of each cohort."""
    labels = np.unique(panel.cohort[~never])
    member = np.where(never, -1, np.searchsorted(labels, panel.cohort))
    cohorts = [
        describe_cohort(int(g), int(panel.first[member == k][0]), int((member == k).sum()), panel.y[never])
        for k, g in enumerate(labels)
    ]
    return member, cohorts


def usable(panel: Panel) -> Panel:
    """The panel without cohorts that have one period before adoption; refuses gaps and weights."""
    if panel.weighted:
        raise PanelError(
            "synthetic_did takes no weights, and leaving them out silently would change the estimand. "
            "Remove them from the specification."
        )
    gaps = ~panel.observed.all(axis=1)
    if gaps.any():
        raise PanelError(
            f"{int(gaps.sum())} of {gaps.size} units are not observed in every period, for example "
            f"unit {panel.units[gaps][0]}, and synthetic difference-in-differences needs a balanced panel. "
            f"Use {proposal({'sample.balanced': True})} or a shorter range of periods."
        )
    if not untreated_throughout(panel).any():
        raise PanelError(
            "No unit is untreated throughout the panel, and synthetic controls are built from "
            "never-treated units. End the sample before the last cohort adopts, or add never-treated units."
        )
    early = panel.first < FEWEST_BEFORE
    if early.any():
        note = units_dropped(panel.units[early], early.size, "they have one period before adoption")
        panel = panel.keep_units(~early, note)
    never = untreated_throughout(panel)
    if int(never.sum()) * (int(panel.first[~never].min(initial=FEWEST_BEFORE)) - 1) < 2:
        raise PanelError(
            "One never-treated unit is seen in two periods before the first cohort adopts, so "
            "the noise level, a standard deviation of first differences, cannot be estimated. Add "
            "never-treated units or earlier periods."
        )
    if untreated_throughout(panel).all():
        raise PanelError(
            "No cohort is left that has two periods before adoption, which are needed to estimate the noise "
            "level and the weights. Start the panel earlier or check the cohort column."
        )
    return panel


def lay_out(
    panel: Panel, cohorts: list[SyntheticCohort], window: tuple[int, int] | None
) -> tuple[PathLayout, Floats]:
    """Rows of the result and (G,) cohort sizes."""
    first = np.array([c.first for c in cohorts])
    event: Ints = (panel.periods - first[:, None]).astype(np.int64)
    low, high = window or (int(event.min()), int(event.max()))
    times = np.unique(event)
    inside: Bools = (times >= low) & (times <= high)
    if not inside.any():
        raise empty_window(window, int(times[0]), int(times[-1]))
    sizes = np.array([float(c.size) for c in cohorts])
    return PathLayout(event, np.array([c.start for c in cohorts]), times[inside]), sizes


def covariance_of_rows(
    panel: Panel,
    outcomes: CovariateOutcomes,
    kind: str,
    member: Ints,
    cohorts: list[SyntheticCohort],
    weights: list[SyntheticWeights],
    layout: PathLayout,
    inference: Inference,
) -> tuple[Repaired, Floats | None]:
    """(K, K) variance of the rows, and their (K,) degrees of freedom where it has few."""
    cluster = panel.cluster
    if kind == "jackknife":
        return jackknife_variance(outcomes, member, cluster, cohorts, weights, layout)
    if kind == "bootstrap":
        variance = bootstrap_variance(outcomes, member, cluster, cohorts, weights, layout, inference)
        return variance, None
    return placebo_variance(outcomes, np.flatnonzero(member < 0), cohorts, weights, layout, inference), None


def record(cohort: SyntheticCohort, weights: SyntheticWeights, panel: Panel, never: Bools) -> DonorWeights:
    """Summary of a cohort's weights."""
    units, periods = panel.units[never], panel.label(panel.periods)
    order = np.argsort(-weights.unit, kind="stable")[:5]
    used = np.flatnonzero(weights.period > 0)
    return DonorWeights(
        cohort=int(panel.label(cohort.first)),
        units=int(cohort.size),
        periods_before=int(cohort.start),
        noise=float(cohort.noise),
        zeta=float(cohort.zeta),
        donors=int((weights.unit > 0).sum()),
        largest_donors={str(units[i]): float(weights.unit[i]) for i in order},
        period_weights={str(periods[t]): float(weights.period[t]) for t in used},
        steps_ended_before_limit=bool(weights.settled),
    )


def cohort_support(layout: PathLayout, sizes: Floats) -> tuple[EventSupport, ...]:
    """Cohorts and units behind each event time."""
    at = [(layout.event == e).any(axis=1) for e in layout.times]
    return tuple(
        support_row(int(e), int(a.sum()), int(sizes[a].sum())) for e, a in zip(layout.times, at, strict=True)
    )
