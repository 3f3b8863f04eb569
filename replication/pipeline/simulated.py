"""Cleaning of the simulated study: draws what ``study.yaml`` asks for, then cleans as usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from replication.files import parse_yaml
from replication.panel import rollout
from replication.panel.county_month import MonthlyPanel
from replication.panel.flow import SampleFlow
from replication.panel.return_a_schemas import COUNTY_MONTH
from replication.simulation import accounts
from replication.simulation.panel import (
    Country,
    clean_returns,
    draw_country,
    read_returns,
    simulate_county_month,
)
from replication.simulation.reporting_panel import SCHEMA, build_reporting_month
from replication.simulation.settings import Settings, parse_settings, read_facts

REPORTING = "reporting_month"


@dataclass(frozen=True)
class Simulated:
    """Panels with their schemas, the sample flow, and further tables."""

    panels: Mapping[str, tuple[pd.DataFrame, Any]]
    flow: SampleFlow
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def simulate_study(root: Path, study: str) -> Simulated:
    """Every panel that the study's ``simulation`` key names; the first is the main one."""
    settings = study_settings(root / "specs" / study / "study.yaml")
    facts = read_facts(root / "data_raw" / "typed")
    countries = {name: draw_country(one, facts) for name, one in settings.items()}
    main, *others = settings
    country = countries[main]
    returns = read_returns(country)
    cleaned = clean_returns(returns, country)
    everyone = build_reporting_month(returns, country)
    panels = {main: (cleaned.frame, COUNTY_MONTH), REPORTING: (everyone, SCHEMA)}
    for name in others:
        panels[name] = (simulate_county_month(countries[name]).frame, COUNTY_MONTH)
    frames = {
        **_rollout(country),
        **_accounts(country, cleaned),
        "coverage": accounts.coverage_by_month(everyone),
        "truth": accounts.truth_by_event_time(countries),
        "settings": accounts.settings_table(settings),
    }
    return Simulated(panels, cleaned.flow, frames)


def study_settings(place: Path) -> dict[str, Settings]:
    """What a ``study.yaml`` asks to be simulated."""
    config = parse_yaml(place.read_text(encoding="utf-8"))
    return parse_settings(config["simulation"], str(place))


def _rollout(country: Country) -> dict[str, pd.DataFrame]:
    population = country.counties.set_index("fips")["population_2010"]
    dates = country.counties[["fips", "activation_date"]]
    by_date = rollout.rollout_by_date(dates, population)
    return {"rollout": by_date, "rollout_by_year": rollout.rollout_by_year(by_date)}


def _accounts(country: Country, cleaned: MonthlyPanel) -> dict[str, pd.DataFrame]:
    decided = cleaned.allocation.query("year == year.max()")
    repairs = cleaned.repairs.groupby("what", sort=False)["count"].sum().reset_index()
    return {
        "calibration": accounts.calibration(country),
        "pathologies": accounts.pathologies(country),
        "allocation": decided[["decided_by", "agencies", "people"]],
        "repairs": repairs,
    }
