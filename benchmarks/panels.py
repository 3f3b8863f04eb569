"""Panels of the race: simulated counties by month and by year, and officers of the Chicago police."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from replication.core.panel import NEVER, Panel

N_UNITS = 3100
SEED = 20141120
SHARE_NEVER = 0.25
MONTHLY, ANNUAL, ONE_COHORT, POLICE = "monthly", "annual", "one cohort", "police training"
POLICE_FILE = "policing/pj_officer_level_balanced.rda"


def race_panel(name: str) -> Panel:
    """3,100 units over 132 months with 52 cohorts, over 11 years with 7, or a small one.

    ``one cohort`` is 40 treated and 260 untreated units over 11 years, as the other package of
    synthetic difference-in-differences takes adoption in a single period only.
    """
    if name == MONTHLY:
        return draw(N_UNITS, np.arange(1, 133), np.arange(30, 134, 2)[:52], SHARE_NEVER)
    if name == ANNUAL:
        return draw(N_UNITS, np.arange(2004, 2015), np.arange(2007, 2014), SHARE_NEVER)
    return draw(300, np.arange(2004, 2015), np.array([2010]), 260 / 300)


def draw(n_units: int, periods: np.ndarray, cohorts: np.ndarray, never: float) -> Panel:
    """Unit levels, common shocks, random walks, and effects that grow with exposure."""
    rng = np.random.default_rng(SEED)
    untreated = round(never * n_units)
    adopted = np.resize(cohorts, n_units - untreated)
    cohort = rng.permutation(np.concatenate([np.full(untreated, NEVER), adopted]))
    exposed = np.where(cohort[:, None] == NEVER, 0, periods - cohort[:, None] + 1)
    walk = 0.2 * rng.normal(size=(n_units, periods.size)).cumsum(axis=1)
    y = rng.normal(size=(n_units, 1)) + rng.normal(size=periods.size) + walk
    y += 0.1 * np.log1p(np.maximum(exposed, 0))
    return Panel(
        y=y,
        units=np.arange(1, n_units + 1),
        periods=periods,
        cohort=cohort,
        weight=np.ones_like(y),
        clusters={"unit": np.arange(n_units)},
        outcome="y",
    )


def race_frame(name: str) -> pd.DataFrame:
    """The data of a panel as a tidy frame, with further columns for estimators that need them.

    ``eligible`` is an eligible half; ``dose`` a positive number for each treated unit, 0 for others;
    ``z`` a treatment that rises or falls with the cohort and later returns to its first value;
    ``x`` a covariate that does not change over time; ``row`` numbers the rows, as people sampled once.
    """
    if name == POLICE:
        return police_frame()
    panel = race_panel(name)
    frame, rng = frame_of(panel), np.random.default_rng(SEED)
    n_units, n_periods = panel.y.shape
    first = np.where(rng.random(n_units) < 0.3, 1.0, 0.0)
    step = np.where(first == 1, rng.choice([-1.0, 1.0], n_units), rng.choice([1.0, 2.0], n_units))
    length = rng.integers(1, n_periods, n_units)
    since = panel.periods - panel.cohort[:, None]
    ever = np.not_equal(panel.cohort, NEVER).astype(bool)
    changed = ever[:, None] & (since >= 0) & (since < length[:, None])
    dose = np.where(ever, rng.gamma(2.0, 0.5, n_units) + 0.1, 0.0)
    by_unit: dict[str, Any] = {
        "eligible": rng.integers(0, 2, n_units),
        "dose": dose,
        "x": rng.normal(size=n_units),
    }
    further = {key: np.repeat(values, n_periods) for key, values in by_unit.items()}
    z = (first[:, None] + step[:, None] * changed).ravel()
    return frame.assign(**further, z=z, row=np.arange(len(frame)))


def police_frame() -> pd.DataFrame:
    """7,785 officers by 72 months, all trained in one of 48 months; complaints."""
    from replication.sources.police_training import read_police_training

    raw = read_police_training(Path(os.environ["REPLICATION_MIRROR"]) / POLICE_FILE)
    frame = raw.rename(
        columns={"uid": "unit", "period": "time", "first_trained": "cohort", "complaints": "y"}
    )
    event = frame["time"] - frame["cohort"]
    frame = frame[["unit", "time", "y", "cohort"]].astype({"y": float})
    return frame.assign(d=(event >= 0).astype(int), ever=1, event=event)


def frame_of(panel: Panel) -> pd.DataFrame:
    """The same data as a tidy frame, with the columns that other packages ask for."""
    n_units, n_periods = panel.y.shape
    cohort = np.repeat(panel.cohort, n_periods)
    time = np.tile(panel.periods, n_units)
    treated = (cohort != NEVER) & (time >= cohort)
    return pd.DataFrame(
        {
            "unit": np.repeat(panel.units, n_periods),
            "time": time,
            "y": panel.y.ravel(),
            "cohort": cohort,
            "d": treated.astype(int),
            "ever": (cohort != NEVER).astype(int),
            "event": np.where(cohort != NEVER, time - cohort, -1),
        }
    )
