"""The annual county panels of Secure Communities."""

from __future__ import annotations

from pathlib import Path

from replication.cleaning import county_coverage
from replication.cleaning.recipe import Cleaned
from studies.secure_communities.border_pairs import build_border_pairs
from studies.secure_communities.county_context import extend_county_year
from studies.secure_communities.county_schemas import BORDER_PAIRS, COUNTY_YEAR_ALL, COUNTY_YEAR_CONTEXT
from studies.secure_communities.county_sources import context_sources, county_sources, second_source
from studies.secure_communities.county_year import build_county_year
from studies.secure_communities.rollout import rollout_tables
from studies.secure_communities.second_source import SECOND_SOURCE, build_second_source
from studies.secure_communities.transcriptions import compare_transcriptions


def clean(root: Path) -> Cleaned:
    """Counties by 2004-2012, all of them and those that report well, and three further panels."""
    raw, context = county_sources(root), context_sources(root)
    core, flow = build_county_year(raw)
    county_year = extend_county_year(core, raw, context, COUNTY_YEAR_CONTEXT)
    core, everyone = build_county_year(raw, rule=county_coverage.UNSCREENED)
    county_year_all = extend_county_year(core, raw, context, COUNTY_YEAR_ALL)
    kaplan, counted = build_second_source(second_source(root), county_year, raw, context)
    pairs, paired = build_border_pairs(county_year, raw, context)
    panels = {
        "county_year": (county_year, COUNTY_YEAR_CONTEXT),
        "county_year_all": (county_year_all, COUNTY_YEAR_ALL),
        "county_year_kaplan": (kaplan, SECOND_SOURCE),
        "county_year_border_pairs": (pairs, BORDER_PAIRS),
    }
    frames = {
        **rollout_tables(raw.activation_days, raw.vintage_2019),
        "activation_lists": compare_transcriptions(
            raw.activation_days, raw.activation_months, context.names, raw.regions
        ),
        "sample_flow_all": everyone.table(),
        "sample_flow_kaplan": counted.table(),
        "sample_flow_border_pairs": paired.table(),
    }
    return Cleaned(panels, flow, frames)
