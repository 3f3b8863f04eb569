"""A made country of seven counties for the monthly panels: agencies, places and their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from sources.artificial_masters import Agency, Incident, Month, write_homicides, write_return_a

from replication.sources import hand_entered
from replication.sources.return_a import ReturnA, read_return_a
from replication.sources.supplementary_homicides import read_homicides
from studies.secure_communities_monthly.county_places import Places

TYPED = Path(__file__).parents[2] / "data_raw" / "typed"
PEOPLE = {
    1001: 50_000,
    1003: 20_000,
    2130: 500,
    12086: 90_000,
    36005: 40_000,
    36061: 60_000,
    48085: 10_000,
    48113: 30_000,
}
"""People of each county, the same in every year; 36005 becomes part of 36061, 2130 is left out."""
HISPANIC = {1001: 0.1, 1003: 0.2, 12086: 0.5, 36005: 0.5, 36061: 0.2, 48085: 0.0, 48113: 0.4}
DATES = {
    1001: "2010-07-02",
    1003: "2011-08-01",
    2130: "2012-01-10",
    12086: "2009-01-15",
    36005: "2012-05-15",
    36061: "2012-05-15",
    48085: "2008-11-18",
    48113: "2008-11-16",
}

CROSSWALK = {
    "AL00100": (1001, "sheriffs office"),
    "AL00101": (1001, "local police department"),
    "AL00200": (1003, "sheriffs office"),
    "ALAST00": (1101, "state law enforcement agency"),
    "FL01300": (12086, "sheriffs office"),
    "NY03030": (36061, "local police department"),
    "NY00301": (36005, "special jurisdiction"),
    "TX04300": (48085, "sheriffs office"),
    "TX05700": (48113, "sheriffs office"),
    "TXDPD00": (48113, "local police department"),
}

STEADY = {
    "murder": 1,
    "rape": 2,
    "robbery": 3,
    "assault": 14,
    "simple_assault": 10,
    "burglary": 5,
    "larceny": 6,
    "motor_vehicle_theft": 7,
}
"""A month: aggravated assault is 4, the index 28."""
CLEARED = {"murder": 1, "robbery": 1, "assault": 4, "simple_assault": 3, "larceny": 2}
"""Cleared in a month: one aggravated assault, five index offenses."""


def crosswalk(extra: Mapping[str, tuple[int, str]] | None = None) -> pd.DataFrame:
    """Crosswalk of the made agencies, in the columns of its reader."""
    rows = {**CROSSWALK, **(extra or {})}
    frame = pd.DataFrame(
        [(ori, fips, kind) for ori, (fips, kind) in rows.items()],
        columns=["ori", "fips", "agency_type"],
    )
    frame["fips"] = frame["fips"].astype("Int64")
    frame["place_fips"] = pd.array(range(1000, 1000 + len(frame)), dtype="Int64")
    return frame


def places() -> Places:
    """Frames about the counties, as their readers return them."""
    grid = pd.MultiIndex.from_product([PEOPLE, range(2000, 2020)], names=["fips", "year"])
    census = grid.to_frame(index=False)
    census["population"] = census["fips"].map(PEOPLE)
    days = pd.DataFrame({"fips": list(DATES), "activation_date": pd.to_datetime([*DATES.values()])})
    days["activation_date"] = days["activation_date"].astype("datetime64[ns]")
    composition = pd.DataFrame({"fips": list(HISPANIC), "population": 1000})
    composition["hispanic"] = (1000 * composition["fips"].map(HISPANIC)).astype("int64")
    return Places(
        days,
        census[census["year"] <= 2010],
        census[census["year"] >= 2010],
        hand_entered.read_fips_changes(TYPED / "county_fips_changes.csv"),
        hand_entered.read_regions(TYPED / "census_regions.csv"),
        hand_entered.read_border_counties(TYPED / "mexican_border_counties.csv"),
        composition,
    )


def month(types: str = "55555", times: int = 1, **counts: int) -> Month:
    """A steady month, some of its counts changed."""
    actual = {name: times * value for name, value in STEADY.items()} | counts
    return Month(types, actual=actual, cleared=dict(CLEARED))


def agency(ori: str, state: int, group: str, *parts: tuple[int, str], **choices: object) -> Agency:
    """An agency with people in some counties (people, FBI county number), steady by default."""
    artificial = {"months": {m: month() for m in range(1, 13)}, "name": f"MADE {ori}", **choices}
    groups = [(people, county, "") for people, county in parts]
    return Agency(ori, state, group, places=groups, **artificial)  # type: ignore[arg-type]


def country() -> dict[str, Agency]:
    """All agencies in a steady year; every county is fully covered."""
    return {
        artificial.ori: artificial
        for artificial in (
            agency("AL00100", 1, "9A", (30_000, "001")),
            agency("AL00101", 1, "4", (20_000, "001")),
            agency("AL00200", 1, "8B", (20_000, "002")),
            agency("ALAST00", 1, "8E", (0, "")),
            agency("FL01300", 9, "9A", (90_000, "013")),
            agency("NY03030", 31, "1A", (100_000, "030")),
            agency("NY00301", 31, "7", (0, "003")),
            agency("TX04300", 42, "9C", (9_000, "043")),
            agency("TX05700", 42, "9C", (7_000, "057")),
            agency("TXDPD00", 42, "4", (23_000, "057"), (1_000, "043")),
        )
    }


def read_years(
    folder: Path, years: Sequence[int], changed: Mapping[int, Mapping[str, Agency]] | None = None
) -> list[ReturnA]:
    """Every year written as a zipped master and read again."""
    found = []
    for year in years:
        agencies = {**country(), **(changed or {}).get(year, {})}
        path = folder / f"RETA{year}.txt.zip"
        write_return_a(path, list(agencies.values()), year)
        found.append(read_return_a(path, year))
    return found


def read_victims(folder: Path, incidents: Mapping[int, Sequence[Incident]]) -> pd.DataFrame:
    """Victims of every year, written as zipped masters and read again."""
    found = []
    for year, lines in incidents.items():
        path = write_homicides(folder / f"SHR{year}.DAT.zip", lines, year)
        found.append(read_homicides(path, year).victims)
    return pd.concat(found, ignore_index=True)
