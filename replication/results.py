"""The two shapes that everything speaks: ``Panel`` goes into an estimator, ``Estimates`` come out.

Nothing here computes an estimate. ``Panel`` is built by ``replication.tidy.build_panel`` from a
tidy frame; ``Estimates`` by ``replication.inference.assemble``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.errors import PanelError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

COLUMNS = [
    "spec_id", "study", "estimator", "outcome", "term", "cohort", "time", "event_time",
    "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "band_low",
    "band_high", "n_obs", "n_units", "n_clusters",
]  # fmt: skip
TERMS = ("att", "att_gt", "event", "group", "calendar", "weight")
LEFT_OUT = ("att_gt", "weight")
NEVER = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """Outcomes and adoption of N units over T periods.

    Attributes
    ----------
    y : (N, T) float
        Outcome; NaN where the unit is not observed.
    units, periods : (N,) labels and (T,) int
        Periods ascend; they need not be consecutive.
    cohort : (N,) int
        First treated period as labelled in the data; 0 for units never treated.
    weight : (N, T) float
        Non-negative weights, constant over time unless the data say otherwise. Ones if unweighted.
    exposure : (N, T) float or None
        Treatment intensity (such as the share of the period in force); None means binary from
        the cohort.
    clusters : mapping of name to (N,) or (N, T) int codes
        One entry a clustering dimension.
    covariates : (K, N, T) float
    strata : mapping of name to (N,) int codes
        Groups with their own period effects (``region_by_time`` uses ``strata["region"]``).
    offset : (N, T) float or None
        Added to the linear index of a Poisson model.
    coordinates : (N, 2) float or None
        Latitude and longitude in degrees, for spatial errors.
    weighted : bool
        Whether the weights came from a column (printed everywhere: it changes the estimand).
    notes : tuple of str
        What was dropped or derived when the panel was built, with counts.

    """

    y: Floats
    units: NDArray[Any]
    periods: Ints
    cohort: Ints
    weight: Floats
    clusters: Mapping[str, Ints]
    exposure: Floats | None = None
    covariates: Floats | None = None
    covariate_names: tuple[str, ...] = ()
    strata: Mapping[str, Ints] = field(default_factory=dict)
    offset: Floats | None = None
    coordinates: Floats | None = None
    weighted: bool = False
    outcome: str = "outcome"
    spec_id: str = ""
    study: str = ""
    notes: tuple[str, ...] = ()

    @property
    def observed(self) -> Bools:
        """(N, T) cells with an outcome."""
        return ~np.isnan(self.y)

    @property
    def balanced(self) -> bool:
        """Whether every unit is observed in every period."""
        return bool(self.observed.all())

    @property
    def first(self) -> Ints:
        """(N,) column of the first treated period; T if not treated inside the panel."""
        column = np.searchsorted(self.periods, self.cohort)
        return np.where(self.cohort == NEVER, self.periods.size, column).astype(np.int64)

    @property
    def treated(self) -> Bools:
        """(N, T) cells at or after adoption."""
        return np.arange(self.periods.size) >= self.first[:, None]

    @property
    def dose(self) -> Floats:
        """(N, T) treatment: the exposure where there is one, else 0 or 1 from the cohort."""
        return self.treated.astype(float) if self.exposure is None else self.exposure

    @property
    def unit_weight(self) -> Floats:
        """(N,) weights of estimators that need one weight a unit; refuses varying weights."""
        if (self.weight == self.weight[:, :1]).all():
            return self.weight[:, 0]
        low, high = self.weight.min(axis=1), self.weight.max(axis=1)
        varying = int((high > low * (1 + 1e-12)).sum())
        if varying:
            raise PanelError(
                f"The weights of {varying} of {low.size} units change over time, and this "
                "estimator takes one weight a unit. Name a column that is constant within unit, "
                "such as the population of a base year."
            )
        return self.weight[:, 0]

    @property
    def cluster(self) -> Ints:
        """(N,) codes 0 .. G-1 of the only clustering dimension; refuses any other clustering."""
        if len(self.clusters) != 1:
            raise PanelError(
                f"This estimator clusters one way; {len(self.clusters)} dimensions were named "
                f"({', '.join(self.clusters)}). Name one, or use twfe, event_study or poisson."
            )
        name, codes = next(iter(self.clusters.items()))
        if codes.ndim != 1:
            raise PanelError(
                f"Units change their cluster {name!r} over time; this estimator needs clusters "
                "that contain whole units. Name a coarser column."
            )
        return codes

    @property
    def n_clusters(self) -> int:
        """Clusters of the smallest clustering dimension."""
        return min(int(codes.max()) + 1 for codes in self.clusters.values())

    def keep_units(self, keep: Bools, note: str = "") -> Panel:
        """The panel of the units where ``keep`` is true; ``note`` joins the notes."""
        from replication.subset import keep_units

        return keep_units(self, keep, note)

    def keep_periods(self, keep: Bools, note: str = "") -> Panel:
        """The panel of the periods where ``keep`` is true; ``note`` joins the notes."""
        from replication.subset import keep_periods

        return keep_periods(self, keep, note)


@dataclass(frozen=True, slots=True)
class ClusterScores:
    """Scores of one quantity summed over clusters, so that several outcomes can be drawn jointly.

    Attributes
    ----------
    sums : (G,) with variance ``sums @ sums``
    units, codes : (N,) labels of the units, and the cluster of each

    """

    sums: Floats
    units: NDArray[Any]
    codes: Ints


@dataclass(frozen=True, slots=True)
class Estimates:
    """A tidy table of estimates with the covariance matrix of its rows.

    Attributes
    ----------
    table : DataFrame
        Columns are exactly ``COLUMNS``. ``term`` is ``att``, ``att_gt``, ``event``, ``group``,
        ``calendar``, ``coef:<name>`` or ``weight``; ``cohort``, ``time`` and ``event_time`` are
        empty where they do not apply (a ``group`` row without cohort is the group average).
        ``conf_*`` is pointwise, ``band_*`` simultaneous over the rows of the same term.
    vcov : DataFrame
        Labelled by ``row_labels``; zero rows for values that are fixed (reference periods).
        Rows of group-time cells are left out where there are very many, and rows of weights
        always, as those are fixed numbers.
    info : mapping
        What a reader must know and no column holds: control group, base period, weights,
        absorbed effects, draws, seed, pre-treatment mean, pre-trend test, support of each
        event time, dropped units and periods. Values are plain numbers, strings and lists.
    overall : ClusterScores or None
        Behind the error of the ``att`` row; not written to files.

    """

    table: pd.DataFrame
    vcov: pd.DataFrame
    info: Mapping[str, Any] = field(default_factory=dict)
    overall: ClusterScores | None = None

    def __post_init__(self) -> None:
        if list(self.table.columns) != COLUMNS:
            raise ValueError(f"Estimates need the columns {COLUMNS}, got {list(self.table)}.")
        side = len(self.table)
        if self.vcov.shape[0] != side:
            side = int((~self.table["term"].isin(LEFT_OUT)).sum())
        if self.vcov.shape != (side, side):
            raise ValueError(
                f"The covariance is {self.vcov.shape} for {len(self.table)} rows of estimates."
            )

    def rows(self, term: str) -> pd.DataFrame:
        """The rows of one term."""
        return self.table[self.table["term"] == term]

    @property
    def att(self) -> tuple[float, float]:
        """(estimate, std_error) of the overall effect."""
        place = self.table["term"].tolist().index("att")
        estimate, std_error = (self.table[name].to_numpy() for name in ("estimate", "std_error"))
        return float(estimate[place]), float(std_error[place])

    def path(self) -> tuple[pd.DataFrame, Floats]:
        """The event-time path and its covariance, for sensitivity analysis and figures."""
        chosen = ((self.table["term"] == "event") & self.table["event_time"].notna()).to_numpy()
        inside = chosen
        if len(self.vcov) != len(self.table):
            inside = chosen[(~self.table["term"].isin(LEFT_OUT)).to_numpy()]
        return self.table[chosen], self.vcov.to_numpy()[np.ix_(inside, inside)]

    # Hooks of the maketables package: it builds tables from any object that has them.

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        named = self.table.assign(Coefficient=row_labels(self.table)).set_index("Coefficient")
        return named.rename(
            columns={
                "estimate": "b", "std_error": "se", "statistic": "t", "p_value": "p",
                "conf_low": "ci95l", "conf_high": "ci95u",
            }
        )[["b", "se", "t", "p", "ci95l", "ci95u"]]  # fmt: skip

    @property
    def __maketables_depvar__(self) -> str:
        return str(self.table["outcome"].iloc[0])

    def __maketables_stat__(self, key: str) -> Any:
        columns = {"N": "n_obs", "n_units": "n_units", "n_clusters": "n_clusters"}
        if key in columns:
            return int(self.table[columns[key]].iloc[0])
        return self.info.get(key)


def row_labels(table: pd.DataFrame) -> list[str]:
    """Labels such as ``att``, ``event:-2`` and ``att_gt:2004:2006``, one a row."""
    keys = [table[name].tolist() for name in ("term", "cohort", "time", "event_time")]
    return [row_label(*row) for row in zip(*keys, strict=True)]


def row_label(term: str, cohort: float, time: float, event_time: float) -> str:
    """Label of one row; keys may be missing, and a group-time cell needs no event time."""
    if term == "att_gt":
        return f"att_gt:{cohort:g}:{time:g}"
    keys = (cohort, time, event_time)
    return ":".join([term, *(f"{key:g}" for key in keys if not math.isnan(key))])
