"""Crimes in a second source, Kaplan's county rates of 2009-2014, and the series break between the two.

Kaplan's files neither impute nor flag: an agency that does not report counts as people
without crimes. The county files of NACJD impute and flag, and end in 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
import pandera.pandas as pa

from replication.cleaning import county_coverage, geography, rates, timing
from replication.cleaning.codebook import column, conform, schema
from replication.cleaning.column_checks import require_columns, require_unique, require_years
from replication.cleaning.rates import OUTCOMES
from replication.cleaning.sample_flow import SampleFlow
from replication.sources import OFFENSES
from studies.secure_communities import county_people, schemas
from studies.secure_communities.county_context import ContextSources, merged_units
from studies.secure_communities.county_year import PEOPLE_YEAR, WEIGHT_YEAR, CountySources, populations

YEARS: Final = tuple(range(2009, 2015))
SEAM: Final = 2012
"""Last year of the first source: a spliced series changes source after it."""
TOTALS: Final = ("index", "violent", "property")
KAPLAN: Final = "Kaplan's county rates (openICPSR 100707)"
NOT_SHARED: Final = "year after 2012, or county not in county_year"


def build_second_source(
    kaplan: pd.DataFrame,
    county_year: pd.DataFrame,
    raw: CountySources,
    context: ContextSources,
    years: Sequence[int] = YEARS,
) -> tuple[pd.DataFrame, SampleFlow]:
    """Panel of county and year in Kaplan's files, with the first source where both are available.

    Parameters
    ----------
    kaplan : DataFrame
        ``fips``, ``year``, ``population`` and the seven counts of all years.
    county_year : DataFrame
        The canonical panel.
    raw, context : sources
        Frames as the readers return them.
    years : sequence of int
        Years of the panel; a county needs every one of them.

    Returns
    -------
    frame : DataFrame
        Described by ``SECOND_SOURCE``.
    flow : SampleFlow
        Losses by rule.

    Raises
    ------
    PanelError
        If a frame lacks columns or years, or a key is repeated.
    """
    units = merged_units(raw)
    people = populations(raw, units, [WEIGHT_YEAR, PEOPLE_YEAR])
    base = {year: part.set_index("fips")["population"] for year, part in people.groupby("year")}
    flow = SampleFlow(base[PEOPLE_YEAR], merged=units)
    frame, flow = _counted(kaplan, units, years, flow)
    dates = geography.merge_dates(raw.activation_days, units, "activation_date")
    frame = frame.assign(
        state=frame["fips"] // 1000,
        activation_date=frame["fips"].map(dates),
        population_2004=frame["fips"].map(base[WEIGHT_YEAR]),
        in_county_year=frame["fips"].isin(county_year["fips"]),
    )
    dated = frame["activation_date"].notna() & frame["population_2004"].notna()
    frame, flow = flow.keep(frame, dated, "Activation date and 2004 Census population")
    frame = frame.assign(
        county_name=county_people.named(context.names, frame["fips"]),
        share_of_year=timing.share_of_year(frame["activation_date"], frame["year"]),
        cohort_mid_year=timing.cohort_mid_year(frame["activation_date"]),
    )
    frame = pd.concat([frame, rates.totals(frame)], axis=1)
    per = rates.rates(frame, OUTCOMES, "population")
    frame = pd.concat([frame, per, rates.log_rates(per, OUTCOMES)], axis=1)
    return conform(beside_the_first(frame, county_year), SECOND_SOURCE), flow


def _counted(
    kaplan: pd.DataFrame, units: dict[int, int], years: Sequence[int], flow: SampleFlow
) -> tuple[pd.DataFrame, SampleFlow]:
    """Units with counts in every year."""
    what = "Kaplan's county offenses"
    require_columns(kaplan, ["fips", "year", "population", *OFFENSES], what)
    require_years(kaplan, years, what)
    records = kaplan[kaplan["year"].isin(years)].reset_index(drop=True)
    require_unique(records, ["fips", "year"], what)
    flow = flow.record("Records in Kaplan's files (no Connecticut)", records, records)
    counts = records[list(OFFENSES)]
    cleaned = records.assign(**counts.mask(counts < 0))
    flow = flow.record("Negative counts (more withdrawn than made) set to missing", records, cleaned)
    merged = merge_counts(cleaned, units)
    flow = flow.record("Merge absorbed counties and New York City, recode renamed ones", cleaned, merged)
    left_out = geography.is_left_out(merged["fips"])
    frame, flow = flow.keep(
        merged, ~left_out, "Drop reorganized areas of Alaska and Yellowstone National Park, if on file"
    )
    full = frame[list(OFFENSES)].notna().all(axis=1).to_numpy(dtype=bool)
    text = f"Has all seven counts in every year {min(years)}-{max(years)}"
    return flow.keep(frame, county_coverage.in_every_year(frame, full, years), text)


def merge_counts(frame: pd.DataFrame, units: dict[int, int]) -> pd.DataFrame:
    """One record per unit and year: people and counts add up, missing where a part is."""
    columns = ["population", *OFFENSES]
    coded = frame.assign(fips=geography.recode(frame["fips"], units))
    summed = coded.groupby(["fips", "year"])[columns].agg("sum", skipna=False)
    return summed.reset_index()


def beside_the_first(frame: pd.DataFrame, county_year: pd.DataFrame) -> pd.DataFrame:
    """The log rates of the first source, and series that pass to the second after 2012."""
    first = county_year[["fips", "year", *(f"log_rate_{name}" for name in TOTALS)]]
    first = first.rename(columns={f"log_rate_{n}": f"nacjd_log_rate_{n}" for n in TOTALS})
    frame = frame.merge(first, how="left", on=["fips", "year"], validate="one_to_one")
    later = frame["in_county_year"] & (frame["year"] > SEAM)
    spliced = {
        f"spliced_log_rate_{name}": np.where(
            later, frame[f"log_rate_{name}"], frame[f"nacjd_log_rate_{name}"]
        )
        for name in TOTALS
    }
    return frame.assign(**spliced)


def _columns() -> dict[str, pa.Column]:
    core = schemas.COUNTY_YEAR.columns
    inf = float("inf")
    found = {
        "fips": core["fips"],
        "year": column("int64", "Calendar year", "year", KAPLAN),
        "county_name": column("str", "Name of the county", "name", schemas.CENSUS),
        "state": core["state"],
        "population": column("int64", "People by Kaplan's files", "people", KAPLAN, bounds=(1, inf)),
        "population_2004": core["population_2004"],
        **{name: core[name] for name in ("activation_date", "share_of_year", "cohort_mid_year")},
        "in_county_year": column("bool", "In the canonical panel", "flag", schemas.NACJD),
    }
    for name in OUTCOMES:
        words = schemas.WORDS[name]
        found[name] = column("int64", f"Offenses known: {words}", "offenses", KAPLAN, bounds=(0, inf))
        found[f"rate_{name}"] = column(
            "float64", f"Rate: {words}", "per 100,000 people", KAPLAN, bounds=(0, inf)
        )
        found[f"log_rate_{name}"] = column(
            "float64", f"Log rate: {words}", "log per 100,000 people", KAPLAN, missing="count of zero"
        )
    for name in TOTALS:
        words = schemas.WORDS[name]
        found[f"nacjd_log_rate_{name}"] = column(
            "float64",
            f"Log rate in county_year: {words}",
            "log per 100,000 covered residents",
            schemas.NACJD,
            missing=f"{NOT_SHARED}, or count of zero",
        )
        found[f"spliced_log_rate_{name}"] = column(
            "float64",
            f"Log rate, county_year to 2012 and Kaplan after: {words}",
            "log per 100,000 people",
            f"{schemas.NACJD}; {KAPLAN}",
            missing="county not in county_year, or count of zero",
        )
    return found


SECOND_SOURCE: Final = schema("county_year_kaplan", _columns(), ["fips", "year"])
"""Counties by 2009-2014 in Kaplan's files."""
