"""Agencies to counties: what decides, what is split, what is left."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from artificial_monthly import crosswalk, read_years
from sources.artificial_masters import Agency

from replication.cleaning.agency_counties import (
    CROSSWALK,
    EMPTY,
    NOWHERE,
    NUMBER,
    POLICE,
    SEVERAL,
    TERRITORY,
    AgencyRule,
    Allocation,
    allocate,
    fbi_counties,
    homicide_headers,
)
from replication.core.errors import PanelError
from replication.sources.crosswalks import read_agencies
from replication.sources.return_a import read_return_a

Part = tuple[int, int | None]


def headers(**agencies: tuple[int, str, list[Part]]) -> pd.DataFrame:
    """Headers from ORI = (FBI state, group, [(people, county number), ...])."""
    rows = []
    for ori, (state, group, parts) in agencies.items():
        padded = [*parts, (0, None), (0, None), (0, None)][:3]
        rows.append((ori, state, group, *[value for part in padded for value in part]))
    names = [f"{name}_{k}" for k in (1, 2, 3) for name in ("population", "county")]
    frame = pd.DataFrame(rows, columns=["ori", "fbi_state", "group", *names])
    for k in (1, 2, 3):
        frame[f"county_{k}"] = frame[f"county_{k}"].astype("Int64")
    return frame


def walk(**places: tuple[int | None, str]) -> pd.DataFrame:
    """A crosswalk from ORI = (county, type)."""
    frame = pd.DataFrame(
        [(ori, fips, kind) for ori, (fips, kind) in places.items()],
        columns=["ori", "fips", "agency_type"],
    )
    return frame.astype({"fips": "Int64"})


POLICE_KIND, LOCAL, OTHER = (
    "state law enforcement agency",
    "local police department",
    "special jurisdiction",
)

HEADERS = headers(
    GA00100=(10, "9A", [(5000, 60)]),
    GA00101=(10, "4", [(3000, 60)]),
    GA00200=(10, "9B", [(900, 44)]),
    GA00199=(10, "7", [(700, 60)]),  # not in the crosswalk: the number decides
    GA00198=(10, "7", [(70, 99)]),  # neither
    GA00102=(10, "2", [(6000, 60), (2000, 44)]),  # two counties
    GA00103=(10, "4", [(6000, 44), (2000, 60), (10, 98)]),  # the third number is unknown
    GAHP000=(10, "8E", [(0, None)]),  # statewide: headquarters by the crosswalk
    GAHP060=(10, "8E", [(0, 60)]),  # a post
    GAUNI00=(10, "7", [(0, 60)]),  # a university
    PR00100=(53, "0", [(80_000, 1)]),
)
WALK = walk(
    GA00100=(13121, LOCAL),
    GA00101=(13121, LOCAL),
    GA00200=(13089, LOCAL),
    GA00102=(13121, LOCAL),
    GA00103=(13089, LOCAL),
    GAHP000=(13121, POLICE_KIND),
    GAHP060=(13121, POLICE_KIND),
    GAUNI00=(13121, OTHER),
    PR00100=(72001, LOCAL),
)


def decided(found: Allocation) -> dict[str, str]:
    return found.shares.drop_duplicates("ori").set_index("ori")["decided_by"].to_dict()


def shares(found: Allocation, ori: str) -> dict[int, float]:
    rows = found.shares[found.shares["ori"] == ori]
    return dict(zip(rows["fips"].tolist(), rows["share"].tolist(), strict=True))


def test_the_crosswalk_comes_first_and_the_county_number_second() -> None:
    found = allocate(HEADERS, WALK)
    assert decided(found) == {
        "GA00100": CROSSWALK,
        "GA00101": CROSSWALK,
        "GA00200": CROSSWALK,
        "GA00199": NUMBER,
        "GA00102": SEVERAL,
        "GA00103": SEVERAL,
        "GAHP060": CROSSWALK,
        "GAUNI00": CROSSWALK,
    }
    assert shares(found, "GA00199") == {13121: 1.0}
    assert (found.shares.groupby("ori")["share"].sum().round(12) == 1).all()


def test_agencies_in_several_counties_are_split_by_people() -> None:
    found = allocate(HEADERS, WALK)
    assert shares(found, "GA00102") == {13089: 0.25, 13121: 0.75}
    assert shares(found, "GA00103") == {13089: 0.75, 13121: 0.25}


def test_the_crosswalk_corrects_the_largest_part_unless_it_is_another_part() -> None:
    table = headers(
        VA00100=(45, "9A", [(100, 1)]),
        VA00200=(45, "9A", [(100, 2)]),
        VA00150=(45, "2", [(60, 1), (40, 2)]),  # an independent city, by the crosswalk
        VA00250=(45, "2", [(60, 1), (40, 2)]),  # mostly in the first, though named for the second
    )
    places = walk(
        VA00100=(51001, LOCAL), VA00200=(51003, LOCAL), VA00150=(51710, LOCAL), VA00250=(51003, LOCAL)
    )
    found = allocate(table, places)
    assert shares(found, "VA00150") == {51003: 0.4, 51710: 0.6}
    assert shares(found, "VA00250") == {51001: 0.6, 51003: 0.4}


def test_what_the_county_numbers_stand_for() -> None:
    learned = fbi_counties(HEADERS, WALK).set_index("county")
    assert learned["fips"].to_dict() == {1: 72001, 44: 13089, 60: 13121}
    assert learned["agencies"].to_dict() == {1: 1, 44: 2, 60: 5}
    assert (learned["agreement"] == 1).all()
    tied = headers(A=(1, "4", [(1, 7)]), B=(1, "4", [(1, 7)]), C=(1, "4", [(1, 8)]))
    table = fbi_counties(tied, walk(A=(1003, LOCAL), B=(1001, LOCAL), C=(None, LOCAL)))
    assert table[["fips", "agencies", "agreement"]].to_numpy().tolist() == [[1001, 2, 0.5]]


@pytest.mark.parametrize(
    ("rule", "gone", "kept"),
    [
        (AgencyRule(), {"GAHP000"}, {"GAHP060", "GAUNI00"}),
        (AgencyRule(state_police="keep"), set(), {"GAHP000", "GAHP060", "GAUNI00"}),
        (AgencyRule(state_police="drop"), {"GAHP000", "GAHP060"}, {"GAUNI00"}),
        (AgencyRule(zero_population="drop"), {"GAHP000", "GAUNI00"}, {"GAHP060"}),
    ],
)
def test_rules_for_agencies_without_people(rule: AgencyRule, gone: set[str], kept: set[str]) -> None:
    there = set(allocate(HEADERS, WALK, rule).shares["ori"])
    assert not gone & there
    assert kept <= there


def test_the_table_accounts_for_every_agency() -> None:
    table = allocate(HEADERS, WALK, AgencyRule(zero_population="drop")).table
    agencies = table.set_index("decided_by")["agencies"].to_dict()
    assert agencies == {CROSSWALK: 4, NUMBER: 1, SEVERAL: 2, POLICE: 1, EMPTY: 1, TERRITORY: 1, NOWHERE: 1}
    people = table.set_index("decided_by")["people"]
    assert people[SEVERAL] == 8000 + 8010
    assert people[NOWHERE] == 70
    assert people[TERRITORY] == 80_000
    assert table["agencies"].sum() == len(HEADERS)


def test_refusals() -> None:
    with pytest.raises(PanelError, match=r"state_police='country' \(did you mean 'county'\?\)"):
        AgencyRule(state_police="country")  # type: ignore[arg-type]
    with pytest.raises(PanelError, match="Choose one of keep, drop"):
        AgencyRule(zero_population="no")  # type: ignore[arg-type]
    with pytest.raises(PanelError, match=r"agency headers have no column 'county_2'"):
        allocate(HEADERS.drop(columns="county_2"), WALK)
    with pytest.raises(PanelError, match=r"agency crosswalk contain 1 repeated rows by ori"):
        allocate(HEADERS, pd.concat([WALK, WALK.head(1)]))


def test_homicide_headers_place_agencies_too() -> None:
    victims = pd.DataFrame(
        {
            "ori": ["GA00100", "GA00100", "GA00199"],
            "fbi_state": 10,
            "group": "4",
            "population": [5000, 5000, 700],
            "county": pd.array([60, 60, 60], dtype="Int64"),
        }
    )
    found = allocate(homicide_headers(victims), WALK)
    assert decided(found) == {"GA00100": CROSSWALK, "GA00199": NUMBER}
    assert found.shares["share"].tolist() == [1.0, 1.0]


def test_made_headers_are_placed_as_read(tmp_path: Path) -> None:
    (tidy,) = read_years(tmp_path, [2007], {2007: {"AL00109": Agency("AL00109")}})
    found = allocate(tidy.agencies, crosswalk())
    assert shares(found, "TXDPD00") == {48085: 1 / 24, 48113: 23 / 24}
    assert shares(found, "AL00109") == {1001: 1.0}
    assert "ALAST00" not in set(found.shares["ori"])


def test_the_real_headers_of_2013(mirror: Path) -> None:
    agencies = read_return_a(mirror / "fbi/return_a/reta2013.zipx", 2013).agencies
    places = read_agencies(mirror / "geography/kaplan_crosswalk.rds")
    found = allocate(agencies, places)
    table = found.table.set_index("decided_by")
    assert table["agencies"].to_dict() == {
        CROSSWALK: 21_310,
        NUMBER: 100,
        SEVERAL: 664,
        POLICE: 110,
        EMPTY: 0,
        TERRITORY: 3,
        NOWHERE: 15,
    }
    assert table.loc[NOWHERE, "people"] == 0
    assert len(found.shares["fips"].unique()) > 3100
    learned = fbi_counties(agencies, places)
    assert (learned["agreement"] >= 0.9).mean() > 0.95
