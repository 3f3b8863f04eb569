"""The typed facts, and a small simulated country that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from replication.cleaning.agency_months import AgencyMonths
from studies.secure_communities_monthly.county_month import MonthlyPanel
from studies.secure_communities_simulated.simulation.simulated_panel import (
    Country,
    clean_returns,
    draw_country,
    read_returns,
)
from studies.secure_communities_simulated.simulation.simulation_settings import (
    Facts,
    Settings,
    Truth,
    read_facts,
)

TYPED = Path(__file__).parents[2] / "data_raw" / "typed"
SMALLEST = 1e-6


@pytest.fixture(scope="session")
def facts() -> Facts:
    return read_facts(TYPED)


@pytest.fixture(scope="session")
def country(facts: Facts) -> Country:
    """One county of every state and date, with an effect that no noise can hide."""
    truth = Truth("constant", -0.3)
    return draw_country(Settings(seed=7, share=SMALLEST, truth=truth), facts)


@pytest.fixture(scope="session")
def returns(country: Country) -> AgencyMonths:
    return read_returns(country)


@pytest.fixture(scope="session")
def cleaned(returns: AgencyMonths, country: Country) -> MonthlyPanel:
    return clean_returns(returns, country)
