"""Second crime source and composition of counties: real, made and damaged files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from replication.core.errors import SourceError
from replication.sources import acs, kaplan

COUNTIES = [1001, 1003, 6037, 36061]


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="ascii")
    return path


# Kaplan's county rates


def kaplan_object(year: int) -> dict[str, dict[str, float]]:
    """Four counties that share the country, each with 3 murders ... and 4 thefts of vehicles."""
    people = kaplan.NATION[year] // 4
    counts = {"murder": 3, "robbery": 20, "aggravated_assault": 70, "burglary": 400}
    counts |= {"larceny": 900, "violent_crime": 98, "property_crime": 1304}
    record: dict[str, float] = {
        f"county_{name}_rate": round(count / people * 1e5, 4) for name, count in counts.items()
    }
    return {f"{fips:05d}": {"population": float(people), **record} for fips in COUNTIES}


def uneven(year: int) -> str:
    """Burglary rates that stand for 400.4 burglaries."""
    artificial = kaplan_object(year)
    for record in artificial.values():
        record["county_burglary_rate"] *= 1.001
    return json.dumps(artificial)


def test_kaplan_rates_become_counts(tmp_path: Path) -> None:
    # Rates to four decimals carry whole counts of counties, not of quarters of the country.
    artificial = kaplan_object(2010)
    small = {f"{fips:05d}": {**artificial["01001"], "population": 50_000.0} for fips in range(1001, 1003)}
    for record in small.values():
        record |= {"county_murder_rate": 6.0, "county_robbery_rate": 40.0}
        record |= {"county_aggravated_assault_rate": 140.0, "county_violent_crime_rate": 196.0}
        record |= {"county_burglary_rate": 800.0, "county_larceny_rate": 1800.0}
        record |= {"county_property_crime_rate": 2608.0}
    big = {"06037": {"population": float(kaplan.NATION[2010] - 100_000)}}
    path = written(tmp_path / "county_2010.json", json.dumps(small | big))
    read = kaplan.read_kaplan(path, 2010).set_index("fips")
    assert read.loc[1001, kaplan.COUNTS].tolist() == [3, 5, 20, 70, 400, 900, 4]
    assert read.loc[6037, kaplan.COUNTS].isna().all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the file is empty"),
        (json.dumps(kaplan_object(2010))[:-30], r"not JSON from line 1, character \d+ on"),
        (json.dumps(kaplan_object(2011)), r"nearest to the country of 2011 .* the file of 2010 in"),
        (json.dumps([1, 2]), r"not an object of counties"),
        ('{"01001": {"population": 3}, "01001": {"population": 4}}', r"'01001' stands 2 times"),
        ('{"01001": {"population": 3}}', r"7 expected columns are missing: county_murder_rate"),
        (json.dumps(kaplan_object(2010)).replace("01001", "Autauga"), r"county code .* in 1 of 4"),
        (uneven(2010), r"not whole counts in 4 of 4 records, first in record 1 \(fips 1001"),
    ],
)
def test_damaged_kaplan_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path / "county_2010.json", text)
    with pytest.raises(SourceError, match=message):
        kaplan.read_kaplan(path, 2010)


@pytest.mark.parametrize("year", list(kaplan.NATION))
def test_real_kaplan_files(mirror: Path, year: int) -> None:
    read = kaplan.read_kaplan(mirror / f"kaplan/county_{year}.json", year)
    assert len(read) == 3133
    assert 9 not in (read["fips"] // 1000).to_numpy()
    assert read["population"].sum() == kaplan.NATION[year]
    assert read["murder"].isna().sum() == 6
    negative = read[(read[kaplan.COUNTS] < 0).any(axis=1)]["fips"].tolist()
    assert negative == {2009: [49025], 2010: [18173], 2011: [13227], 2013: [2220]}.get(year, [])
    if year < 2014:
        with pytest.raises(SourceError, match=rf"nearest to the country of {year} "):
            kaplan.read_kaplan(mirror / f"kaplan/county_{year}.json", year + 1)


# American Community Survey


def acs_rows(year: int) -> list[list[str]]:
    head = ["NAME", *acs.NAMES, *acs.MEN_15_24, "state", "county"]
    people = acs.NATION[year] // 4
    cells = [people, 60, 20, 10, 1, 2, 3, 4, 5]
    return [
        head,
        *(
            [f"County {fips}", *map(str, cells), f"{fips // 1000:02d}", f"{fips % 1000:03d}"]
            for fips in COUNTIES
        ),
    ]


def test_acs_tables_are_named_and_summed(tmp_path: Path) -> None:
    path = written(tmp_path / "acs5_2009.json", json.dumps(acs_rows(2009)))
    read = acs.read_acs(path, 2009)
    assert read["fips"].tolist() == COUNTIES
    assert read.loc[0, ["white_not_hispanic", "black_not_hispanic", "hispanic"]].tolist() == [
        60,
        20,
        10,
    ]
    assert (read["men_15_24"] == 15).all()


def dropped(rows: list[list[str]]) -> list[list[str]]:
    return [*rows[:2], rows[2][1:], *rows[3:]]


def repeated(rows: list[list[str]]) -> list[list[str]]:
    return [*rows, rows[1]]


def lettered(rows: list[list[str]]) -> list[list[str]]:
    return [*rows[:2], [rows[2][0], "many", *rows[2][2:]], *rows[3:]]


def crowded(rows: list[list[str]]) -> list[list[str]]:
    return [*rows[:2], [*rows[2][:4], "9" * 9, *rows[2][5:]], *rows[3:]]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (dropped, r"1 row does not have the 12 fields of the heading, first row 2"),
        (repeated, r"state 1, county 1 occurs in 2 records \(records 1, 5\)"),
        (lettered, r"something else than a count stands in 1 of 4 records, first in record 2"),
        (crowded, r"groups exceed the population in 1 of 4 records"),
        (lambda rows: rows[:1], r"not a list of rows with a heading"),
        (lambda rows: [[cell.lower() for cell in rows[0]], *rows[1:]], r"columns are missing"),
        (lambda _: acs_rows(2010), r"nearest to the country of 2010 \(307\.7 million\)"),
    ],
)
def test_damaged_acs_files_are_refused(tmp_path: Path, damage: Callable, message: str) -> None:
    path = written(tmp_path / "acs5_2009.json", json.dumps(damage(acs_rows(2009))))
    with pytest.raises(SourceError, match=message):
        acs.read_acs(path, 2009)


@pytest.mark.parametrize(("year", "hispanic"), [(2009, 49_366_183), (2012, 54_221_164)])
def test_real_acs_files(mirror: Path, year: int, hispanic: int) -> None:
    read = acs.read_acs(mirror / f"acs/acs5_{year}.json", year)
    assert len(read) == 3221
    assert read["hispanic"].sum() == hispanic
    with pytest.raises(SourceError, match=rf"nearest to the country of {year} "):
        acs.read_acs(mirror / f"acs/acs5_{year}.json", 2010)


NONCITIZENS = '"","year","fips","noncit_pop","moe"\n"1",2009,"45001",248,172\n"2",2010,"72153",NA,NA\n'


def test_noncitizens_are_read_and_missing_where_missing(tmp_path: Path) -> None:
    read = acs.read_noncitizens(written(tmp_path / "n.csv", NONCITIZENS))
    assert read.iloc[0].tolist() == [45001, 2009, 248, 172]
    assert read.iloc[1][["noncitizens", "margin"]].isna().all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "2009",
            "1909",
            r"year \(2009 to 2018\), or a count .* in 1 of 2 records, first in record 1",
        ),
        ("248", "2x8", r"is not what it should be in 1 of 2 records"),
        (
            '"1",2009',
            "2009",
            r"1 lines do not have the 5 fields of the heading, first line 2 with 4",
        ),
        ("moe", "margin", r"1 expected columns are missing: moe"),
        ('2010,"72153"', '2009,"45001"', r"fips 45001.*year 2009.* occurs in 2 records"),
    ],
)
def test_damaged_noncitizens_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = written(tmp_path / "n.csv", NONCITIZENS.replace(old, new))
    with pytest.raises(SourceError, match=message):
        acs.read_noncitizens(path)


def test_real_noncitizens(mirror: Path) -> None:
    read = acs.read_noncitizens(mirror / "acs/non_citizen_pop.csv")
    assert len(read) == 32_205
    assert read.groupby("year")["noncitizens"].sum()[2009] == 21_425_851
    assert (read.loc[read["noncitizens"].isna(), "fips"] // 1000 == 72).all()
