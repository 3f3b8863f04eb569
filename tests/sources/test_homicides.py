"""Homicide reports: the real masters where there is a mirror, made ones everywhere."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from artificial_masters import Incident, homicide_line, write_homicides

from replication.core.errors import SourceError
from replication.sources.supplementary_homicides import Homicides, read_homicides

REAL = {
    2003: ("SHRYR2003MASTER just.ZIP", 15_113, 1_971),
    2004: ("SHRYR2004MASTER just.ZIP", 14_838, 1_865),
    2005: ("SHRYR2005MASTER just.zip", 15_528, 2_093),
    2006: ("SHRYR2006MASTER just.zip", 15_720, 2_070),
    2008: ("SHRYR2008MASTER just.ZIP", 14_926, 2_097),
    2009: ("SHRYR2009MASTER just.zip", 14_436, 1_973),
    2010: ("SHRYR2010MASTERFXUNPACKED.ZIP", 13_858, 1_690),
    2011: ("SHRYR2011MASTERNFXUNPACKED.zip", 13_478, 1_598),
    2012: ("SHRYR2012MASTERFXUNPACKED.zip", 13_687, 1_628),
    2013: ("SHR2013.TXT", 13_153, 1_520),
}
"""File, victims of murder and non-negligent manslaughter (as the project's notes give them), and
Hispanic victims among them, counted line by line without this reader."""


def artificial(path: Path, *incidents: Incident, year: int = 2005, **choices: Any) -> Homicides:
    return read_homicides(write_homicides(path / "SHR.DAT.zip", incidents, year, **choices), year)


@pytest.mark.parametrize("year", REAL)
def test_the_real_masters(mirror: Path, year: int) -> None:
    name, murders, hispanic = REAL[year]
    tidy = read_homicides(mirror / "fbi/shr" / name, year)
    victims = tidy.victims[tidy.victims["kind"] == "murder"]
    assert len(victims) == murders
    assert (victims["ethnicity"] == "hispanic").sum() == hispanic
    assert victims["month"].between(1, 12).all()
    assert victims["age"].dropna().between(0, 99).all()
    assert (tidy.victims.groupby("line").size() == tidy.victims.groupby("line")["victims"].first()).all()
    assert len(tidy.offenders) == tidy.victims.drop_duplicates("line")["offenders"].sum()


def test_the_file_named_2007_is_refused_by_what_it_holds(mirror: Path) -> None:
    path = mirror / "fbi/shr/SHRYR2007MASTER (2)just.zip"
    message = r"contains the homicides of 2006 \(15,076 of 15,076 records\), and 2007 was asked for"
    with pytest.raises(SourceError, match=message):
        read_homicides(path, 2007)


def nested_with_false_directory(inside: bytes) -> bytes:
    """An archive as the one named 2007: a stored archive, and another one's directory behind it."""
    name, other = b"SHRYR2006MASTER just.zip", b"SHRYR2003MASTER just.ZIP"
    head = (
        struct.pack(
            "<4sHHHHHIIIHH",
            b"PK\3\4",
            20,
            0,
            0,
            0,
            33,
            zlib.crc32(inside),
            len(inside),
            len(inside),
            len(name),
            0,
        )
        + name
    )
    size = len(inside) + 500
    directory = (
        struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 0, 0, 33, 1, size, size, len(other), 0, 0, 0, 0, 0, 0
        )
        + other
    )
    body = head + inside
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(directory), len(body), 0)
    return body + directory + end


def packed(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("SHRNKJ06.DAT", text)
    return buffer.getvalue()


def test_a_made_twin_of_the_file_named_2007(tmp_path: Path) -> None:
    line = homicide_line(Incident("AL00100"), 2006).ljust(98) + "\r\n"
    path = tmp_path / "SHRYR2007MASTER (2)just.zip"
    path.write_bytes(nested_with_false_directory(packed(line)))
    message = r"contains the homicides of 2006 \(1 of 1 records\), and 2007 was asked for.*leave 2007"
    with pytest.raises(SourceError, match=message):
        read_homicides(path, 2007)
    assert len(read_homicides(path, 2006).victims) == 1
    broken = bytearray(path.read_bytes())
    broken[100] ^= 255
    path.write_bytes(bytes(broken))
    with pytest.raises(SourceError, match="archive contradicts its own directory"):
        read_homicides(path, 2006)


def test_an_archive_inside_an_archive_is_opened(tmp_path: Path) -> None:
    line = homicide_line(Incident("AL00100"), 2006).ljust(98) + "\r\n"
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.zip", packed(line))
    assert len(read_homicides(path, 2006).victims) == 1


@pytest.mark.parametrize("method", [None, zipfile.ZIP_DEFLATED])
def test_one_incident_comes_back(tmp_path: Path, method: int | None) -> None:
    incident = Incident(
        "TXHPD00",
        7,
        42,
        "101",
        "A",
        (("34", "F", "W", "H"),),
        (("19", "M", "B", "N"),),
        "03",
        "1A",
        2_100_000,
        12,
    )
    tidy = artificial(tmp_path, incident, method=method)
    (row,) = tidy.victims.itertuples(index=False)
    assert (row.year, row.month, row.line, row.ori) == (2005, 7, 1, "TXHPD00")
    assert (row.fbi_state, row.county, row.group, row.population) == (42, 101, "1A", 2_100_000)
    assert (row.kind, row.action, row.incident, row.situation) == ("murder", "0", "012", "A")
    assert (row.victim, row.age, row.sex, row.race) == (1, 34, "F", "W")
    assert (row.ethnicity, row.offender_ethnicity) == ("hispanic", "not_hispanic")
    assert (row.offender_age, row.offender_sex, row.offender_race) == (19, "M", "B")
    assert (row.weapon, row.relationship, row.circumstance, row.subcircumstance) == ("12", "AQ", "03", "A")
    assert (row.victims, row.offenders, row.name, row.state_name) == (1, 1, "MADE CITY", "ALA")


def test_further_victims_and_offenders(tmp_path: Path) -> None:
    people = [(f"{20 + i}", "M", "W", "HNU "[i % 4]) for i in range(11)]
    tidy = artificial(
        tmp_path,
        Incident("AL00100", victims=people[:3], offenders=people[:1]),
        Incident("AL00100", victims=people, offenders=people, month=2),
        Incident("AL00101", victims=people[:1], offenders=people[:4]),
    )
    assert tidy.victims.groupby("line").size().tolist() == [3, 11, 1]
    assert tidy.offenders.groupby("line").size().tolist() == [1, 11, 4]
    second = tidy.victims[tidy.victims["line"] == 2]
    assert second["age"].tolist() == list(range(20, 31))
    assert second["victim"].tolist() == list(range(1, 12))
    kinds = ["hispanic", "not_hispanic", "unknown", "not_reported"]
    assert second["ethnicity"].tolist() == [kinds[i % 4] for i in range(11)]
    assert (second["offender_age"] == 20).all()
    last = tidy.offenders[tidy.offenders["line"] == 3]
    assert last["ethnicity"].tolist() == kinds
    assert last["circumstance"].unique().tolist() == ["45"]
    assert tidy.anomalies["kind"].tolist() == []


@pytest.mark.parametrize(
    ("written", "years"), [("NB", 0), ("BB", 0), ("00", np.nan), ("  ", np.nan), ("99", 99)]
)
def test_ages(tmp_path: Path, written: str, years: float) -> None:
    tidy = artificial(tmp_path, Incident("AL00100", victims=[(written, "M", "W", "N")]))
    np.testing.assert_equal(tidy.victims["age"].iloc[0], float(years))


def test_negligence_is_kept_apart_and_oddities_counted(tmp_path: Path) -> None:
    tidy = artificial(
        tmp_path,
        Incident("AL00100"),
        Incident("AL00100"),
        Incident("AL00101", kind="B", county=""),
        Incident("AL00102", victims=[("30", "M", "W", " ")]),
    )
    assert tidy.victims["kind"].tolist() == ["murder", "murder", "negligent", "murder"]
    assert tidy.victims["county"].isna().tolist() == [False, False, True, False]
    found = dict(zip(tidy.anomalies["kind"], tidy.anomalies["count"], strict=True))
    assert found == {
        "incident number used twice by an agency in a month": 1,
        "no county given": 1,
        "manslaughter by negligence": 1,
        "ethnicity of the first victim not reported": 1,
    }
    example = tidy.anomalies.set_index("kind")["example"]
    assert example["no county given"] == "line 3, AL00101"


def test_announced_people_that_are_not_there_are_counted(tmp_path: Path) -> None:
    line = homicide_line(Incident("AL00100"), 2005)
    line = line[:92] + "002001" + "\r\n"
    path = tmp_path / "SHR.TXT"
    path.write_text(line, newline="")
    tidy = read_homicides(path, 2005)
    assert tidy.anomalies["count"].tolist() == [1, 1]
    assert len(tidy.victims) == 1


LINE = homicide_line(Incident("AL00100"), 2005) + "\r\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LINE * 3 + LINE[:40], "does not end with a newline"),
        (LINE + "61AL short\r\n", r"1 of 2 lines are not homicide records.*line 2 with 10 char"),
        (LINE + "1" + LINE[1:], r"first line 2 with \d+ characters, beginning '101AL001'"),
        (LINE + LINE[:61] + "13" + LINE[63:], r"month is no such number in 1 of 2 records"),
        (LINE + LINE[:70] + "C" + LINE[71:], r"the kind is neither A nor B in 1 of 2 records"),
        (LINE + LINE[:92] + "0x1" + LINE[95:], r"further victims is no such number"),
        (LINE + LINE[:13] + "04" + LINE[15:], r"contains the homicides of 2004 \(1 of 2 records\)"),
        (LINE[:13] + "99" + LINE[15:], "contains the homicides of 1999"),
        (LINE[:13] + "??" + LINE[15:], r"contains year '\?\?'"),
    ],
)
def test_damaged_masters_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "SHR2005.TXT"
    path.write_text(content, newline="")
    with pytest.raises(SourceError, match=message):
        read_homicides(path, 2005)


def test_missing_and_empty_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_homicides(tmp_path / "none.zip", 2005)
    (tmp_path / "none.zip").write_bytes(b"")
    with pytest.raises(SourceError, match="empty"):
        read_homicides(tmp_path / "none.zip", 2005)


def test_frames_can_be_put_below_each_other(tmp_path: Path) -> None:
    years = [artificial(tmp_path, Incident("AL00100"), year=year).victims for year in (2005, 2006)]
    together = pd.concat(years, ignore_index=True)
    assert together["year"].tolist() == [2005, 2006]
    assert str(together["county"].dtype) == "Int64"
