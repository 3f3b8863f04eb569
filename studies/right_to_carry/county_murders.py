"""The panel of right-to-carry laws: 2,197 counties by 1980-1996."""

from __future__ import annotations

from typing import Final

import pandas as pd

from replication.cleaning import rates
from replication.cleaning.codebook import conform
from replication.cleaning.column_checks import require_columns, require_unique
from replication.cleaning.sample_flow import SampleFlow
from replication.cleaning.timing import NEVER
from studies.right_to_carry.county_murders_schema import RIGHT_TO_CARRY_YEAR

FIRST_YEAR: Final = 1980
LAST_YEAR: Final = 1996


def build_county_year(
    murders: pd.DataFrame, adoption: pd.DataFrame, regions: pd.DataFrame
) -> tuple[pd.DataFrame, SampleFlow]:
    """Panel of county and year, and its flow.

    Parameters
    ----------
    murders : DataFrame
        ``sources.countymurders.read_countymurders()``.
    adoption : DataFrame
        ``state_fips``, ``first_year_in_force``; a law that came after 1996 leaves its state
        untreated in the panel, one from before 1980 makes it treated throughout.
    regions : DataFrame
        ``state_fips``, ``postal``, ``region``.

    Returns
    -------
    frame : DataFrame
        Sorted by ``fips`` and ``year``, described by ``county_murders_schema.RIGHT_TO_CARRY_YEAR``.
    flow : SampleFlow
        Counties in the data, and those with a population in 1980.

    Raises
    ------
    PanelError
        If a frame lacks columns, a key is repeated, or the panel breaks its codebook.
    """
    what = "The county murders"
    require_columns(murders, ["fips", "year", "state_fips", "population", "murders"], what)
    require_unique(murders, ["fips", "year"], what)
    require_columns(adoption, ["state_fips", "first_year_in_force"], "The right-to-carry laws")
    require_unique(adoption, ["state_fips"], "The right-to-carry laws")
    require_columns(regions, ["state_fips", "postal", "region"], "The Census regions")
    base = murders[murders["year"] == FIRST_YEAR].set_index("fips")["population"]
    flow = SampleFlow(base)
    flow = flow.record("Counties in the shipped data", murders, murders)
    frame, flow = flow.keep(murders, murders["fips"].isin(base.index), f"Has a population in {FIRST_YEAR}")
    frame = _with_adoption(_with_place(frame, regions), adoption)
    frame = _with_rates(frame.assign(population_1980=frame["fips"].map(base)))
    return conform(frame[list(RIGHT_TO_CARRY_YEAR.columns)], RIGHT_TO_CARRY_YEAR), flow


def cohorts(state: pd.Series, adoption: pd.DataFrame, last_year: int = LAST_YEAR) -> pd.Series:
    """First year in force in the state of each row; 0 if that is after ``last_year`` or never."""
    first = state.map(adoption.set_index("state_fips")["first_year_in_force"])
    return first.where(first <= last_year, NEVER).astype("int64")


def _with_place(frame: pd.DataFrame, regions: pd.DataFrame) -> pd.DataFrame:
    places = regions[["state_fips", "postal", "region"]]
    frame = frame.merge(places, how="left", on="state_fips", validate="many_to_one")
    return frame.rename(columns={"state_fips": "state", "postal": "state_postal"})


def _with_adoption(frame: pd.DataFrame, adoption: pd.DataFrame) -> pd.DataFrame:
    cohort = cohorts(frame["state"], adoption)
    treated = ((cohort != NEVER) & (frame["year"] >= cohort)).astype("int64")
    return frame.assign(cohort=cohort, treated=treated)


def _with_rates(frame: pd.DataFrame) -> pd.DataFrame:
    counted = frame.assign(murder=frame["murders"])
    per = rates.rates(counted, ["murder"], "population")
    logs = rates.log_rates(per, ["murder"])
    frame = pd.concat([frame, per, logs], axis=1)
    return frame.assign(log_population=rates.positive_log(frame["population"]))
