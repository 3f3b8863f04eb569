"""The list of outputs in the documentation names files that exist, and is up to date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from replication.core.errors import SpecError
from replication.core.spec import load_specs
from replication.workflow.readme import OUTPUTS, headline_study, output_listing, replaced_between_markers

ROOT = Path(__file__).parents[2]
STUDY = """id: {0}
title: A study
description: Two studies with a headline.
panels: []
headline: {{rows: {{A: a}}, columns: {{B: b}}, copies: []}}
"""


def test_the_list_names_the_file_that_makes_each_output() -> None:
    lines = output_listing(ROOT).splitlines()[2:]
    makers = [re.findall(r"`([^`]+)`", line)[-1] for line in lines]
    assert len(makers) > 50
    assert [name for name in makers if not (ROOT / name).is_file()] == []


def test_the_list_in_the_documentation_is_up_to_date() -> None:
    text = (ROOT / OUTPUTS).read_text(encoding="utf-8")
    assert replaced_between_markers(text, "list", output_listing(ROOT)) == text


def test_a_lost_marker_is_refused() -> None:
    with pytest.raises(SpecError, match=r"docs/outputs\.md has lost its markers"):
        replaced_between_markers("nothing", "list", "")


def test_the_list_names_sources_from_the_root_on() -> None:
    lines = output_listing(ROOT).splitlines()[2:]
    sources = {name for line in lines for name in re.findall(r"`([^`]+\.csv)`", line)}
    assert "tables/secure_communities_simulated/analyses/known_paths_SIMULATED.csv" in sources
    places = ("tables/", "data_clean/", "data_raw/")
    assert [name for name in sources if not name.startswith(places)] == []
    assert not any("/tables/" in name or "//" in name for name in sources)


def test_the_headline_names_specifications_and_outputs_of_its_study() -> None:
    study = headline_study(ROOT)
    shown = study.config["headline"]
    known = {spec.id for path in study.spec_files for spec in load_specs(path)}
    requested = {
        pattern.format(part) for pattern in shown["columns"].values() for part in shown["rows"].values()
    }
    assert len(requested) == len(shown["columns"]) * len(shown["rows"])
    assert requested <= known
    outputs = {name.replace(f"/{study.id}/", "/") for name in study.table_outputs() + study.figure_outputs()}
    assert set(shown["copies"]) <= outputs


def test_two_headlines_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "studies" / name).mkdir(parents=True)
        (tmp_path / "studies" / name / "study.yaml").write_text(STUDY.format(name))
    with pytest.raises(SpecError, match=r"2 have the key 'headline' in their study\.yaml \(a, b\)"):
        headline_study(tmp_path)
