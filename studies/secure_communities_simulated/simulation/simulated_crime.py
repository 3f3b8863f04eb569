"""Offenses and clearances of simulated agencies, calibrated to national numbers.

The mean of agency a, offense k and month t is

    people x rate of its kind x county and agency effects x season
           x exp(trend + slow state and county shocks + effect of the program),

scaled such that levels and seasons add up to the published offenses of each year. Counts are
negative binomial around it, clearances binomial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.core.arrays import Floats
from replication.sources import OFFENSES
from studies.secure_communities_simulated.simulation.simulated_agencies import CITY
from studies.secure_communities_simulated.simulation.simulated_counties import BASE_YEAR
from studies.secure_communities_simulated.simulation.simulated_effects import differential_trends, effects
from studies.secure_communities_simulated.simulation.simulation_settings import MONTHS, YEARS, Facts, Settings

COMMON: Final = 0.5
"""Share of the variance of log rates between agencies that a county's agencies share. Chosen."""
STATE_SHOCKS: Final = (0.02, 0.97)
COUNTY_SHOCKS: Final = (0.05, 0.90)
"""Standard deviation and monthly persistence of slow shocks to the log rate. Chosen: shocks that
last for months and span a state are why standard errors are clustered by state."""

Counts = NDArray[np.int32]


@dataclass(frozen=True)
class Crime:
    """A agencies, T months, K offenses (``panel.OFFENSES``).

    Attributes
    ----------
    actual, cleared : (A, T, K) int32
    level : (A, T, K) float32
        Expected offenses without trends, shocks and effect.
    """

    actual: Counts
    cleared: Counts
    level: NDArray[np.float32]


def draw_crime(counties: pd.DataFrame, agencies: pd.DataFrame, settings: Settings, facts: Facts) -> Crime:
    """Offenses and clearances of every agency and month, whether or not it reports them."""
    level = levels(counties, agencies, settings, facts)
    weight = counties["population_2010"].to_numpy(dtype=float)
    moved = effects(counties, settings.truth)
    moved += differential_trends(counties, weight, settings.truth)
    moved += shocks(counties, settings)
    spread = facts.spread.set_index("offense").loc[list(OFFENSES)]
    mean = level * np.exp(moved)[agencies["row"].to_numpy()][:, :, None]
    rng = settings.stream("offences")  # the spelling is part of the seed
    dispersion = spread["overdispersion"].to_numpy()
    shape = np.broadcast_to(1 / dispersion, mean.shape)
    actual = rng.poisson(mean * rng.standard_gamma(shape) * dispersion).astype(np.int32)
    share = spread["cleared_share"].to_numpy()
    cleared = settings.stream("clearances").binomial(actual, share).astype(np.int32)
    return Crime(actual, cleared, level.astype(np.float32))


def levels(counties: pd.DataFrame, agencies: pd.DataFrame, settings: Settings, facts: Facts) -> Floats:
    """(A, T, K) expected offenses of places, years and seasons alone."""
    rng = settings.stream("levels")
    spread = facts.spread.set_index("offense").loc[list(OFFENSES)]
    sd = spread["log_rate_sd"].to_numpy()
    place = np.sqrt(COMMON) * rng.standard_normal(len(counties))[agencies["row"], None]
    own = np.sqrt(1 - COMMON) * rng.standard_normal((len(agencies), len(OFFENSES)))
    city = (agencies["kind"] == CITY).to_numpy()[:, None]
    rate = np.where(city, spread["city_rate"].to_numpy(), spread["county_rate"].to_numpy())
    # A covered agency's crimes are in its sheriff's figures, as its people are.
    counted = agencies["people"].where(agencies["covered_by"] == "", 0).to_numpy()
    rate = rate * np.exp(sd * (place + own)) * counted[:, None]
    share = rate / rate.sum(axis=0)
    level: Floats = share[:, None, :] * national(counties, facts)
    return level


def national(counties: pd.DataFrame, facts: Facts) -> Floats:
    """(T, K) offenses of the simulated part of the country in every month."""
    years = facts.by_year.set_index("year").loc[list(YEARS)]
    offenses = years[list(OFFENSES)].to_numpy(dtype=float)
    part = counties["population_2010"].sum() / years["population"].to_numpy()[YEARS.index(BASE_YEAR)]
    season = facts.by_month.set_index("month")[list(OFFENSES)].to_numpy(dtype=float)
    season = season / season.sum(axis=0)
    months: Floats = part * offenses[:, None, :] * season[None]
    return months.reshape(-1, len(OFFENSES))


def shocks(counties: pd.DataFrame, settings: Settings) -> Floats:
    """(N, T) slow shocks of the county and of its state, in log points."""
    states, row = np.unique(counties["state"].to_numpy(), return_inverse=True)
    of_state = autoregressive(states.size, *STATE_SHOCKS, settings.stream("state shocks"))
    own = autoregressive(len(counties), *COUNTY_SHOCKS, settings.stream("county shocks"))
    return of_state[row] + own


def autoregressive(n: int, sd: float, persistence: float, rng: np.random.Generator) -> Floats:
    """(n, T) stationary first-order autoregressions with the given standard deviation."""
    steps = rng.standard_normal((n, MONTHS * len(YEARS)))
    steps[:, 1:] *= np.sqrt(1 - persistence**2)
    for month in range(1, steps.shape[1]):
        steps[:, month] += persistence * steps[:, month - 1]
    return sd * steps
