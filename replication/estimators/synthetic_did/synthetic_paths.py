"""Synthetic difference-in-differences of one cohort, and the average over cohorts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.threads import side_by_side
from replication.estimators.synthetic_did.simplex_weights import FrankWolfe, exact_weights

TIME_RIDGE = 1e-6
STOP = 1e-5
SMALLEST_RIDGE = 1e-14


@dataclass(frozen=True, slots=True)
class SyntheticCohort:
    """A cohort: adoption, size, and what the weights depend on.

    Attributes
    ----------
    first : its label.
    start : number of periods before adoption.
    size : number of its units.
    noise : standard deviation of the controls' first differences before adoption.
    zeta : ridge parameter of the unit weights, (size * periods after)^(1/4) * noise.
    """

    first: int
    start: int
    size: int
    noise: float
    zeta: float


@dataclass(frozen=True, slots=True)
class SyntheticWeights:
    """Unit weights (N0,), period weights (T0,), and whether the steps ended before their limit."""

    unit: Floats
    period: Floats
    settled: bool = True


def describe_cohort(first: int, start: int, size: int, controls: Floats) -> SyntheticCohort:
    """A cohort with its noise level and ridge, as R ``synthdid_estimate`` sets them."""
    noise = float(np.diff(controls[:, :start], axis=1).std(ddof=1))
    after = controls.shape[1] - start
    return SyntheticCohort(first, start, size, noise, float((size * after) ** 0.25 * noise))


def problems(
    controls: Floats, treated: Floats, cohort: SyntheticCohort
) -> tuple[tuple[Floats, Floats, float], tuple[Floats, Floats, float]]:
    """(A, b, ridge) of the unit weights and of the period weights, intercepts swept out."""
    before, after = controls[:, : cohort.start], controls[:, cohort.start :]
    a_unit = before.T - before.mean(axis=1)
    b_unit = treated[: cohort.start] - treated[: cohort.start].mean()
    a_time = before - before.mean(axis=0)
    b_time = after.mean(axis=1) - after.mean()
    return (
        (a_unit, b_unit, max(cohort.start * cohort.zeta**2, _floor(a_unit))),
        (a_time, b_time, max(controls.shape[0] * (TIME_RIDGE * cohort.noise) ** 2, _floor(a_time))),
    )


def _floor(centered: Floats) -> float:
    """Least ridge, from deviations: the level of the outcome must not matter."""
    return SMALLEST_RIDGE * max(float((centered**2).sum()), 1e-300)


def published_weights(
    controls: Floats, treated: Sequence[Floats], cohorts: Sequence[SyntheticCohort]
) -> list[SyntheticWeights]:
    """Weights of each cohort by the steps of R ``synthdid``; ``treated`` holds the mean path (T,) of each.

    Crossproducts of the next cohorts are formed while the steps of one are taken.
    """

    def prepared(place: int) -> list[tuple[FrankWolfe, int]]:
        """The two problems of a cohort, with their numbers of rows."""
        both = problems(controls, treated[place], cohorts[place])
        return [(FrankWolfe(*problem), len(problem[0])) for problem in both]

    found = []
    size = len(cohorts) * len(controls) ** 2
    for cohort, both in zip(cohorts, side_by_side(prepared, range(len(cohorts)), size), strict=True):
        stop = (STOP * cohort.noise) ** 2
        (unit, ended), (period, settled) = (steps.weights(rows * stop) for steps, rows in both)
        found.append(SyntheticWeights(unit, period, ended and settled))
    return found


def minimum_weights(
    controls: Floats, treated: Floats, cohort: SyntheticCohort, start: SyntheticWeights | None = None
) -> SyntheticWeights:
    """Weights of a cohort at the exact minimum."""
    unit, period = problems(controls, treated, cohort)
    first = (None, None) if start is None else (start.unit, start.period)
    return SyntheticWeights(exact_weights(*unit, first[0]), exact_weights(*period, first[1]))


def gap_path(controls: Floats, treated: Floats, weights: SyntheticWeights) -> Floats:
    """(T,) treated mean less its synthetic control, less the weighted gap before adoption."""
    gap = treated - weights.unit @ controls
    return gap - weights.period @ gap[: weights.period.size]


@dataclass(frozen=True)
class PathLayout:
    """How cohort paths become rows: overall, by cohort, by event time.

    Attributes
    ----------
    event : (G, T) event time of each cohort and period.
    start : (G,) periods before adoption.
    times : (E,) event times reported.
    """

    event: Ints
    start: Ints
    times: Ints

    def collect(self, paths: Iterable[Floats], sizes: Floats) -> Floats:
        """(..., 1 + G + E) rows from the (..., T) path of each cohort and (..., G) sizes.

        Overall: cohort effects weighted by treated unit-periods; event times: weighted by units.
        A cohort of size zero takes no part; a row without a cohort is NaN.
        """
        cohorts = self.start.size
        total = np.zeros((*sizes.shape[:-1], 1 + cohorts + self.times.size))
        mass = np.zeros_like(total)
        for k, path in enumerate(paths):
            size, after = sizes[..., k], path[..., self.start[k] :]
            treated = size * after.shape[-1]
            effect = after.mean(axis=-1)
            total[..., 0] += treated * effect
            mass[..., 0] += treated
            total[..., 1 + k], mass[..., 1 + k] = effect, size > 0
            place, shown = self._columns[k]
            total[..., place] += size[..., None] * path[..., shown]
            mass[..., place] += size[..., None]
        return np.where(mass > 0, total / np.where(mass > 0, mass, 1.0), np.nan)

    @cached_property
    def _columns(self) -> list[tuple[slice | Ints, slice | Ints]]:
        """Of each cohort the columns of its event times that are reported, and their periods."""
        inside = [np.flatnonzero(np.isin(event, self.times)) for event in self.event]
        columns = [np.searchsorted(self.times, e[t]) for e, t in zip(self.event, inside, strict=True)]
        return [(_span(1 + self.start.size + c), _span(t)) for c, t in zip(columns, inside, strict=True)]


def _span(places: Ints) -> slice | Ints:
    """Consecutive places as a slice, which copies nothing."""
    if places.size and places[-1] - places[0] + 1 == places.size:
        return slice(int(places[0]), int(places[-1]) + 1)
    return places
