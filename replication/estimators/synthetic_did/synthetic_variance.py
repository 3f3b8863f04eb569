"""Variance of synthetic difference-in-differences: placebo, jackknife, bootstrap.

Algorithms 4, 3 and 2 of Arkhangelsky et al. (2021), for several cohorts as Clarke et al. (2024)
have them. Placebo and bootstrap find the weights anew in every draw, at the exact minimum; the
jackknife keeps them. The ridge parameters are those of the data.
"""

from __future__ import annotations

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.core.threads import side_by_side
from replication.estimators.synthetic_did.projected_covariates import (
    CovariateOutcomes,
    slopes_without,
)
from replication.estimators.synthetic_did.synthetic_paths import (
    PathLayout,
    SyntheticCohort,
    SyntheticWeights,
    gap_path,
    minimum_weights,
)
from replication.inference.cluster import sum_by_cluster
from replication.inference.psd import Repaired, repaired_variance


def placebo_variance(
    outcomes: CovariateOutcomes,
    controls: Ints,
    cohorts: list[SyntheticCohort],
    weights: list[SyntheticWeights],
    layout: PathLayout,
    inference: Inference,
) -> Repaired:
    """Variance over random assignments of the treated cohorts to controls."""
    sizes = np.array([c.size for c in cohorts])
    n_controls, n_treated = controls.size, int(sizes.sum())
    rng = np.random.default_rng(inference.seed)
    periods = outcomes.y.shape[1]
    starts = np.repeat([c.start for c in cohorts], sizes)
    start = np.concatenate([np.full(n_controls - n_treated, periods), starts])
    rows = []
    for _ in range(inference.draws):
        order = rng.permutation(n_controls)
        y = outcomes.adjusted(controls[order], start)
        donors, chosen = y[:-n_treated], np.split(y[-n_treated:], np.cumsum(sizes)[:-1])
        paths = [
            refitted_path(donors, units.mean(axis=0), c, w, order[:-n_treated])
            for units, c, w in zip(chosen, cohorts, weights, strict=True)
        ]
        rows.append(layout.collect(paths, sizes.astype(float)))
    return variance_over_draws(np.array(rows))


def bootstrap_variance(
    outcomes: CovariateOutcomes,
    member: Ints,
    cluster: Ints,
    cohorts: list[SyntheticCohort],
    weights: list[SyntheticWeights],
    layout: PathLayout,
    inference: Inference,
) -> Repaired:
    """Variance over resampled clusters.

    Parameters
    ----------
    member : (N,) place of the unit's cohort in ``cohorts``, -1 for controls.
    """
    groups = int(cluster.max()) + 1
    blocks = [np.flatnonzero(cluster == g) for g in range(groups)]
    place = np.cumsum(member < 0) - 1
    rng = np.random.default_rng(inference.seed)
    rows: list[Floats] = []
    while len(rows) < inference.draws:
        drawn = np.concatenate([blocks[g] for g in rng.integers(0, groups, groups)])
        donors = drawn[member[drawn] < 0]
        if donors.size == 0 or donors.size == drawn.size:
            continue
        y = outcomes.adjusted(drawn, outcomes.start[drawn])
        paths = np.zeros(layout.event.shape)
        sizes = np.zeros(len(cohorts))
        for k, (c, w) in enumerate(zip(cohorts, weights, strict=True)):
            mine = member[drawn] == k
            sizes[k] = mine.sum()
            if mine.any():
                mean = y[mine].mean(axis=0)
                paths[k] = refitted_path(y[member[drawn] < 0], mean, c, w, place[donors])
        rows.append(layout.collect(paths, sizes))
    return variance_over_draws(np.array(rows))


def refitted_path(
    controls: Floats, treated: Floats, cohort: SyntheticCohort, weights: SyntheticWeights, donors: Ints
) -> Floats:
    """The path with weights found anew, from the weights of the data as a start."""
    kept = weights.unit[donors]
    start = SyntheticWeights(kept / kept.sum(), weights.period) if kept.sum() > 0 else None
    return gap_path(controls, treated, minimum_weights(controls, treated, cohort, start))


def jackknife_variance(
    outcomes: CovariateOutcomes,
    member: Ints,
    cluster: Ints,
    cohorts: list[SyntheticCohort],
    weights: list[SyntheticWeights],
    layout: PathLayout,
) -> tuple[Repaired, Floats]:
    """Variance over leaving out one cluster at a time, and (K,) degrees of freedom of each row.

    Weights are kept and rescaled; slopes of covariates are those without the cluster.
    """
    groups = int(cluster.max()) + 1
    beta = slopes_without(outcomes, cluster)
    control = member < 0
    sizes = sizes_without_each(member, cluster)

    def path(place: int) -> Floats:
        """(C, T) gap of one cohort without each cluster."""
        c, w = cohorts[place], weights[place]
        mine = (member == place).astype(float)
        unit = np.zeros(member.size)
        unit[control] = w.unit
        left, mass = without_each(outcomes.y, unit, cluster)
        gap = without_each(outcomes.y, mine, cluster)[0] - left
        if (mass == 0).any():
            raise not_left(c, "all its donors")
        for slope, x in zip(beta.T, outcomes.x, strict=True):
            gap -= slope[:, None] * (without_each(x, mine, cluster)[0] - without_each(x, unit, cluster)[0])
        gap -= (gap[:, : c.start] @ w.period)[:, None]
        return gap

    paths = side_by_side(path, range(len(cohorts)), len(cohorts) * outcomes.y.size)
    rows = layout.collect(paths, sizes)
    deviation = rows - rows.mean(axis=0)
    variance: Floats = (groups - 1) / groups * deviation.T @ deviation
    whole = Repaired(variance, np.zeros(len(variance), dtype=bool), ())
    return whole, satterthwaite_degrees(deviation, cluster_strata(member, cluster), len(cohorts))


def cluster_strata(member: Ints, cluster: Ints) -> Ints:
    """(C,) place of the first cohort in each cluster; the number of cohorts if it has none."""
    controls = int(member.max()) + 1
    found = np.full(int(cluster.max()) + 1, controls)
    np.minimum.at(found, cluster, np.where(member < 0, controls, member))
    return found


def satterthwaite_degrees(deviation: Floats, stratum: Ints, n_cohorts: int) -> Floats:
    """(K,) Satterthwaite's degrees of freedom of the jackknife variances, from (C, K) deviations.

    The variance is a sum V of one part per cohort and one for the clusters of controls only.
    That of a cohort of n clusters has n - 1 degrees; that of controls, whose weights differ, about
    ``3 (sum d^2)^2 / sum d^4`` with d the deviations; together ``(sum V)^2 / sum (V^2 / degrees)``.
    With few treated units the jackknife variance is as uncertain as that of a handful of numbers,
    which normal critical values ignore (Satterthwaite 1946; Bell & McCaffrey 2002 for clusters).
    """
    square = deviation**2
    each = np.zeros((n_cohorts + 1, stratum.size))
    each[stratum, np.arange(stratum.size)] = 1.0
    parts, fourth = each @ square, each @ square**2
    degrees = np.repeat(each.sum(axis=1, keepdims=True) - 1, square.shape[1], axis=1)
    last = fourth[-1] > 0
    degrees[-1] = np.where(last, 3 * parts[-1] ** 2 / np.where(last, fourth[-1], 1.0), 1.0)
    spread = (parts**2 / np.maximum(degrees, 1.0)).sum(axis=0)
    return np.where(spread > 0, parts.sum(axis=0) ** 2 / np.where(spread > 0, spread, 1.0), 1.0)


def without_each(y: Floats, weight: Floats, cluster: Ints) -> tuple[Floats, Floats]:
    """(C, T) weighted mean without each cluster, and (C,) the weight left."""
    groups = int(cluster.max()) + 1
    removed = sum_by_cluster(weight[:, None] * y, cluster)
    mass = weight.sum() - np.bincount(cluster, weight, groups)
    mass = np.where(mass > 1e-12 * weight.sum(), mass, 0.0)
    safe = np.where(mass > 0, mass, 1.0)[:, None]
    return (weight @ y - removed) / safe, mass


def sizes_without_each(member: Ints, cluster: Ints) -> Floats:
    """(C, G) units of each cohort without each cluster."""
    belongs = (member[:, None] == np.arange(int(member.max()) + 1)).astype(float)
    sizes: Floats = belongs.sum(axis=0) - sum_by_cluster(belongs, cluster)
    return sizes


def require_possible(kind: str, panel: Panel, member: Ints, cohorts: list[SyntheticCohort]) -> None:
    """Refuse standard errors that the panel cannot support, before the weights take their time."""
    n_treated = int((member >= 0).sum())
    n_controls = member.size - n_treated
    if kind == "jackknife":
        emptied = np.flatnonzero((sizes_without_each(member, panel.cluster) == 0).any(axis=0))
        if emptied.size:
            raise not_left(cohorts[int(emptied[0])], "all its units")
    elif kind == "bootstrap" and n_treated < 2:
        raise PanelError(
            "Bootstrap standard errors need at least two treated units; this panel has one. Set "
            "'donor_errors: placebo'."
        )
    elif kind == "placebo" and panel.n_clusters < member.size:
        raise PanelError(
            f"Placebo standard errors treat the {member.size} units as independent, but standard errors are "
            f"clustered in {panel.n_clusters} groups. Set 'donor_errors: jackknife' or 'bootstrap', which "
            "leave out and draw clusters, or cluster by unit."
        )
    elif kind == "placebo" and n_controls <= n_treated:
        raise PanelError(
            "Placebo standard errors require more never-treated than treated units; this panel has "
            f"{n_controls} never-treated and {n_treated} treated units. Set "
            "'donor_errors: jackknife' or 'bootstrap' (`--set donor_errors=jackknife`)."
        )


def not_left(cohort: SyntheticCohort, reason: str) -> PanelError:
    """The refusal of a jackknife that would leave a cohort without units or without donors."""
    return PanelError(
        f"Jackknife standard errors leave out one cluster at a time, and cohort {cohort.first} has "
        f"{reason} in one cluster. Set 'donor_errors: placebo', which needs more "
        "never-treated than treated units, or leave the cohort out in 'sample'."
    )


def variance_over_draws(rows: Floats) -> Repaired:
    """(K, K) variance over draws; a row that a draw lacks is left out pair by pair."""
    there: Bools = ~np.isnan(rows)
    deviation = np.where(there, rows - np.nanmean(rows, axis=0), 0.0)
    count = there.T.astype(float) @ there
    variance: Floats = deviation.T @ deviation / np.maximum(count, 1.0)
    return repaired_variance(variance, "The covariance over draws in which some rows are missing")
