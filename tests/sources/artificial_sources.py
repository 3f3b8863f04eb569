"""Made-up raw files in the exact layout of the real ones, for tests on any machine."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from replication.sources.nacjd import NATION, RECORDS, STUDY

STATE_CODES = [
    code for code in range(1, 57) if code not in {3, 7, 14, 43, 52}
]  # 50 states and the District of Columbia
FIRST_SPLIT_YEAR = 2009


def nacjd_table(year: int, seed: int = 0) -> pd.DataFrame:
    """As many records as the real file has, with populations that sum to the country."""
    rng = np.random.default_rng(seed)
    n = RECORDS[year]
    share = rng.lognormal(0, 1, n)
    population = np.floor(share / share.sum() * NATION[year]).astype(int)
    rate = rng.uniform(0.5, 1.5, n) * population
    counts = {
        name: (rate * level).astype(int)
        for name, level in {
            "murder": 5e-5,
            "rape": 3e-4,
            "robbery": 1e-3,
            "aggravated_assault": 3e-3,
            "burglary": 7e-3,
            "larceny": 2e-2,
            "motor_vehicle_theft": 3e-3,
            "arson": 2e-4,
        }.items()
    }
    table = pd.DataFrame(counts)
    violent = table.iloc[:, :4].sum(axis=1)
    stolen = table.iloc[:, 4:7].sum(axis=1)
    split = year >= FIRST_SPLIT_YEAR
    table["first_total"] = violent if split else violent + stolen
    table["second_total"] = stolen if split else violent + stolen + table["arson"]
    place = np.arange(n)
    table["state"] = np.array(STATE_CODES)[place // 63]
    table["county"] = 2 * (place % 63) + 1
    table["population"] = population
    table["covered_population"] = (0.9 * population).astype(int)
    table["agencies"] = 3
    table["coverage"] = 97.5
    return table


def nacjd_lines(table: pd.DataFrame, year: int) -> list[str]:
    """The records of the county file, 97 characters each."""
    study = STUDY[year] if year < 2006 else 9999
    return [
        f"{study:4d}14{i:4d}{r.state:2d}{r.county:3d}{r.population:8d}{r.covered_population:8d}"
        f"{r.agencies:3d}{r.agencies:3d}{r.coverage:8.4f}{r.first_total:6d}{r.second_total:6d}"
        f"{r.murder:4d}{r.rape:4d}{r.robbery:5d}{r.aggravated_assault:5d}{r.burglary:6d}"
        f"{r.larceny:6d}{r.motor_vehicle_theft:6d}{r.arson:4d}"
        for i, r in enumerate(table.itertuples(index=False), start=1)
    ]


def write_nacjd(folder: Path, year: int, lines: list[str] | None = None) -> Path:
    """A county file of one year under the name that ICPSR gives it."""
    path = folder / f"{STUDY[year]:05d}-0004-Data.txt"
    lines = nacjd_lines(nacjd_table(year), year) if lines is None else lines
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def activation_days() -> pd.DataFrame:
    """Four counties by 2006-2021; the date shows only from the first active year on."""
    dates = {1001: "2011-04-26", 1005: "2013-01-22", 48201: "2008-10-27", 30113: None}
    rows = []
    for county, text in dates.items():
        date = pd.Timestamp(text) if text else pd.NaT
        for year in range(2006, 2022):
            shown = date if date is not pd.NaT and year >= date.year else pd.NaT
            rows.append((county // 1000, float(year), county, shown, shown.year))
    names = ["statefips", "year", "county", "date_secure", "year_secure"]
    return pd.DataFrame(rows, columns=names).assign(state_secure=1.0)


def activation_months() -> pd.DataFrame:
    """Four counties, one of them without a date."""
    return pd.DataFrame(
        {
            "countyname": ["AUTAUGA", "BARBOUR", "HARRIS", "ANCHORAGE"],
            "countyfips": [1001, 1005, 48201, 2020],
            "state": ["AL", "AL", "TX", "AK"],
            "statefips": [1, 1, 48, 2],
            "activation_month": [4.0, 1.0, 10.0, np.nan],
            "activation_year": [2011.0, 2013.0, 2008.0, np.nan],
        }
    )


def stata_bytes(table: pd.DataFrame) -> bytes:
    """A frame as a Stata file."""
    buffer = io.BytesIO()
    table.to_stata(buffer, write_index=False)
    return buffer.getvalue()


def census_text(years: range) -> str:
    """51 states with three counties each, in the layout of the Census population files."""
    names = [f"POPESTIMATE{year}" for year in years]
    head = ["SUMLEV", "REGION", "DIVISION", "STATE", "COUNTY", "STNAME", "CTYNAME", *names]
    lines = [",".join(head)]
    for state in STATE_CODES:
        counties = {county: [1000 * state + county + year for year in years] for county in (1, 3, 5)}
        totals = [sum(column) for column in zip(*counties.values(), strict=True)]
        for county, values in {0: totals, **counties}.items():
            level = 50 if county else 40
            cells = [level, 3, 6, state, county, "State", "Doña Place", *values]
            lines.append(",".join(map(str, cells)))
    return "\n".join(lines) + "\n"
