"""A project folder whose raw files are made, each in the exact layout of the real one.

The counties, agencies and offenses are those of the simulation; what the simulated study hands to
the cleaning as frames is written to files here: Return A masters 2004-2012 as zip archives, the
agency crosswalk as an R data file, activation days as a Stata file, Census populations, and the
American Community Survey. The manifest of the folder proves the made bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadr
import yaml

from replication.sources.acs import MEN_15_24, NAMES, NATION
from replication.sources.crosswalks import AGENCY_COLUMNS, FIRST_AGENCIES
from replication.sources.manifest import load_manifest, of_study
from studies.secure_communities_simulated.simulation.simulated_counties import populations
from studies.secure_communities_simulated.simulation.simulated_panel import (
    Country,
    draw_country,
    known_agencies,
    write_masters,
)
from studies.secure_communities_simulated.simulation.simulation_settings import Facts, Settings, read_facts

ROOT = Path(__file__).parents[2]
SOURCES = "secure_communities_return_a"
KINDS = {"sheriff": "sheriffs office", "city": "local police department"}
HISPANIC = 0.15
PUERTO_RICO = (72, 1)


def make_project(
    root: Path, settings: Settings, studies: Sequence[str], states: Sequence[int] = ()
) -> Country:
    """Everything that a run of the studies needs, below ``root``; returns what is true.

    ``states`` are FIPS codes; the Census and survey files have all of them, whatever is given.
    """
    for name in ("Snakefile", "config.yaml", "environment.yaml"):
        shutil.copy(ROOT / name, root / name)
    for name in ["data_raw/typed", *(f"studies/{study}" for study in studies)]:
        shutil.copytree(ROOT / name, root / name)
    # Recipes build on each other; a folder without study.yaml is no study.
    for path in (ROOT / "studies").rglob("*.py"):
        place = root / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    country = draw_country(settings, facts_of(states))
    files = {source.id: source.path for source in of_study(load_manifest(ROOT), SOURCES)}
    places = {name: root / "data_raw" / path for name, path in files.items()}
    for place in places.values():
        place.parent.mkdir(parents=True, exist_ok=True)
    for path in write_masters(country, root):
        year = int(path.stem[-4:])
        with zipfile.ZipFile(
            places[f"return_a_{year}"], "w", zipfile.ZIP_DEFLATED, compresslevel=1
        ) as archive:
            archive.write(path, path.name)
        path.unlink()
    write_crosswalk(places["agency_crosswalk"], country)
    write_days(places["activation_days"], country)
    write_census(places["census_intercensal"], country, range(2000, 2011))
    write_census(places["census_vintage_2019"], country, range(2010, 2020))
    write_acs(places["acs_2009"], country)
    write_manifest(root, places)
    return country


def facts_of(states: Sequence[int]) -> Facts:
    """The published facts, the rollout of some states only (of all if none is named)."""
    facts = read_facts(ROOT / "data_raw" / "typed")
    rollout = facts.activations
    return replace(facts, activations=rollout[rollout["state_fips"].isin(states)]) if states else facts


def write_manifest(root: Path, places: dict[str, Path]) -> None:
    """The project's manifest with the proofs of the made files in place of the real ones."""
    manifest = yaml.safe_load((ROOT / "data_raw" / "sources.yaml").read_text(encoding="utf-8"))
    for group in manifest["groups"]:
        for file in group["files"]:
            if place := places.get(file["id"]):
                content = place.read_bytes()
                file.pop("sha256", None)
                file["size"] = len(content)
                if "git_blob" in file:
                    head = f"blob {len(content)}\0".encode()
                    file["git_blob"] = hashlib.sha1(head + content).hexdigest()
                else:
                    file["sha256"] = hashlib.sha256(content).hexdigest()
    text = yaml.safe_dump(manifest, sort_keys=False)
    (root / "data_raw" / "sources.yaml").write_text(text, encoding="utf-8")


def write_crosswalk(path: Path, country: Country) -> None:
    """The agencies that are known, and as many others, without a county, as the file has."""
    known = known_agencies(country)
    codes = range(max(FIRST_AGENCIES - len(known), 0))
    others = pd.DataFrame({"ori": [f"ZZ{code:05d}" for code in codes]})
    table = pd.concat([known, others], ignore_index=True)
    table["agency_type"] = table["agency_type"].replace(KINDS).fillna("special jurisdiction")
    table = table.assign(
        ori9=table["ori"] + "00",
        state_fips=table["fips"] // 1000,
        place_fips=np.arange(len(table)) % 99_999,
        name="MADE",
        longitude=-9.0,
        latitude=-9.0,
    )
    headings = {short: long for long, short in AGENCY_COLUMNS.items()}
    pyreadr.write_rds(str(path), table[list(headings)].rename(columns=headings))


def write_days(path: Path, country: Country) -> None:
    """Counties by the years 2006-2021; the date shows only from the first active year on."""
    counties = country.counties[["fips", "state", "activation_date"]]
    long = counties.merge(pd.DataFrame({"year": np.arange(2006.0, 2022.0)}), how="cross")
    date = long["activation_date"].where(long["year"] >= long["activation_date"].dt.year)
    pd.DataFrame(
        {
            "statefips": long["state"],
            "year": long["year"],
            "county": long["fips"],
            "date_secure": date.astype("datetime64[ms]"),
            "year_secure": date.dt.year,
        }
    ).to_stata(path, write_index=False)


def write_census(path: Path, country: Country, years: range) -> None:
    """Counties and the sums of their states; years outside 2004-2012 are as the nearest one."""
    people = populations(country.counties, country.facts)
    wide = people.pivot(index="fips", columns="year", values="population")
    nearest = [min(max(year, wide.columns.min()), wide.columns.max()) for year in years]
    names = [f"POPESTIMATE{year}" for year in years]
    counties = wide[nearest].set_axis(names, axis=1).reset_index()
    counties = counties.assign(SUMLEV=50, STATE=counties["fips"] // 1000)
    counties["COUNTY"] = counties["fips"] % 1000
    states = counties.groupby("STATE")[names].sum()
    every = pd.Index(country.facts.regions["state_fips"], name="STATE")
    states = states.reindex(every, fill_value=0).reset_index().assign(SUMLEV=40, COUNTY=0)
    table = pd.concat([states, counties], ignore_index=True).assign(STNAME="State", CTYNAME="Made")
    head = ["SUMLEV", "STATE", "COUNTY", "STNAME", "CTYNAME"]
    table = table.sort_values(["STATE", "COUNTY"])[[*head, *names]]
    table.to_csv(path, index=False, encoding="latin-1")


def write_acs(path: Path, country: Country) -> None:
    """Every county with the same Hispanic share; Puerto Rico makes up the nation."""
    people = country.counties["population_2010"].to_numpy()
    people = np.floor(people * min(1.0, 0.98 * NATION[2009] / people.sum())).astype(int)
    rows = [["state", "county", *NAMES, *MEN_15_24]]
    keys = [(fips // 1000, fips % 1000) for fips in country.counties["fips"]]
    rest = NATION[2009] - int(people.sum())
    for (state, county), total in zip([*keys, PUERTO_RICO], [*people.tolist(), rest], strict=True):
        hispanic = round(HISPANIC * total)
        groups = [total, total // 2, total // 10, hispanic]
        rows.append([f"{state:02d}", f"{county:03d}", *map(str, groups), *["10"] * len(MEN_15_24)])
    path.write_text(json.dumps(rows), encoding="utf-8")
