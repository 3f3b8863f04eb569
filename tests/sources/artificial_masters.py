"""Made FBI master files in the exact layout of the real ones, record by record.

Written from the record descriptions, independently of the readers: positions are counted from 1
here, as the descriptions do.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FIELDS = {
    "murder": 1,
    "manslaughter": 2,
    "rape": 3,
    "rape_by_force": 4,
    "robbery": 6,
    "assault": 11,
    "assault_gun": 12,
    "simple_assault": 16,
    "burglary": 17,
    "larceny": 21,
    "motor_vehicle_theft": 22,
    "total": 26,
}
PARTS = ("murder", "manslaughter", "rape", "robbery", "assault", "burglary", "larceny", "motor_vehicle_theft")
CARDS = {"unfounded": 0, "actual": 1, "cleared": 2, "cleared_under_18": 3}
Counts = Mapping[str, int]


def overpunched(value: int, width: int = 5) -> str:
    """A number as the masters write it: the sign of a negative one is in its last character."""
    if value >= 0:
        return f"{value:0{width}d}"
    digits = f"{-value:0{width}d}"
    return digits[:-1] + "}JKLMNOPQR"[int(digits[-1])]


@dataclass
class Month:
    """One month of an agency; without types it is a month without a return."""

    types: str = "55555"
    included_in: int = 0
    actual: Counts = field(default_factory=dict)
    cleared: Counts = field(default_factory=dict)
    unfounded: Counts = field(default_factory=dict)
    cleared_under_18: Counts = field(default_factory=dict)


@dataclass
class Agency:
    """One agency's year. ``places`` are its people, FBI county number and MSA, at most three."""

    ori: str
    state: int = 1
    group: str = "4"
    covered_by: str = ""
    places: Sequence[tuple[int, str, str]] = ((10_000, "001", ""),)
    name: str = "MADE CITY"
    state_name: str = "ALA"
    months: dict[int, Month] = field(default_factory=dict)
    last_month: int | None = None


def steady(
    actual: Counts, cleared: Counts | None = None, months: Sequence[int] = range(1, 13)
) -> dict[int, Month]:
    """The same normal return in every month."""
    return {m: Month(actual=dict(actual), cleared=dict(cleared or {})) for m in months}


def card(counts: Counts) -> str:
    """28 fields of 5; the grand total is the sum of its parts unless it is given."""
    fields = [0] * 28
    for name, value in counts.items():
        fields[FIELDS[name] - 1] = value
    if "total" not in counts:
        fields[25] = sum(counts.get(name, 0) for name in PARTS)
    return "".join(overpunched(value) for value in fields)


def month_area(month: Month | None) -> str:
    """590 characters."""
    if month is None:
        return "  " + " " * 6 + " " * 5 + " " * 4 + "0" * 560 + "0" * 13
    flags = "".join("P" if kind in "25" else " " for kind in month.types[:4])
    cards = card(month.unfounded) + card(month.actual) + card(month.cleared)
    cards += card(month.cleared_under_18)
    return f"{month.included_in:02d}010105{month.types:<5}{flags}{cards}" + "0" * 13


def return_a_record(agency: Agency, year: int) -> str:
    """7,385 characters."""
    groups = [(0, "", ""), (0, "", ""), (0, "", "")]
    groups[: len(agency.places)] = agency.places
    last = max(agency.months, default=0) if agency.last_month is None else agency.last_month
    pieces = {
        1: "1",
        2: f"{agency.state:02d}",
        4: f"{agency.ori:<7}",
        11: f"{agency.group:<2}",
        13: "6",
        14: f"{year % 100:02d}",
        24: f"{agency.covered_by:<7}",
        42: f"{last:02d}",
        44: "0" if agency.covered_by else "1",
        45: "".join(f"{people:09d}{county:<3}{msa:<3}" for people, county, msa in groups),
        121: f"{agency.name:<24}",
        145: f"{agency.state_name:<6}",
    }
    record = placed(pieces, 305)
    record += "".join(month_area(agency.months.get(m)) for m in range(1, 13))
    assert len(record) == 7385
    return record


def placed(pieces: Mapping[int, str], width: int) -> str:
    """Text at the given positions, counted from 1, and blanks between."""
    line = [" "] * width
    for position, piece in pieces.items():
        line[position - 1 : position - 1 + len(piece)] = piece
    assert len(line) == width
    return "".join(line)


def write_return_a(
    path: Path,
    agencies: Sequence[Agency],
    year: int,
    *,
    end: str = "\r\n",
    tail: bytes = b"",
    method: int | None = zipfile.ZIP_DEFLATED,
) -> Path:
    """A master as a zip archive, or as plain text where ``method`` is None."""
    text = "".join(return_a_record(agency, year) + end for agency in agencies)
    return write_packed(path, text.encode("latin-1") + tail, method)


def write_packed(path: Path, content: bytes, method: int | None) -> Path:
    if method is None:
        path.write_bytes(content)
        return path
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(path.name.removesuffix(".zip"), content)
    return path


Person = tuple[str, str, str, str]
"""Age, sex, race and ethnicity, as written."""


@dataclass
class Incident:
    """One line of the homicide reports."""

    ori: str
    month: int = 1
    state: int = 1
    county: str = "001"
    kind: str = "A"
    victims: Sequence[Person] = (("30", "M", "W", "N"),)
    offenders: Sequence[Person] = (("25", "M", "W", "N"),)
    circumstance: str = "45"
    group: str = "4"
    people: int = 10_000
    number: int = 1


def homicide_line(incident: Incident, year: int) -> str:
    """98 characters and slots for further people, cut at the last character."""
    first, offender = incident.victims[0], incident.offenders[0]
    detail = f"12AQ{incident.circumstance}A"
    pieces = {
        1: "6",
        2: f"{incident.state:02d}",
        4: f"{incident.ori:<7}",
        11: f"{incident.group:<2}",
        13: "6",
        14: f"{year % 100:02d}",
        16: f"{incident.people:09d}",
        25: f"{incident.county:<3}",
        32: "MADE CITY",
        56: "ALA",
        62: f"{incident.month:02d}",
        64: "010105",
        70: "0",
        71: incident.kind,
        72: f"{incident.number:03d}",
        75: "A",
        76: "".join(first),
        81: "".join(offender) + detail,
        93: f"{len(incident.victims) - 1:03d}{len(incident.offenders) - 1:03d}",
    }
    for slot, person in enumerate(incident.victims[1:]):
        pieces[99 + 5 * slot] = "".join(person)
    for slot, person in enumerate(incident.offenders[1:]):
        pieces[149 + 12 * slot] = "".join(person) + detail
    return placed(pieces, 268).rstrip()


def write_homicides(
    path: Path, incidents: Sequence[Incident], year: int, method: int | None = zipfile.ZIP_DEFLATED
) -> Path:
    """A homicide master as a zip archive, or as plain text."""
    lines = [homicide_line(incident, year).ljust(98) + "\r\n" for incident in incidents]
    return write_packed(path, "".join(lines).encode("latin-1"), method)
