"""Permutation test of the rollout: adoption dates are permuted across units.

Null hypothesis
    No effect on any unit at any time, and adoption as good as randomly assigned to units (within
    strata). Then the outcomes stay the same under any exchange of the rows of adoption, and the
    observed statistic is a random draw from the distribution over exchanges (Fisher; for
    staggered adoption Athey & Imbens 2022, Journal of Econometrics 226(1)).
Statistic
    ``t = estimate / std_error``: studentizing keeps the test valid in large samples for the null
    of no average effect as well (Chung & Romano 2013, Annals of Statistics 41(2)). With
    ``statistic: coefficient`` the estimate itself. MacKinnon & Webb (2020, Journal of
    Econometrics 218(2)) call the two RI-t and RI-beta; with clusters of one size both are exact.
p-value
    ``(1 + number of draws with |t*| >= |t|) / (1 + draws)``, over all other assignments where
    these are at most ``draws`` (see ``exchanges``, which also defines what is exchanged).

Two-way fixed effects on a balanced panel have a fast path. Exchanging units permutes the rows of the
unit-demeaned treatment; only its period means change. With J distinct rows of treatment a draw
needs sums over units of an (N, J) table that is computed once, not a regression.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.details import JointTest
from replication.core.errors import PanelError
from replication.core.estimates import COLUMNS, Estimates, row_labels
from replication.core.estimator_records import PermutationRecord
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.cautions import DIFFER
from replication.inference.cluster import sum_by_cluster
from replication.inference.cluster_bootstrap import regular
from replication.inference.permuted_assignments import Exchanges, exchanges
from replication.inference.permuted_estimates import linear_draws
from replication.inference.table_only import TableOnly, in_draw
from replication.inference.unsupported_statistics import no_basis

BLOCK = 64
TIE = 1e-9
FEWEST = 0.8
MEASURES = {"t": "statistic", "coefficient": "estimate"}

Estimator = Callable[..., Estimates]


def permutation_test(
    function: Estimator, panel: Panel, inference: Inference, *, two_way: bool = False
) -> Estimates:
    """Estimates whose p-values come from permuted adoption.

    Parameters
    ----------
    function : takes a panel and ``inference``.
    two_way : whether ``function`` is two-way effects without trends or covariates, for which the
        overall effect is tested by the fast path where the panel is balanced with constant weights.

    Returns
    -------
    Estimates
        Standard errors and intervals are those of ``function``; ``details.permutation`` has the observed
        overall effect and its statistic, and all draws of both.

    Raises
    ------
    PanelError
        If more than a fifth of the draws cannot be estimated.
    """
    analytic = replace(inference, method="analytic")
    found = function(panel, inference=analytic)
    compared = exchanges(panel, inference)
    labels = row_labels(found.table)
    overall = labels.index("att")
    once = in_draw(inference, TableOnly)
    drawn = None
    whole = panel.whole_clusters is not None and panel.covariates is None
    if two_way and whole and regular(panel):
        tables = two_way_of(panel)
        unchanged = tables.refit(np.arange(len(panel.units))[None])[0, 1]
        # The small-sample correction is the same in every draw; put it back.
        ratio = float(found.table["statistic"].iloc[overall]) / unchanged
        drawn = np.full((compared.count, len(labels), 2), np.nan)
        drawn[:, overall] = two_way_draws(tables, compared.orders()) * (1, ratio)
    elif inference.statistic == "coefficient":
        drawn = linear_draws(function, panel, once, compared, labels)
    if drawn is None:
        drawn = refitted_draws(function, panel, once, compared.orders(), labels)
    return with_p_values(found, drawn, overall, inference, compared)


@dataclass(frozen=True, slots=True)
class PermutedTwoWay:
    """Tables shared by permuted two-way regressions: J distinct rows of treatment, N units.

    Attributes
    ----------
    rows : (J, T) unit-demeaned treatments; squares : (J,) their sums of squares
    row : (N,) which of them each unit has
    product : (N, J) weight times outcome residual times treatment, summed over periods
    residual : (N, T) weight times the two-way residual of the outcome
    """

    rows: Floats
    squares: Floats
    row: Ints
    product: Floats
    residual: Floats
    weight: Floats
    cluster: Ints

    def refit(self, orders: Ints) -> Floats:
        """(B, 2) estimates, and the same over uncorrected clustered standard errors, for (B, N) orders."""
        row = self.row[orders]
        mass = np.stack([np.bincount(r, self.weight, len(self.rows)) for r in row])
        mean = mass @ self.rows / self.weight.sum()
        mean_square = (mean**2).sum(axis=1)
        cross = mean @ self.rows.T
        variation = mass @ self.squares - self.weight.sum() * mean_square
        own = np.take_along_axis(self.product, row.T, axis=1) - self.residual @ mean.T
        beta = own.sum(axis=0) / variation
        norm = self.squares[row] - 2 * np.take_along_axis(cross, row, axis=1)
        norm = (norm + mean_square[:, None]).T * self.weight[:, None]
        scores = sum_by_cluster(own - beta * norm, self.cluster)
        statistic = beta * variation / np.sqrt((scores**2).sum(axis=0))
        return np.column_stack([beta, statistic])


def two_way_of(panel: Panel) -> PermutedTwoWay:
    """Tables of a balanced panel with constant weights."""
    weight = panel.unit_weight
    y = panel.y - panel.y.mean(axis=1, keepdims=True)
    y -= weight @ y / weight.sum()
    dose = panel.dose
    rows, row = np.unique(dose, axis=0, return_inverse=True)
    rows = rows - rows.mean(axis=1, keepdims=True)
    residual = weight[:, None] * y
    return PermutedTwoWay(
        rows,
        (rows**2).sum(axis=1),
        row.reshape(-1).astype(np.int64),
        residual @ rows.T,
        residual,
        weight,
        panel.cluster,
    )


def two_way_draws(tables: PermutedTwoWay, orders: Iterator[Ints]) -> Floats:
    """(B, 2) estimates and statistics of permuted two-way regressions, in blocks of draws."""
    found = []
    while block := list(itertools.islice(orders, BLOCK)):
        found.append(tables.refit(np.stack(block)))
    return np.concatenate(found) if found else np.empty((0, 2))


def refitted_draws(
    function: Estimator, panel: Panel, inference: Inference, orders: Iterator[Ints], labels: list[str]
) -> Floats:
    """(B, K, 2) estimates and statistics of the K rows; NaN where a draw has no such row."""
    place = {label: index for index, label in enumerate(labels)}
    drawn = []
    for order in orders:
        values = np.full((len(labels), 2), np.nan)
        try:
            table = function(panel.reassigned(order), inference=inference).table
        except PanelError:
            table = pd.DataFrame(columns=COLUMNS)
        # Column by column, because pandas takes its time to select several.
        pairs = zip(table["estimate"], table["statistic"], strict=True)
        for label, pair in zip(row_labels(table), pairs, strict=True):
            if label in place:
                values[place[label]] = pair
        drawn.append(values)
    return np.stack(drawn) if drawn else np.empty((0, len(labels), 2))


def with_p_values(
    found: Estimates, drawn: Floats, overall: int, inference: Inference, compared: Exchanges
) -> Estimates:
    """The estimates with p-values from draws under permuted adoption.

    Parameters
    ----------
    drawn : (B, K, 2) estimates and statistics of the K rows; NaN where a draw has none.
    overall : row whose draws are kept in ``details.permutation``.
    compared : what was exchanged, and how often.

    Raises
    ------
    PanelError
        If more than a fifth of the draws of that row could not be estimated.
    """
    table = found.table
    column = ("estimate", "statistic").index(MEASURES[inference.statistic])
    usable = np.isfinite(drawn[:, overall, column])
    lost = compared.count - int(usable.sum())
    if lost > (1 - FEWEST) * compared.count:
        raise PanelError(
            f"{lost} of {compared.count} permuted panels could not be estimated, because "
            "permuting adoption leaves no comparison or no variation. Name coarser strata or "
            "none, or use 'method: analytic'."
        )
    observed = table[MEASURES[inference.statistic]].to_numpy(dtype=float)
    p_value = table["p_value"].to_numpy().copy()
    moving = np.isfinite(table["std_error"].to_numpy(dtype=float))
    for index in np.flatnonzero(np.isfinite(observed) & moving):
        values = drawn[:, index, column]
        values = np.abs(values[np.isfinite(values)])
        if values.size or compared.complete:
            count = int((values >= abs(observed[index]) * (1 - TIE)).sum())
            p_value[index] = (1 + count) / (1 + values.size)
    record = PermutationRecord(
        estimate=float(table["estimate"].iloc[overall]),
        statistic=float(table["statistic"].iloc[overall]),
        estimates=tuple(drawn[usable, overall, 0].tolist()),
        statistics=tuple(drawn[usable & np.isfinite(drawn[:, overall, 1]), overall, 1].tolist()),
        draws=compared.count,
        draws_lost=lost,
        strata=inference.strata,
        blocks=inference.blocks,
        tested=inference.statistic,
        exchanged=compared.who,
        complete=compared.complete,
    )
    pretrend = leads_test(table, observed, drawn[:, :, column]) or found.details.pretrend
    table = table.assign(p_value=p_value)
    differ = [] if no_basis(found) else contradiction(table.iloc[overall], inference)
    added = [*too_few(compared, inference), *differ]
    details = replace(found.details, permutation=record, pretrend=pretrend)
    return replace(found, table=table, details=details.noted(added))


def leads_test(table: pd.DataFrame, observed: Floats, drawn: Floats) -> JointTest | None:
    """The pre-trend test: the largest statistic before adoption against its draws."""
    moving = np.isfinite(observed) & np.isfinite(table["std_error"].to_numpy(dtype=float))
    leads = ((table["term"] == "event") & (table["event_time"] < 0)).to_numpy() & moving
    whole = np.isfinite(drawn[:, leads]).all(axis=1)
    if not leads.any() or not whole.any():
        return None
    statistic = float(np.abs(observed[leads]).max())
    largest = np.abs(drawn[np.ix_(whole, leads)]).max(axis=1)
    count = int((largest >= statistic * (1 - TIE)).sum())
    return JointTest("permutation", int(leads.sum()), statistic, (1 + count) / (1 + largest.size))


def contradiction(row: pd.Series[Any], inference: Inference) -> list[str]:
    """A note where the interval, which is not permuted, and the p-value disagree about zero."""
    inside = row["conf_low"] <= 0 <= row["conf_high"]
    if np.isnan(row["p_value"]) or inside == (row["p_value"] > 1 - inference.level):
        return []
    return [
        f"{DIFFER} disagree on whether the effect differs from zero. With few treated clusters the "
        "interval is not valid"
    ]


def too_few(compared: Exchanges, inference: Inference) -> list[str]:
    """A note where the assignments are too few for a p-value that rejects at the level."""
    smallest, share = 1 / (1 + compared.count), 1 - inference.level
    if smallest <= share * (1 + TIE):
        return []
    if not compared.complete:
        return [f"{compared.count} draws allow no p-value below {smallest:.3g}; set more 'draws'"]
    return [
        f"{compared.who} can be assigned the observed adoption histories in {compared.count + 1} ways, so "
        f"no p-value is below {smallest:.3g} and nothing can be rejected at the {100 * share:g}% "
        "level"
    ]
