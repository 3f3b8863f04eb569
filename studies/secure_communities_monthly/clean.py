"""The county-month panels from Return A, under three coverage screens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from replication.cleaning.codebook import conform
from replication.cleaning.recipe import Cleaned
from studies.secure_communities.rollout import rollout_tables
from studies.secure_communities_monthly.county_month import MonthlyPanel, MonthlyRule, build_county_month
from studies.secure_communities_monthly.county_places import Places
from studies.secure_communities_monthly.monthly_sources import return_a_sources
from studies.secure_communities_monthly.reporting_month import (
    REPORTING_MONTH,
    build_reporting_month,
    coverage_by_state,
)
from studies.secure_communities_monthly.return_a_schemas import COUNTY_MONTH, COUNTY_MONTH_RULE


def clean(root: Path) -> Cleaned:
    """Counties by month, 2004-2012, from Return A, under three coverage screens; and all counties."""
    raw = return_a_sources(root)
    main = build_county_month(raw.returns, raw.crosswalk, raw.places)
    everyone = build_reporting_month(raw.returns, raw.crosswalk, raw.places)
    panels: dict[str, tuple[pd.DataFrame, Any]] = {"county_month": (main.frame, COUNTY_MONTH)}
    flows = {}
    for rule in ("scaled", "interpolated"):
        other = build_county_month(raw.returns, raw.crosswalk, raw.places, MonthlyRule(coverage=rule))
        kept = other.frame[list(COUNTY_MONTH_RULE.columns)]
        panels[f"county_month_{rule}"] = (conform(kept, COUNTY_MONTH_RULE), COUNTY_MONTH_RULE)
        flows[f"sample_flow_{rule}"] = other.flow.table()
    panels["reporting_month"] = (everyone, REPORTING_MONTH)
    frames = {**panel_tables(main, raw.places), **flows, "coverage_by_state": coverage_by_state(everyone)}
    return Cleaned(panels, main.flow, frames)


def panel_tables(built: MonthlyPanel, places: Places) -> dict[str, pd.DataFrame]:
    """The rollout, the allocation of agencies to counties, and the corrections to their returns."""
    return {
        **rollout_tables(places.activation_days, places.vintage_2019),
        "allocation": built.allocation,
        "repairs": built.repairs.groupby("what", sort=False)["count"].sum().reset_index(),
    }
