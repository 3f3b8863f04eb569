"""Coverage screens for county-years.

Three rules, and a county must pass each of them in every year of the panel. The producer's
codebook (ICPSR 27644, "Identifying missing data") decides the first: in the file of offenses a
coverage indicator of zero with every count zero means missing. The indicator alone is not enough
for the rest, because it does not see agencies that never appear in the raw records and shows
zero for some boroughs of New York that reported; so people covered are compared with the Census
as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from replication.cleaning.geography import NEW_YORK_COUNTY
from replication.core.arrays import Bools
from replication.core.errors import PanelError


@dataclass(frozen=True, slots=True)
class CoverageRule:
    """Thresholds of use.

    Attributes
    ----------
    minimum_indicator : lowest coverage indicator, 0 to 100.
    lowest_ratio, highest_ratio : bounds of covered over Census population, both included.
    exempt : units that need not pass the indicator.
    drop_missing : whether a year that is missing removes the county; where it does not, the offenses of that
        year are missing in the panel.
    """

    minimum_indicator: float = 80.0
    lowest_ratio: float = 0.8
    highest_ratio: float = 1.2
    exempt: tuple[int, ...] = (NEW_YORK_COUNTY,)
    drop_missing: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.minimum_indicator <= 100:
            raise PanelError(
                f"The lowest coverage indicator is {self.minimum_indicator:g}; the indicator "
                "runs from 0 to 100. Choose a threshold in that range."
            )
        if not 0 <= self.lowest_ratio <= self.highest_ratio:
            raise PanelError(
                f"The ratio of covered to Census population cannot lie between {self.lowest_ratio:g} and "
                f"{self.highest_ratio:g}. Give the lower bound first, and not below zero."
            )


CANONICAL: Final = CoverageRule()
"""The rule of the canonical annual panel."""

UNSCREENED: Final = CoverageRule(0.0, 0.0, float("inf"), drop_missing=False)
"""Every county with a record in every year: for the study of reporting itself."""


def is_missing(frame: pd.DataFrame, counts: Sequence[str]) -> Bools:
    """Rows whose zeros mean that nothing was reported: indicator 0 and every count 0."""
    silent = (frame[list(counts)] == 0).all(axis=1)
    return (silent & (frame["coverage_indicator"] == 0)).to_numpy(dtype=bool)


def indicator_passes(frame: pd.DataFrame, rule: CoverageRule) -> Bools:
    """Rows whose coverage indicator is high enough, or whose unit is exempt."""
    high = frame["coverage_indicator"] >= rule.minimum_indicator
    return (high | frame["fips"].isin(rule.exempt)).to_numpy(dtype=bool)


def ratio_passes(frame: pd.DataFrame, rule: CoverageRule) -> Bools:
    """Rows in which the people covered are about as many as the Census counts."""
    return frame["census_ratio"].between(rule.lowest_ratio, rule.highest_ratio).to_numpy(dtype=bool)


def in_every_year(frame: pd.DataFrame, passes: Bools, years: Sequence[int]) -> Bools:
    """Rows of the units that have a passing row in every one of ``years``.

    Parameters
    ----------
    frame : ``fips`` and ``year``, unique.
    passes : (rows,) bool
        Rows that pass the rule.
    years : years that count; rows of other years neither help nor harm.
    """
    requested = frame["year"].isin(years).to_numpy(dtype=bool)
    passed = frame["fips"][passes & requested].value_counts()
    full = passed.index[passed == len(set(years))]
    return frame["fips"].isin(full).to_numpy(dtype=bool)
