"""Counties that keep one code over the whole panel.

Four things stand between the codes in the files and units that can be followed: records that
belong to no county, counties that were absorbed or renamed, areas whose borders moved, and New
York City, whose police report for five counties at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from replication.cleaning.column_checks import require_columns
from replication.core.arrays import Bools
from replication.core.errors import PanelError

STATEWIDE_CODES: Final = (777, 999)
"""County codes of tribal agencies (777) and of state police and port authorities (999)."""

NEW_YORK_COUNTY: Final = 36061
NEW_YORK_CITY: Final[dict[int, int]] = {
    36005: NEW_YORK_COUNTY,  # Bronx
    36047: NEW_YORK_COUNTY,  # Kings
    36081: NEW_YORK_COUNTY,  # Queens
    36085: NEW_YORK_COUNTY,  # Richmond
}
"""Boroughs that join Manhattan: one source splits the city's offenses by population, another
puts all of them on Manhattan, so only the city as a whole can be compared."""

ALASKA_REORGANISED: Final = (2105, 2130, 2195, 2198, 2201, 2230, 2232, 2275, 2280)
"""Areas of Alaska whose borders moved in 2007 and 2008; no population or offense series spans
the change."""

UNDATED: Final = (30113,)
"""Yellowstone National Park (Montana): part of two counties since 1997, never given a date."""

MERGING_KINDS: Final = ("absorbed", "renamed")


def is_statewide(fips: pd.Series) -> Bools:
    """Whether a code is a statewide or unallocated record instead of a county."""
    return (fips % 1000).isin(STATEWIDE_CODES).to_numpy(dtype=bool)


def is_left_out(fips: pd.Series) -> Bools:
    """Whether a code is one of the areas that no series can follow."""
    return fips.isin((*ALASKA_REORGANISED, *UNDATED)).to_numpy(dtype=bool)


def recodings(changes: pd.DataFrame) -> dict[int, int]:
    """Old code -> code that is used instead, for counties absorbed or renamed.

    Counties that were created or split have no such map and are not in it.

    Parameters
    ----------
    changes : ``old_fips``, ``new_fips``, ``kind``.

    Raises
    ------
    PanelError
        If a new code is itself an old one: a chain cannot be applied in one step.
    """
    require_columns(changes, ["old_fips", "new_fips", "kind"], "The county code changes")
    used = changes[changes["kind"].isin(MERGING_KINDS)]
    mapping = dict(zip(used["old_fips"].astype(int), used["new_fips"].astype(int), strict=True))
    chained = sorted(set(mapping) & set(mapping.values()))
    if chained:
        raise PanelError(
            f"The county code changes lead from one old code to another ({chained[0]:05d}). Give "
            "every old code the code that is used in the end."
        )
    return mapping


def recode(fips: pd.Series, mapping: Mapping[int, int]) -> pd.Series:
    """Codes after the mapping; codes that it does not name stay."""
    return fips.map(lambda code: mapping.get(code, code)).astype("int64")


def merge_offenses(frame: pd.DataFrame, mapping: Mapping[int, int], sums: Sequence[str]) -> pd.DataFrame:
    """One record for each unit and year after its parts have been put together.

    Counts, people and agencies add up. The coverage indicator becomes its mean weighted by
    covered population; where no part covers anyone, the plain mean.

    Parameters
    ----------
    frame : ``fips``, ``year``, ``coverage_indicator``, ``covered_population`` and ``sums``.
    mapping : code of a part -> code of the unit.
    sums : columns that add up.

    Returns
    -------
    DataFrame
        ``fips``, ``year``, ``coverage_indicator`` and ``sums``, sorted by unit and year.
    """
    keys = ["fips", "year"]
    coded = frame.assign(fips=recode(frame["fips"], mapping))
    weight = coded["covered_population"].astype(float)
    everyone = weight.groupby([coded["fips"], coded["year"]]).transform("sum")
    weight = weight.where(everyone > 0, 1.0)
    coded = coded.assign(_weight=weight, _weighted=weight * coded["coverage_indicator"])
    merged = coded.groupby(keys)[[*sums, "_weight", "_weighted"]].sum().reset_index()
    indicator = merged["_weighted"] / merged["_weight"]
    return merged[[*keys, *sums]].assign(coverage_indicator=indicator)


def merge_populations(frame: pd.DataFrame, mapping: Mapping[int, int]) -> pd.DataFrame:
    """``fips``, ``year``, ``population`` with the parts of each unit added up."""
    coded = frame.assign(fips=recode(frame["fips"], mapping))
    return coded.groupby(["fips", "year"])[["population"]].sum().reset_index()


def merge_dates(frame: pd.DataFrame, mapping: Mapping[int, int], date: str) -> pd.Series:
    """Earliest date of each unit's parts, indexed by ``fips``."""
    return frame[date].groupby(recode(frame["fips"], mapping)).min()


def splice_populations(earlier: pd.DataFrame, later: pd.DataFrame, seam: int = 2010) -> pd.DataFrame:
    """Populations from ``earlier`` before the year ``seam`` and from ``later`` from it on."""
    parts = [earlier[earlier["year"] < seam], later[later["year"] >= seam]]
    columns = ["fips", "year", "population"]
    return pd.concat(parts, ignore_index=True)[columns].sort_values(["fips", "year"], ignore_index=True)
