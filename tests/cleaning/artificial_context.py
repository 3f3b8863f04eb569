"""Made frames around the made counties: names, places, people, earlier crime, neighbors."""

from __future__ import annotations

import pandas as pd
from artificial_panels import PLACES, Made

from replication.sources import OFFENSES
from studies.secure_communities.county_context import ContextSources

CODES_OF_2009 = sorted(set(PLACES) - {2158, 51560})
"""Codes as the sources of 2009 have them: 02270 before its new name, no 51560."""
TOUCHING = [
    (1001, 1003),
    (1003, 12086),
    (36005, 36061),
    (36047, 36081),
    (36061, 36047),
    (36081, 36085),
    (36085, 34999),
    (48201, 1001),
]


def artificial_context(artificial: Made) -> ContextSources:
    """Every county a line of latitude apart; a tenth Hispanic, two in a hundred noncitizens."""
    codes = pd.Series(CODES_OF_2009)
    people = codes.map({**PLACES, 51005: 2000})
    acs = pd.DataFrame({"fips": codes, "year": 2009, "population": people, "hispanic": people // 10})
    noncitizens = pd.DataFrame({"fips": codes, "year": 2009, "noncitizens": people / 50})
    work = pd.MultiIndex.from_product([codes, range(2000, 2013)], names=["fips", "year"])
    work = work.to_frame(index=False).assign(labour_force=100.0)
    work["unemployed"] = (work["year"] - 2000).astype(float)
    pairs = [*TOUCHING, *((b, a) for a, b in TOUCHING)]
    return ContextSources(
        names=pd.DataFrame({"fips": list(PLACES), "county_name": [f"C{c}" for c in PLACES]}),
        places=pd.DataFrame({"fips": codes, "latitude": codes / 1000, "longitude": -codes / 1000}),
        acs=acs,
        noncitizens=noncitizens,
        unemployment=work,
        earlier_offenses=earlier_records(artificial),
        adjacency=pd.DataFrame(pairs, columns=["fips", "neighbor"]),
    )


def earlier_records(artificial: Made) -> pd.DataFrame:
    """Records of 2000-2004 in which every offense doubles each year."""
    first = artificial.offenses[artificial.offenses["year"] == 2004]
    years = [first.assign(year=2000 + k, **{n: first[n] * 2**k for n in OFFENSES}) for k in range(5)]
    return pd.concat(years, ignore_index=True)
