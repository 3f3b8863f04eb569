"""A panel of 50 states in the state in which people keep one, and the same panel in plain numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

STATES = (
    *("Alabama", "Alaska", "Arizona", "Arkansas", "California", "Colorado", "Connecticut"),
    *("Delaware", "Florida", "Georgia", "Hawaii", "Idaho", "Illinois", "Indiana", "Iowa", "Kansas"),
    *("Kentucky", "Louisiana", "Maine", "Maryland", "Massachusetts", "Michigan", "Minnesota"),
    *("Mississippi", "Missouri", "Montana", "Nebraska", "Nevada", "New Hampshire", "New Jersey"),
    *("New Mexico", "New York", "North Carolina", "North Dakota", "Ohio", "Oklahoma", "Oregon"),
    *("Pennsylvania", "Rhode Island", "South Carolina", "South Dakota", "Tennessee", "Texas"),
    *("Utah", "Vermont", "Virginia", "Washington", "West Virginia", "Wisconsin", "Wyoming"),
)
QUARTERS = [f"{year}Q{quarter}" for year in range(2010, 2016) for quarter in (1, 2, 3, 4)]
LAWS = [None, "9999", "2012Q1", "2013Q3", "2014Q2"]
"""Cohorts in turn: two codes for never treated, and three quarters of adoption."""
FLAGS = ("--strip-blanks", "--never", "9999", "--duplicates", "drop_identical")
COLUMNS = ("--unit", "state", "--time", "quarter", "--cohort", "law", "--outcome", "rate")


def plain_panel() -> pd.DataFrame:
    """Units and periods numbered from 1, cohorts as periods, 0 for never."""
    rng = np.random.default_rng(20141120)
    unit = np.repeat(np.arange(50), len(QUARTERS))
    period = np.tile(np.arange(len(QUARTERS)), 50)
    laws = [QUARTERS.index(law) + 1 if law in QUARTERS else 0 for law in LAWS]
    cohort = np.array(laws)[unit % len(laws)]
    on = (cohort > 0) & (period + 1 >= cohort)
    rate = 0.1 * unit + 0.05 * period + 0.5 * on + rng.normal(0, 0.5, unit.size)
    return pd.DataFrame({"state": unit + 1, "quarter": period + 1, "law": cohort, "rate": rate.round(4)})


def awkward_panel() -> pd.DataFrame:
    """The same with names, quarters in three spellings, stray blanks, two codes for never, repeated rows."""
    frame = plain_panel()
    unit, period = frame["state"] - 1, frame["quarter"] - 1
    written = [
        QUARTERS[p] if row % 3 else QUARTERS[p].replace("Q", "-Q" if row % 2 else " q")
        for row, p in enumerate(period)
    ]
    state = pd.Series([STATES[u] for u in unit])
    state = state.mask((state == "Ohio") & (period > 8), "Ohio ")
    state = state.mask((state == "New York") & (period > 12), " New  York")
    law = [LAWS[u % len(LAWS)] for u in unit]
    frame = frame.assign(state=state, quarter=written, law=law)
    return pd.concat([frame, frame.iloc[[5, 900, 901]]], ignore_index=True)
