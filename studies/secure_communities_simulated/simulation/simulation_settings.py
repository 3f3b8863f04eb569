"""Settings of a simulation: the seed, the share of the country, and the true effect."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from replication.core.errors import SpecError, nearest
from replication.sources import hand_entered
from studies.secure_communities.activations import read_activations_by_state

YEARS: Final = tuple(range(2004, 2013))
MONTHS: Final = 12
Kind = Literal["none", "constant", "growing", "anticipation"]


@dataclass(frozen=True, slots=True)
class Truth:
    """The effect that is put into the data.

    Attributes
    ----------
    effect : str
        ``none``; ``constant``: log rates move by ``size`` while the program is in force;
        ``growing``: by ``size`` for every year in force; ``anticipation``: by ``size`` from
        ``lead`` months before activation on.
    size : float
        In log points; -0.05 is about 5% fewer offenses.
    lead : int
        Months by which the effect precedes activation, for ``anticipation``.
    two_way_bias : float
        Counties activated earlier get a steeper linear decline in crime, such that two-way effects
        without county trends would give this estimate (in log points) without any other effect.
    """

    effect: Kind = "none"
    size: float = 0.0
    lead: int = 0
    two_way_bias: float = 0.0

    def __post_init__(self) -> None:
        if self.effect not in get_args(Kind):
            raise SpecError(
                f"The simulated effect is {self.effect!r}{nearest(self.effect, get_args(Kind))}, "
                f"which is not known. Choose one of {', '.join(get_args(Kind))}."
            )
        if (self.effect == "none") != (self.size == 0) or (self.lead > 0) != (self.effect == "anticipation"):
            raise SpecError(
                f"The simulated effect {self.effect!r} has size {self.size:g} and lead "
                f"{self.lead}. 'none' has size 0, every other effect another size, and only "
                "'anticipation' a lead, of at least one month."
            )


@dataclass(frozen=True, slots=True)
class Settings:
    """One simulated country.

    Attributes
    ----------
    seed : int
    share : float
        Share of the counties of every state and date that are simulated, at least one of each.
    truth : Truth
    """

    seed: int = 20081027
    share: float = 1.0
    truth: Truth = Truth()

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise SpecError(
                f"The simulated share of the counties is {self.share:g}. Give a number above 0, at most 1."
            )

    def stream(self, name: str) -> np.random.Generator:
        """Random numbers for one purpose, which no other purpose can shift."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])


@dataclass(frozen=True, slots=True)
class Facts:
    """The published numbers to which the simulation is calibrated (``sources.hand_entered``).

    Attributes
    ----------
    activations : DataFrame
        Counties and people by state and date.
    by_year, by_month, spread : DataFrame
        National offenses, their seasons, and how they vary between agencies.
    regions, fips_changes, border_counties : DataFrame
    """

    activations: pd.DataFrame
    by_year: pd.DataFrame
    by_month: pd.DataFrame
    spread: pd.DataFrame
    regions: pd.DataFrame
    fips_changes: pd.DataFrame
    border_counties: pd.DataFrame


def read_facts(folder: Path) -> Facts:
    """The facts in ``data_raw/typed``."""
    return Facts(
        read_activations_by_state(folder / "secure_communities_activations_by_state.csv"),
        hand_entered.read_offenses_by_year(folder / "offenses_by_year.csv"),
        hand_entered.read_offenses_by_month(folder / "offenses_by_month_2013.csv"),
        hand_entered.read_offense_spread(folder / "offense_spread_2013.csv"),
        hand_entered.read_regions(folder / "census_regions.csv"),
        hand_entered.read_fips_changes(folder / "county_fips_changes.csv"),
        hand_entered.read_border_counties(folder / "mexican_border_counties.csv"),
    )


def parse_settings(data: Mapping[str, Any], source: str) -> dict[str, Settings]:
    """The panels of a ``simulation`` key, by name.

    Parameters
    ----------
    data : mapping
        ``seed``, and ``panels``: name -> ``share``, ``effect``, ``size``, ``lead``,
        ``two_way_bias``.
    source : str
        Its location, for messages.
    """
    of_truth = [field.name for field in fields(Truth)]
    found = {}
    for name, entry in data["panels"].items():
        allowed = ["share", *of_truth]
        unknown = [key for key in entry if key not in allowed]
        if unknown:
            raise SpecError(
                f"{source}: the simulated panel {name!r} has an unknown key {unknown[0]!r}"
                f"{nearest(unknown[0], allowed)}. Allowed keys: {', '.join(allowed)}."
            )
        truth = Truth(**{key: entry[key] for key in of_truth if key in entry})
        found[str(name)] = Settings(int(data["seed"]), float(entry.get("share", 1.0)), truth)
    return found
