"""Census populations: real files, made ones, and damaged ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from artificial_sources import census_text

from replication.core.errors import SourceError
from replication.sources.census import read_intercensal, read_vintage_2019

INTERCENSAL = range(2000, 2011)
VINTAGE = range(2010, 2020)


@pytest.fixture
def text() -> str:
    return census_text(INTERCENSAL)


def written(folder: Path, text: str, encoding: str = "latin-1") -> Path:
    path = folder / "co-est.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(("years", "read"), [(INTERCENSAL, read_intercensal), (VINTAGE, read_vintage_2019)])
def test_counties_come_back_long_and_sorted(tmp_path: Path, years: range, read: Callable) -> None:
    table = read(written(tmp_path, census_text(years)))
    assert table.columns.tolist() == ["fips", "year", "population"]
    assert len(table) == 51 * 3 * len(years)
    assert (table["population"] == table["fips"] + table["year"]).all()
    assert table.equals(table.sort_values(["fips", "year"], ignore_index=True))


def test_files_cut_anywhere_are_refused(tmp_path: Path, text: str) -> None:
    middle = text.index("\n", len(text) // 2)
    with pytest.raises(SourceError, match=r"2[56] state totals where 51 belong; the file is cut"):
        read_intercensal(written(tmp_path, text[: middle + 1]))
    with pytest.raises(SourceError, match=r"1 lines do not have the 18 fields.*the file is cut off"):
        read_intercensal(written(tmp_path, text[: middle - 30]))
    last_county = text.rstrip("\n").rindex("\n")
    with pytest.raises(SourceError, match=r"in 1 states the counties do not add.*first state 56"):
        read_intercensal(written(tmp_path, text[: last_county + 1]))


def test_the_other_decade_is_refused_by_its_columns(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"10 expected columns are missing: POPESTIMATE2000"):
        read_intercensal(written(tmp_path, census_text(VINTAGE)))
    with pytest.raises(SourceError, match=r"9 expected columns are missing: POPESTIMATE2011"):
        read_vintage_2019(written(tmp_path, census_text(INTERCENSAL)))


def test_a_heading_shifted_by_a_column_is_refused(tmp_path: Path, text: str) -> None:
    shifted = text.replace("POPESTIMATE2000,", "ESTIMATESBASE2000,POPESTIMATE2000,", 1)
    with pytest.raises(SourceError, match=r"204 lines do not have the 19 fields .* columns are shi"):
        read_intercensal(written(tmp_path, shifted))


def test_letters_in_a_number_are_refused_with_their_place(tmp_path: Path, text: str) -> None:
    changed = text.replace(",3001,", ",3oo1,", 1)
    with pytest.raises(
        SourceError, match=r"1 row contains something .* line 3 of the file, column POPESTIMATE2000"
    ):
        read_intercensal(written(tmp_path, changed))


def test_a_row_shifted_by_a_column_is_refused(tmp_path: Path, text: str) -> None:
    lines = text.split("\n")
    lines[6] = lines[6].replace(",State,", ",State,0,")
    with pytest.raises(SourceError, match=r"1 lines do not have the 18 fields .* first line 7 with 19"):
        read_intercensal(written(tmp_path, "\n".join(lines)))


def test_a_county_twice_is_refused(tmp_path: Path, text: str) -> None:
    lines = text.split("\n")
    lines.insert(4, lines[3])
    with pytest.raises(SourceError, match=r"STATE 1, COUNTY 3 occurs in 2 records \(records 3, 4"):
        read_intercensal(written(tmp_path, "\n".join(lines)))


def test_a_changed_number_is_refused(tmp_path: Path, text: str) -> None:
    changed = text.replace(",3001,", ",3007,", 1)
    with pytest.raises(SourceError, match=r"state 1, POPESTIMATE2000: \d+ against \d+"):
        read_intercensal(written(tmp_path, changed))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_another_encoding_is_refused(tmp_path: Path, text: str, encoding: str) -> None:
    with pytest.raises(SourceError, match=r"line 1 contains the byte 0x(ff|ef).*latin-1 cannot contain"):
        read_intercensal(written(tmp_path, text, encoding))


def test_an_empty_file_and_a_bare_heading_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError, match=r"co-est\.csv: the file is empty \(0 bytes\)"):
        read_intercensal(written(tmp_path, ""))
    with pytest.raises(SourceError, match=r"0 state totals where 51 belong"):
        read_intercensal(written(tmp_path, text.split("\n", maxsplit=1)[0] + "\n"))


def test_real_populations(mirror: Path) -> None:
    early = read_intercensal(mirror / "census/co-est00int-tot.csv")
    assert early["fips"].nunique() == 3143
    nation = early.groupby("year")["population"].sum()
    assert nation[2004] == 292_805_298
    assert nation[2009] == 306_771_529
    late = read_vintage_2019(mirror / "census/co-est2019-alldata.csv")
    assert late["fips"].nunique() == 3142
    assert late.groupby("year")["population"].sum()[2012] == 313_830_990
    autauga = late[(late["fips"] == 1001) & (late["year"] == 2010)]
    assert autauga["population"].item() == 54_773
