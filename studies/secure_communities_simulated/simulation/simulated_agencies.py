"""Simulated police agencies: a sheriff in every county, city police in the larger ones.

Far fewer than in the country (about two per county instead of six), so that nine years of
returns are written and read in seconds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning.agency_counties import STATE_POLICE
from studies.secure_communities_simulated.simulation.simulation_settings import Settings

CITY_FROM: Final = 12_000
SECOND_CITY_FROM: Final = 200_000
CITY_SHARES: Final = (0.35, 0.65)
"""A county's share of people in its cities, drawn evenly between."""
COVERED: Final = 0.04
"""Share of city police whose crimes the sheriff reports."""
CITY_ONLY: Final = 0.02
"""Share of counties with a city whose sheriff is in no file."""
NOT_IN_CROSSWALK: Final = 0.03
GROUP_BOUNDS: Final = (2_500, 10_000, 25_000, 50_000, 100_000, 250_000)
SHERIFF, CITY = "sheriff", "city"


def draw_agencies(counties: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Every agency that is in the files.

    Returns
    -------
    DataFrame
        ``ori``, ``fips``, ``state``, ``postal``, ``number`` (the county's, within the state),
        ``row`` (of the county), ``kind`` (sheriff, city), ``people_share`` (of the county),
        ``people`` (in 2010), ``covered_by``, ``group``, ``name``, ``in_crosswalk``.
    """
    rng = settings.stream("agencies")
    people = counties["population_2010"].to_numpy()
    inside = rng.uniform(*CITY_SHARES, size=len(counties))
    first = rng.uniform(0.6, 0.8, size=len(counties))
    has_city, has_second = people >= CITY_FROM, people >= SECOND_CITY_FROM
    split = np.where(has_second, first, 1.0)
    slots = [
        _slot(counties, 0, SHERIFF, np.where(has_city, 1 - inside, 1.0), people > 0),
        _slot(counties, 1, CITY, inside * split, has_city),
        _slot(counties, 2, CITY, inside * (1 - split), has_second),
    ]
    agencies = pd.concat(slots, ignore_index=True).sort_values("ori", ignore_index=True)
    agencies["people"] = agencies["people_share"] * people[agencies["row"]]
    agencies = _with_cover(agencies, rng)
    agencies = _without_some_sheriffs(agencies, has_city, rng)
    agencies["in_crosswalk"] = rng.random(len(agencies)) >= NOT_IN_CROSSWALK
    agencies["group"] = groups(agencies)
    return agencies


def groups(agencies: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """(A,) population group as the masters code it: 1 largest to 7 smallest city, 9 sheriffs."""
    size = np.searchsorted(GROUP_BOUNDS, agencies["people"].to_numpy(), side="right")
    city = (agencies["kind"] == CITY).to_numpy()
    return np.where(city, (7 - size).astype(str), "9")


def crosswalk(agencies: pd.DataFrame, headers: pd.DataFrame) -> pd.DataFrame:
    """``ori``, ``fips``, ``agency_type`` of the agencies that the crosswalk knows.

    Parameters
    ----------
    agencies : DataFrame
    headers : DataFrame
        State police: ``ori``, ``state``; the crosswalk puts them at their headquarters.
    """
    known = agencies[agencies["in_crosswalk"]]
    local = known[["ori", "fips"]].assign(agency_type=known["kind"])
    seat = agencies.drop_duplicates("state").set_index("state")["fips"]
    police = headers[["ori"]].assign(fips=headers["state"].map(seat), agency_type=STATE_POLICE)
    return pd.concat([local, police], ignore_index=True)


def state_police(counties: pd.DataFrame) -> pd.DataFrame:
    """One agency per state that counts no people and names no county: ``ori``, ``state``, ..."""
    states = counties.drop_duplicates("state")[["state", "postal"]].reset_index(drop=True)
    return states.assign(ori=states["postal"] + "SP000", name="MADE STATE POLICE")


def _slot(
    counties: pd.DataFrame, place: int, kind: str, share: np.ndarray, there: np.ndarray
) -> pd.DataFrame:
    """The agency at one place of every county that has it."""
    rows = np.flatnonzero(there)
    part = counties.iloc[rows]
    number = part["number"].astype(str).str.zfill(3)
    return pd.DataFrame(
        {
            "ori": (part["postal"] + number + f"{place:02d}").to_numpy(),
            "fips": part["fips"].to_numpy(),
            "state": part["state"].to_numpy(),
            "postal": part["postal"].to_numpy(),
            "number": part["number"].to_numpy(),
            "row": rows,
            "kind": kind,
            "people_share": share[rows],
            "name": (f"MADE {kind.upper()} " + number).to_numpy(),
        }
    )


def _with_cover(agencies: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Small city police that the sheriff reports for: its people count among the sheriff's."""
    small = (agencies["kind"] == CITY) & (agencies["people"] < GROUP_BOUNDS[2])
    covered = small & (rng.random(len(agencies)) < COVERED)
    sheriff = agencies["ori"].str[:-2] + "00"
    agencies = agencies.assign(covered_by=sheriff.where(covered, ""))
    for name in ("people_share", "people"):
        by_county = agencies.loc[covered].groupby("row")[name].sum()
        extra = by_county.reindex(agencies["row"]).fillna(0).to_numpy()
        of_sheriff = np.where(agencies["kind"] == SHERIFF, extra, 0.0)
        agencies[name] = agencies[name].to_numpy() + of_sheriff
    return agencies


def _without_some_sheriffs(
    agencies: pd.DataFrame, has_city: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Counties of which only the city police is in the files."""
    covering = np.isin(np.arange(has_city.size), agencies.loc[agencies["covered_by"] != "", "row"])
    alone = has_city & ~covering & (rng.random(has_city.size) < CITY_ONLY)
    gone = (agencies["kind"] == SHERIFF) & alone[agencies["row"]]
    return agencies[~gone].reset_index(drop=True)
