"""Estimands of the estimators as functions of the true effects and the cohort weights.

A target maps ``att`` and event times to values. Event times that are missing are before adoption
(or the reference) and worth zero.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.coverage_designs import PERIODS, Truth
from replication.core.arrays import Floats, Ints

Target = dict[str | int, float]
Aim = Callable[[Truth], Target]


def treated_cells(truth: Truth, weight: Floats | Ints) -> Target:
    """``att`` over treated cells; event times over the cohorts that reach them."""
    event = np.arange(truth.effect.shape[1]) + 1 - truth.cohorts[:, None]
    mass = weight[:, None] * (event >= 0)
    target: Target = {"att": float((mass * truth.effect).sum() / mass.sum())}
    for e in range(int(event.max()) + 1):
        here = mass * (event == e)
        target[e] = float((here * truth.effect).sum() / here.sum())
    return target


def by_sample(truth: Truth) -> Target:
    """Cohorts weigh as many units as they have in the sample."""
    return treated_cells(truth, truth.sample)


def by_population(truth: Truth) -> Target:
    """Cohorts weigh their shares in the population."""
    return treated_cells(truth, truth.population)


def path_to(high: int, weights: str) -> Aim:
    """Event times up to ``high``, and their plain average: event study and stack."""

    def aim(truth: Truth) -> Target:
        full = treated_cells(truth, getattr(truth, weights))
        target: Target = {e: full[e] for e in range(high + 1)}
        return target | {"att": float(np.mean(list(target.values())))}

    return aim


def by_variance(horizons: int) -> Aim:
    """Local projections: adopters of a period weigh n1 n0 / (n1 + n0).

    ``att`` pools the horizons 0 .. ``horizons``, with controls untreated through the last.
    """

    def weight(truth: Truth, horizon: int) -> Floats:
        last = truth.cohorts + horizon
        reached = last <= PERIODS[-1]
        n1 = truth.sample * reached
        n0 = truth.untreated[np.minimum(last, PERIODS[-1]) - 1]
        return np.asarray(n1 * n0 / (n1 + n0))

    def change(truth: Truth, horizon: int) -> Floats:
        column = np.minimum(truth.cohorts + horizon, PERIODS[-1]) - 1
        return truth.effect[np.arange(truth.cohorts.size), column]

    def aim(truth: Truth) -> Target:
        target: Target = {}
        for h in range(int(PERIODS[-1] - truth.cohorts.min()) + 1):
            share = weight(truth, h)
            target[h] = float(share @ change(truth, h) / share.sum())
        share = weight(truth, horizons)
        pooled = np.mean([change(truth, h) for h in range(horizons + 1)], axis=0)
        return target | {"att": float(share @ pooled / share.sum())}

    return aim
