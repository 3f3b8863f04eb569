"""The effect and the differential trends of the simulated counties."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning import timing
from replication.core.arrays import Floats
from studies.secure_communities_simulated.simulation.simulated_counties import earliness
from studies.secure_communities_simulated.simulation.simulation_settings import MONTHS, YEARS, Truth

NUMBERS: Final = timing.month_number(np.repeat(YEARS, MONTHS), np.tile(np.arange(1, MONTHS + 1), len(YEARS)))
"""(T,) months of the simulated years, numbered as everywhere."""


def shares_in_force(counties: pd.DataFrame, lead: int = 0) -> Floats:
    """(N, T) share of each month on which the program is in force, ``lead`` months early."""
    date = counties["activation_date"].to_numpy()
    return timing.share_of_month(date[:, None], NUMBERS[None, :] + lead)


def effects(counties: pd.DataFrame, truth: Truth) -> Floats:
    """(N, T) log points by which the program moves the rate of every offense."""
    shares = shares_in_force(counties, truth.lead)
    if truth.effect == "growing":
        return truth.size * np.cumsum(shares, axis=1) / MONTHS
    return truth.size * shares


def differential_trends(counties: pd.DataFrame, weight: Floats, truth: Truth) -> Floats:
    """(N, T) log points: linear trends, steeper downward the earlier a county was activated.

    The slope is proportional to ``earliness`` and such that weighted two-way effects on the
    share of month active give ``truth.two_way_bias`` for these trends alone.
    """
    early = earliness(counties)
    trend = (early - weight @ early / weight.sum())[:, None] * (NUMBERS - NUMBERS.mean()) / MONTHS
    if truth.two_way_bias == 0:
        return np.zeros(trend.shape)
    scale = truth.two_way_bias / two_way(trend, shares_in_force(counties), weight)
    trends: Floats = scale * trend
    return trends


def two_way(outcome: Floats, dose: Floats, weight: Floats) -> float:
    """Coefficient of the dose in a weighted regression with unit and period effects."""
    dose = dose - dose.mean(axis=1, keepdims=True)
    dose = dose - weight @ dose / weight.sum()
    return float(weight @ (dose * outcome).sum(axis=1) / (weight @ (dose**2).sum(axis=1)))
