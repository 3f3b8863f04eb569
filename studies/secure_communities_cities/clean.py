"""The panel of municipal police agencies by month, from Return A."""

from __future__ import annotations

from pathlib import Path

from replication.cleaning.recipe import Cleaned
from studies.secure_communities_cities.city_month import build_city_month
from studies.secure_communities_monthly.clean import panel_tables
from studies.secure_communities_monthly.monthly_sources import return_a_sources
from studies.secure_communities_monthly.return_a_schemas import CITY_MONTH


def clean(root: Path) -> Cleaned:
    """Municipal police agencies by month, 2004-2012, from Return A."""
    raw = return_a_sources(root)
    built = build_city_month(raw.returns, raw.crosswalk, raw.places)
    panels = {"city_month": (built.frame, CITY_MONTH)}
    return Cleaned(panels, built.flow, panel_tables(built, raw.places))
