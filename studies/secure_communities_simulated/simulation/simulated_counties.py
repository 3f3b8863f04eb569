"""Simulated counties: as many as in the real rollout in each state and on each date.

Sizes are drawn within state and date, such that the 2010 populations add up to the published
number. Codes are even, unlike those of nearly all real counties, so that a simulated county cannot be
mistaken for a real one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from studies.secure_communities_simulated.simulation.simulation_settings import YEARS, Facts, Settings

SIZE_SD: Final = 1.2
"""Standard deviation of log county size within a state and date. Chosen: with the spread between
dates it gives the country's large and small counties."""
FEWEST_PEOPLE: Final = 500
BASE_YEAR: Final = 2010


def draw_counties(settings: Settings, facts: Facts) -> pd.DataFrame:
    """Every county of the simulated country.

    Returns
    -------
    DataFrame
        ``fips``, ``state``, ``postal``, ``number`` (within the state), ``activation_date``,
        ``population_2010``; sorted by ``fips``.
    """
    rng = settings.stream("counties")
    parts = []
    names = ["state_fips", "activation_date", "counties", "population_2010"]
    for state, date, count, total in facts.activations[names].itertuples(index=False, name=None):
        people = divided(int(total), int(count), rng)
        keep = max(1, round(settings.share * people.size))
        parts.append(
            pd.DataFrame({"state": int(state), "activation_date": date, "population_2010": people[:keep]})
        )
    counties = pd.concat(parts, ignore_index=True)
    counties["number"] = counties.groupby("state").cumcount() + 1
    counties["fips"] = 1000 * counties["state"] + 2 * counties["number"]
    postal = facts.regions.set_index("state_fips")["postal"]
    counties["postal"] = counties["state"].map(postal)
    order = ["fips", "state", "postal", "number", "activation_date", "population_2010"]
    return counties[order].sort_values("fips", ignore_index=True)


def divided(total: int, parts: int, rng: np.random.Generator) -> Ints:
    """Whole numbers of log-normal size that add up to ``total``, each at least 500."""
    weight = np.exp(SIZE_SD * rng.standard_normal(parts))
    spare = total - FEWEST_PEOPLE * parts
    people: Ints = FEWEST_PEOPLE + np.floor(spare * weight / weight.sum()).astype(np.int64)
    people[int(people.argmax())] += total - int(people.sum())
    return people


def populations(counties: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """``fips``, ``year``, ``population``: every county grows as the country does."""
    growth = facts.by_year.set_index("year")["population"]
    growth = growth / growth.loc[BASE_YEAR]
    people = counties["population_2010"].to_numpy()[:, None] * growth.loc[list(YEARS)].to_numpy()
    return pd.DataFrame(
        {
            "fips": np.repeat(counties["fips"].to_numpy(), len(YEARS)),
            "year": np.tile(np.array(YEARS), len(counties)),
            "population": np.round(people).astype(np.int64).reshape(-1),
        }
    )


def earliness(counties: pd.DataFrame) -> Floats:
    """(N,) years between a county's activation and the last one of the country."""
    date = counties["activation_date"]
    years: Floats = (date.max() - date).dt.days.to_numpy(dtype=float) / 365.25
    return years
