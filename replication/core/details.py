"""What a reader must know of a result and no column of its table holds, in typed fields.

Names and numbers only: ``display.details_text`` words them, and nothing reads words back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from replication.core.estimator_records import (
    DonorWeights,
    FewTreatedRecord,
    PermutationRecord,
    PooledPlacebo,
    TwoByTwo,
)

NAN = math.nan

Value = float | int | bool | str | None


@dataclass(frozen=True, slots=True)
class JointTest:
    """A joint test that several estimates are zero.

    Attributes
    ----------
    test : ``F`` (Hotelling), ``Wald`` (chi-squared), ``permutation``, ``placebo`` (the largest
        statistic against permuted or placebo ones) or ``largest`` (against normal draws).
    df, df_resid : degrees of freedom: estimates that are tested, and those of the denominator.
    statistic, p_value : None where no test is possible; ``reason`` is why.
    fisher_p_value : from permuted dates of adoption, where they were drawn.
    """

    test: str = "F"
    df: int = 0
    statistic: float | None = None
    p_value: float | None = None
    df_resid: int | None = None
    reason: str = ""
    fisher_p_value: float | None = None


@dataclass(frozen=True, slots=True)
class EventSupport:
    """How many treated cohorts and units (of which total weight) stand behind one event time."""

    event_time: int
    cohorts: int
    units: int
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was left out of the estimate, and why.

    Attributes
    ----------
    reason : name of the reason, such as ``singletons``.
    count : how many ``what`` (``units``, ``cells``, ``periods``, ``cohorts``, ``leads``).
    labels : which ones, where they are few or named.
    """

    reason: str
    count: int
    what: str
    labels: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterSupport:
    """Clusters behind an estimate.

    Attributes
    ----------
    treated : clusters with a unit that starts treatment while others are untreated; 0 if unknown.
    control : clusters with a unit that is untreated while one of those is treated.
    alone : treated clusters that are the only cluster of their cohort.
    kind : name of the clusters.
    """

    treated: int
    control: int
    alone: int
    kind: str


@dataclass(frozen=True, slots=True)
class ClusterWeight:
    """Share of one cluster, named by a unit of it, in the effect and in the fit."""

    cluster_of: str
    partial_leverage: float
    leverage: float | None = None


@dataclass(frozen=True, slots=True)
class ClusterInfluence:
    """Leverage, partial leverage and effective number of clusters of a regression.

    Attributes
    ----------
    clustering, clusters, effective : name and number of the clusters, and their effective number.
    partial_leverage_max, leverage_max : the largest of each, with a unit of its cluster
        (``*_cluster_of``); leverage is None where it was not found.
    by_cluster : every cluster, where they are few.
    """

    clustering: str
    clusters: int
    effective: float
    partial_leverage_max: float
    partial_leverage_max_cluster_of: str
    leverage_max: float | None = None
    leverage_max_cluster_of: str | None = None
    leverage_mean: float | None = None
    by_cluster: tuple[ClusterWeight, ...] = ()


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How standard errors, p-values and intervals were made.

    Attributes
    ----------
    method, variance, level, draws, seed : as in ``inference`` of the specification.
    multiplier, interval : of the draws, where they were used for standard errors or p-values.
    resampled_clusters, draws_lost : clusters that were drawn whole; draws that gave no estimate.
    correction, parameters : small-sample factor of the variance, and the K in it.
    repaired : whether the covariance was made positive semi-definite.
    missing_noted : whether a note says why standard errors are missing.
    """

    method: str = "analytic"
    variance: str = "cv1"
    level: float = 0.95
    draws: int = 0
    seed: int = 0
    multiplier: str = ""
    interval: str = ""
    resampled_clusters: int | None = None
    draws_lost: int = 0
    correction: float | None = None
    parameters: int | None = None
    repaired: bool = False
    missing_noted: bool = False


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """Difference between cohorts before adoption, with the weights of one estimand."""

    row: str
    difference: float
    std_error: float
    statistic: float
    p_value: float
    fisher_p_value: float | None = None


@dataclass(frozen=True, slots=True)
class BalanceTest:
    """Whether outcomes before adoption are related to its date, by row and jointly.

    Attributes
    ----------
    largest, wald : joint tests by the largest |t| and by the Wald statistic.
    smallest_cohort : units of the smallest cohort.
    draws : permuted dates behind ``fisher_p_value``.
    """

    rows: tuple[BalanceRow, ...]
    largest: JointTest = JointTest()
    wald: JointTest = JointTest()
    smallest_cohort: int | None = None
    draws: int = 0


@dataclass(frozen=True, slots=True)
class Details:
    """What a reader must know of a result.

    Attributes
    ----------
    absorbed : fixed effects: ``unit``, ``time``, ``<stratum>_by_time``, or a name of the estimator.
    linear_trends : ``unit`` or strata with a linear trend of their own.
    covariates, omitted : names, and those left out as collinear.
    control_group : ``never_treated``, ``not_yet_treated`` or ``last_treated``; empty if none.
    base_period : an event time, ``universal``, ``varying``, ``untreated_before_leads``,
        ``untreated`` or ``none``; None for estimators without one.
    anticipation : periods before adoption in which the effect may start.
    window : event times that were asked for (``stacked``: the clean window).
    endpoints : ``bin``, ``drop`` or ``all``: event times beyond the window.
    average : how the overall effect averages (``display.details_text.AVERAGE``);
        ``averaged_times`` the first and last event time in it.
    period : ``year``, ``quarter`` or ``month``, where the labels of the periods tell.
    scale : ``log points`` where coefficients are changes of a log mean; empty for the outcome's.
    weighted : whether units or cells are weighted.
    mean_outcome, mean_pre : weighted mean of the outcome, and of adopters before adoption.
    support : treated cohorts and units by event time.
    dropped : what was left out, with the reason.
    clusters : names of the clusterings.
    cluster_support, effective_clusters, cluster_influence : treated and control clusters, effective
        number behind the overall effect, leverage.
    uncertainty : how standard errors, p-values and intervals were made.
    pretrend : joint test of the leads; ``pretest_cells`` that of R ``did`` for group-time cells.
    permutation, few_treated, balance, pooled_placebo : records of tests, where they were made.
    comparisons, donor_weights : of ``goodman_bacon`` and ``synthetic_did``.
    by_row : further numbers of every row: name -> label of the row -> number.
    extras : further numbers and choices of one estimator.
    notes : what was dropped, derived or cannot be trusted, one sentence each.
    """

    absorbed: tuple[str, ...] = ()
    linear_trends: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    omitted: tuple[str, ...] = ()
    control_group: str = ""
    base_period: int | str | None = None
    anticipation: int = 0
    window: tuple[int, int] | None = None
    endpoints: str = ""
    average: str = ""
    averaged_times: tuple[int, int] | None = None
    period: str = ""
    scale: str = ""
    weighted: bool = False
    mean_outcome: float = NAN
    mean_pre: float = NAN
    support: tuple[EventSupport, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    clusters: tuple[str, ...] = ("unit",)
    cluster_support: ClusterSupport | None = None
    effective_clusters: float | None = None
    cluster_influence: ClusterInfluence | None = None
    uncertainty: Uncertainty = Uncertainty()
    pretrend: JointTest | None = None
    pretest_cells: JointTest | None = None
    permutation: PermutationRecord | None = None
    few_treated: FewTreatedRecord | None = None
    balance: BalanceTest | None = None
    pooled_placebo: PooledPlacebo | None = None
    comparisons: tuple[TwoByTwo, ...] = ()
    donor_weights: tuple[DonorWeights, ...] = ()
    by_row: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    extras: Mapping[str, Value] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def noted(self, notes: Iterable[str]) -> Details:
        """The details with further notes after those that are there."""
        return replace(self, notes=(*self.notes, *notes))

    def measured(self, **changes: Any) -> Details:
        """The details with other fields of ``uncertainty``."""
        return replace(self, uncertainty=replace(self.uncertainty, **changes))

    def with_extras(self, more: Mapping[str, Value]) -> Details:
        """The details with further ``extras``."""
        return replace(self, extras={**self.extras, **more})

    def count_dropped(self, reason: str) -> int:
        """How much was left out for a reason; 0 if nothing was."""
        return sum(one.count for one in self.dropped if one.reason == reason)

    def find(self, key: str) -> Any:
        """A field or a key of ``extras``, dots reaching into it; None if it is not there."""
        value: Any = self
        for part in key.split("."):
            if is_dataclass(value) and part in {one.name for one in fields(value)}:
                value = getattr(value, part)
            elif isinstance(value, Details):
                value = value.extras.get(part)
            else:
                value = value.get(part) if isinstance(value, Mapping) else None
        return value
