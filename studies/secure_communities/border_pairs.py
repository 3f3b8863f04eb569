"""Counties against their neighbors across a state border: one row per member of a pair and year."""

from __future__ import annotations

import pandas as pd

from replication.cleaning.codebook import conform
from replication.cleaning.sample_flow import SampleFlow
from studies.secure_communities import county_schemas, neighbors
from studies.secure_communities.county_context import ContextSources, merged_units
from studies.secure_communities.county_year import PEOPLE_YEAR, CountySources


def build_border_pairs(
    county_year: pd.DataFrame, raw: CountySources, context: ContextSources
) -> tuple[pd.DataFrame, SampleFlow]:
    """Canonical counties that touch a canonical county of another state, once for each such pair.

    With pair-by-period fixed effects a county is compared only with the one across the border
    (Dube, Lester & Reich 2010). ``pair_weight`` shares a county's people out over its pairs.

    Returns
    -------
    frame : DataFrame
        Described by ``county_schemas.BORDER_PAIRS``.
    flow : SampleFlow
        Counties and people left.
    """
    pairs = neighbors.unit_pairs(context.adjacency, merged_units(raw))
    members = neighbors.state_border_pairs(pairs, county_year["fips"].unique().tolist())
    rows = county_year[list(county_schemas.PAIR_COLUMNS)]
    frame = members.merge(rows, on="fips", validate="many_to_many")
    count = members.groupby("fips").size()
    frame = frame.assign(pair_weight=frame["population_2004"] / frame["fips"].map(count))
    year = PEOPLE_YEAR if PEOPLE_YEAR in set(county_year["year"]) else county_year["year"].max()
    people = county_year[county_year["year"] == year].set_index("fips")["population"]
    flow = SampleFlow(people).record("Canonical panel", county_year, county_year)
    text = "Touches a county of another state that is in the panel; a row for each such pair"
    return conform(frame, county_schemas.BORDER_PAIRS), flow.record(text, county_year, frame)
