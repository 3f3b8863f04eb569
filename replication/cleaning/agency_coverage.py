"""Agency-months used under three rules, and their coverage of each county."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from replication.cleaning.agency_months import MONTHS, AgencyMonths, Counts, without
from replication.core.arrays import Bools
from replication.core.errors import PanelError, nearest
from replication.sources import OFFENSES

FEWEST_SCALED: Final = 3
"""An agency with fewer months in a year is not representative of the others (as in the NACJD files)."""


def complete(months: AgencyMonths) -> AgencyMonths:
    """Agencies that reported all twelve months of a year; in other years they are not used."""
    whole = _by_year(months.reported).all(axis=2)
    return without(months, ~np.repeat(whole, MONTHS, axis=1))


def scaled(months: AgencyMonths) -> AgencyMonths:
    """Missing months filled with the mean of the agency's others, from three months a year on.

    The year's sum is then 12 / m times what was reported in m months, as in the county files of
    ICPSR/NACJD since 1994, without their imputation for agencies with less.
    """
    enough = _by_year(months.reported).sum(axis=2) >= FEWEST_SCALED
    used = np.repeat(enough, MONTHS, axis=1)
    filled = used & ~months.reported
    whole = replace(
        months,
        reported=months.reported | filled,
        actual=_filled_by_year(months.actual, filled),
        cleared=_filled_by_year(months.cleared, filled),
    )
    return without(whole, ~used)


def interpolated(months: AgencyMonths) -> AgencyMonths:
    """A single missing month between two reported ones becomes their mean; longer gaps stay."""
    together = np.diff(months.months) == 1
    gap = np.zeros_like(months.reported)
    held = months.reported
    gap[:, 1:-1] = ~held[:, 1:-1] & held[:, :-2] & held[:, 2:] & (together[:-1] & together[1:])[None, :]
    return replace(
        months,
        reported=held | gap,
        actual=_between(months.actual, gap),
        cleared=_between(months.cleared, gap),
    )


RULES: Final[dict[str, Callable[[AgencyMonths], AgencyMonths]]] = {
    "complete": complete,
    "scaled": scaled,
    "interpolated": interpolated,
}
"""The rules by the names under which a panel is asked for them."""


def apply_rule(months: AgencyMonths, name: str) -> AgencyMonths:
    """The agency-months that the rule called ``name`` uses.

    Raises
    ------
    PanelError
        If there is no such rule.
    """
    if name not in RULES:
        raise PanelError(
            f"There is no coverage rule {name!r}{nearest(name, RULES)}. Choose one of {', '.join(RULES)}."
        )
    return RULES[name](months)


@dataclass(frozen=True)
class CountyShares:
    """Shares of each agency by county and year.

    Attributes
    ----------
    fips : (C,) int
        Counties, ascending.
    matrices : tuple of sparse (C, N) matrices
        One a year of the agency-months, in their order.
    """

    fips: NDArray[np.int64]
    matrices: tuple[sparse.csr_matrix, ...]


def county_shares(shares: pd.DataFrame, months: AgencyMonths) -> CountyShares:
    """Shares of agencies as matrices.

    Parameters
    ----------
    shares : ``year``, ``ori``, ``fips``, ``share``.
    months : AgencyMonths
    """
    fips = np.unique(shares["fips"].to_numpy(dtype=np.int64))
    matrices = []
    for year in years_of(months):
        part = shares[shares["year"] == year]
        row = np.searchsorted(fips, part["fips"].to_numpy(dtype=np.int64))
        column = np.searchsorted(months.ori, part["ori"].to_numpy(dtype=str))
        values = part["share"].to_numpy(dtype=float)
        matrices.append(sparse.csr_matrix((values, (row, column)), shape=(fips.size, months.ori.size)))
    return CountyShares(fips, tuple(matrices))


def years_of(months: AgencyMonths) -> list[int]:
    """Calendar years of the agency-months."""
    return [int(month) // MONTHS + 1960 for month in months.months[::MONTHS]]


def county_coverage(
    raw: AgencyMonths, used: AgencyMonths, shares: CountyShares
) -> dict[str, NDArray[np.float64]]:
    """Completeness of every county and month.

    Parameters
    ----------
    raw : before a rule.
    used : after it.
    shares : CountyShares

    Returns
    -------
    mapping of str to (C, T) float
        ``listed_population`` (people of all agencies on file), ``covered_population`` (of those
        used), ``clearance_population`` (of those used that report clearances),
        ``reporting_share`` (people whose agency reported the month, before the rule, over people
        listed; missing where no one is listed), ``agencies_used``.
    """
    listed = _sums(shares, raw.people)
    reported = _sums(shares, raw.people * raw.reported)
    clearing = used.reported & np.isfinite(used.cleared).all(axis=2)
    return {
        "listed_population": listed,
        "covered_population": _sums(shares, used.people * used.reported),
        "clearance_population": _sums(shares, used.people * clearing),
        "reporting_share": np.divide(reported, listed, out=np.full_like(listed, np.nan), where=listed > 0),
        "agencies_used": _counts_of(shares, used.reported),
    }


def county_counts(used: AgencyMonths, shares: CountyShares) -> dict[str, NDArray[np.float64]]:
    """Offenses and clearances of every county and month, summed over the agencies used.

    Returns
    -------
    mapping of str to (C, T) float
        ``<offense>`` (missing where no agency is used), ``cleared_<offense>`` (of agencies that
        report clearances; missing where there is none) and ``base_<offense>`` (offenses of those
        same agencies, the denominator of clearances).
    """
    found: dict[str, NDArray[np.float64]] = {}
    anyone = _counts_of(shares, used.reported) > 0
    for k, name in enumerate(OFFENSES):
        known, cleared = used.actual[:, :, k], used.cleared[:, :, k]
        both = np.isfinite(known) & np.isfinite(cleared)
        someone = _counts_of(shares, both) > 0
        found[name] = np.where(anyone, _sums(shares, np.nan_to_num(known)), np.nan)
        for prefix, values in (("cleared", cleared), ("base", known)):
            summed = _sums(shares, np.where(both, values, 0.0))
            found[f"{prefix}_{name}"] = np.where(someone, summed, np.nan)
    return found


def _by_year(cells: NDArray[np.bool_]) -> Bools:
    """(N, years, 12)."""
    return cells.reshape(cells.shape[0], -1, MONTHS)


def _filled_by_year(cube: Counts, cells: Bools) -> Counts:
    """The cells with the mean of the same agency, year and offense; missing if there is none."""
    n, periods, kinds = cube.shape
    years = cube.reshape(n, -1, MONTHS, kinds)
    there = np.isfinite(years)
    number = there.sum(axis=2, keepdims=True)
    total = np.where(there, years, np.float32(0)).sum(axis=2, keepdims=True)
    mean = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    wide = np.broadcast_to(mean, years.shape).reshape(n, periods, kinds)
    return np.where(cells[:, :, None], wide, cube).astype(np.float32)


def _between(cube: Counts, cells: Bools) -> Counts:
    """The cells with the mean of the months before and after."""
    agency, month = np.nonzero(cells)
    filled = cube.copy()
    filled[agency, month] = (cube[agency, month - 1] + cube[agency, month + 1]) / 2
    return filled


def _sums(shares: CountyShares, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """(C, T) sums of agency values by each year's shares."""
    blocks = [
        matrix @ values[:, MONTHS * at : MONTHS * (at + 1)].astype(float)
        for at, matrix in enumerate(shares.matrices)
    ]
    return np.concatenate(blocks, axis=1)


def _counts_of(shares: CountyShares, cells: Bools) -> NDArray[np.float64]:
    """(C, T) agencies, each counted once in every county in which it has a share."""
    whole = CountyShares(shares.fips, tuple((matrix > 0).astype(float) for matrix in shares.matrices))
    return _sums(whole, cells.astype(float))
