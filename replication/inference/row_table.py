"""Row keys of a result, and the table of ``Estimates``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import special

from replication.core.arrays import Floats, Ints
from replication.core.estimates import row_label
from replication.core.panel import Panel
from replication.inference.bootstrap_t import DrawnDistribution

PATHS = {"event": 2, "group": 0, "calendar": 1, "att_gt": 0}
"""Terms that are paths, and the column of ``RowKeys.keys`` along which each runs."""
CURVES = ("att_d:", "acrt_d:")
"""Beginnings of the terms of a curve over doses, each of which gets a band of its own."""
LARGEST_VCOV = 1000
"""Where there are more group-time cells, covariances leave them out."""

# The text of pandas by Arrow's protocol, which takes a fifth of the time of checking a list; the
# stubs of pandas do not know the protocol.
TEXT: Any = pd.StringDtype(na_value=np.nan)
ARROW_TEXT = pa.large_string()


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """Key of a row: its term and, where they apply, cohort, time and event time."""

    term: str
    cohort: int | None = None
    time: int | None = None
    event_time: int | None = None


@dataclass(frozen=True, slots=True)
class TDistribution:
    """The distribution of a t-value: t with ``freedom`` degrees, normal where that is infinite.

    ``freedom`` may differ between rows. scipy's functions without the checks of its distributions,
    which cost more than a regression.
    """

    freedom: float | Floats

    def ppf(self, share: float) -> float | Floats:
        """Quantile."""
        if isinstance(self.freedom, float):
            infinite = np.isinf(self.freedom)
            return float(special.ndtri(share) if infinite else special.stdtrit(self.freedom, share))
        return np.asarray(special.stdtrit(self.freedom, share), dtype=np.float64)

    def sf(self, value: Floats) -> Floats:
        """Upper tail."""
        if isinstance(self.freedom, float) and np.isinf(self.freedom):
            return np.asarray(special.ndtr(-value))
        return np.asarray(special.stdtr(self.freedom, -value))


NORMAL = TDistribution(np.inf)
Tails = TDistribution | DrawnDistribution
"""The distribution of t-values, the same for all rows or one a row."""


class RowKeys:
    """Terms (K,) of the rows, and their cohort, time and event time (K, 3), missing if none."""

    def __init__(self, rows: Sequence[EstimateRow]) -> None:
        self.terms = [row.term for row in rows]
        columns = [[row.cohort for row in rows], [row.time for row in rows], [row.event_time for row in rows]]
        self.keys: Floats = np.array(columns, dtype=float).T

    def paths(self, std_error: Floats) -> Iterator[tuple[str, Ints]]:
        """Terms and rows of each path with a band: two or more rows of one term with a standard error."""
        terms, moving = np.array(self.terms), ~np.isnan(std_error)
        for term, axis in PATHS.items():
            index = np.flatnonzero((terms == term) & moving & ~np.isnan(self.keys[:, axis]))
            if index.size > 1:
                yield term, index
        for curve in CURVES:
            index = np.flatnonzero(np.char.startswith(terms, curve) & moving)
            if index.size > 1:
                yield curve, index

    def labels(self, without: Collection[str] = ()) -> pd.Index[str]:
        """Labels such as ``att``, ``event:-2`` and ``att_gt:2004:2006``, one a row."""
        rows = zip(self.terms, *self.keys.T.tolist(), strict=True)
        labels = [row_label(*row) for row in rows if row[0] not in without]
        index: pd.Index[str] = pd.Index(_text(labels))
        return index


def table_of(
    panel: Panel,
    estimator: str,
    keys: RowKeys,
    estimate: Floats,
    std_error: Floats,
    critical: Floats,
    tails: Tails,
    level: float,
    counts: tuple[int | Ints | None, Ints | None, Ints | None],
) -> pd.DataFrame:
    """``Estimates.table``: (K,) points with intervals by ``tails``, bands by ``critical``.

    ``counts`` are observations, units, and clusters of each row, those of the panel if None.
    """
    n_obs, n_units, n_clusters = counts
    statistic, half = estimate / std_error, tails.ppf(0.5 + level / 2) * std_error
    band = critical * std_error
    count = len(keys.terms)
    # One call with whole columns: pandas takes its time over scalars and over added columns.
    columns: dict[str, Any] = {
        "spec_id": _same(panel.spec_id, count),
        "study": _same(panel.study, count),
        "estimator": _same(estimator, count),
        "outcome": _same(panel.outcome, count),
        "term": _text(keys.terms),
        "cohort": keys.keys[:, 0],
        "time": keys.keys[:, 1],
        "event_time": keys.keys[:, 2],
        "estimate": estimate,
        "std_error": std_error,
        "statistic": statistic,
        "p_value": 2 * tails.sf(np.abs(statistic)),
        "conf_low": estimate - half,
        "conf_high": estimate + half,
        "band_low": estimate - band,
        "band_high": estimate + band,
        "n_obs": np.full(count, int(panel.observed.sum()) if n_obs is None else n_obs),
        "n_units": np.full(count, len(panel.units) if n_units is None else n_units),
        "n_clusters": np.full(count, panel.n_clusters if n_clusters is None else n_clusters),
    }
    return pd.DataFrame(columns, copy=False)


def _text(values: list[str]) -> Any:
    return TEXT.__from_arrow__(pa.array(values, ARROW_TEXT))


def _same(value: str, count: int) -> Any:
    return TEXT.__from_arrow__(pa.repeat(pa.scalar(value, ARROW_TEXT), count))
