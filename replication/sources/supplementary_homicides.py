"""Supplementary Homicide Reports of the FBI: one line per incident, with victims and offenders.

A line has 98 characters and then ten slots of 5 for further victims and ten of 12 for further
offenders, cut at its last character. Agencies that had no homicide file nothing, so an absent
agency may have had none or may not report: the panel distinguishes them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.core.errors import SourceError
from replication.sources.masterfile import UNREADABLE, Bytes, numbers, pieces, texts
from replication.sources.raw_checks import FETCH_AGAIN, require_rows

BASE: Final = 98
SLOTS: Final = 10
WIDTH: Final = BASE + SLOTS * 5 + SLOTS * 12
SHORTEST: Final = 94
"""A line ends at its last character; the counts of further people begin at 93."""
IDENTIFIER: Final = b"6"

TEXT_FIELDS: Final[dict[str, tuple[int, int]]] = {
    "ori": (3, 10),
    "group": (10, 12),
    "name": (31, 55),
    "state_name": (55, 61),
    "action": (69, 70),
    "kind": (70, 71),
    "incident": (71, 74),
    "situation": (74, 75),
}
NUMBER_FIELDS: Final[dict[str, tuple[int, int]]] = {
    "fbi_state": (1, 3),
    "population": (15, 24),
    "county": (24, 27),
    "month": (61, 63),
    "further_victims": (92, 95),
    "further_offenders": (95, 98),
}
VICTIM: Final[dict[str, tuple[int, int]]] = {
    "age": (0, 2),
    "sex": (2, 3),
    "race": (3, 4),
    "ethnicity": (4, 5),
}
OFFENDER: Final[dict[str, tuple[int, int]]] = {
    **VICTIM,
    "weapon": (5, 7),
    "relationship": (7, 9),
    "circumstance": (9, 11),
    "subcircumstance": (11, 12),
}
FIRST_VICTIM, FIRST_OFFENDER = 75, 80
KINDS: Final = {"A": "murder", "B": "negligent"}
"""A: murder and nonnegligent manslaughter. B: manslaughter by negligence."""
ETHNICITIES: Final = {"H": "hispanic", "N": "not_hispanic", "U": "unknown", "": "not_reported"}
INFANTS: Final = ("NB", "BB")
"""Younger than a week; from a week to a year."""

KEYS: Final = ["year", "line", "ori", "month"]


@dataclass(frozen=True, slots=True)
class Homicides:
    """One year of Supplementary Homicide Reports, tidy.

    Attributes
    ----------
    year : int
    victims : one row per victim: ``year``, ``line`` (of the file, from 1), ``ori``, ``month``, ``fbi_state``
        (not the FIPS code), ``county`` (the FBI's number; missing where none), ``group``, ``population``,
        ``name``, ``state_name``, ``kind`` (``murder`` or ``negligent``), ``action``, ``incident``,
        ``situation`` (A to F), ``victims`` and ``offenders`` (how many), ``victim`` (1, 2, ...), ``age``
        (years; infants 0, unknown missing), ``sex``, ``race``, ``ethnicity`` (``hispanic``, ``not_hispanic``,
        ``unknown``, ``not_reported``), then of the first offender ``offender_age`` ...
        ``offender_ethnicity``, ``weapon``, ``relationship``, ``circumstance``, ``subcircumstance``.
    offenders : one row per offender: ``year``, ``line``, ``ori``, ``month``, ``offender`` (1, 2, ...) and the
        same descriptions.
    anomalies : ``kind``, ``count``, ``example`` of anomalies.
    """

    year: int
    victims: pd.DataFrame
    offenders: pd.DataFrame
    anomalies: pd.DataFrame


def read_homicides(path: Path, year: int) -> Homicides:
    """Victims and offenders of every homicide reported in a year.

    Parameters
    ----------
    path : master file as text or zip.
    year : year that the file is expected to hold.

    Raises
    ------
    SourceError
        If the file is missing, cut off, no homicide master, or holds another year than expected.
    """
    lines = _lines(path)
    _require_year(path, lines, year)
    grid = np.frombuffer(b"".join(line.ljust(WIDTH) for line in lines), np.uint8)
    grid = grid.reshape(len(lines), WIDTH)
    incidents = _incidents(path, grid, year)
    victims = _people(grid, FIRST_VICTIM, BASE, VICTIM)
    offenders = _people(grid, FIRST_OFFENDER, BASE + SLOTS * 5, OFFENDER)
    anomalies = _find_anomalies(incidents, victims, offenders)
    return Homicides(
        year, _victim_rows(incidents, victims, offenders), _offender_rows(incidents, offenders), anomalies
    )


def _lines(path: Path) -> list[bytes]:
    """The lines of a homicide master; refuses lines of impossible lengths or of another kind."""
    content = b"".join(pieces(path)).rstrip(b"\x1a")
    if not content.endswith(b"\n"):
        raise SourceError(
            f"{path}: the file does not end with a line end, so its last line is cut off. {FETCH_AGAIN}"
        )
    lines = [line.rstrip(b"\r") for line in content[:-1].split(b"\n")]
    bad = [
        number
        for number, line in enumerate(lines, start=1)
        if not (SHORTEST <= len(line.rstrip(b" ")) <= WIDTH and line.startswith(IDENTIFIER))
    ]
    if bad:
        first = lines[bad[0] - 1]
        raise SourceError(
            f"{path}: {len(bad)} of {len(lines)} lines are not homicide records (they begin with "
            f"'6' and have {SHORTEST} to {WIDTH} characters), first line {bad[0]} with "
            f"{len(first)} characters, beginning {first[:8].decode('latin-1')!r}. {FETCH_AGAIN}"
        )
    return [line.rstrip(b" ") for line in lines]


def _require_year(path: Path, lines: list[bytes], year: int) -> None:
    """Refuse a file that holds another year than its name or the manifest says."""
    stated = Counter(line[13:15].decode("latin-1") for line in lines)
    if set(stated) == {f"{year % 100:02d}"}:
        return
    (held, count), *_ = [item for item in stated.most_common() if item[0] != f"{year % 100:02d}"]
    century = 1900 if held > f"{(year + 10) % 100:02d}" and year >= 2000 else 100 * (year // 100)
    named = f"the homicides of {century + int(held)}" if held.isdigit() else f"year {held!r}"
    raise SourceError(
        f"{path}: this file contains {named} ({count:,} of {len(lines):,} records), and {year} was "
        f"asked for. Whatever its name says, it is not the file of {year}: leave {year} out, or "
        f"put the master of {year} in its place."
    )


def _incidents(path: Path, grid: Bytes, year: int) -> pd.DataFrame:
    """Fields that a line holds once: agency, month, kind, and numbers of people."""
    fields: dict[str, NDArray[Any]] = {
        name: numbers(grid[:, slice(*at)]) for name, at in NUMBER_FIELDS.items()
    }
    fields |= {name: texts(grid[:, slice(*at)]) for name, at in TEXT_FIELDS.items()}
    frame = pd.DataFrame({"year": year, "line": np.arange(1, len(grid) + 1), **fields})
    shown = ["ori", "month", "kind"]
    for name in ("month", "further_victims", "further_offenders", "population"):
        top = 12 if name == "month" else SLOTS if name.startswith("further") else 10**8
        good = frame[name].between(1 if name == "month" else 0, top)
        require_rows(frame[shown], good, path, f"the {name.replace('_', ' ')} is no such number")
    require_rows(frame[shown], frame["kind"].isin(KINDS), path, "the kind is neither A nor B")
    county = frame["county"].astype("Int64")
    frame["county"] = county.mask((frame["county"] == UNREADABLE) | (frame["county"] == 0))
    return frame.assign(
        kind=frame["kind"].map(KINDS),
        victims=1 + frame["further_victims"],
        offenders=1 + frame["further_offenders"],
    )


def _people(grid: Bytes, first: int, further: int, fields: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """Every filled place of victims or offenders, by line and number."""
    width = max(end for _, end in fields.values())
    opening = grid[:, first : first + width]
    slots = grid[:, further : further + SLOTS * width].reshape(len(grid), SLOTS, width)
    places = np.concatenate([opening[:, None], slots], axis=1)
    filled = (places != ord(" ")).any(axis=2)
    filled[:, 0] = True
    line, number = np.nonzero(filled)
    chosen = np.ascontiguousarray(places[line, number])
    found = {name: texts(chosen[:, slice(*at)]) for name, at in fields.items()}
    found["age"] = _ages(found["age"])
    frame = pd.DataFrame({"line": line + 1, "number": number + 1, **found})
    frame["ethnicity"] = frame["ethnicity"].map(ETHNICITIES).fillna("unknown")
    return frame


def _ages(written: NDArray[np.str_]) -> NDArray[Any]:
    """Years; infants 0, unknown (``00``) or unreadable missing."""
    ages = pd.to_numeric(pd.Series(written), errors="coerce")
    ages = ages.mask(ages == 0).mask(np.isin(written, INFANTS), 0.0)
    return ages.to_numpy(dtype=float)


def _victim_rows(incidents: pd.DataFrame, victims: pd.DataFrame, offenders: pd.DataFrame) -> pd.DataFrame:
    about = [
        *KEYS,
        "fbi_state",
        "county",
        "group",
        "population",
        "name",
        "state_name",
        "kind",
        "action",
        "incident",
        "situation",
        "victims",
        "offenders",
    ]
    first = offenders[offenders["number"] == 1].drop(columns="number")
    first = first.rename(columns={name: f"offender_{name}" for name in VICTIM})
    rows = victims.rename(columns={"number": "victim"})
    merged = incidents[about].merge(rows, on="line", validate="one_to_many")
    return merged.merge(first, on="line", validate="many_to_one")


def _offender_rows(incidents: pd.DataFrame, offenders: pd.DataFrame) -> pd.DataFrame:
    rows = offenders.rename(columns={"number": "offender"})
    return incidents[KEYS].merge(rows, on="line", validate="one_to_many")


def _find_anomalies(incidents: pd.DataFrame, victims: pd.DataFrame, offenders: pd.DataFrame) -> pd.DataFrame:
    """Anomalies: counts with the first example."""
    keys = ["ori", "month", "incident", "kind", "action"]
    lines = incidents.set_index("line")
    cases = {
        "further victims announced that are not there, or the reverse": (
            lines["victims"] != victims.groupby("line").size()
        ),
        "further offenders announced that are not there, or the reverse": (
            lines["offenders"] != offenders.groupby("line").size()
        ),
        "incident number used twice by an agency in a month": lines.duplicated(keys),
        "no county given": lines["county"].isna(),
        "manslaughter by negligence": lines["kind"] == "negligent",
        "ethnicity of the first victim not reported": (
            victims[victims["number"] == 1].set_index("line")["ethnicity"] == "not_reported"
        ),
    }
    rows = []
    for kind, found in cases.items():
        if found.any():
            first = lines.loc[found[found].index[0]]
            rows.append((kind, int(found.sum()), f"line {first.name}, {first['ori']}"))
    return pd.DataFrame(rows, columns=["kind", "count", "example"])
