"""County offense files: the real ones, and made ones that are damaged on purpose."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from artificial_sources import nacjd_lines, nacjd_table, write_nacjd

from replication.core.errors import SourceError
from replication.sources.nacjd import RECORDS, STUDY, read_county_offenses


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return nacjd_table(2005)


@pytest.fixture
def lines(table: pd.DataFrame) -> list[str]:
    return nacjd_lines(table, 2005)


@pytest.mark.parametrize("year", [2005, 2006, 2008, 2009, 2012])
def test_a_made_file_comes_back_as_it_was_written(tmp_path: Path, year: int) -> None:
    artificial = nacjd_table(year)
    read = read_county_offenses(write_nacjd(tmp_path, year), year)
    assert len(read) == RECORDS[year]
    assert (read["year"] == year).all()
    assert (read["fips"] == 1000 * artificial["state"] + artificial["county"]).all()
    for name in ("murder", "rape", "larceny", "arson", "population", "covered_population"):
        assert (read[name] == artificial[name]).all()
    assert (read["coverage_indicator"] == 97.5).all()


def test_blank_population_is_missing_and_windows_line_ends_are_read(tmp_path: Path, lines: list[str]) -> None:
    lines[3] = lines[3][:15] + " " * 8 + lines[3][23:]
    path = write_nacjd(tmp_path, 2005, lines)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    read = read_county_offenses(path, 2005)
    assert read["population"].isna().to_numpy().nonzero()[0].tolist() == [3]


def test_absent_and_empty_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "04717-0004-Data.txt"
    with pytest.raises(SourceError, match=r"04717.*no such file.*replication data status"):
        read_county_offenses(path, 2005)
    path.write_bytes(b"")
    with pytest.raises(SourceError, match=r"04717.*empty \(0 bytes\)\. Fetch the file again"):
        read_county_offenses(path, 2005)


def test_a_file_cut_inside_a_record_is_refused(tmp_path: Path, lines: list[str]) -> None:
    path = write_nacjd(tmp_path, 2005, lines)
    path.write_bytes(path.read_bytes()[: 98 * 1000 + 40])
    with pytest.raises(SourceError, match=r"1 of 1001 records are not 97.*record 1001 with 40"):
        read_county_offenses(path, 2005)


def test_a_file_cut_between_records_is_refused(tmp_path: Path, lines: list[str]) -> None:
    path = write_nacjd(tmp_path, 2005, lines[:3000])
    with pytest.raises(SourceError, match=r"3000 records, where the file of 2005 has 3147"):
        read_county_offenses(path, 2005)


def test_another_study_is_refused_by_its_number(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(
        SourceError, match=r"ICPSR study 4717, which contains 2005; 2004 is study 4466\. Put 04466"
    ):
        read_county_offenses(write_nacjd(tmp_path, 2005, lines), 2004)


def test_another_year_without_study_number_is_refused_by_its_name(tmp_path: Path) -> None:
    path = write_nacjd(tmp_path, 2007)
    with pytest.raises(SourceError, match=r"study 25114, which contains 2007; 2006 is study 23780"):
        read_county_offenses(path, 2006)


@pytest.mark.parametrize(("inside", "requested"), [(2006, 2007), (2007, 2006), (2011, 2012)])
def test_another_year_under_the_right_name_is_refused_by_its_population(
    tmp_path: Path, inside: int, requested: int
) -> None:
    path = write_nacjd(tmp_path, inside)
    renamed = path.rename(tmp_path / f"{STUDY[requested]:05d}-0004-Data.txt")
    with pytest.raises(SourceError, match=rf"nearest to the country of {inside} .* of {requested} in its"):
        read_county_offenses(renamed, requested)


def test_the_other_layout_is_refused_by_its_totals(tmp_path: Path) -> None:
    artificial = nacjd_table(2009)
    index = artificial.eval("first_total + second_total")
    artificial["second_total"] = index + artificial["arson"]
    artificial["first_total"] = index
    path = write_nacjd(tmp_path, 2009, nacjd_lines(artificial, 2009))
    with pytest.raises(SourceError, match=r"totals are not the sum.*2009 they are violent and"):
        read_county_offenses(path, 2009)


def test_the_wrong_part_of_the_study_is_refused(tmp_path: Path, lines: list[str]) -> None:
    other = [line[:5] + "1" + line[6:] for line in lines]
    with pytest.raises(SourceError, match=r"part 1 of the study where part 4.*0004-Data\.txt"):
        read_county_offenses(write_nacjd(tmp_path, 2005, other), 2005)


def test_a_record_shifted_by_a_character_is_refused(tmp_path: Path, lines: list[str]) -> None:
    lines[7] = lines[7][:57] + " " + lines[7][57:-1]
    with pytest.raises(SourceError, match=r"record 8 has .* for rape \(columns 62 to 65\).*shifted"):
        read_county_offenses(write_nacjd(tmp_path, 2005, lines), 2005)


def test_columns_shifted_by_a_whole_field_are_refused(tmp_path: Path, lines: list[str]) -> None:
    shifted = [line[:75] + line[81:87] + line[75:81] * 2 + line[93:] for line in lines]
    with pytest.raises(SourceError, match=r"in 3\d{3} of 3147 records the totals are not the sum"):
        read_county_offenses(write_nacjd(tmp_path, 2005, shifted), 2005)


def test_a_longer_record_is_refused(tmp_path: Path, lines: list[str]) -> None:
    lines[7] = lines[7][:40] + " " + lines[7][40:]
    with pytest.raises(SourceError, match=r"first record 8 with 98.*columns are shifted"):
        read_county_offenses(write_nacjd(tmp_path, 2005, lines), 2005)


def test_letters_in_a_number_are_refused_with_their_place(tmp_path: Path, lines: list[str]) -> None:
    lines[7] = lines[7][:23] + "  1O4213" + lines[7][31:]
    with pytest.raises(
        SourceError, match=r"record 8 has '1O4213' for covered_population \(columns 24 to 31\)"
    ):
        read_county_offenses(write_nacjd(tmp_path, 2005, lines), 2005)


def test_a_county_twice_is_refused_with_its_records(tmp_path: Path, lines: list[str]) -> None:
    lines[9] = lines[9][:10] + lines[4][10:15] + lines[9][15:]
    with pytest.raises(SourceError, match=r"fips 1009 occurs in 2 records \(records 5, 10\)"):
        read_county_offenses(write_nacjd(tmp_path, 2005, lines), 2005)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp500"])
def test_another_encoding_is_refused(tmp_path: Path, lines: list[str], encoding: str) -> None:
    path = write_nacjd(tmp_path, 2005, lines)
    path.write_bytes("\n".join(lines).encode(encoding))
    with pytest.raises(SourceError, match=r"line 1 contains the byte 0x.*cannot contain"):
        read_county_offenses(path, 2005)


def test_a_year_without_county_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"of 2013 were asked for.*from 2000 to 2012"):
        read_county_offenses(tmp_path / "any.txt", 2013)


REAL = {2000: (280_920_041, 256_054_760), 2005: (296_410_404, 278_616_385)} | {
    2006: (299_398_485, 281_849_827),
    2012: (313_915_034, 309_629_991),
}


@pytest.mark.parametrize("year", list(STUDY))
def test_every_real_file_is_read(mirror: Path, year: int) -> None:
    read = read_county_offenses(mirror / f"nacjd/{STUDY[year]:05d}-0004-Data.txt", year)
    assert len(read) == RECORDS[year]
    assert read["fips"].is_unique
    assert read["coverage_indicator"].between(0, 100).all()
    assert (read.drop(columns=["population", "agencies_arrest"]).notna()).all(axis=None)
    if year in REAL:
        sums = read[["population", "covered_population"]].sum()
        assert tuple(sums.astype(int)) == REAL[year]


def test_real_rows_hold_what_the_file_prints(mirror: Path) -> None:
    read = read_county_offenses(mirror / "nacjd/35019-0004-Data.txt", 2012)
    baldwin = read.set_index("fips").loc[1003]
    assert baldwin["population"] == 187_467
    assert baldwin[["murder", "rape", "robbery", "aggravated_assault"]].tolist() == [8, 30, 76, 332]
    assert baldwin[["burglary", "larceny", "motor_vehicle_theft"]].tolist() == [967, 3829, 192]
    assert baldwin["arson"] == 31


@pytest.mark.parametrize("inside", [2006, 2008, 2009, 2011])
def test_real_files_under_a_neighbors_name_are_refused(mirror: Path, tmp_path: Path, inside: int) -> None:
    renamed = tmp_path / f"{STUDY[inside + 1]:05d}-0004-Data.txt"
    renamed.write_bytes((mirror / f"nacjd/{STUDY[inside]:05d}-0004-Data.txt").read_bytes())
    with pytest.raises(SourceError, match=r"records|totals|million"):
        read_county_offenses(renamed, inside + 1)
