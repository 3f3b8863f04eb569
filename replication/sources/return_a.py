"""Return A master files of the FBI: offenses known and cleared by arrest, agency by month.

A record is one agency's year: a header of 305 characters and twelve months of 590. Each month
records for each of its cards (0 unfounded, 1 actual, 2 cleared, 3 cleared under 18, 4 assaults on
police) whether it was filed. A month without a return holds zeros that are not counts; here
such months have a status and no offenses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.core.errors import SourceError
from replication.sources.masterfile import UNREADABLE, Bytes, numbers, records, texts
from replication.sources.raw_checks import FETCH_AGAIN
from replication.sources.return_a_anomalies import YearParts, find_anomalies

HEADER: Final = 305
MONTH: Final = 590
MONTHS: Final = 12
WIDTH: Final = HEADER + MONTHS * MONTH
IDENTIFIER: Final = ord("1")

TEXT_FIELDS: Final[dict[str, tuple[int, int]]] = {
    "ori": (3, 10),
    "group": (10, 12),
    "covered_by": (23, 30),
    "name": (120, 144),
    "state_name": (144, 150),
}
NUMBER_FIELDS: Final[dict[str, tuple[int, int]]] = {
    "fbi_state": (1, 3),
    "division": (12, 13),
    "last_month": (41, 43),
    "agency_count": (43, 44),
    **{f"population_{k}": (29 + 15 * k, 38 + 15 * k) for k in (1, 2, 3)},
    **{f"county_{k}": (38 + 15 * k, 41 + 15 * k) for k in (1, 2, 3)},
    **{f"msa_{k}": (41 + 15 * k, 44 + 15 * k) for k in (1, 2, 3)},
}
"""Columns of the header, counted from 0, the second one not included."""
CODES: Final = tuple(name for name in NUMBER_FIELDS if name.startswith(("county", "msa")))
"""Number fields in which a blank means that there is none."""

OFFENCE_FIELDS: Final[dict[str, int]] = {
    "murder": 1,
    "manslaughter": 2,
    "rape": 3,
    "robbery": 6,
    "assault": 11,
    "simple_assault": 16,
    "burglary": 17,
    "larceny": 21,
    "motor_vehicle_theft": 22,
    "total": 26,
}
"""Number of each offense's field on a card."""
OFFENSES: Final = (*OFFENCE_FIELDS, "aggravated_assault")
"""Offenses of the tidy frame. Aggravated assault is derived: all assault without simple assault."""
SIMPLE_ASSAULT_JOINS: Final = 1974
"""First year in which the field of all assaults, and the grand total, hold simple assault too."""
MEASURES: Final = ("unfounded", "actual", "cleared", "cleared_under_18")
"""Cards 0 to 3."""
ACTUAL: Final = 1
RETURNED: Final = (ord("5"), ord("2"))
"""Card types of a return: the normal one, and an adjustment of it."""
STATUSES: Final = ("returned", "included", "silent")
MOST_UNREADABLE: Final = 1e-3
"""Share of unreadable numbers above which the columns are taken to be shifted."""


@dataclass(frozen=True, slots=True)
class ReturnA:
    """One year of Return A, tidy.

    Attributes
    ----------
    year : int
    agencies : one row per agency: ``year``, ``ori``, ``fbi_state`` (not the FIPS code), ``group``,
        ``division``, ``covered_by`` (the agency that reports for it, or empty), ``last_month``,
        ``agency_count``, three times ``population_k``, ``county_k`` (the FBI's number), ``msa_k``, then
        ``population`` (their sum), ``name``, ``state_name``, ``months_reported``.
    months : one row per agency and month: ``year``, ``ori``, ``month`` (1 to 12), ``status`` (``returned``,
        ``included`` in the return of another month, ``silent``), ``included_in`` (that month, or 0) and
        ``card_types`` (five characters as filed).
    offenses : one row per agency, returned month and offense: ``year``, ``ori``, ``month``, ``offense``,
        ``unfounded``, ``actual``, ``cleared``, ``cleared_under_18``; a measure whose card was not filed is
        missing. Corrections may be negative.
    anomalies : ``kind``, ``count``, ``example`` of all anomalies.
    """

    year: int
    agencies: pd.DataFrame
    months: pd.DataFrame
    offenses: pd.DataFrame
    anomalies: pd.DataFrame


def read_return_a(path: Path, year: int) -> ReturnA:
    """Offenses known and clearances of every agency and month of a year.

    Parameters
    ----------
    path : master file as text, zip or zipx (``RETA2004.txt.zip``, ``reta2013.zipx``).
    year : year that the file is expected to hold.

    Raises
    ------
    SourceError
        If the file is missing, cut off, shifted, no Return A master, or holds another year.
    """
    batches = [_decode(path, batch, year) for batch in records(path, WIDTH)]
    if not batches:
        raise SourceError(f"{path}: the file contains no record. {FETCH_AGAIN}")
    parts = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    agencies = _agencies(path, parts, year)
    keep, repeated = _one_record_each(agencies["ori"], parts["types"])
    agencies = agencies[keep].reset_index(drop=True)
    types, included = parts["types"][keep], parts["included_in"][keep]
    counts, unreadable = _counts(path, parts["counts"][keep])
    returned = np.isin(types[:, :, ACTUAL], RETURNED)
    agencies["months_reported"] = returned.sum(axis=1)
    anomalies = find_anomalies(YearParts(agencies, types, included, counts, returned), repeated, unreadable)
    return ReturnA(
        year,
        agencies,
        _months(agencies["ori"], types, included, returned, year),
        _offenses(agencies["ori"], types, counts, returned, year),
        anomalies,
    )


def _decode(path: Path, batch: Bytes, year: int) -> dict[str, NDArray[Any]]:
    """Fields of a batch of records, after checking their year."""
    _require_year(path, batch, year)
    month = batch[:, HEADER:].reshape(len(batch), MONTHS, MONTH)
    cards = month[:, :, 17 : 17 + 4 * 140].reshape(len(batch), MONTHS, 4, 28, 5)
    fields = [number - 1 for number in OFFENCE_FIELDS.values()]
    header = {
        **{name: texts(batch[:, slice(*place)]) for name, place in TEXT_FIELDS.items()},
        **{name: numbers(batch[:, slice(*place)]) for name, place in NUMBER_FIELDS.items()},
        **{
            f"{name}_blank": (batch[:, slice(*NUMBER_FIELDS[name])] == ord(" ")).all(axis=1) for name in CODES
        },
    }
    return {
        **header,
        "included_in": numbers(month[:, :, :2]),
        "types": month[:, :, 8:13].copy(),
        "counts": numbers(np.take(cards, fields, axis=3)),
    }


def _require_year(path: Path, batch: Bytes, year: int) -> None:
    """Refuse records of another kind, and records of another year than expected."""
    if (batch[:, 0] != IDENTIFIER).any():
        row = int((batch[:, 0] != IDENTIFIER).argmax())
        raise SourceError(
            f"{path}: a record begins with {chr(batch[row, 0])!r} where Return A masters have "
            f"'1'; it is another kind of file. {FETCH_AGAIN}"
        )
    stated = texts(batch[:, 13:15])
    wrong = stated != f"{year % 100:02d}"
    if wrong.any():
        held = str(stated[int(wrong.argmax())])
        raise SourceError(
            f"{path}: the records say year {held!r} (last two digits), and {year} was "
            "asked for. The file contains another year than its name or the manifest "
            f"says: put the master of {year} in its place."
        )


def _agencies(path: Path, parts: Mapping[str, NDArray[Any]], year: int) -> pd.DataFrame:
    """Headers as a frame; a county or MSA that is not given is missing."""
    frame = pd.DataFrame({name: parts[name] for name in (*TEXT_FIELDS, *NUMBER_FIELDS)})
    broken = (frame[list(NUMBER_FIELDS)] == UNREADABLE).drop(columns=list(CODES)).any(axis=1)
    if broken.any():
        row = int(broken.to_numpy().argmax())
        raise SourceError(
            f"{path}: {int(broken.sum())} of {len(frame)} headers contain characters where numbers "
            f"belong, first in record {row + 1} ({frame['ori'].iloc[row]}); the columns are "
            f"shifted. {FETCH_AGAIN}"
        )
    for name in CODES:
        absent = parts[f"{name}_blank"] | (frame[name] == UNREADABLE)
        frame[name] = frame[name].astype("Int64").mask(absent)
    populations = ["population_1", "population_2", "population_3"]
    frame.insert(0, "year", year)
    frame["population"] = frame[populations].sum(axis=1)
    last = ["name", "state_name"]
    return frame[[name for name in frame if name not in last] + last]


def _one_record_each(ori: pd.Series, types: NDArray[Any]) -> tuple[NDArray[np.bool_], list[str]]:
    """Which records to keep (the one with most returns of each agency), and agencies repeated."""
    returns = np.isin(types[:, :, ACTUAL], RETURNED).sum(axis=1)
    order = pd.DataFrame({"ori": ori, "less": -returns}).sort_values(["ori", "less"], kind="stable")
    first = ~order.duplicated("ori")
    keep = first.sort_index().to_numpy(dtype=bool)
    return keep, sorted(set(ori[~keep]))


def _counts(path: Path, raw: NDArray[Any]) -> tuple[NDArray[np.float32], int]:
    """Counts with NaN where they are unreadable, and how many those are."""
    broken = raw == UNREADABLE
    share = float(broken.mean())
    if share > MOST_UNREADABLE:
        raise SourceError(
            f"{path}: {share:.1%} of the counts contain characters where numbers belong; the columns "
            f"are shifted, or it is another kind of file. {FETCH_AGAIN}"
        )
    counts = raw.astype(np.float32)
    counts[broken] = np.nan
    return counts, int(broken.sum())


def _months(
    ori: pd.Series, types: NDArray[Any], included: NDArray[Any], returned: NDArray[np.bool_], year: int
) -> pd.DataFrame:
    n = len(ori)
    number = np.tile(np.arange(1, MONTHS + 1, dtype=np.int8), n)
    target = included.reshape(-1).astype(np.int64)
    elsewhere = (target >= 1) & (target <= MONTHS) & (target != number) & ~returned.reshape(-1)
    status = np.where(returned.reshape(-1), 0, np.where(elsewhere, 1, 2))
    filed = np.ascontiguousarray(types.astype(np.uint8)).reshape(-1, types.shape[2])
    kinds, code = np.unique(filed.view(f"S{types.shape[2]}")[:, 0], return_inverse=True)
    return pd.DataFrame(
        {
            "year": np.int16(year),
            "ori": _labeled(np.repeat(np.arange(n), MONTHS), ori.tolist()),
            "month": number,
            "status": _labeled(status, STATUSES),
            "included_in": np.where(elsewhere, target, 0).astype(np.int8),
            "card_types": _labeled(code, kinds.astype("U").tolist()),
        }
    )


def _offenses(
    ori: pd.Series, types: NDArray[Any], counts: NDArray[np.float32], returned: NDArray[np.bool_], year: int
) -> pd.DataFrame:
    """Long frame of the returned months; the derived offense comes last."""
    agency, month = np.nonzero(returned)
    chosen = counts[agency, month]
    names = list(OFFENCE_FIELDS)
    aggravated = chosen[:, :, names.index("assault")]
    if year >= SIMPLE_ASSAULT_JOINS:
        aggravated = aggravated - chosen[:, :, names.index("simple_assault")]
    chosen = np.concatenate([chosen, aggravated[:, :, None]], axis=2)
    filed = np.isin(types[agency, month, : len(MEASURES)], RETURNED)
    chosen = np.where(filed[:, :, None], chosen, np.float32(np.nan))
    k = len(OFFENSES)
    offense = np.tile(np.arange(k, dtype=np.int8), len(agency))
    frame = pd.DataFrame(
        {
            "year": np.int16(year),
            "ori": _labeled(np.repeat(agency, k), ori.tolist()),
            "month": np.repeat(month + 1, k).astype(np.int8),
            "offense": _labeled(offense, OFFENSES),
        }
    )
    return frame.assign(**{name: chosen[:, i].reshape(-1) for i, name in enumerate(MEASURES)})


def _labeled(code: NDArray[Any], names: Sequence[str]) -> pd.Series:
    """Positions in a list of names as a column of those names, each stored once."""
    return pd.Series(pd.Categorical.from_codes(code, categories=pd.Index(names)))
