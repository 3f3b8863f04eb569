"""Unemployment, neighbors and agencies: real, made and damaged files."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadr
import pytest

from replication.core.errors import SourceError
from replication.sources import crosswalks, unemployment


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="ascii")
    return path


# Unemployment


def workbook(years: range = unemployment.YEARS) -> pd.DataFrame:
    """A heading in line 5 over the country, a state and two counties."""
    codes = ["00000", "01000", "01001", "01003"]
    table: dict[str, list] = {"FIPS_Code": codes, "State": ["US", *["AL"] * 3]}
    for year in years:
        table[f"Civilian_labor_force_{year}"] = [1000, 500, 100 + year, 50]
        table[f"Employed_{year}"] = [900, 450, 90 + year, 45]
        table[f"Unemployed_{year}"] = [100, 50, 10, 5]
        table[f"Unemployment_rate_{year}"] = [10.0, 10.0, 5.0, 10.0]
    return pd.DataFrame(table)


def xlsx(path: Path, table: pd.DataFrame) -> Path:
    table.to_excel(path, index=False, startrow=4)
    return path


def test_unemployment_comes_back_long(tmp_path: Path) -> None:
    read = unemployment.read_unemployment(xlsx(tmp_path / "u.xlsx", workbook()))
    assert len(read) == 2 * 24
    assert read["fips"].unique().tolist() == [1001, 1003]
    first = read.iloc[5]
    assert first[["year", "labour_force", "unemployed", "unemployment_rate"]].tolist() == [
        2005,
        2105,
        10,
        5,
    ]


def test_damaged_workbooks_are_refused(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "u.xlsx", workbook(range(2000, 2020)))
    with pytest.raises(SourceError, match=r"16 expected columns .*Civilian_labor_force_2020"):
        unemployment.read_unemployment(path)
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(SourceError, match=r"cannot be read as an Excel workbook \(BadZipFile"):
        unemployment.read_unemployment(cut)
    twice = pd.concat([workbook(), workbook().iloc[[2]]])
    with pytest.raises(SourceError, match=r"fips 1001 occurs in 2 records \(records 3, 5\)"):
        unemployment.read_unemployment(xlsx(path, twice))
    wrong = workbook()
    wrong.loc[3, "Employed_2004"] = 44
    with pytest.raises(SourceError, match=r"labor force of 2004 .* first in record 4"):
        unemployment.read_unemployment(xlsx(path, wrong))


def test_the_real_workbook(mirror: Path) -> None:
    read = unemployment.read_unemployment(mirror / "bls_ers/ers_unemployment_2000_2023.xlsx")
    assert read["fips"].nunique() == 3233
    row = read[(read["fips"] == 1001) & (read["year"] == 2000)].iloc[0]
    assert row[["labour_force", "unemployed"]].tolist() == [21861, 890]
    assert row["unemployment_rate"] == pytest.approx(4.1)


# Neighbors and agencies

PAIRS = [(1001, 1021), (1021, 1001), (1001, 1047), (1047, 1001)]


def adjacency(pairs: list[tuple[int, int]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["focalFIPS", "adjacentFIPS", "focal", "adjacent"])
    writer.writerows((f"{a:05d}", f"{b:05d}", "Here, AL", "There, AL") for a, b in pairs)
    return buffer.getvalue()


def test_neighbors_are_pairs(tmp_path: Path) -> None:
    read = crosswalks.read_adjacency(written(tmp_path / "a.csv", adjacency(PAIRS)))
    assert list(read.itertuples(index=False, name=None)) == sorted(PAIRS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (adjacency(PAIRS[:3]), r"a pair is listed in one direction only in 1 of 3 records"),
        (adjacency(PAIRS)[:-4], r"line 5 is not comma-separated text \(unexpected end of data\)"),
        (adjacency(PAIRS)[:-13], r"1 lines do not have the 4 fields of the heading, first line 5"),
        (adjacency([*PAIRS, PAIRS[0]]), r"fips 1001, neighbor 1021 occurs in 2 records"),
        (adjacency([(1001, 1001)]), r"something else than two county codes stands in 1 of 1"),
        ("from,to\n1,2\n", r"2 expected columns are missing: focalFIPS, adjacentFIPS"),
    ],
)
def test_damaged_neighbors_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        crosswalks.read_adjacency(written(tmp_path / "a.csv", text))


def test_real_neighbors(mirror: Path) -> None:
    read = crosswalks.read_adjacency(mirror / "geography/adjacent_counties.csv")
    assert len(read) == 18_966
    autauga = read.loc[read["fips"] == 1001, "neighbor"].tolist()
    assert autauga == [1021, 1047, 1051, 1085, 1101]


def agency_table(n: int = crosswalks.FIRST_AGENCIES) -> pd.DataFrame:
    numbers = np.arange(n)
    return pd.DataFrame(
        {
            "ori": [f"AL{number:05d}" for number in numbers],
            "ori9": [f"AL{number:05d}00" for number in numbers],
            "fips_state_code": "01",
            "fips_state_county_code": "01001",
            "fips_place_code": "03220",
            "agency_type": "local police department",
            "crosswalk_agency_name": "police",
            "longitude": "-86.6",
            "latitude": "32.5",
        }
    )


def rds(path: Path, table: pd.DataFrame) -> Path:
    pyreadr.write_rds(str(path), table, compress="gzip")
    return path


def test_agencies_are_placed(tmp_path: Path) -> None:
    table = agency_table()
    table.loc[0, ["longitude", "latitude"]] = "-9"
    table.loc[1, "longitude"] = "86.6"
    table.loc[2, "fips_state_county_code"] = "01na"
    read = crosswalks.read_agencies(rds(tmp_path / "agencies.rds", table))
    assert read.loc[0, ["longitude", "latitude"]].isna().all()
    assert read.loc[1, "longitude"] == -86.6
    assert read["fips"].isna().to_numpy().nonzero()[0].tolist() == [2]
    assert read.loc[3, "place_fips"] == 3220


def test_damaged_agencies_are_refused(tmp_path: Path) -> None:
    path = rds(tmp_path / "agencies.rds", agency_table(100))
    with pytest.raises(SourceError, match=r"100 agencies, where the crosswalk has 23,916"):
        crosswalks.read_agencies(path)
    cut = tmp_path / "cut.rds"
    cut.write_bytes(path.read_bytes()[:300])
    with pytest.raises(SourceError, match=r"cut\.rds: cannot be read as an R data file"):
        crosswalks.read_agencies(cut)
    twice = agency_table()
    twice.loc[7, "ori"] = "AL00003"
    with pytest.raises(SourceError, match=r"ori AL00003 occurs in 2 records \(records 4, 8\)"):
        crosswalks.read_agencies(rds(path, twice))
    moved = agency_table()
    moved.loc[7, "fips_state_code"] = "06"
    with pytest.raises(SourceError, match=r"state and county disagree in 1 of 23000 records"):
        crosswalks.read_agencies(rds(path, moved))
    with pytest.raises(SourceError, match=r"expected columns are missing: latitude"):
        crosswalks.read_agencies(rds(path, agency_table().drop(columns="latitude")))


def test_the_real_crosswalk(mirror: Path) -> None:
    read = crosswalks.read_agencies(mirror / "geography/kaplan_crosswalk.rds")
    assert len(read) == 23_916
    prattville = read.set_index("ori").loc["AL00401"]
    assert (prattville["fips"], prattville["place_fips"]) == (1001, 62328)
    assert read["fips"].isna().sum() == 1
    assert read["longitude"].dropna().max() < 179
    east = read[read["longitude"] > 0]
    assert (east["state_fips"] == 2).all()
