"""Simulated panels whose effects are known, and the estimand of each estimator.

Units lie in clusters with common shocks, which persist; a third of a cluster's units adopt with
its leading cohort, so that standard errors which ignore the clusters are too small. Adoption is drawn anew
each time. The estimand of an estimator is a function of the effects and of the cohorts' weights:
their shares in the population where the standard error counts them as estimated, and their
numbers in the sample where it takes them as given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.panel import NEVER, Panel

N_PERIODS = 8
PERIODS = np.arange(1, N_PERIODS + 1)
COHORTS = np.array([3, 5, 7])
CHANCE = np.array([0.4, 0.2, 0.2, 0.2])
UNITS = 20
LEADING = 0.3


@dataclass(frozen=True, slots=True)
class Truth:
    """Effects (C cohorts, T periods), zero before adoption, and the weights of cohorts.

    Attributes
    ----------
    population, sample : (C,) shares, and numbers of units
    untreated : (T,) number of units not treated in each period
    dose : (C, T) mean change of the treatment, where it is not binary.

    """

    effect: Floats
    population: Floats
    sample: Ints
    untreated: Ints
    cohorts: Ints
    dose: Floats | None = None


Design = Callable[[np.random.Generator, int], tuple[Panel, Truth]]


def same_level(cohort: Ints, event: Ints) -> Floats:
    """A constant effect, as two-way fixed effects assume."""
    return np.full(np.broadcast(cohort, event).shape, 0.5)


def same_path(cohort: Ints, event: Ints) -> Floats:
    """The same path in every cohort, flat from event time 3 on, as an event study assumes."""
    return np.broadcast_to(0.4 + 0.1 * np.minimum(event, 3), np.broadcast(cohort, event).shape)


def any_path(cohort: Ints, event: Ints) -> Floats:
    """Effects that differ between cohorts and grow."""
    return (0.9 - 0.1 * cohort) * (1 + 0.25 * event)


def staggered(
    path: Callable[[Ints, Ints], Floats],
    *,
    trends: bool = False,
    covariate: bool = False,
    counts: bool = False,
) -> Design:
    """Three cohorts and never-treated units; unit trends, a covariate or counts on request."""

    def draw(rng: np.random.Generator, n_clusters: int) -> tuple[Panel, Truth]:
        n_units = n_clusters * UNITS
        cluster = np.repeat(np.arange(n_clusters), UNITS)
        cohort = adoption(rng, cluster)
        truth = truth_of(path, cohort)
        mean = rng.normal(size=(n_units, 1)) * 0.5 + 0.1 * PERIODS
        mean = mean + 0.3 * persistent(rng, n_clusters)[cluster]
        mean += effects(truth, cohort)
        if trends:
            mean += 0.1 * rng.normal(size=(n_units, 1)) * PERIODS
        x = rng.normal(size=(n_units, 1)) + 0.5 * (cohort[:, None] > 0)
        if covariate:
            mean += 0.1 * x * PERIODS
        if counts:
            y = rng.poisson(5 * np.exp(mean) * rng.gamma(4, 0.25, mean.shape)).astype(float)
        else:
            y = mean + 0.5 * persistent(rng, n_units)
        panel = panel_of(y, cohort, cluster)
        return (with_covariate(panel, x) if covariate else panel), truth

    return draw


def by_unit(design: Design) -> Design:
    """The same panels with standard errors that ignore the clusters, which share shocks."""

    def draw(rng: np.random.Generator, n_clusters: int) -> tuple[Panel, Truth]:
        panel, truth = design(rng, n_clusters)
        return replace(panel, clusters={"unit": np.arange(len(panel.units))}), truth

    return draw


def few_treated(rng: np.random.Generator, n_units: int) -> tuple[Panel, Truth]:
    """A tenth of the units in each of two cohorts, sixteen periods, shocks with two factors."""
    periods, size = np.arange(1, 17), n_units // 10
    cohort = np.zeros(n_units, dtype=np.int64)
    cohort[:size], cohort[size : 2 * size] = 9, 12
    loading = rng.normal(size=(n_units, 2))
    factor = 0.3 * rng.normal(size=(2, periods.size)).cumsum(axis=1)
    event = periods - np.array([[9], [12]])
    effect = np.where(event >= 0, 0.5 + 0.1 * event, 0.0)
    y = rng.normal(size=(n_units, 1)) + 0.1 * periods + 0.3 * loading @ factor
    y += 0.5 * rng.normal(size=y.shape)
    for row, date in enumerate((9, 12)):
        y[cohort == date] += effect[row]
    truth = Truth(
        effect, np.ones(2) / 2, np.array([size, size]), untreated(cohort, periods), np.array([9, 12])
    )
    return panel_of(y, cohort, np.arange(n_units), periods), truth


def adoption(rng: np.random.Generator, cluster: Ints) -> Ints:
    """Cohort of each unit: its cluster's leading one with probability ``LEADING``, else drawn freely."""
    dates = np.append(NEVER, COHORTS)
    leading = rng.choice(dates, cluster.max() + 1, p=CHANCE)
    free = rng.choice(dates, cluster.size, p=CHANCE)
    return np.where(rng.random(cluster.size) < LEADING, leading[cluster], free)


def persistent(rng: np.random.Generator, n: int, memory: float = 0.5) -> Floats:
    """(n, T) first-order autoregressions with variance one."""
    shock = rng.normal(size=(n, N_PERIODS))
    for t in range(1, N_PERIODS):
        shock[:, t] = memory * shock[:, t - 1] + np.sqrt(1 - memory**2) * shock[:, t]
    return shock


def untreated(cohort: Ints, periods: Ints) -> Ints:
    """(T,) number of units that are not treated in each period."""
    return ((cohort[:, None] == NEVER) | (cohort[:, None] > periods)).sum(axis=0)


def truth_of(path: Callable[[Ints, Ints], Floats], cohort: Ints) -> Truth:
    """Effects by cohort and period with the shares behind ``cohort``."""
    event = PERIODS - COHORTS[:, None]
    effect = np.where(event >= 0, path(COHORTS[:, None], event), 0.0)
    sample = (cohort[:, None] == COHORTS).sum(axis=0)
    return Truth(effect, CHANCE[1:], sample, untreated(cohort, PERIODS), COHORTS)


def effects(truth: Truth, cohort: Ints) -> Floats:
    """(N, T) effect on each unit."""
    table = np.vstack([np.zeros(N_PERIODS), truth.effect])
    return table[np.searchsorted(np.append(NEVER, COHORTS), cohort)]


def panel_of(y: Floats, cohort: Ints, cluster: Ints, periods: Ints = PERIODS) -> Panel:
    """A balanced, unweighted panel."""
    return Panel(
        y=y,
        units=np.arange(len(y)),
        periods=periods,
        cohort=cohort.astype(np.int64),
        weight=np.ones_like(y),
        clusters={"cluster": cluster},
        outcome="y",
    )


def with_covariate(panel: Panel, x: Floats) -> Panel:
    """The panel with one covariate that does not change over time."""
    table = np.broadcast_to(x, panel.y.shape)[None]
    return replace(panel, covariates=np.ascontiguousarray(table), covariate_names=("x",))
