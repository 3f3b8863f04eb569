"""Simulated panels and estimands of the coverage table beyond staggered adoption of a binary treatment.

Effects by cohort and period, cohorts and shocks are those of ``coverage_designs``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.coverage_aims import Aim, Target, treated_cells
from benchmarks.coverage_designs import (
    CHANCE,
    COHORTS,
    N_PERIODS,
    PERIODS,
    UNITS,
    Design,
    Truth,
    adoption,
    any_path,
    effects,
    panel_of,
    persistent,
    staggered,
    truth_of,
)
from replication.core.panel import NEVER, Panel

MEAN_DOSE = 1.1
SAMPLED = 8
"""Individuals of each cluster for one unit of the other panels."""


def random_timing(rng: np.random.Generator, n_clusters: int) -> tuple[Panel, Truth]:
    """Dates drawn unit by unit, as Roth & Sant'Anna (2023) take them; every unit is its own cluster."""
    cohort = rng.choice(np.append(NEVER, COHORTS), n_clusters * UNITS, p=CHANCE)
    truth = truth_of(any_path, cohort)
    y = 0.5 * rng.normal(size=(cohort.size, 1)) + 0.1 * PERIODS + 0.5 * persistent(rng, cohort.size)
    return panel_of(y + effects(truth, cohort), cohort, np.arange(cohort.size)), truth


def reversals(rng: np.random.Generator, n_clusters: int) -> tuple[Panel, Truth]:
    """Treatment rises by 1 or 2, and half of the units give it up after two periods.

    The effect of having changed is that of the cohort and period whatever the treatment is then;
    ``Truth.dose`` (C, T) has the mean change of treatment of each cohort.
    """
    panel, truth = staggered(any_path)(rng, n_clusters)
    n_units = len(panel.units)
    since = panel.periods - panel.cohort[:, None]
    on = np.not_equal(panel.cohort, NEVER)[:, None] & (since >= 0)
    on &= (since < 2) | (rng.random(n_units) < 0.5)[:, None]
    z = np.where(on, rng.choice([1.0, 2.0], n_units)[:, None], 0.0)
    dose = np.stack([z[panel.cohort == label].mean(axis=0) for label in COHORTS])
    return replace(panel, exposure=z, doses=z), replace(truth, dose=dose)


def by_dose(truth: Truth) -> Target:
    """The path by numbers in the sample; the total effect is per unit of treatment."""
    assert truth.dose is not None
    event = PERIODS - COHORTS[:, None]
    mass = truth.sample[:, None] * (event >= 0)
    total = float((mass * truth.effect).sum() / (mass * truth.dose).sum())
    return treated_cells(truth, truth.sample) | {"att": total}


def eligible_half(rng: np.random.Generator, n_clusters: int) -> tuple[Panel, Truth]:
    """Half of the units are eligible; trends differ by cohort and by eligibility, not by both."""
    cluster = np.repeat(np.arange(n_clusters), UNITS)
    cohort = adoption(rng, cluster)
    eligible = rng.integers(0, 2, cohort.size)
    truth = truth_of(any_path, cohort)
    slope = 0.05 * (cohort == COHORTS[1]) + 0.1 * eligible
    y = 0.5 * rng.normal(size=(cohort.size, 1)) + (0.1 + slope[:, None]) * PERIODS
    y += 0.3 * persistent(rng, n_clusters)[cluster] + 0.5 * persistent(rng, cohort.size)
    # Eligible and ineligible units of a cluster have shocks of their own, so that clusters matter.
    y += 0.2 * persistent(rng, 2 * n_clusters)[2 * cluster + eligible]
    y += effects(truth, cohort) * eligible[:, None]
    panel = panel_of(y, cohort, cluster)
    return replace(panel, strata={"eligible": eligible.astype(np.int64)}), truth


def dosed(rng: np.random.Generator, n_clusters: int) -> tuple[Panel, Truth]:
    """Effects are proportional to a dose that is drawn apart from the cohort."""
    panel, truth = staggered(any_path)(rng, n_clusters)
    treated = np.not_equal(panel.cohort, NEVER)
    dose = np.where(treated, rng.gamma(2.0, 0.5, treated.size) + MEAN_DOSE - 1, 0.0)
    y = panel.y + effects(truth, panel.cohort) * (dose - 1)[:, None]
    return replace(panel, y=y, unit_values={"dose": dose}), truth


def by_cohort(mean_dose: float) -> Aim:
    """Cohorts by their share, each averaged over its treated periods, times the mean dose."""

    def aim(truth: Truth) -> Target:
        after = truth.cohorts[:, None] <= PERIODS
        own = (truth.effect * after).sum(axis=1) / after.sum(axis=1)
        total = float(truth.population @ own / truth.population.sum())
        return {"att": mean_dose * total}

    return aim


def sampled_once(design: Design) -> Design:
    """Individuals of a panel of eight times the size, each seen in one period."""

    def draw(rng: np.random.Generator, n_clusters: int) -> tuple[Panel, Truth]:
        panel, truth = design(rng, n_clusters * SAMPLED)
        seen = rng.integers(0, N_PERIODS, len(panel.units))[:, None] == np.arange(N_PERIODS)
        cluster = panel.clusters["cluster"] // SAMPLED
        return replace(panel, y=np.where(seen, panel.y, np.nan), clusters={"cluster": cluster}), truth

    return draw
