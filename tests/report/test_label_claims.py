"""Labels are filled from specifications, and a label that contradicts its specification is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from replication.core.errors import SpecError
from replication.core.study_folder import read_description, study_folders
from replication.report.study_config import load_study

ROOT = Path(__file__).parents[2]
SPEC: dict[str, Any] = {
    "id": "example_spec",
    "study": "made",
    "panel": "panel",
    "outcome": "rate",
    "estimator": "twfe",
    "unit": "county_id",
    "time": "year",
    "cohort": "adopted",
    "cluster": "county_id",
}
STUDY: dict[str, Any] = {
    "id": "made",
    "title": "Made",
    "panels": ["panel"],
    "labels": {"county_id": "county", "people": "population of 2004", "state_fips": "state"},
    "outcomes": {"log_rate": {"label": "Rate", "unit": "log of offenses"}},
}


def made_study(folder: Path, label: str, changes: Mapping[str, Any], entry: Mapping[str, Any] = {}) -> Path:
    """A study with one table whose only column has this label."""
    place = folder / "made"
    (place / "specs").mkdir(parents=True)
    table = {
        "id": "main",
        "title": "Effects",
        "kind": "regression",
        "columns": [{"spec": "example_spec", "label": label}],
        **entry,
    }
    for name, data in (("study", STUDY), ("tables", [table]), ("specs/spec", {**SPEC, **changes})):
        (place / f"{name}.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    return place


BY_STATE = {"cluster": ["state_fips"]}
WEIGHTED = {"weights": "people"}
TRENDS = {"trends": ["unit_linear"]}
CROSSED = {"trends": ["state_fips_by_time"]}
NEVER = {"estimator": "callaway_santanna", "control_group": "never_treated"}
CLAIMS = [
    ("Clustered by state", BY_STATE, {}, "clusters by county"),
    ("Clustered at the county level", {}, BY_STATE, "clusters by state"),
    ("Clustered by state and by year", {"cluster": ["state_fips", "year"]}, BY_STATE, "clusters by state"),
    (
        "Conley, 200 km",
        {"inference": {"method": "conley"}},
        {"inference": {"method": "conley", "cutoff_km": 500}},
        "the cutoff 500 km",
    ),
    ("TWFE, unweighted", {}, WEIGHTED, "is weighted by population of 2004"),
    ("TWFE, weighted", WEIGHTED, {}, "is unweighted"),
    (
        "Weighted by population of 1980",
        {"weights": "population_of_1980"},
        WEIGHTED,
        "weighted by population of 2004",
    ),
    ("Index, log rate", {"outcome": "log_rate"}, {}, "no logarithm"),
    ("Never-treated control group", NEVER, {**NEVER, "control_group": "not_yet_treated"}, "not_yet_treated"),
    ("All not yet treated", {"estimator": "callaway_santanna"}, NEVER, "never_treated"),
    ("Sun-Abraham", {"estimator": "sun_abraham"}, {}, "uses twfe"),
    ("Poisson", {"estimator": "poisson"}, {}, "uses twfe"),
    ("Callaway-Sant'Anna", NEVER, {"estimator": "imputation"}, "uses imputation"),
    ("State by year", CROSSED, TRENDS, "has county and year fixed effects, county linear trends"),
    ("County and year fixed effects", {}, CROSSED, "has county and state-by-year fixed effects"),
    ("County trends", TRENDS, {}, "has no linear trends"),
    ("Without county trends", {}, TRENDS, "has county linear trends"),
    (
        "TWFE, 2004-2011",
        {"sample": {"years": [2004, 2011]}},
        {"sample": {"years": [2004, 2012]}},
        "2004-2012",
    ),
]


@pytest.mark.parametrize(("label", "true", "false", "says"), CLAIMS)
def test_a_label_that_contradicts_its_specification_is_refused(
    label: str, true: Mapping[str, Any], false: Mapping[str, Any], says: str, tmp_path: Path
) -> None:
    assert load_study(made_study(tmp_path / "true" / "studies", label, true)).tables
    with pytest.raises(SpecError) as caught:
        load_study(made_study(tmp_path / "false" / "studies", label, false))
    message = str(caught.value)
    assert message.startswith(f"studies/made/tables.yaml, table main: the label {label!r} says ")
    assert says in message
    assert "example_spec" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "entry",
    [
        {"notes": ["Standard errors are clustered at the state level."]},
        {"title": "Effects, clustered by state"},
        {"columns": [{"heading": "Clustered by state", "columns": ["example_spec"]}]},
        {
            "columns": [{"label": "Clustered by state"}],
            "panels": [{"heading": "A", "specs": ["example_spec"]}],
        },
        {"columns": [{}], "panels": [{"heading": "Clustered by state", "specs": ["example_spec"]}]},
        {
            "kind": "estimators",
            "columns": ["estimate"],
            "rows": [{"heading": "Clustered by state", "rows": ["example_spec"]}],
        },
    ],
)
def test_notes_titles_and_headings_are_held_as_well(entry: Mapping[str, Any], tmp_path: Path) -> None:
    assert load_study(made_study(tmp_path / "true" / "studies", "Rate", BY_STATE, entry)).tables
    with pytest.raises(SpecError, match="clusters by county"):
        load_study(made_study(tmp_path / "false" / "studies", "Rate", {}, entry))


def test_labels_of_analyses_and_notes_of_their_tables_are_held(tmp_path: Path) -> None:
    note = {"kind": "frame", "source": "analyses/found.csv", "columns": [{"name": "label"}]}
    place = made_study(tmp_path / "studies", "Rate", {}, {**note, "notes": ["Clustered by state."]})
    groups = {"Rate": [{"label": "TWFE", "spec": "example_spec"}]}
    analysis = {"id": "found", "kind": "collected", "groups": groups}
    (place / "analyses.yaml").write_text(yaml.safe_dump([analysis]), encoding="utf-8")
    with pytest.raises(SpecError, match=r"table main: the note 'Clustered by state\.' says"):
        load_study(place)
    groups["Rate"][0]["label"] = "Clustered by state"
    (place / "tables.yaml").write_text("[]", encoding="utf-8")
    (place / "analyses.yaml").write_text(yaml.safe_dump([analysis]), encoding="utf-8")
    with pytest.raises(
        SpecError, match=r"analyses.yaml, analysis found: the label 'Clustered by state' says"
    ):
        load_study(place)


@pytest.mark.parametrize(
    ("label", "changes", "filled"),
    [
        ("Clustered by {cluster}", {}, "Clustered by county"),
        ("Clustered by {cluster}", {"cluster": ["state_fips", "year"]}, "Clustered by state and year"),
        (
            "{weighting}, {years}",
            {**WEIGHTED, "sample": {"years": [2004, 2011]}},
            "Weighted by population of 2004, 2004-2011",
        ),
        ("{weighting}", {}, "Unweighted"),
        ("{estimator} of {outcome}", {"outcome": "log_rate"}, "Two-way fixed effects of Rate"),
        ("{fixed_effects}", {"trends": ["state_fips_by_time"]}, "County and state-by-year fixed effects"),
        ("{fixed_effects}", TRENDS, "County and year fixed effects, county linear trends"),
        ("Conley, {cutoff_km} km", {"inference": {"method": "conley", "cutoff_km": 500}}, "Conley, 500 km"),
    ],
)
def test_placeholders_are_filled_from_the_specification(
    label: str, changes: Mapping[str, Any], filled: str, tmp_path: Path
) -> None:
    place = made_study(tmp_path / "studies", label, changes, {"notes": [f"Note: {label}."]})
    study = load_study(place)
    assert study.tables[0].options["columns"][0]["label"] == filled
    assert study.tables[0].notes[0].lower() == f"note: {filled.lower()}."


def test_a_placeholder_that_nothing_fills_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SpecError, match=r"main: the text 'By \{clusters\}' .* .did you mean 'cluster'.*nothing fills"
    ):
        load_study(made_study(tmp_path / "a" / "studies", "By {clusters}", {}))
    entry = {
        "kind": "frame",
        "source": "clean/x.csv",
        "columns": [{"name": "label"}],
        "notes": ["By {cluster}."],
    }
    with pytest.raises(SpecError, match="speaks of no specification"):
        load_study(made_study(tmp_path / "b" / "studies", "", {}, entry))


def test_no_label_of_the_studies_contradicts_its_specification() -> None:
    for folder in study_folders(ROOT):
        assert load_study(folder).id == folder.name
    text = (ROOT / "studies" / "secure_communities" / "analyses" / "4_results_and_inference.yaml").read_text()
    assert text.count("Clustered by {cluster}") == 13
    analyses = read_description(ROOT / "studies" / "secure_communities").data["analyses"]
    inference = next(entry for entry in analyses if entry["id"] == "inference")
    labels = [one["label"] for one in inference["groups"]["Index, log rate"][:2]]
    assert labels == ["Clustered by state", "Clustered by county"]
