"""The homicide panels: counties by month, 2003-2013, and by ethnicity of the victim."""

from __future__ import annotations

from pathlib import Path

from replication.cleaning.recipe import Cleaned
from studies.secure_communities_homicides.county_homicides import build_county_month
from studies.secure_communities_homicides.homicide_ethnicity import by_ethnicity
from studies.secure_communities_homicides.homicide_schemas import (
    COUNTY_MONTH_ETHNICITY,
    COUNTY_MONTH_HOMICIDES,
)
from studies.secure_communities_monthly.monthly_sources import homicide_sources


def clean(root: Path) -> Cleaned:
    """Counties by month, 2003-2013, from the homicide reports; and by ethnicity of the victim."""
    built = build_county_month(homicide_sources(root))
    both, flow = by_ethnicity(built.frame, built.flow)
    panels = {
        "county_month": (built.frame, COUNTY_MONTH_HOMICIDES),
        "county_month_ethnicity": (both, COUNTY_MONTH_ETHNICITY),
    }
    frames = {"agreement_by_state": built.comparison, "agencies_by_county_rule": built.allocation}
    return Cleaned(panels, flow, frames)
