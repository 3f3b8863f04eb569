"""Checks of a simulated study: facts, anomalies, coverage and true effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import pandas as pd

from replication.cleaning import timing
from replication.sources import OFFENSES
from studies.secure_communities_monthly import reporting_month
from studies.secure_communities_simulated.simulation.simulated_agencies import SHERIFF
from studies.secure_communities_simulated.simulation.simulated_effects import NUMBERS, effects
from studies.secure_communities_simulated.simulation.simulated_panel import Country
from studies.secure_communities_simulated.simulation.simulated_reporting import (
    ALABAMA,
    ALABAMA_BREAKS,
    ILLINOIS,
    ILLINOIS_BEGINS,
)
from studies.secure_communities_simulated.simulation.simulation_settings import MONTHS, YEARS, Settings

GROUPS = {ALABAMA: "Alabama", ILLINOIS: "Illinois"}
OTHERS = "Other states"
HORIZON = 36


def calibration(country: Country) -> pd.DataFrame:
    """Published numbers beside what was drawn.

    Returns
    -------
    DataFrame
        ``topic``, ``what``, ``published`` (of the whole country), ``drawn``, ``reported`` (in a
        return; offenses only).
    """
    rows = [*_rollout_rows(country), *_offense_rows(country)]
    return pd.DataFrame(rows, columns=["topic", "what", "published", "drawn", "reported"])


def coverage_by_month(unscreened: pd.DataFrame) -> pd.DataFrame:
    """Share of people whose agency reported, by month: Alabama, Illinois, and the other states.

    Parameters
    ----------
    unscreened : DataFrame
        ``month``, ``state``, ``listed_population``, ``reporting_share``, ``population`` of every
        county and month, before any rule.

    Returns
    -------
    DataFrame
        As ``panel.reporting_month.coverage_by_month``.
    """
    group = unscreened["state"].map(GROUPS).fillna(OTHERS)
    return reporting_month.coverage_by_month(unscreened, group)


def settings_table(settings: Mapping[str, Settings]) -> pd.DataFrame:
    """Settings of each simulated panel: ``panel``, ``seed``, ``share`` and the truth's keys."""
    rows = [
        {"panel": name, "seed": one.seed, "share": one.share, **asdict(one.truth)}
        for name, one in settings.items()
    ]
    return pd.DataFrame(rows)


def truth_by_event_time(panels: Mapping[str, Country]) -> pd.DataFrame:
    """The true effect around activation, the mean over counties that have the month.

    Returns
    -------
    DataFrame
        ``panel``, ``event_time`` (months since the first full month in force), ``effect``.
    """
    parts = []
    for name, country in panels.items():
        first = timing.cohort_first_full_month(country.counties["activation_date"])
        moved = effects(country.counties, country.settings.truth)
        frame = pd.DataFrame(
            {"event_time": (NUMBERS[None, :] - first[:, None]).reshape(-1), "effect": moved.reshape(-1)}
        )
        frame = frame[frame["event_time"].between(-HORIZON, HORIZON)]
        means = frame.groupby("event_time")["effect"].mean().reset_index()
        parts.append(means.assign(panel=name)[["panel", "event_time", "effect"]])
    return pd.concat(parts, ignore_index=True)


def pathologies(country: Country) -> pd.DataFrame:
    """Anomalies of the returns with their counts: ``what``, ``count``, ``of``."""
    agencies, reporting = country.agencies, country.reporting
    own = (agencies["covered_by"] == "").to_numpy()
    # (A, years) months reported, in whichever return.
    there = (reporting.returned | (reporting.included_in > 0)).reshape(len(own), len(YEARS), MONTHS)
    months = there[own].sum(axis=2)
    state = agencies.loc[own, "state"].to_numpy()
    begins = (months > 0).argmax(axis=1)
    ever = (months > 0).any(axis=1)
    elsewhere = ~np.isin(state, list(GROUPS))
    illinois = state == ILLINOIS
    broken = months[state == ALABAMA][:, [YEARS.index(year) for year in ALABAMA_BREAKS]]
    sheriffs = agencies.loc[agencies["kind"] == SHERIFF, "row"].nunique()
    rows = [
        ("Agencies that never report", ~ever, ever.size),
        (
            "Agencies that begin to report after 2004, outside Alabama and Illinois",
            ever & elsewhere & (begins > 0),
            elsewhere.sum(),
        ),
        (
            "Illinois agencies that begin in 2010",
            illinois & ever & (begins == YEARS.index(ILLINOIS_BEGINS)),
            illinois.sum(),
        ),
        ("Alabama agency-years without a return, 2008-2011", broken == 0, broken.size),
        (
            "Agency-years with 1-11 months reported",
            (months > 0) & (months < MONTHS),
            months.size,
        ),
        ("Months included in the next return", reporting.included_in > 0, there[own].size),
        ("Agencies with quarterly figures", reporting.quarterly, ever.size),
        ("Agencies covered by their sheriff", ~own, own.size),
        ("Agencies missing from the crosswalk", ~agencies["in_crosswalk"], own.size),
        (
            "Counties represented only by a city police department",
            len(country.counties) - sheriffs,
            len(country.counties),
        ),
    ]
    table = [(what, int(np.sum(cells)), int(of)) for what, cells, of in rows]
    return pd.DataFrame(table, columns=["what", "count", "of"])


def _rollout_rows(country: Country) -> list[tuple[str, str, float, float, float]]:
    published, drawn = country.facts.activations, country.counties
    rows = [
        ("Rollout", "Counties", published["counties"].sum(), len(drawn)),
        ("Rollout", "People, 2010", published["population_2010"].sum(), drawn["population_2010"].sum()),
        (
            "Rollout",
            "States and the District of Columbia",
            published["state_fips"].nunique(),
            drawn["state"].nunique(),
        ),
    ]
    year, drawn_year = published["activation_date"].dt.year, drawn["activation_date"].dt.year
    for one in sorted(year.unique()):
        counted = published.loc[year == one, "counties"].sum()
        rows.append(("Rollout", f"Counties activated in {one}", counted, (drawn_year == one).sum()))
    return [(topic, what, float(a), float(b), np.nan) for topic, what, a, b in rows]


def _offense_rows(country: Country) -> list[tuple[str, str, float, float, float]]:
    years = country.facts.by_year.set_index("year").loc[list(YEARS)]
    drawn = country.crime.actual.astype(np.int64)
    there = country.reporting.returned | (country.reporting.included_in > 0)
    reported = drawn * there[:, :, None]
    rows = []
    for at, year in enumerate(YEARS):
        months = slice(MONTHS * at, MONTHS * (at + 1))
        rows.append(
            (
                "Index offenses",
                str(year),
                float(years[list(OFFENSES)].to_numpy()[at].sum()),
                float(drawn[:, months].sum()),
                float(reported[:, months].sum()),
            )
        )
    for k, name in enumerate(OFFENSES):
        rows.append(
            (
                "Offenses, 2004-2012",
                name.replace("_", " ").capitalize(),
                float(years[name].sum()),
                float(drawn[:, :, k].sum()),
                float(reported[:, :, k].sum()),
            )
        )
    return rows
