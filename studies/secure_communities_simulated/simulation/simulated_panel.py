"""A simulated county-month panel: drawn, written as master files, read and cleaned as real ones.

The code of the real study processes the returns of agencies, through the reader of the
master files, the repair of agency months, the crosswalk, the coverage rule and the assembly of
the panel. Frames are passed directly for counties, their people and their activation dates.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from replication.cleaning.agency_months import AgencyMonths, agency_months
from replication.sources import OFFENSES
from replication.sources.return_a import ReturnA, read_return_a
from studies.secure_communities_monthly.county_month import (
    CANONICAL,
    MonthlyPanel,
    MonthlyRule,
    build_county_month,
)
from studies.secure_communities_monthly.county_places import Places
from studies.secure_communities_simulated.simulation import simulated_agencies as police
from studies.secure_communities_simulated.simulation.simulated_agencies import draw_agencies, state_police
from studies.secure_communities_simulated.simulation.simulated_counties import (
    BASE_YEAR,
    draw_counties,
    populations,
)
from studies.secure_communities_simulated.simulation.simulated_crime import Counts, Crime, draw_crime
from studies.secure_communities_simulated.simulation.simulated_masters import write_master
from studies.secure_communities_simulated.simulation.simulated_reporting import (
    CORRECTED,
    NO_RAPES,
    Reporting,
    draw_reporting,
)
from studies.secure_communities_simulated.simulation.simulation_settings import MONTHS, YEARS, Facts, Settings


@dataclass(frozen=True)
class Country:
    """The simulated country, before reporting."""

    settings: Settings
    facts: Facts
    counties: pd.DataFrame
    agencies: pd.DataFrame
    crime: Crime
    reporting: Reporting


def draw_country(settings: Settings, facts: Facts) -> Country:
    """Counties, agencies, crime and reporting, all from the seed."""
    counties = draw_counties(settings, facts)
    agencies = draw_agencies(counties, settings)
    crime = draw_crime(counties, agencies, settings, facts)
    reporting = draw_reporting(agencies, settings)
    return Country(settings, facts, counties, agencies, crime, reporting)


def simulate_county_month(country: Country, rule: MonthlyRule = CANONICAL) -> MonthlyPanel:
    """The panel cleaned from the country's master files."""
    return clean_returns(read_returns(country), country, rule)


def read_returns(country: Country) -> AgencyMonths:
    """The returns of every year, each written to a temporary folder and read back."""
    with tempfile.TemporaryDirectory() as folder:
        return agency_months(read_masters(country, Path(folder)))


def clean_returns(returns: AgencyMonths, country: Country, rule: MonthlyRule = CANONICAL) -> MonthlyPanel:
    """The county-month panel of returns that were read."""
    return build_county_month(returns, known_agencies(country), simulated_places(country), rule)


def known_agencies(country: Country) -> pd.DataFrame:
    """The crosswalk of agencies to counties: ``ori``, ``fips``, ``agency_type``."""
    return police.crosswalk(country.agencies, state_police(country.counties))


def read_masters(country: Country, folder: Path) -> Iterator[ReturnA]:
    """Write each year's master into ``folder`` and read it back."""
    for path, year in zip(write_masters(country, folder), YEARS, strict=True):
        yield read_return_a(path, year)
        path.unlink()


def write_masters(country: Country, folder: Path) -> Iterator[Path]:
    """One master file per year, ``RETA2004.txt`` and on."""
    people = populations(country.counties, country.facts)
    filed = filed_counts(country)
    for at, year in enumerate(YEARS):
        months = slice(MONTHS * at, MONTHS * (at + 1))
        head = headers(country, people[people["year"] == year])
        police_rows = len(head) - len(country.agencies)
        path = folder / f"RETA{year}.txt"
        write_master(
            path,
            head,
            year,
            _with_rows(country.reporting.returned[:, months], police_rows),
            _with_rows(country.reporting.included_in[:, months], police_rows),
            *(_with_rows(counts[:, months], police_rows) for counts in filed),
        )
        yield path


def headers(country: Country, people: pd.DataFrame) -> pd.DataFrame:
    """Headers of one year: the agencies, then the state police.

    State numbers are alphabetical and county numbers run 1, 2, 3: neither is a FIPS code, as in
    the real files.
    """
    agencies = country.agencies
    inside = people.set_index("fips")["population"].loc[agencies["fips"]].to_numpy()
    state = country.facts.regions.sort_values("state")["state_fips"].reset_index(drop=True)
    number = pd.Series(np.arange(1, len(state) + 1), index=state)
    local = agencies[["ori", "state", "postal", "group", "covered_by", "name"]].assign(
        population_1=np.round(agencies["people_share"].to_numpy() * inside).astype(np.int64),
        county_1=agencies["number"].astype("Int64"),
    )
    troopers = state_police(country.counties).assign(group="9E", covered_by="", population_1=0)
    head = pd.concat([local, troopers], ignore_index=True)
    return head.assign(fbi_state=head["state"].map(number), state_name=head["postal"])


def filed_counts(country: Country) -> tuple[Counts, Counts]:
    """(A, T, K) offenses and clearances as they are filed, faults included."""
    rng = country.settings.stream("corrections")
    found = []
    for counts, offenses in ((country.crime.actual, True), (country.crime.cleared, False)):
        filed = _without_some_rapes(counts.copy(), country)
        filed = _moved(filed, country.reporting)
        found.append(_corrected(filed, country.reporting, rng) if offenses else filed)
    return found[0], found[1]


def simulated_places(country: Country) -> Places:
    """The frames about counties that the readers of the real study would return."""
    people = populations(country.counties, country.facts)
    return Places(
        activation_days=country.counties[["fips", "activation_date"]],
        intercensal=people[people["year"] < BASE_YEAR],
        vintage_2019=people[people["year"] >= BASE_YEAR],
        fips_changes=country.facts.fips_changes,
        regions=country.facts.regions,
        border_counties=country.facts.border_counties,
        composition=pd.DataFrame({"fips": [], "population": [], "hispanic": []}, dtype="int64"),
    )


def _without_some_rapes(counts: Counts, country: Country) -> Counts:
    year = np.repeat(YEARS, MONTHS)
    for state, years in NO_RAPES.items():
        rows = (country.agencies["state"] == state).to_numpy()
        cells = rows[:, None] & np.isin(year, years)[None, :]
        counts[cells, OFFENSES.index("rape")] = 0
    return counts


def _moved(counts: Counts, reporting: Reporting) -> Counts:
    """Figures in the month in which they are filed: the quarter's last month, or the including month."""
    lumped = counts[reporting.quarterly].reshape(-1, counts.shape[1] // 3, 3, counts.shape[2])
    whole = np.zeros_like(lumped)
    whole[:, :, 2] = lumped.sum(axis=2)
    counts[reporting.quarterly] = whole.reshape(-1, *counts.shape[1:])
    agency, month = np.nonzero(reporting.included_in)
    counts[agency, month + 1] += counts[agency, month]
    counts[~reporting.returned] = 0
    return counts


def _corrected(counts: Counts, reporting: Reporting, rng: np.random.Generator) -> Counts:
    """Some counts are one too large, with a correction of minus one in the next month without offenses."""
    chosen = (rng.random(counts.shape) < CORRECTED) & (counts == 0)
    chosen &= (reporting.returned & ~reporting.quarterly[:, None])[:, :, None]
    chosen[:, 1:] &= reporting.returned[:, :-1, None] & ~chosen[:, :-1]
    chosen[:, ::MONTHS] = False
    counts[:, :-1][chosen[:, 1:]] += 1
    counts[chosen] -= 1
    return counts


def _with_rows(values: np.ndarray, more: int) -> np.ndarray:
    """The array with ``more`` rows of zeros behind it."""
    return np.concatenate([values, np.zeros((more, *values.shape[1:]), dtype=values.dtype)])
