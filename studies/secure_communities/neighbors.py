"""Adjacent units, and activation of the neighbors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.cleaning.column_checks import require_columns
from replication.cleaning.geography import recode
from replication.cleaning.timing import share_of_year
from studies.secure_communities.county_year import TREATED_BEFORE


def unit_pairs(adjacency: pd.DataFrame, units: Mapping[int, int]) -> pd.DataFrame:
    """``fips`` and ``neighbor`` of units, each pair in both directions, once.

    Parameters
    ----------
    adjacency : DataFrame
        ``fips``, ``neighbor``: pairs of counties.
    units : mapping of int to int
        Code of a part -> code of the unit; the parts of one unit are not neighbors.
    """
    require_columns(adjacency, ["fips", "neighbor"], "The pairs of counties")
    pairs = adjacency[["fips", "neighbor"]].apply(lambda codes: recode(codes, units))
    pairs = pairs[pairs["fips"] != pairs["neighbor"]].drop_duplicates()
    return pairs.sort_values(["fips", "neighbor"], ignore_index=True)


def dated_pairs(pairs: pd.DataFrame, dates: pd.Series, people: pd.Series) -> pd.DataFrame:
    """The pairs whose second unit has a date, with ``date`` and ``people`` of that unit.

    Neighbors count whether or not they are in the panel: a county that reports badly is
    activated as well.
    """
    found = pairs.assign(date=pairs["neighbor"].map(dates), people=pairs["neighbor"].map(people))
    return found.dropna(subset=["date", "people"]).reset_index(drop=True)


def exposure(pairs: pd.DataFrame, years: Sequence[int]) -> pd.DataFrame:
    """Activation of the neighbors of each unit by year.

    Parameters
    ----------
    pairs : DataFrame
        From ``dated_pairs``.
    years : sequence of int
        Requested years.

    Returns
    -------
    DataFrame
        ``fips``, ``year``, ``neighbors_share_of_year`` (mean over the neighbors of the share
        of the year in force, weighted by their people) and ``neighbors_active_share`` (share
        of the neighbors active on December 31).
    """
    grid = pairs.merge(pd.DataFrame({"year": list(years)}), how="cross")
    share = share_of_year(grid["date"], grid["year"])
    grid = grid.assign(weighted=share * grid["people"], active=(share > 0).astype(float), one=1.0)
    summed = grid.groupby(["fips", "year"])[["weighted", "people", "active", "one"]].sum()
    found = pd.DataFrame(
        {
            "neighbors_share_of_year": summed["weighted"] / summed["people"],
            "neighbors_active_share": summed["active"] / summed["one"],
        }
    )
    return found.reset_index()


def neighborhood(pairs: pd.DataFrame, dates: pd.Series) -> pd.DataFrame:
    """Characteristics of the neighbors that are constant over time, by ``fips``.

    Returns
    -------
    DataFrame
        ``neighbors`` (their number), ``neighbor_other_year`` (one was activated in another
        calendar year), ``neighbor_treated_2011`` (one was activated before July 2011) and
        ``on_state_border`` (one lies in another state).
    """
    other = pairs["date"].dt.year != pairs["fips"].map(dates).dt.year
    across = pairs["fips"] // 1000 != pairs["neighbor"] // 1000
    marked = pairs.assign(
        neighbors=1,
        neighbor_other_year=other,
        neighbor_treated_2011=pairs["date"] < TREATED_BEFORE,
        on_state_border=across,
    )
    flags = ["neighbor_other_year", "neighbor_treated_2011", "on_state_border"]
    grouped = marked.groupby("fips")
    return pd.concat([grouped["neighbors"].sum(), grouped[flags].any()], axis=1)


def state_border_pairs(pairs: pd.DataFrame, fips: Sequence[int]) -> pd.DataFrame:
    """Pairs of units on two sides of a state border, both among ``fips``.

    Returns
    -------
    DataFrame
        One row per unit and pair: ``fips``, ``neighbor``, ``border_pair`` (number of the pair,
        1, 2, ...), ``pair_member`` (number of the row: a unit is a member of as many pairs as it
        has such neighbors) and ``border_segment`` (1000 x lower state code + higher one).
    """
    inside = pairs[pairs["fips"].isin(fips) & pairs["neighbor"].isin(fips)]
    states = inside // 1000
    across = inside[states["fips"] != states["neighbor"]].reset_index(drop=True)
    low, high = across.min(axis=1), across.max(axis=1)
    number = pd.factorize(pd.MultiIndex.from_arrays([low, high]), sort=True)[0] + 1
    segment = 1000 * (low // 1000) + high // 1000
    found = across[["fips", "neighbor"]].assign(border_pair=number, border_segment=segment)
    found = found.sort_values(["border_pair", "fips"], ignore_index=True)
    return found.assign(pair_member=np.arange(1, len(found) + 1))
