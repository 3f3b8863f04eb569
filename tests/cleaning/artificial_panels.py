"""Made sources in the exact columns of the readers, and a regression for the known answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from replication.sources import OFFENSES, hand_entered
from studies.secure_communities.county_year import CountySources

TYPED = Path(__file__).parents[2] / "data_raw" / "typed"
YEARS = range(2004, 2013)
PLACES = {
    1001: 1000,
    1003: 2000,
    2158: 3000,
    2270: 3000,
    2130: 500,
    30113: 10,
    12086: 9000,
    36005: 4000,
    36047: 5000,
    36061: 6000,
    36081: 7000,
    36085: 1000,
    48201: 8000,
    51005: 1500,
    51560: 500,
    17031: 5000,
}
"""Made counties and their people; 02270 in the offenses is 02158 in the Census."""


@dataclass
class Made:
    """Frames that a test may spoil before it builds the panel."""

    offenses: pd.DataFrame
    days: pd.DataFrame
    months: pd.DataFrame
    census: pd.DataFrame

    def sources(self) -> CountySources:
        return CountySources(
            self.offenses,
            self.days,
            self.months,
            self.census[self.census["year"] <= 2010],
            self.census[self.census["year"] >= 2010],
            hand_entered.read_fips_changes(TYPED / "county_fips_changes.csv"),
            hand_entered.read_regions(TYPED / "census_regions.csv"),
            hand_entered.read_border_counties(TYPED / "mexican_border_counties.csv"),
        )

    def rows(self, fips: int, *years: int) -> pd.Series:
        """Mask of the offense records of a county, in some years or in all."""
        return (self.offenses["fips"] == fips) & self.offenses["year"].isin(years or YEARS)


def artificial_sources() -> Made:
    """Counties that pass every rule, and some that geography drops or merges."""
    codes = [code for code in PLACES if code != 2158]
    grid = pd.MultiIndex.from_product([[*codes, 1777, 34999], YEARS], names=["fips", "year"])
    offenses = grid.to_frame(index=False)
    people = offenses["fips"].map(PLACES).fillna(77).astype("int64")
    offenses["state"] = offenses["fips"] // 1000
    offenses["county"] = offenses["fips"] % 1000
    offenses["population"] = people
    offenses["covered_population"] = people
    offenses["agencies_arrest"] = 2
    offenses["agencies_offense"] = 2
    offenses["coverage_indicator"] = 100.0
    for position, name in enumerate(OFFENSES):
        offenses[name] = position + 1
    offenses["arson"] = 1
    census = pd.MultiIndex.from_product(
        [[code for code in PLACES if code not in (2270, 51560)], range(2000, 2020)],
        names=["fips", "year"],
    ).to_frame(index=False)
    census["population"] = census["fips"].map({**PLACES, 51005: 2000})
    dated = [code for code in PLACES if code != 30113]
    days = pd.DataFrame({"fips": dated, "activation_date": pd.Timestamp(2010, 7, 2)})
    days["activation_date"] = days["activation_date"].astype("datetime64[ns]")
    months = days.assign(activation_month=pd.Timestamp(2010, 7, 1))[["fips", "activation_month"]]
    return Made(offenses, days, months, census)


def two_way(
    y: np.ndarray,
    columns: np.ndarray,
    n_units: int,
    weight: np.ndarray,
    cluster: np.ndarray,
    *,
    trends: bool = False,
    counted_lines: int = 0,
) -> tuple[float, float]:
    """Weighted regression on a balanced panel with unit effects (and lines) absorbed exactly.

    Independent of the package's estimators: unit by unit the weighted projection is removed,
    the other columns are left to least squares. Returns the first column's coefficient and its
    clustered error; ``counted_lines`` are unit lines that the correction counts as regressors.
    """
    periods = y.size // n_units
    line = np.arange(periods) - (periods - 1) / 2
    basis = np.vander(line, 2 if trends else 1, increasing=True)
    root = np.sqrt(weight).reshape(n_units, periods, 1)
    data = np.column_stack([y, columns]).reshape(n_units, periods, -1) * root
    q, _ = np.linalg.qr(basis * root)
    data = (data - q @ (np.swapaxes(q, 1, 2) @ data)).reshape(y.size, -1)
    x, outcome = data[:, 1:], data[:, 0]
    bread = np.linalg.pinv(x.T @ x, rcond=1e-10, hermitian=True)
    beta = bread @ (x.T @ outcome)
    scores = x * (outcome - x @ beta)[:, None]
    codes = np.unique(cluster, return_inverse=True)[1]
    summed = np.zeros((codes.max() + 1, x.shape[1]))
    np.add.at(summed, codes, scores)
    groups, rank = len(summed), np.linalg.matrix_rank(x) + 1 + counted_lines
    factor = groups / (groups - 1) * (y.size - 1) / (y.size - rank)
    meat = summed @ bread[:, 0]
    return float(beta[0]), float(np.sqrt(factor * meat @ meat))


def dummies(values: pd.Series) -> np.ndarray:
    """One column per value."""
    return pd.get_dummies(values).to_numpy(dtype=float)
