"""Estimates beside the truth: the truth of a sample, and what a method makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replication.analyses.analysis_context import AnalysisContext
from replication.cleaning import timing
from replication.core.errors import SpecError
from replication.core.files import write_csv, write_parquet
from replication.core.panel_builder import build_panel
from replication.core.saved_results import save
from replication.core.spec import parse_spec
from replication.estimators.estimate_spec import fit_spec
from studies.secure_communities_simulated.analyses.known_paths import known_paths
from studies.secure_communities_simulated.analyses.known_truth import known_truth
from studies.secure_communities_simulated.simulation.simulated_effects import NUMBERS, effects
from studies.secure_communities_simulated.simulation.simulation_settings import Truth

BASE = {
    "study": "made",
    "panel": "grown",
    "outcome": "log_rate_index",
    "unit": "fips",
    "time": "month",
    "cohort": "cohort",
    "anticipation": 1,
}
SPECS = {
    "two_way": {"estimator": "twfe", "treatment": "share_of_month", "anticipation": 0},
    "imputed": {"estimator": "imputation", "window": [-6, 30]},
}


@pytest.fixture
def context(tmp_path: Path) -> AnalysisContext:
    """Thirty counties whose log rate is the effect, a county level and a season: no noise."""
    dates = pd.to_datetime(["2009-03-10", "2010-06-20", "2011-02-01", None])
    date = dates[np.arange(30) % 4].to_numpy()
    truth = Truth("growing", -0.03)
    moved = effects(pd.DataFrame({"activation_date": date}), truth)
    y = moved + np.arange(30)[:, None] + np.sin(NUMBERS)[None, :]
    months = np.tile(NUMBERS, 30)
    frame = pd.DataFrame(
        {
            "fips": np.repeat(np.arange(30), NUMBERS.size),
            "month": months,
            "activation_date": np.repeat(date, NUMBERS.size),
            "log_rate_index": y.reshape(-1),
        }
    )
    frame["cohort"] = timing.cohort_first_full_month(frame["activation_date"])
    frame["share_of_month"] = timing.share_of_month(frame["activation_date"], months)
    write_parquet(tmp_path / "clean" / "grown.parquet", frame)
    settings = {
        "panel": ["grown"],
        "seed": [1],
        "share": [1.0],
        "effect": ["growing"],
        "size": [-0.03],
        "lead": [0],
        "two_way_bias": [0.0],
    }
    write_csv(tmp_path / "clean" / "settings.csv", pd.DataFrame(settings))
    for name, more in SPECS.items():
        spec = parse_spec({**BASE, "id": name, **more})
        result = fit_spec(build_panel(frame, spec), spec)
        save(result, spec, tmp_path / "tables" / "specs" / name, "stamp")
    return AnalysisContext(tmp_path / "clean", tmp_path / "tables")


def test_without_noise_the_estimate_is_what_the_method_makes_of_the_truth(context: AnalysisContext) -> None:
    table = known_truth(context, groups={"G": {"Two-way": "two_way", "Imputation": "imputed"}})
    assert table["estimate"].to_numpy() == pytest.approx(table["without_noise"].to_numpy())
    two_way, imputed = table.to_dict("records")
    # Imputation gives the mean effect; two-way effects weigh late gains of early counties badly.
    assert imputed["estimate"] == pytest.approx(imputed["truth"], abs=1e-10)
    assert two_way["estimate"] > two_way["truth"] + 0.01
    assert imputed["truth"] < -0.03


def test_paths_follow_the_truth(context: AnalysisContext) -> None:
    table = known_paths(context, panels={"P": {"Imputation": "imputed"}})
    wide = table.pivot(index="event_time", columns="series", values="estimate")
    assert list(wide.columns) == ["Imputation", "True effect"]
    after = wide[wide.index >= 0]
    assert after["Imputation"].to_numpy() == pytest.approx(after["True effect"].to_numpy())
    steps = np.diff(after["True effect"].loc[0:20])
    assert steps == pytest.approx(-0.03 / 12)


def test_other_outcomes_and_panels_are_refused(context: AnalysisContext) -> None:
    frame = context.frame("grown").assign(count=1.0)
    write_parquet(context.clean / "other.parquet", frame)
    for name, change, output in (
        ("counted", {"outcome": "count"}, "outcome is 'count'"),
        ("unknown", {"panel": "other"}, "was not simulated"),
    ):
        spec = parse_spec({**BASE, "id": name, **SPECS["two_way"], **change})
        result = fit_spec(build_panel(frame, spec), spec)
        save(result, spec, context.tables / "specs" / name, "stamp")
        with pytest.raises(SpecError, match=output):
            known_truth(context, groups={"G": {"one": name}})
