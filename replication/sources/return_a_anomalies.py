"""Anomalies in a year of Return A, counted with an example and never silently repaired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.core.arrays import Bools

ACTUAL, CLEARED, JUVENILE = 1, 2, 3
CARDS: Final = ("unfounded", "actual", "cleared", "cleared under 18")
NORMAL, ADJUSTED = ord("5"), ord("2")
NOT_AVAILABLE: Final = ord("4")
LARGE_YEAR: Final = 24
"""Offenses in a year above which returns in only two or four months are anomalous."""
LARGE_MONTH: Final = 20
"""Mean offenses of the other months above which a month of zero is anomalous (probability e^-20)."""


@dataclass(frozen=True, slots=True)
class YearParts:
    """A year as arrays: N agencies, 12 months, 4 cards, K offenses (``total`` is the last).

    Attributes
    ----------
    agencies : N headers.
    types : (N, 12, 5) uint8
        Card types as filed.
    included_in : (N, 12) int
        Month in which a month is included, as filed.
    counts : (N, 12, 4, K) float
    returned : (N, 12) bool
    """

    agencies: pd.DataFrame
    types: NDArray[Any]
    included_in: NDArray[Any]
    counts: NDArray[np.float32]
    returned: Bools


def find_anomalies(parts: YearParts, repeated: list[str], unreadable: int) -> pd.DataFrame:
    """One row per kind of anomaly that occurs.

    Parameters
    ----------
    parts : YearParts
    repeated : agencies with more than one record.
    unreadable : numbers that could not be read.

    Returns
    -------
    DataFrame
        ``kind``, ``count``, ``example``.
    """
    rows = [("agency with more than one record (the fullest was kept)", len(repeated), repeated)]
    rows += [("number that cannot be read (missing)", unreadable, ["-"])]
    cases: list[tuple[str, int, list[str]]] = [*rows, *_of_agencies(parts), *_of_months(parts)]
    cases += _of_counts(parts)
    found = [(kind, count, examples[0]) for kind, count, examples in cases if count]
    return pd.DataFrame(found, columns=["kind", "count", "example"])


def _of_agencies(parts: YearParts) -> list[tuple[str, int, list[str]]]:
    frame, reports = parts.agencies, np.asarray(parts.returned.any(axis=1))
    covering = frame["covered_by"].to_numpy(dtype=str)
    covered, known = covering != "", np.isin(covering, frame["ori"].to_numpy(dtype=str))
    several = (frame["population_2"] > 0).to_numpy(dtype=bool)
    empty = (frame["population"] == 0).to_numpy(dtype=bool)
    last = np.where(reports, 12 - parts.returned[:, ::-1].argmax(axis=1), 0)
    adrift = frame["last_month"].to_numpy() != last
    lumped, silent = bunched(parts.counts[:, :, ACTUAL, -1], parts.returned)
    cases: dict[str, Bools] = {
        "agency covered by another": covered,
        "agency covered by one that is not in the file": covered & ~known,
        "covered agency with returns of its own": covered & reports,
        "agency in several counties": several,
        "agency without population that reports": empty & reports,
        "agency without any return": np.logical_not(reports),
        "last month reported that is not the last return": adrift,
        "agency whose offenses all sit in March, June, September, or December": lumped,
        "agency with an empty month among large ones": np.asarray(silent.any(axis=1)),
    }
    return [(kind, int(rows.sum()), _agency(frame, rows)) for kind, rows in cases.items()]


def _of_months(parts: YearParts) -> list[tuple[str, int, list[str]]]:
    number = np.arange(1, 13)
    target = parts.included_in.astype(np.int64)
    included = (target >= 1) & (target <= 12) & (target != number)
    filed = parts.types[:, :, ACTUAL]
    nonzero = (np.nan_to_num(parts.counts) != 0).any(axis=(2, 3))
    no_clearances = ~np.isin(parts.types[:, :, CLEARED], (NORMAL, ADJUSTED))
    cases: dict[str, Bools] = {
        "month included in another month": included & ~parts.returned,
        "month reported as included in another, with a return of its own": (included & parts.returned),
        "month that was adjusted": filed == ADJUSTED,
        "month marked as not available": filed == NOT_AVAILABLE,
        "month with a return but without clearances": parts.returned & no_clearances,
        "month with counts but no return (left out)": nonzero & ~parts.returned,
    }
    return [(kind, int(rows.sum()), _month(parts, rows)) for kind, rows in cases.items()]


def _of_counts(parts: YearParts) -> list[tuple[str, int, list[str]]]:
    counts, returned = parts.counts, parts.returned
    cases: list[tuple[str, int, list[str]]] = []
    for card, name in enumerate(CARDS):
        negative = (counts[:, :, card] < 0) & returned[:, :, None]
        rows = np.asarray(negative.any(axis=2))
        cases.append((f"negative number of {name}", int(negative.sum()), _month(parts, rows)))
    total = counts[:, :, ACTUAL, -1]
    parted = counts[:, :, ACTUAL, [0, 1, 2, 3, 4, 6, 7, 8]].sum(axis=2)
    comparisons: dict[str, Callable[[], Bools]] = {
        "grand total that is not the sum of its offenses": lambda: parted != total,
        "more offenses cleared than known": lambda: counts[:, :, CLEARED, -1] > total,
        "more cleared under 18 than cleared": lambda: counts[:, :, JUVENILE, -1] > counts[:, :, CLEARED, -1],
    }
    for kind, compare in comparisons.items():
        rows = compare() & returned
        cases.append((kind, int(rows.sum()), _month(parts, rows)))
    return cases


def bunched(total: NDArray[np.float32], returned: Bools) -> tuple[Bools, Bools]:
    """Returns whose zeros are not counts.

    Parameters
    ----------
    total : (N, 12) float
        Offenses of each month.
    returned : (N, 12) bool

    Returns
    -------
    lumped : (N,) bool
        Agencies that file returns in months beside the ends of quarters but have at least 24
        offenses, all in March, June, September and December: quarterly, half-yearly or yearly
        figures.
    silent : (N, 12) bool
        Returned months of zero where the other returned months average at least 20; not for
        agencies that are lumped.
    """
    held = np.where(returned, np.nan_to_num(total), 0)
    quarter = np.arange(12) % 3 == 2
    year = held.sum(axis=1)
    lumped = (held[:, ~quarter] == 0).all(axis=1) & (year >= LARGE_YEAR)
    lumped &= returned[:, ~quarter].any(axis=1)
    others = np.maximum(returned.sum(axis=1) - 1, 1)
    silent = returned & (held == 0) & (year / others >= LARGE_MONTH)[:, None] & ~lumped[:, None]
    return lumped, silent


def _agency(frame: pd.DataFrame, rows: Bools) -> list[str]:
    return [
        f"{frame['ori'].iloc[place]} {frame['name'].iloc[place]} ({frame['state_name'].iloc[place]})"
        for place in np.flatnonzero(rows)[:1]
    ]


def _month(parts: YearParts, rows: Bools) -> list[str]:
    if not rows.any():
        return []
    agency, month = (int(place[0]) for place in np.nonzero(rows))
    return [f"{parts.agencies['ori'].iloc[agency]}, month {month + 1}"]
