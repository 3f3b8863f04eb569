"""Which specifications independent software checks, and which share a panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from drawn_panels import as_frame, draw_panel

from replication.core.panel_builder import build_panel
from replication.core.spec import parse_spec
from replication.estimators.estimate_spec import estimate
from replication.workflow import estimate_batch
from replication.workflow import estimate_step as step
from replication.workflow.check_step import check_study
from replication.workflow.estimate_step import estimate_study
from replication.workflow.project import StudyFolder

GRID = """
id: grid
study: made
panel: panel
outcome: y
estimator: twfe
cluster: cluster
vary:
  trends: [none, unit_linear]
"""
COUNTS = """
id: counts
study: made
panel: panel
outcome: count
estimator: poisson
trends: unit_linear
cluster: cluster
"""


def test_only_columns_that_are_shown_are_checked(tmp_path: Path) -> None:
    frame = as_frame(draw_panel(2, n_units=420, n_clusters=9))
    frame = frame.assign(count=(3 * frame["y"].abs()).round() + 1)
    specs = tmp_path / "studies" / "made" / "specs"
    specs.mkdir(parents=True)
    (specs / "grid.yaml").write_text(GRID)
    (specs / "counts.yaml").write_text(COUNTS)
    clean = tmp_path / "data_clean" / "made"
    clean.mkdir(parents=True)
    frame.to_parquet(clean / "panel.parquet")
    shown = {"columns": ["grid__unit_linear", "counts"]}
    study = StudyFolder("made", {"panels": ["panel"], "tables": [shown]}, specs.parent, tmp_path)
    assert estimate_study(study, tmp_path) == (3, 0)
    checked = check_study(study, tmp_path)
    assert checked["spec_id"].tolist() == ["grid__unit_linear"]
    assert checked["difference"].max() < 1e-8
    spec = parse_spec(
        {
            "id": "grid__unit_linear",
            "outcome": "y",
            "estimator": "twfe",
            "cluster": "cluster",
            "trends": "unit_linear",
        }
    )
    assert checked["ours"].iloc[0] == pytest.approx(estimate(build_panel(frame, spec), spec).att[0])


def test_neighbors_in_a_grid_share_their_panel(tmp_path: Path, monkeypatch: Any) -> None:
    specs = tmp_path / "studies" / "made" / "specs"
    specs.mkdir(parents=True)
    (specs / "grid.yaml").write_text(GRID.replace("  trends", "  weights: [w, null]\n  trends"))
    clean = tmp_path / "data_clean" / "made"
    clean.mkdir(parents=True)
    frame = as_frame(draw_panel(3, n_clusters=9))
    frame.assign(w=1.0 + frame["unit"] % 3).to_parquet(clean / "panel.parquet")
    built = []

    def counted(rows: Any, spec: Any) -> Any:
        built.append(spec.id)
        return build_panel(rows, spec)

    monkeypatch.setattr(estimate_batch, "build_panel", counted)
    study = StudyFolder("made", {"panels": ["panel"]}, specs.parent, tmp_path)
    assert step.estimate_study(study, tmp_path) == (4, 0)
    assert built == ["grid__w__none", "grid__none__none"]
    bundle = pd.read_csv(tmp_path / "tables" / "made" / "estimates.csv")
    assert bundle["spec_id"].tolist() == [
        "grid__w__none",
        "grid__w__unit_linear",
        "grid__none__none",
        "grid__none__unit_linear",
    ]
    assert bundle["estimate"].nunique() == 4


def test_a_key_without_effect_is_noted_in_a_study_and_remade_when_it_goes(tmp_path: Path) -> None:
    specs = tmp_path / "studies" / "made" / "specs"
    specs.mkdir(parents=True)
    clean = tmp_path / "data_clean" / "made"
    clean.mkdir(parents=True)
    as_frame(draw_panel(3, n_clusters=9)).to_parquet(clean / "panel.parquet")
    study = StudyFolder("made", {"panels": ["panel"]}, specs.parent, tmp_path)
    (specs / "grid.yaml").write_text(GRID + "window: [-2, 2]\n")
    assert step.estimate_study(study, tmp_path) == (2, 0)
    place = tmp_path / "tables" / "made" / "specs" / "grid__none" / "spec.yaml"
    output = "'window' has no effect: twfe does not use it"
    assert output in yaml.safe_load(place.read_text())["details"]["notes"]
    assert step.estimate_study(study, tmp_path) == (0, 2)
    (specs / "grid.yaml").write_text(GRID)
    assert step.estimate_study(study, tmp_path) == (2, 0)
    assert output not in place.read_text()
