"""Estimates: a tidy table with the covariance matrix of its rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details
from replication.core.errors import SpecError, nearest
from replication.core.numbering import written_period
from replication.core.wording import agreeing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = [
    "spec_id",
    "study",
    "estimator",
    "outcome",
    "term",
    "cohort",
    "time",
    "event_time",
    "estimate",
    "std_error",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
    "band_low",
    "band_high",
    "n_obs",
    "n_units",
    "n_clusters",
]
LABEL_KEYS = ("term", "cohort", "time", "event_time")
"""Columns of which the label of a row consists."""
LABELS = ("cohort_label", "time_label")
"""Columns of a file that repeat the cohort and the period in the usual notation, for quarters and months."""
NUMBERS = COLUMNS[COLUMNS.index("cohort") :]
REALS = [name for name in NUMBERS if not name.startswith("n_")]
"""Numbers that may be missing or broken; the others are counts."""
LEFT_OUT = ("att_gt", "weight")
AVERAGES = {"simple": "att", "event": "event", "group": "group", "calendar": "calendar"}
BROOM = {
    "estimate": "estimate",
    "std_error": "std.error",
    "statistic": "statistic",
    "p_value": "p.value",
    "conf_low": "conf.low",
    "conf_high": "conf.high",
}


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


@dataclass(frozen=True, slots=True, repr=False)
class Estimates:
    """A tidy table of estimates with the covariance matrix of its rows.

    Attributes
    ----------
    table : DataFrame
        Columns are exactly ``COLUMNS``. ``term`` is ``att``, ``att_gt``, ``event``, ``group``,
        ``calendar``, ``coef:<name>`` or ``weight``; ``cohort``, ``time``, and ``event_time`` are
        empty where they do not apply (a ``group`` row without cohort is the group average).
        ``conf_*`` is pointwise, ``band_*`` uniform over the rows of the same term.
    vcov : DataFrame
        Labeled by ``row_labels``; zero rows for values that are fixed (reference periods).
        Rows of group-time cells are left out where there are very many, and rows of weights
        always, as those are fixed numbers.
    details : Details
        Details that are not in a column: control group, base period, weights,
        absorbed effects, draws, seed, pre-treatment mean, pre-trend test, support of each
        event time, dropped units and periods.
    overall : ClusterScores or None
        Scores behind the standard error of the ``att`` row; not written to files.

    Examples
    --------
    >>> import replication as rp
    >>> found = rp.estimate(rp.simulated_panel(seed=1), outcome="y")
    >>> print(found.rows("event")["event_time"].min(), found.vcov.shape)
    -7.0 (58, 58)
    """

    table: pd.DataFrame
    vcov: pd.DataFrame
    details: Details = field(default_factory=Details)
    overall: ClusterScores | None = None

    def __post_init__(self) -> None:
        if list(self.table.columns) != COLUMNS:
            raise ValueError(f"Estimates need the columns {COLUMNS}, got {list(self.table)}.")
        side = len(self.table)
        if self.vcov.shape[0] != side:
            side = int((~self.table["term"].isin(LEFT_OUT)).sum())
        if self.vcov.shape != (side, side):
            raise ValueError(f"The covariance is {self.vcov.shape} for {len(self.table)} rows of estimates.")

    def rows(self, term: str) -> pd.DataFrame:
        """Return the rows of one term."""
        return self.table[self.table["term"] == term]

    @property
    def att(self) -> tuple[float, float]:
        """(estimate, std_error) of the overall effect."""
        place = self.table["term"].tolist().index("att")
        estimate, std_error = (self.table[name].to_numpy() for name in ("estimate", "std_error"))
        return float(estimate[place]), float(std_error[place])

    def path(self) -> tuple[pd.DataFrame, Floats]:
        """Return the event-time path and its covariance, for sensitivity analysis and figures."""
        chosen = ((self.table["term"] == "event") & self.table["event_time"].notna()).to_numpy()
        inside = self._in_vcov(chosen)
        return self.table[chosen], self.vcov.to_numpy()[np.ix_(inside, inside)]

    def _in_vcov(self, chosen: Bools) -> Bools:
        """The chosen rows among those of the covariance matrix."""
        if len(self.vcov) == len(self.table):
            return chosen
        return chosen[(~self.table["term"].isin(LEFT_OUT)).to_numpy()]

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on what was dropped or derived, and cautions, one sentence each."""
        return tuple(agreeing(note) for note in self.details.notes)

    def tidy(self) -> pd.DataFrame:
        """Return one row per estimate, with the column names of R ``broom``.

        Returns
        -------
        DataFrame
            ``term`` (``att``, ``event:-2``, ``att_gt:2004:2006``), ``estimate``, ``std.error``,
            ``statistic``, ``p.value``, ``conf.low``, and ``conf.high``. A reference period (``event:-1``)
            has the estimate 0 and NaN (empty in a CSV file) for the rest, and so do statistics that are
            not reported.
        """
        columns = [self.table[name].to_numpy() for name in BROOM]
        named = {"term": row_labels(self.table), **dict(zip(BROOM.values(), columns, strict=True))}
        return pd.DataFrame(named)

    def aggregate(self, kind: str = "simple") -> Estimates:
        """Return the estimates of one kind of average, with their covariance.

        Parameters
        ----------
        kind : ``simple``, ``event``, ``group``, or ``calendar``
            The overall effect; by time since adoption; by cohort; by calendar period.

        Raises
        ------
        SpecError
            If the estimator gives no average of that kind.
        """
        if kind not in AVERAGES:
            raise SpecError(
                f"There is no average {kind!r}{nearest(kind, AVERAGES)}. Use {', '.join(AVERAGES)}."
            )
        chosen = (self.table["term"] == AVERAGES[kind]).to_numpy()
        if not chosen.any():
            have = [name for name, term in AVERAGES.items() if (self.table["term"] == term).any()]
            raise SpecError(
                f"The estimator {self.estimator!r} provides no {kind} averages of {self.outcome!r}. The "
                f"averages it provides: {', '.join(have) or 'none'}."
            )
        inside = self._in_vcov(chosen)
        table = self.table[chosen].reset_index(drop=True)
        return replace(self, table=table, vcov=self.vcov.loc[inside, inside])

    @property
    def estimator(self) -> str:
        """Name of the estimator."""
        return str(self.table["estimator"].iloc[0])

    @property
    def outcome(self) -> str:
        """Name of the outcome."""
        return str(self.table["outcome"].iloc[0])

    def __repr__(self) -> str:
        """The summary, as a notebook shows it."""
        return self.summary()

    def summary(self) -> str:
        """Return the estimates as text: overall effect, path by event time with a plot, sample, and notes."""
        from replication.display.result_text import summary_text

        return summary_text(self.table, self.details)

    def plot(self, title: str | None = None) -> Figure:
        """Draw an event-study figure of the path by event time (matplotlib).

        Raises
        ------
        SpecError
            If the estimator gives no effects by event time.
        """
        from replication.display.event_plot import event_study_figure

        return event_study_figure([self], [self.estimator], title or "")

    # Hooks of the maketables package: it builds tables from any object that has them.

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        named = self.table.assign(Coefficient=row_labels(self.table)).set_index("Coefficient")
        names = dict(zip(BROOM, ("b", "se", "t", "p", "ci95l", "ci95u"), strict=True))
        return named.rename(columns=names)[list(names.values())]

    @property
    def __maketables_depvar__(self) -> str:
        return self.outcome

    def __maketables_stat__(self, key: str) -> Any:
        columns = {"N": "n_obs", "n_units": "n_units", "n_clusters": "n_clusters"}
        if key in columns:
            return int(self.table[columns[key]].iloc[0])
        return self.details.find(key)


def row_labels(table: pd.DataFrame, period: str = "") -> list[str]:
    """Labels such as ``att``, ``event:-2`` and ``att_gt:2004:2006``, one a row.

    ``period`` is that of ``Details``: with ``quarter``, cohorts and periods are as in ``group:2012Q1``.
    """
    keys = [table[name].tolist() for name in LABEL_KEYS]
    return [row_label(*row, period=period) for row in zip(*keys, strict=True)]


def row_label(term: str, cohort: float, time: float, event_time: float, *, period: str = "") -> str:
    """Label of one row; keys may be missing, and a group-time cell needs no event time."""
    dates = [written_period(key, period) for key in (cohort, time) if not math.isnan(key)]
    distance = [] if term == "att_gt" or math.isnan(event_time) else [f"{event_time:.15g}"]
    return ":".join([term, *dates, *distance])


def with_written_periods(table: pd.DataFrame, period: str) -> pd.DataFrame:
    """The table with ``cohort_label`` and ``time_label`` at its end, where periods are quarters or months.

    20121 is the first quarter of 2012, and its label is 2012Q1; a cohort of 0 has none.
    """
    if period not in ("quarter", "month"):
        return table
    written = {
        label: ["" if math.isnan(key) or not key else written_period(key, period) for key in table[name]]
        for name, label in zip(("cohort", "time"), LABELS, strict=True)
    }
    return table.assign(**written)
