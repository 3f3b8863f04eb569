"""Simulated staggered panels of the race: counties by month and by year."""

from __future__ import annotations

import numpy as np
import pandas as pd

from replication.core.panel import NEVER, Panel

N_UNITS = 3100
SEED = 20141120
SHARE_NEVER = 0.25
MONTHLY, ANNUAL, ONE_COHORT = "monthly", "annual", "one cohort"


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
