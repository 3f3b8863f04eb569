"""The simulated panels: returns are drawn as specified in ``study.yaml`` and cleaned like real ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from replication.cleaning.recipe import Cleaned
from replication.core.study_folder import read_description
from studies.secure_communities import rollout
from studies.secure_communities_monthly.county_month import MonthlyPanel
from studies.secure_communities_monthly.return_a_schemas import COUNTY_MONTH
from studies.secure_communities_simulated.simulation import reader_checks
from studies.secure_communities_simulated.simulation.simulated_panel import (
    Country,
    clean_returns,
    draw_country,
    read_returns,
    simulate_county_month,
)
from studies.secure_communities_simulated.simulation.simulated_reporting_panel import (
    SCHEMA,
    build_reporting_month,
)
from studies.secure_communities_simulated.simulation.simulation_settings import (
    Settings,
    parse_settings,
    read_facts,
)

STUDY = "secure_communities_simulated"
REPORTING = "reporting_month"


def clean(root: Path) -> Cleaned:
    """Every panel that the study's ``simulation`` key names; the first is the main one."""
    settings = study_settings(root / "studies" / STUDY)
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
        **_codebook_tables(country, cleaned),
        "coverage": reader_checks.coverage_by_month(everyone),
        "truth": reader_checks.truth_by_event_time(countries),
        "settings": reader_checks.settings_table(settings),
    }
    return Cleaned(panels, cleaned.flow, frames)


def study_settings(folder: Path) -> dict[str, Settings]:
    """Settings of the simulation of a study."""
    description = read_description(folder)
    return parse_settings(description.data["simulation"], description.place())


def _rollout(country: Country) -> dict[str, pd.DataFrame]:
    population = country.counties.set_index("fips")["population_2010"]
    dates = country.counties[["fips", "activation_date"]]
    by_date = rollout.rollout_by_date(dates, population)
    return {"rollout": by_date, "rollout_by_year": rollout.rollout_by_year(by_date)}


def _codebook_tables(country: Country, cleaned: MonthlyPanel) -> dict[str, pd.DataFrame]:
    decided = cleaned.allocation.query("year == year.max()")
    repairs = cleaned.repairs.groupby("what", sort=False)["count"].sum().reset_index()
    return {
        "calibration": reader_checks.calibration(country),
        "pathologies": reader_checks.pathologies(country),
        "allocation": decided[["decided_by", "agencies", "people"]],
        "repairs": repairs,
    }
