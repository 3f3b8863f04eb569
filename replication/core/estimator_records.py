"""Records that single estimators and tests put into ``Details``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PermutationRecord:
    """The overall effect, its statistic, and both under permuted adoption.

    Attributes
    ----------
    tested : the statistic of the p-value (``inference.statistic``).
    exchanged : what was exchanged; ``complete`` if every assignment was taken.
    """

    estimate: float
    statistic: float
    estimates: tuple[float, ...]
    statistics: tuple[float, ...]
    draws: int
    draws_lost: int
    tested: str
    exchanged: str
    complete: bool
    strata: str | None = None
    blocks: str | None = None


@dataclass(frozen=True, slots=True)
class FewTreatedRecord:
    """Clusters and placebo values behind ``conley_taber`` or ``ferman_pinto``."""

    method: str
    treated_clusters: int
    control_clusters: int
    placebo_values: int
    smallest_p_value: float
    finite_sample_factor: float = math.nan


@dataclass(frozen=True, slots=True)
class PooledPlacebo:
    """The pooled effect on horizons before adoption, and its standard error."""

    horizons: tuple[int, int]
    estimate: float
    std_error: float


@dataclass(frozen=True, slots=True)
class TwoByTwo:
    """One 2x2 comparison of the Goodman-Bacon decomposition (cohorts, 0 for never treated)."""

    kind: str
    treated: int
    comparison: int
    estimate: float
    weight: float


@dataclass(frozen=True, slots=True)
class DonorWeights:
    """Synthetic control of one cohort: units treated, penalty, and its largest weights."""

    cohort: int
    units: int
    periods_before: int
    noise: float
    zeta: float
    donors: int
    largest_donors: Mapping[str, float]
    period_weights: Mapping[str, float]
    steps_ended_before_limit: bool
