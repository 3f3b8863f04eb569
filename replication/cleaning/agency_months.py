"""Returns of all agencies and months as arrays, with entries that are not counts removed or corrected.

Five things stand between a master file and monthly counts: agencies whose crimes another agency
reports; months whose figures sit in a later month; agencies that file quarterly or half-yearly
figures under a month each and zeros between; months of zero among large ones; and negative
corrections of earlier months. Each is handled here, once, and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.cleaning import timing
from replication.cleaning.agency_counties import people_of
from replication.core.arrays import Bools
from replication.core.errors import PanelError
from replication.sources import OFFENSES
from replication.sources.return_a import ReturnA
from replication.sources.return_a_anomalies import bunched

Counts = NDArray[np.float32]

MONTHS: Final = 12
TOTAL: Final = "total"


@dataclass(frozen=True)
class AgencyMonths:
    """Agencies by months: N agencies, T months (whole years), the K = 7 offenses.

    Attributes
    ----------
    ori : (N,) str
    months : (T,) int
        Month numbers, ascending; twelve for each year that was read.
    people : (N, T) float
        People of the agency's header; 0 in years in which it is not in the file, and where
        another agency covers it and counts its people.
    reported : (N, T) bool
        The month's figures are there, in its own return or shared out of a later one.
    actual, cleared : (N, T, K) float32
        Missing where not reported; ``cleared`` also where the clearance card was not filed.
    headers : one a year, as read (``ReturnA.agencies``), with the column ``year``.
    notes : ``year``, ``what``, ``count``: what was corrected.
    """

    ori: NDArray[np.str_]
    months: NDArray[np.int64]
    people: NDArray[np.float64]
    reported: Bools
    actual: Counts
    cleared: Counts
    headers: tuple[pd.DataFrame, ...]
    notes: pd.DataFrame


def agency_months(years: Iterable[ReturnA]) -> AgencyMonths:
    """Arrays of every year that was read.

    Parameters
    ----------
    years : one a year, in any order. A generator that reads them one after the other keeps no more than one
        in memory.

    Raises
    ------
    PanelError
        If no year or the same year twice is given.
    """
    parts = {}
    for tidy in years:
        if tidy.year in parts:
            raise PanelError(f"Return A of {tidy.year} was given twice. Give every year once.")
        parts[tidy.year] = _one_year(tidy)
    if not parts:
        raise PanelError("No year of Return A was given. Read at least one master file.")
    return _together([parts[year] for year in sorted(parts)])


Returns = AgencyMonths | Iterable[ReturnA]
"""What the panels are built from: arrays made once for several panels, or the years as read."""


def as_agency_months(returns: Returns) -> AgencyMonths:
    """The arrays themselves, or those of the years given."""
    return returns if isinstance(returns, AgencyMonths) else agency_months(returns)


def _together(parts: Sequence[AgencyMonths]) -> AgencyMonths:
    """Years side by side, over all agencies that occur in any of them."""
    ori = np.unique(np.concatenate([part.ori for part in parts]))
    shape = (ori.size, MONTHS * len(parts))
    people, reported = np.zeros(shape), np.zeros(shape, dtype=bool)
    actual = np.full((*shape, len(OFFENSES)), np.nan, dtype=np.float32)
    cleared = actual.copy()
    for at, part in enumerate(parts):
        row, columns = np.searchsorted(ori, part.ori), slice(MONTHS * at, MONTHS * (at + 1))
        people[row, columns], reported[row, columns] = part.people, part.reported
        actual[row, columns], cleared[row, columns] = part.actual, part.cleared
    return AgencyMonths(
        ori=ori,
        months=np.concatenate([part.months for part in parts]),
        people=people,
        reported=reported,
        actual=actual,
        cleared=cleared,
        headers=tuple(header for part in parts for header in part.headers),
        notes=pd.concat([part.notes for part in parts], ignore_index=True),
    )


def _one_year(tidy: ReturnA) -> AgencyMonths:
    """One year, corrected step by step."""
    ori = tidy.agencies["ori"].to_numpy(dtype=str)
    order = np.argsort(ori)
    headers = tidy.agencies.iloc[order].reset_index(drop=True)
    names = headers["ori"].to_numpy(dtype=str)
    status = tidy.months["status"].cat
    returned = status.codes.to_numpy() == status.categories.get_loc("returned")
    place = _place(tidy.months, names)
    reported = np.zeros((names.size, MONTHS), dtype=bool)
    reported[place] = returned
    included = np.zeros((names.size, MONTHS), dtype=np.int64)
    included[place] = tidy.months["included_in"].to_numpy()
    actual, total = _cube(tidy.offenses, names, "actual")
    cleared, _ = _cube(tidy.offenses, names, "cleared")
    part = AgencyMonths(
        ori=names,
        months=timing.month_number(tidy.year, np.arange(1, MONTHS + 1)),
        people=np.repeat(people_of(headers).to_numpy()[:, None], MONTHS, axis=1),
        reported=reported,
        actual=actual,
        cleared=cleared,
        headers=(tidy.agencies,),
        notes=pd.DataFrame({"year": [], "what": [], "count": []}),
    )
    part = _without_false_zeros(part, total, tidy.year)
    part = _settled(part, tidy.year)
    part = _spread(part, included, tidy.year)
    return _covered(part, headers, tidy.year)


Place = tuple[NDArray[np.int64], NDArray[np.int64]]


def _place(frame: pd.DataFrame, names: NDArray[np.str_]) -> Place:
    """Row (agency) and column (month) of every record."""
    known = frame["ori"].cat.categories.to_numpy(dtype=str)
    row = np.searchsorted(names, known)[frame["ori"].cat.codes.to_numpy()]
    return row, frame["month"].to_numpy(dtype=np.int64) - 1


def _cube(offenses: pd.DataFrame, names: NDArray[np.str_], measure: str) -> tuple[Counts, Counts]:
    """A measure as agencies by months by the seven offenses, and of all offenses together."""
    kinds = [*OFFENSES, TOTAL]
    known = offenses["offense"].cat.categories
    kind = pd.Index(kinds).get_indexer(known)[offenses["offense"].cat.codes.to_numpy()]
    row, month = _place(offenses, names)
    # Other offenses of the file fall into a layer of their own, which is cut off.
    cube = np.full((names.size, MONTHS, len(kinds) + 1), np.nan, dtype=np.float32)
    cube[row, month, kind] = offenses[measure].to_numpy()
    cube = cube[:, :, :-1]
    return cube[:, :, :-1], cube[:, :, -1]


def _noted(part: AgencyMonths, year: int, what: str, count: int) -> AgencyMonths:
    line = pd.DataFrame({"year": [year], "what": [what], "count": [int(count)]})
    return replace(part, notes=pd.concat([part.notes, line]) if len(part.notes) else line)


def without(part: AgencyMonths, cells: Bools) -> AgencyMonths:
    """The cells as not reported."""
    gone = cells[:, :, None]
    return replace(
        part,
        reported=part.reported & ~cells,
        actual=np.where(gone, np.float32(np.nan), part.actual),
        cleared=np.where(gone, np.float32(np.nan), part.cleared),
    )


def _without_false_zeros(part: AgencyMonths, total: Counts, year: int) -> AgencyMonths:
    """Quarterly and half-yearly figures, and silent months, as not reported."""
    lumped, silent = bunched(total, part.reported)
    cells = (lumped[:, None] & part.reported) | silent
    part = without(part, cells)
    part = _noted(part, year, "agencies with quarterly to yearly figures (not reported)", lumped.sum())
    return _noted(part, year, "months of zero among large ones (not reported)", silent.sum())


def _settled(part: AgencyMonths, year: int) -> AgencyMonths:
    """Corrections taken off the earlier months of the same agency and offense."""
    actual, cleared = part.actual.copy(), part.cleared.copy()
    corrected, left = 0, 0.0
    for cube in (actual, cleared):
        for row, kind in np.unique(np.argwhere(cube < 0)[:, [0, 2]], axis=0):
            corrected += int((cube[row, :, kind] < 0).sum())
            left += settle(cube[row, :, kind])
    part = replace(part, actual=actual, cleared=cleared)
    part = _noted(part, year, "negative counts taken off earlier months", corrected)
    return _noted(part, year, "offenses or clearances left of them (dropped)", round(left))


def settle(series: Counts) -> float:
    """Take negative counts off the months before them, the nearest first, in place.

    Returns
    -------
    float
        The remainder that no earlier month could absorb; the month itself is then zero.
    """
    left = 0.0
    for at in np.flatnonzero(series < 0):
        debt = -float(series[at])
        series[at] = 0
        for before in range(at - 1, -1, -1):
            taken = min(debt, max(float(np.nan_to_num(series[before])), 0.0))
            if taken:
                series[before] -= taken
                debt -= taken
        left += debt
    return left


def _spread(part: AgencyMonths, included: NDArray[np.int64], year: int) -> AgencyMonths:
    """Months that a later return includes get their equal share of its figures."""
    agency, month = np.nonzero((included > 0) & ~part.reported)
    target = included[agency, month] - 1
    there = part.reported[agency, target]
    agency, month, target = agency[there], month[there], target[there]
    size = np.ones(part.reported.shape, dtype=np.float32)
    np.add.at(size, (agency, target), np.float32(1))
    actual, cleared = part.actual / size[:, :, None], part.cleared / size[:, :, None]
    actual[agency, month], cleared[agency, month] = actual[agency, target], cleared[agency, target]
    reported = part.reported.copy()
    reported[agency, month] = True
    part = replace(part, actual=actual, cleared=cleared, reported=reported)
    return _noted(part, year, "months included in another (its figures shared out)", agency.size)


def _covered(part: AgencyMonths, headers: pd.DataFrame, year: int) -> AgencyMonths:
    """Agencies that another one covers count no people of their own.

    The header of the covering agency counts them already: without them the headers of 2013 add
    up to 316,128,839, the Census Bureau's country of that year to the person.
    """
    covered = np.isin(headers["covered_by"].to_numpy(dtype=str), part.ori)
    people = np.where(covered[:, None], 0.0, part.people)
    part = replace(part, people=people)
    return _noted(part, year, "agencies covered by another (no people of their own)", covered.sum())
