"""Reporting by agencies, with the anomalies of the real files reproduced on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from studies.secure_communities_simulated.simulation.simulated_agencies import CITY
from studies.secure_communities_simulated.simulation.simulation_settings import MONTHS, YEARS, Settings

Bools = NDArray[np.bool_]

ALABAMA, ILLINOIS, MINNESOTA = 1, 17, 27
SILENT: Final = 0.015
"""Share of agencies that never report."""
LATE: Final = 0.042
"""Share that begin to report only in some January of 2005 to 2012: the drift of coverage."""
GAP: Final = 0.0008
"""Probability of an isolated month without a return."""
DROPOUT: Final = 0.003
"""Probability of a whole year without returns."""
QUARTERLY: Final = 0.008
"""Share of agencies that file three months' figures at the end of each quarter."""
INCLUDED: Final = 0.004
"""Probability that a month's figures are included in the next month's return."""
ILLINOIS_COVERED: Final = 0.28
"""Share of Illinois whose police report before 2010: the largest cities."""
ILLINOIS_BEGINS: Final = 2010
ALABAMA_BREAKS: Final = range(2008, 2012)
ALABAMA_SILENT: Final = 0.35
"""Probability that an agency in Alabama does not report in a year of the break."""
LARGE: Final = 100_000
LARGE_FAULTS: Final = 0.25
"""Agencies of so many people are silent, late or absent for a year at this fraction of the usual rate."""
CORRECTED: Final = 0.001
"""Probability that a wrong count is corrected a month later by a negative number."""
NO_RAPES: Final = {ILLINOIS: range(2004, 2010), MINNESOTA: range(2006, 2009)}
"""States and years whose returns hold no rapes, because the definition differed."""


@dataclass(frozen=True)
class Reporting:
    """Reporting of A agencies in T months.

    Attributes
    ----------
    returned : (A, T) bool
        A return is filed.
    included_in : (A, T) int
        Month of the year (1 to 12) whose return includes this month's figures; 0 for none.
    quarterly : (A,) bool
    """

    returned: Bools
    included_in: NDArray[np.int64]
    quarterly: Bools


def draw_reporting(agencies: pd.DataFrame, settings: Settings) -> Reporting:
    """Returns filed by agency and month."""
    rng = settings.stream("reporting")
    n = len(agencies)
    by_year = _years(agencies, rng)
    returned = np.repeat(by_year, MONTHS, axis=1)
    returned &= rng.random(returned.shape) >= GAP
    included = returned & (rng.random(returned.shape) < INCLUDED)
    month = np.tile(np.arange(1, MONTHS + 1), len(YEARS))
    # The next return must exist, lie in the same year, and be no included month itself.
    follows = np.zeros_like(returned)
    follows[:, :-1] = returned[:, 1:] & ~included[:, 1:]
    included &= follows & (month < MONTHS)
    quarterly = by_year.any(axis=1) & (rng.random(n) < QUARTERLY)
    included &= ~quarterly[:, None]
    return Reporting(returned & ~included, np.where(included, month + 1, 0), quarterly)


def _years(agencies: pd.DataFrame, rng: np.random.Generator) -> Bools:
    """(A, years) whether the agency reports at all in the year."""
    n, years = len(agencies), np.array(YEARS)
    scale = np.where(agencies["people"] >= LARGE, LARGE_FAULTS, 1.0)
    silent = rng.random(n) < SILENT * scale
    late = rng.random(n) < LATE * scale
    begins = np.where(late, rng.integers(years[1], years[-1] + 1, size=n), years[0])
    there = (years >= begins[:, None]) & ~silent[:, None]
    there &= rng.random(there.shape) >= DROPOUT * scale[:, None]
    state = agencies["state"].to_numpy()[:, None]
    breaks = (state == ALABAMA) & np.isin(years, ALABAMA_BREAKS)
    there &= ~(breaks & (rng.random(there.shape) < ALABAMA_SILENT))
    waiting = (state == ILLINOIS) & (years < ILLINOIS_BEGINS)
    there &= ~(waiting & ~_largest_cities(agencies)[:, None])
    there |= waiting & _largest_cities(agencies)[:, None]
    return there & (agencies["covered_by"] == "").to_numpy()[:, None]


def _largest_cities(agencies: pd.DataFrame) -> Bools:
    """(A,) the cities of Illinois, largest first, until 28% of the state's people are reached."""
    inside = agencies[agencies["state"] == ILLINOIS]
    everyone = inside.loc[inside["covered_by"] == "", "people"].sum()
    cities = inside[inside["kind"] == CITY].sort_values("people", ascending=False)
    before = cities["people"].cumsum() - cities["people"]
    chosen = cities.index[(before < ILLINOIS_COVERED * everyone).to_numpy()]
    return np.asarray(agencies.index.isin(chosen))
