"""A study with made-up numbers, saved on disk as the pipeline saves it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from replication.core.details import Details, EventSupport, JointTest
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.saved_results import save
from replication.core.spec import Inference, Spec, parse_spec
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.row_table import EstimateRow
from replication.report.folders import Folders
from replication.report.study_config import StudyConfig, parse_study

N, T = 60, 9
EVENTS = list(range(-4, 4))
BASE = {"study": "made", "panel": "county_year", "unit": "fips", "time": "year", "cluster": "state"}


def example_panel(seed: int, spec: Spec) -> Panel:
    rng = np.random.default_rng(seed)
    return Panel(
        y=rng.normal(5.0, 1.0, (N, T)),
        units=np.arange(N),
        periods=np.arange(2004, 2004 + T),
        cohort=rng.choice([0, 2008, 2009, 2010], N),
        weight=np.ones((N, T)),
        clusters={"state": np.arange(N) % 12},
        weighted=spec.weights is not None,
        outcome=spec.outcome,
        spec_id=spec.id,
        study=spec.study,
        notes=("3 units with a missing outcome in at least one period were dropped",) if seed % 2 else (),
    )


def example_result(seed: int, spec: Spec, *, path: bool) -> Estimates:
    rng = np.random.default_rng(seed)
    panel = example_panel(seed, spec)
    rows = [EstimateRow("att"), EstimateRow("coef:l_police")]
    if path:
        rows += [EstimateRow("event", event_time=event) for event in EVENTS]
    estimate = rng.normal(-0.03, 0.02, len(rows))
    scores = rng.normal(0, 0.02 / np.sqrt(N), (N, len(rows)))
    details = Details(
        absorbed=("unit", "time"),
        linear_trends=("unit",) if "trends" in spec.id else (),
        mean_outcome=float(panel.y.mean()),
        mean_pre=float(panel.y[~panel.treated].mean()),
    )
    windowed = spec.estimator == "event_study" and spec.window is not None
    if path:
        place = rows.index(EstimateRow("event", event_time=-1))
        estimate[place], scores[:, place] = 0.0, 0.0
        details = replace(
            details,
            control_group="not_yet_treated",
            endpoints="bin" if spec.estimator == "event_study" else "",
            base_period="universal",
            average="simple",
            pretrend=JointTest("F", 3, 2.5, 0.4753),
            support=tuple(EventSupport(e, 4, 900 - 37 * abs(e)) for e in EVENTS),
            extras=dict.fromkeys(("pools_earlier", "pools_later"), True) if windowed else {},
        )
    inference = Inference(draws=199, seed=7)
    found = PointEstimates(panel, spec.estimator, rows, estimate, inference, "t", details=details)
    return from_scores(found, scores)


def example_spec(name: str, estimator: str, **more: Any) -> Spec:
    return parse_spec({**BASE, "id": name, "estimator": estimator, "outcome": "log_rate_a", **more})


SPECS = [
    example_spec("plain", "twfe"),
    example_spec("plain_trends", "twfe", trends="unit_linear"),
    example_spec("weighted", "twfe", weights="population_2004", title="R&D 100% under_score #1"),
    example_spec("weighted_trends", "twfe", weights="population_2004", outcome="rate_b"),
    example_spec("controlled", "twfe", covariates=["l_police", "poverty"]),
    example_spec("events_twfe", "event_study", window=[-4, 3]),
    example_spec("events_cs", "callaway_santanna"),
    example_spec("events_b", "event_study", outcome="rate_b", weights="population_2004"),
]


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with the results and cleaning outputs of one study."""
    root = tmp_path_factory.mktemp("project")
    for seed, spec in enumerate(SPECS):
        result = example_result(seed, spec, path=spec.id.startswith("events"))
        save(result, spec, root / "tables" / "made" / "specs" / spec.id)
    write_sources(Folders.under(root, "made"))
    return root


def write_sources(folders: Folders) -> None:
    folders.clean.mkdir(parents=True)
    (folders.raw / "typed").mkdir(parents=True)
    engine = pd.DataFrame(
        {
            "spec_id": ["plain", "plain_trends"],
            "term": "att",
            "ours": 0.1,
            "second": 0.1,
            "difference": [3.2e-13, 0.0],
        }
    )
    engine.to_csv(folders.tables / "second_engine.csv", index=False)
    flow = pd.DataFrame(
        {
            "step": [1, 2],
            "rule": ["Codes 777 & 999 are statewide: dropped", "Coverage < 80%"],
            "counties_before": [3143, 3100],
            "counties_after": [3100, 2049],
            "share": [0.98632, 0.661],
            "difference": [0.1, -0.31],
        }
    )
    flow.to_csv(folders.clean / "sample_flow.csv", index=False)
    dates = pd.DataFrame(
        {
            "date": ["2008-10-27", "2009-06-01", "2010-08-10", "2011-05-17", "2013-01-22"],
            "counties": [1, 80, 546, 1302, 3143],
            "share": [0.013, 0.15, 0.4, 0.6, 1.0],
        }
    )
    dates.to_csv(folders.clean / "rollout.csv", index=False)
    (folders.raw / "typed" / "published.csv").write_text(
        'outcome,specification,estimate,std_error\na,"one",0.100,0.0342\na,"two",-0.0290,0.0236\n'
    )


@pytest.fixture(scope="session")
def folders(root: Path) -> Folders:
    return Folders.under(root, "made")


@pytest.fixture
def description() -> dict[str, Any]:
    """The plain data of ``study.yaml``; a fresh copy for each test."""
    data: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "study.yaml").read_text())
    return data


@pytest.fixture
def study(description: dict[str, Any]) -> StudyConfig:
    return parse_study(description)
