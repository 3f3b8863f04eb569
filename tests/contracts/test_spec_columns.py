"""``columns`` beside ``vary``, and the summary of a grid: one row per specification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import replication as rp
from replication.cli import main
from replication.core.errors import SpecError
from replication.core.spec import load_specs
from replication.core.spec_grid import expand

BASE: dict[str, Any] = {"id": "t", "outcome": "y", "estimator": "twfe"}
COLUMNS = [
    {"id": "plain", "label": "Unweighted"},
    {"id": "weighted", "label": "Weighted", "weights": "size"},
    {"estimator": "imputation", "inference.level": 0.9},
]


def test_columns_are_chosen_combinations() -> None:
    found = list(expand({**BASE, "columns": COLUMNS}))
    assert [one["id"] for one in found] == ["t__plain", "t__weighted", "t__imputation__0.9"]
    assert [one.get("title") for one in found] == ["Unweighted", "Weighted", None]
    assert [one.get("weights") for one in found] == [None, "size", None]
    assert found[2]["inference"] == {"level": 0.9}
    assert all("columns" not in one for one in found)


def test_every_combination_of_vary_is_taken_for_every_column() -> None:
    found = list(expand({**BASE, "columns": COLUMNS[:2], "vary": {"cluster": ["unit", "state"]}}))
    assert [one["id"] for one in found] == [
        "t__plain__unit",
        "t__plain__state",
        "t__weighted__unit",
        "t__weighted__state",
    ]
    assert [(one.get("weights"), one["cluster"]) for one in found][2:] == [
        ("size", "unit"),
        ("size", "state"),
    ]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": "a"}, "'columns' is a list of combinations"),
        ([], "'columns' is a list of combinations"),
        ([["weights"]], "'columns' is a list of combinations"),
        ([{"id": "a"}, {"id": "a", "weights": "size"}], "both get the id 't__a'"),
        ([{"vary": {"weights": ["size"]}}], "'vary' is inside 'columns'"),
        ([{"outcome.log": 1}], "which contains no keys"),
    ],
)
def test_columns_that_are_none_are_refused(columns: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        list(expand({**BASE, "columns": columns}))


def test_a_misspelled_key_of_a_column_is_refused_with_the_nearest(tmp_path: Path) -> None:
    place = tmp_path / "spec.yaml"
    place.write_text("id: t\noutcome: y\nestimator: twfe\ncolumns: [{wieghts: size}]\n", encoding="utf-8")
    with pytest.raises(SpecError, match="did you mean 'weights'"):
        load_specs(place)


def test_the_summary_has_one_row_per_specification(tmp_path: Path) -> None:
    frame = rp.simulated_panel(seed=1)
    frame.to_csv(tmp_path / "panel.csv", index=False)
    (tmp_path / "spec.yaml").write_text(
        "id: t\noutcome: y\nestimator: twfe\ncluster: state\n"
        "columns:\n  - {id: plain, label: Unweighted}\n  - {id: weighted, label: Weighted, weights: size}\n"
        "  - {id: bacon, label: Decomposition, estimator: goodman_bacon}\n"
        "vary: {sample.periods: [[1, 10], [2, 9]]}\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    command = ["estimate", str(tmp_path / "spec.yaml"), "--panel", str(tmp_path / "panel.csv")]
    assert main([*command, "--out", str(out), "--numbers-only"]) == 0
    summary = pd.read_csv(out / "summary.csv").set_index("id")
    assert len(summary) == 6
    assert list(summary.columns[:4]) == ["label", "estimator", "sample.periods", "weights"]
    assert summary.loc["t__weighted__2-9", "sample.periods"] == "2 9"
    for name, keys in (("plain", {}), ("weighted", {"weights": "size"})):
        for periods in ([1, 10], [2, 9]):
            fit = rp.estimate(
                frame, outcome="y", estimator="twfe", cluster="state", sample={"periods": periods}, **keys
            )
            row, direct = summary.loc[f"t__{name}__{periods[0]}-{periods[1]}"], fit.table.iloc[0]
            for column in ("estimate", "std_error", "p_value", "n_obs", "n_units", "n_clusters"):
                assert row[column] == pytest.approx(direct[column], rel=1e-14), column
