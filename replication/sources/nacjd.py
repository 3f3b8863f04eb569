"""County offense files of ICPSR/NACJD: part 4 of the county-level arrest and offense data.

Fixed width, 97 columns, one record per county. Two layouts: the two totals are the Index without
and with arson until 2008, violent and property crime from 2009.

The files of 2006 and later carry 9999 in place of their study number. Their year is identified
by the national population that their records sum to: the Census estimate that the FBI used for
that year, to within 0.2 percent, where neighboring years differ by more than 0.5 percent.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.core.errors import SourceError
from replication.sources.raw_checks import FETCH_AGAIN, decoded_text, require_nation, require_unique

STUDY: Final[dict[int, int]] = {
    2000: 3451,
    2001: 3721,
    2002: 4009,
    2003: 4360,
    2004: 4466,
    2005: 4717,
    2006: 23780,
    2007: 25114,
    2008: 27644,
    2009: 30763,
    2010: 33523,
    2011: 34582,
    2012: 35019,
}
"""ICPSR study number of each year."""

RECORDS: Final[dict[int, int]] = dict(
    zip(STUDY, (3146, *(3147,) * 7, 3172, 3177, 3177, 3178, 3178), strict=True)
)
"""Records in each year's file: counties, and the statewide codes 777 and 999."""

NATION: Final[dict[int, int]] = {
    2000: 281_421_906,
    2001: 284_796_887,
    2002: 288_368_698,
    2003: 290_809_777,
    2004: 293_655_404,
    2005: 296_410_404,
    2006: 299_398_484,
    2007: 301_621_157,
    2008: 304_059_724,
    2009: 307_006_550,
    2010: 308_745_538,
    2011: 311_591_917,
    2012: 313_914_040,
}
"""United States population by which the FBI counted in each year (Census Bureau estimates)."""

WIDTHS: Final[dict[str, int]] = {
    "study": 4,
    "edition": 1,
    "part": 1,
    "record": 4,
    "state": 2,
    "county": 3,
    "population": 8,
    "covered_population": 8,
    "agencies_arrest": 3,
    "agencies_offense": 3,
    "coverage_indicator": 8,
    "first_total": 6,
    "second_total": 6,
    "murder": 4,
    "rape": 4,
    "robbery": 5,
    "aggravated_assault": 5,
    "burglary": 6,
    "larceny": 6,
    "motor_vehicle_theft": 6,
    "arson": 4,
}
WIDTH: Final = sum(WIDTHS.values())
VIOLENT: Final = ["murder", "rape", "robbery", "aggravated_assault"]
PROPERTY: Final = ["burglary", "larceny", "motor_vehicle_theft"]
FIRST_SPLIT_YEAR: Final = 2009
MAY_BE_BLANK: Final = {"population", "agencies_arrest"}
LARGEST_ROUNDING: Final = 20
"""Printed totals differ from their parts by rounding of imputed counts, 14 at most in 2000-2012."""

COLUMNS: Final = [
    "year",
    "fips",
    "state",
    "county",
    "population",
    "covered_population",
    "agencies_arrest",
    "agencies_offense",
    "coverage_indicator",
    *VIOLENT,
    *PROPERTY,
    "arson",
]


def read_county_offenses(path: Path, year: int) -> pd.DataFrame:
    """Reported offenses of every county in one year.

    Parameters
    ----------
    path : ``<study>-0004-Data.txt`` as ICPSR distributes it.
    year : year that the file is expected to hold, 2000 to 2012.

    Returns
    -------
    DataFrame
        One row per record: ``year``, ``fips`` (1000 * state + county; the statewide county codes
        777 and 999 are kept), ``state``, ``county``, ``population`` (missing where blank),
        ``covered_population`` (people under agencies that report offenses), the two agency
        counts, ``coverage_indicator`` (0 to 100) and eight offense counts.

    Raises
    ------
    SourceError
        If the file is empty, cut off, shifted, not ASCII, repeats a county, or is another
        year's.
    """
    if year not in STUDY:
        raise SourceError(
            f"{path}: county offenses of {year} were asked for, but the county files run from "
            f"{min(STUDY)} to {max(STUDY)}. Ask for one of those years."
        )
    frame = _numbers(path, _cells(path))
    _require_study(path, frame, year)
    frame["year"] = year
    frame["fips"] = 1000 * frame["state"] + frame["county"]
    require_unique(frame, ["fips"], path)
    _require_complete(path, frame, year)
    _require_totals(path, frame, year)
    require_nation(path, frame["population"], NATION, year)
    return frame[COLUMNS]


def _cells(path: Path) -> NDArray[np.bytes_]:
    """(records, 97) single characters; refuses lines of any other length."""
    lines = decoded_text(path).splitlines()
    lengths = np.fromiter(map(len, lines), dtype=np.int64, count=len(lines))
    wrong = np.flatnonzero(lengths != WIDTH)
    if wrong.size:
        row = int(wrong[0])
        raise SourceError(
            f"{path}: {wrong.size} of {len(lines)} records are not {WIDTH} characters long, first "
            f"record {row + 1} with {lengths[row]}; the file is cut off or its columns are "
            f"shifted. {FETCH_AGAIN}"
        )
    return np.frombuffer("".join(lines).encode("ascii"), dtype="S1").reshape(-1, WIDTH)


def _numbers(path: Path, cells: NDArray[np.bytes_]) -> pd.DataFrame:
    """Every field as a number; blanks only where a file is known to have them."""
    columns: dict[str, NDArray[np.float64] | NDArray[np.int64]] = {}
    start = 0
    for name, width in WIDTHS.items():
        field = np.ascontiguousarray(cells[:, start : start + width]).view(f"S{width}")[:, 0]
        kind = float if name in {"coverage_indicator", *MAY_BE_BLANK} else int
        columns[name] = _column(path, name, field, start, kind)
        start += width
    return pd.DataFrame(columns)


def _column(
    path: Path, name: str, field: NDArray[np.bytes_], start: int, kind: type[int] | type[float]
) -> NDArray[np.float64] | NDArray[np.int64]:
    """One field of all records as whole numbers, or as floats where blanks may stand."""
    stripped = np.char.strip(field)
    if name in MAY_BE_BLANK:
        stripped = np.where(stripped == b"", b"nan", stripped)
    try:
        return stripped.astype(kind)
    except ValueError:
        row, value = next((row, value) for row, value in enumerate(stripped) if not _is_number(value, kind))
        raise SourceError(
            f"{path}: record {row + 1} has {value.decode()!r} for {name} (columns {start + 1} to "
            f"{start + field.itemsize}), which is not a number; its columns are shifted. "
            f"{FETCH_AGAIN}"
        ) from None


def _is_number(value: bytes, kind: type[int] | type[float]) -> bool:
    try:
        kind(value)
    except ValueError:
        return False
    return True


def _require_study(path: Path, frame: pd.DataFrame, year: int) -> None:
    """Refuse another year's study, by the number in the records or, failing that, in the name."""
    if (frame["part"] != 4).any():
        raise SourceError(
            f"{path}: the records say part {frame['part'].iloc[0]} of the study where part 4 "
            "(county crimes reported) is needed. Take the file whose name ends in 0004-Data.txt."
        )
    named = re.match(r"\d{5}(?=-)", path.name)
    stated = {int(number) for number in frame["study"].unique()} - {9999}
    found = (stated or ({int(named[0])} if named else set())) - {STUDY[year]}
    if found:
        other = min(found)
        years = {study: held for held, study in STUDY.items()}
        holds = f"contains {years[other]}" if other in years else "is none of the years 2000 to 2012"
        raise SourceError(
            f"{path}: this is ICPSR study {other}, which {holds}; {year} is study {STUDY[year]}. "
            f"Put {STUDY[year]:05d}-0004-Data.txt in its place."
        )


def _require_complete(path: Path, frame: pd.DataFrame, year: int) -> None:
    if len(frame) != RECORDS[year]:
        raise SourceError(
            f"{path}: {len(frame)} records, where the file of {year} has {RECORDS[year]}; it is "
            f"cut off, or another year's. {FETCH_AGAIN}"
        )


def _require_totals(path: Path, frame: pd.DataFrame, year: int) -> None:
    """Check the two totals of each record against their parts."""
    violent, stolen = frame[VIOLENT].sum(axis=1), frame[PROPERTY].sum(axis=1)
    if year >= FIRST_SPLIT_YEAR:
        expected = {"first_total": violent, "second_total": stolen}
        layout = "violent and property crime"
    else:
        index = violent + stolen
        expected = {"first_total": index, "second_total": index + frame["arson"]}
        layout = "the Index without and with arson"
    for name, parts in expected.items():
        off = (frame[name] - parts).abs()
        bad = off > LARGEST_ROUNDING
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise SourceError(
                f"{path}: in {int(bad.sum())} of {len(frame)} records the totals are not the sum "
                f"of their offenses, first in record {row + 1} ({frame[name].iloc[row]} against "
                f"{parts.iloc[row]}); in {year} they are {layout}. The columns are shifted, or "
                f"the file is of another year. {FETCH_AGAIN}"
            )
