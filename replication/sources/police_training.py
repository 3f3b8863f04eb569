"""Monthly complaints of Chicago police officers and the month of their training.

The balanced panel of Wood, Tyler & Papachristos (2020) as shipped with the R package staggered:
7,785 officers by January 2011 to December 2016. Every officer was trained in it.
"""

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
)

MONTHS: Final = 72
FIRST_MONTH: Final = pd.Period("2011-01", "M")
OUTCOMES: Final = ("complaints", "sustained", "force")
WHOLE: Final = ("uid", "period", "first_trained", *OUTCOMES)


def read_police_training(path: Path) -> pd.DataFrame:
    """Complaints, sustained complaints and uses of force by officer and month.

    Parameters
    ----------
    path : ``pj_officer_level_balanced.rda``.

    Returns
    -------
    DataFrame
        ``uid`` (officer), ``period`` (1 for January 2011 to 72), ``month`` (its first day),
        ``first_trained`` (period of the training to which the officer was assigned), and the
        counts ``complaints``, ``sustained`` and ``force``; sorted by officer and month.

    Raises
    ------
    SourceError
        If the file is damaged, repeats or lacks a month of an officer, dates the training of an
        officer twice or outside the panel, or has a count that is not a whole number.
    """
    table = read_r(path)
    require_columns(table, [*WHOLE, "month", "assigned"], path)
    raw = table[list(WHOLE)].apply(pd.to_numeric, errors="coerce")
    good = (raw.notna() & (raw % 1 == 0)).all(axis=1) & (raw[list(OUTCOMES)] >= 0).all(axis=1)
    require_rows(raw, good, path, "a number is missing, negative or not whole")
    tidy = raw.astype("int64")
    require_unique(tidy, ["uid", "period"], path)
    inside = tidy[["period", "first_trained"]].isin(range(1, MONTHS + 1)).all(axis=1)
    require_rows(tidy, inside, path, f"a month is not one of 1 to {MONTHS}")
    dates = table[["month", "assigned"]].apply(pd.to_datetime, errors="coerce")
    counted = pd.DataFrame({name: _period(dates[name]) for name in dates})
    agree = (counted["month"] == tidy["period"]) & (counted["assigned"] == tidy["first_trained"])
    described = tidy[["uid", "period", "first_trained"]].join(dates)
    require_rows(described, agree, path, "month and period, or their date and the cohort, disagree")
    _require_officers(tidy, path)
    tidy.insert(2, "month", dates["month"].astype("datetime64[ns]"))
    ordered: pd.DataFrame = tidy.sort_values(["uid", "period"], ignore_index=True)
    return ordered


def _period(dates: pd.Series) -> pd.Series:
    """Months since December 2010; -1 where there is no date."""
    months = (dates.dt.year - FIRST_MONTH.year) * 12 + dates.dt.month
    whole: pd.Series = months.fillna(-1).astype("int64")
    return whole


def _require_officers(tidy: pd.DataFrame, path: Path) -> None:
    """Refuse officers without all months, or with more than one date of training."""
    by_officer = tidy.groupby("uid")["first_trained"].agg(["size", "nunique"])
    wrong = by_officer[(by_officer["size"] != MONTHS) | (by_officer["nunique"] != 1)]
    if len(wrong):
        first = wrong.iloc[0]
        raise SourceError(
            f"{path}: {len(wrong)} of {len(by_officer)} officers do not have {MONTHS} months and "
            f"one date of training, first officer {wrong.index[0]} with {first['size']} months and "
            f"{first['nunique']} dates; the file is cut off or another edition. {FETCH_AGAIN}"
        )
