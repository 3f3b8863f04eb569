"""Homicide reports compared with a second count of murders by county and year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning import agency_counties, geography
from replication.cleaning.column_checks import require_columns

MURDER: Final = "murder"
GOOD_CORRELATION: Final = 0.98


def placed_victims(
    victims: pd.DataFrame, crosswalk: pd.DataFrame, years: Sequence[int]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Victims of murder with their county, and the basis of the allocation.

    Parameters
    ----------
    victims : DataFrame
        As read; negligent manslaughter is left out here.
    crosswalk : DataFrame
    years : sequence of int

    Returns
    -------
    placed : DataFrame
        The victims that lie in a county, with ``fips``.
    table : DataFrame
        ``year``, ``decided_by``, ``agencies``, ``people``, ``victims``.
    """
    everyone = agency_counties.AgencyRule(state_police="keep", zero_population="keep")
    placed, tables = [], []
    murders = victims[victims["kind"] == MURDER]
    for year in years:
        chosen = murders[murders["year"] == year]
        found = agency_counties.allocate(agency_counties.homicide_headers(chosen), crosswalk, everyone)
        home = found.shares.set_index("ori")
        counted = chosen["ori"].map(home["decided_by"]).value_counts()
        table = found.table.assign(victims=found.table["decided_by"].map(counted))
        tables.append(table.assign(year=year, victims=table["victims"].fillna(0).astype("int64")))
        placed.append(chosen.assign(fips=chosen["ori"].map(home["fips"])).dropna(subset="fips"))
    table = pd.concat(tables, ignore_index=True)
    names = ["year", "decided_by", "agencies", "people", "victims"]
    used = table.groupby("decided_by")["agencies"].transform("sum") > 0
    together = pd.concat(placed, ignore_index=True)
    return together.assign(fips=together["fips"].astype("int64")), table.loc[used, names]


def against_reference(
    victims: pd.DataFrame, reference: pd.DataFrame, units: Mapping[int, int]
) -> pd.DataFrame:
    """Victims and murders of every county and year that both sources cover.

    Returns
    -------
    DataFrame
        ``fips``, ``year``, ``state``, ``murders``, ``victims`` (0 where none is reported).
    """
    require_columns(reference, ["fips", "year", "murder"], "The second count of murders")
    counties = reference[~geography.is_statewide(reference["fips"])]
    counties = counties.assign(fips=geography.recode(counties["fips"], units))
    murders = counties.groupby(["fips", "year"])["murder"].sum().rename("murders").reset_index()
    murders = murders[murders["year"].isin(victims["year"].unique())]
    reported = victims.groupby(["fips", "year"]).size().rename("victims").reset_index()
    compared = murders.merge(reported, how="left", on=["fips", "year"])
    compared["victims"] = compared["victims"].fillna(0).astype("int64")
    compared.insert(2, "state", compared["fips"] // 1000)
    return compared.reset_index(drop=True)


def compare_states(compared: pd.DataFrame) -> pd.DataFrame:
    """How well the homicide reports of each state agree with the second count.

    Parameters
    ----------
    compared : DataFrame
        As ``against_reference`` returns it.

    Returns
    -------
    DataFrame
        ``state``, ``counties``, ``county_years``, ``murders``, ``victims``, ``ratio`` (victims to
        murders), ``correlation`` (of the county-year totals; missing where one of them does not
        vary), ``agrees`` (correlation of at least 0.98).
    """
    rows = []
    for state, group in compared.groupby("state"):
        murders, victims = group["murders"].to_numpy(float), group["victims"].to_numpy(float)
        varies = np.ptp(murders) > 0 and np.ptp(victims) > 0
        correlation = float(np.corrcoef(murders, victims)[0, 1]) if varies else np.nan
        total = murders.sum()
        ratio = victims.sum() / total if total > 0 else np.nan
        rows.append((state, group["fips"].nunique(), len(group), total, victims.sum(), ratio, correlation))
    names = ["state", "counties", "county_years", "murders", "victims", "ratio", "correlation"]
    table = pd.DataFrame(rows, columns=names).astype({"murders": "int64", "victims": "int64"})
    return table.assign(agrees=table["correlation"] >= GOOD_CORRELATION)
