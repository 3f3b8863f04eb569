"""An estimator is one file: registered beside its function, found by name everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import replication as rp
import replication.estimators
from replication.cli import main
from replication.core import estimator_files, spec_schema
from replication.estimators import registry

MODULE = '''
from __future__ import annotations

import numpy as np

from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.registry import registered
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.row_table import EstimateRow


@registered("Difference of last and first period", takes=())
def last_less_first(panel: Panel, *, anticipation: int = 0, inference: Inference = ANALYTIC) -> Estimates:
    """Mean change of units that are ever treated, less that of the others."""
    change = panel.y[:, -1] - panel.y[:, 0]
    ever = panel.treated[:, -1]
    share = np.where(ever, 1 / ever.sum(), -1 / (~ever).sum())
    centered = change - np.where(ever, change[ever].mean(), change[~ever].mean())
    point = np.array([share @ change])
    found = PointEstimates(panel, "last_less_first", [EstimateRow("att")], point, inference)
    return from_scores(found, (share * centered)[:, None])
'''


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of estimators with one more than the package has."""
    folder = tmp_path / "estimators"
    folder.mkdir()
    for place in estimator_files.ESTIMATORS.glob("[!_]*"):
        (folder / place.name).symlink_to(place)
    (folder / "last_less_first.py").write_text(MODULE)
    monkeypatch.setattr(estimator_files, "ESTIMATORS", folder)
    monkeypatch.setattr(replication.estimators, "__path__", [*replication.estimators.__path__, str(folder)])
    estimator_files.estimator_names.cache_clear()
    spec_schema.schema.cache_clear()
    yield
    monkeypatch.undo()
    estimator_files.estimator_names.cache_clear()
    spec_schema.schema.cache_clear()
    registry._FOUND.pop("last_less_first", None)
    vars(rp).pop("last_less_first", None)


@pytest.mark.usefixtures("added")
def test_one_file_is_all_that_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = rp.simulated_panel(seed=5)
    last = frame[frame["time"] == 10].set_index("unit")
    change = last["y"] - frame[frame["time"] == 1].set_index("unit")["y"]
    expected = change[last["cohort"] > 0].mean() - change[last["cohort"] == 0].mean()
    found = rp.estimate(frame, outcome="y", estimator="last_less_first")
    assert rp.last_less_first(rp.read_panel(frame, outcome="y")).att == found.att
    assert found.att[0] == pytest.approx(expected, rel=1e-12)
    assert registry.ENTRIES["last_less_first"].keys == ("anticipation",)
    frame.to_csv(tmp_path / "panel.csv", index=False)
    command = ["estimate", "--panel", str(tmp_path / "panel.csv"), "--out", str(tmp_path / "out")]
    assert main([*command, "--outcome", "y", "--estimator", "last_less_first"]) == 0
    assert "Difference of last and first period" in capsys.readouterr().out
    assert main([*command, "--outcome", "y", "--estimator", "last_less_frist"]) == 2
    assert "did you mean 'last_less_first'" in capsys.readouterr().err
