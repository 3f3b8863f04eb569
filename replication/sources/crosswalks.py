"""County adjacency, and the crosswalk from police agencies to counties."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from replication.core.errors import SourceError
from replication.sources.r_data import read_r
from replication.sources.raw_checks import (
    FETCH_AGAIN,
    require_columns,
    require_rows,
    require_unique,
    text_cells,
)

AGENCY_COLUMNS: Final = {
    "ori": "ori",
    "ori9": "ori9",
    "fips_state_code": "state_fips",
    "fips_state_county_code": "fips",
    "fips_place_code": "place_fips",
    "agency_type": "agency_type",
    "crosswalk_agency_name": "name",
    "longitude": "longitude",
    "latitude": "latitude",
}
FIRST_AGENCIES: Final = 23_000
CODES: Final = ["state_fips", "fips", "place_fips"]
UNKNOWN: Final = -9
ALASKA: Final = 2


def read_adjacency(path: Path) -> pd.DataFrame:
    """Adjacent counties, each pair in both directions.

    Parameters
    ----------
    path : ``adjacent_counties.csv``.

    Returns
    -------
    DataFrame
        ``fips``, ``neighbor``, sorted; no county is its own neighbor.

    Raises
    ------
    SourceError
        If the file is damaged, repeats a pair, or has a pair in one direction only.
    """
    # The names of a few counties are in an old code page; only the codes are used.
    table = text_cells(path, "latin-1")
    names = {"focalFIPS": "fips", "adjacentFIPS": "neighbor"}
    require_columns(table, names, path)
    pairs = table[list(names)].rename(columns=names).apply(pd.to_numeric, errors="coerce")
    require_rows(
        pairs,
        pairs.apply(lambda codes: codes.between(1001, 78999)).all(axis=1)
        & (pairs["fips"] != pairs["neighbor"]),
        path,
        "something else than two county codes stands",
    )
    require_unique(pairs, ["fips", "neighbor"], path)
    forward = pd.MultiIndex.from_frame(pairs)
    backward = pd.MultiIndex.from_arrays([pairs["neighbor"], pairs["fips"]])
    require_rows(pairs, pd.Series(forward.isin(backward)), path, "a pair is listed in one direction only")
    tidy: pd.DataFrame = pairs.astype("int64")
    return tidy.sort_values(["fips", "neighbor"], ignore_index=True)


def read_agencies(path: Path) -> pd.DataFrame:
    """Police agencies with their county, place and coordinates.

    Parameters
    ----------
    path : ``kaplan_crosswalk.rds``.

    Returns
    -------
    DataFrame
        One row per agency: ``ori`` (7 characters), ``ori9``, ``state_fips``, ``fips`` (missing
        where no county is given), ``place_fips``, ``agency_type``, ``name``, ``longitude``,
        ``latitude`` (degrees, west negative; missing where unknown).

    Raises
    ------
    SourceError
        If the file is damaged, is not the crosswalk, or repeats an agency.
    """
    table = read_r(path)
    require_columns(table, AGENCY_COLUMNS, path)
    if len(table) < FIRST_AGENCIES:
        raise SourceError(
            f"{path}: {len(table)} agencies, where the crosswalk has 23,916; it is cut off. {FETCH_AGAIN}"
        )
    tidy = table[list(AGENCY_COLUMNS)].rename(columns=AGENCY_COLUMNS)
    require_unique(tidy, ["ori"], path)
    for name in [*CODES, "longitude", "latitude"]:
        tidy[name] = pd.to_numeric(tidy[name], errors="coerce")
    inside = tidy["fips"].isna() | (tidy["fips"] // 1000 == tidy["state_fips"])
    require_rows(tidy, inside, path, "state and county disagree")
    for name in CODES:
        tidy[name] = tidy[name].astype("Int64")
    return _placed(tidy).sort_values("ori", ignore_index=True)


def _placed(agencies: pd.DataFrame) -> pd.DataFrame:
    """Coordinates as numbers that can be used: -9 is missing, lost minus signs are put back.

    Only the Aleutian Islands reach over the 180th meridian.
    """
    known = agencies["latitude"] != UNKNOWN
    east = (agencies["longitude"] > 0) & (agencies["state_fips"] != ALASKA)
    west = agencies["longitude"].mask(east, -agencies["longitude"])
    return agencies.assign(longitude=west.where(known), latitude=agencies["latitude"].where(known))
