"""The balance test of saved estimates, as a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawn_panels import as_frame, draw_panel

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.kinds import analyze
from replication.core.errors import SpecError
from replication.core.panel_builder import build_panel
from replication.core.saved_results import save
from replication.core.spec import parse_spec
from replication.estimators.estimate_spec import estimate

SPECS = (
    {"id": "normal", "estimator": "roth_santanna", "window": [-1, 3]},
    {
        "id": "drawn",
        "estimator": "roth_santanna",
        "window": [-1, 3],
        "inference": {"method": "permutation", "draws": 19},
    },
    {"id": "twfe", "estimator": "twfe"},
)


@pytest.fixture
def context(tmp_path: Path) -> AnalysisContext:
    frame = as_frame(draw_panel(1))
    for data in SPECS:
        spec = parse_spec({**data, "outcome": "y"})
        save(estimate(build_panel(frame, spec), spec), spec, tmp_path / "specs" / spec.id)
    return AnalysisContext(tmp_path / "clean", tmp_path)


def test_rows_then_the_joint_tests(context: AnalysisContext) -> None:
    table = analyze(
        {
            "id": "a",
            "kind": "timing_balance",
            "specs": {"Plain": "normal", "Drawn": "drawn"},
            "rows": {"att": "Average", "event:0": "At adoption"},
        },
        context,
    )
    assert table["group"].tolist() == ["Plain"] * 4 + ["Drawn"] * 4
    assert table["label"].tolist()[:2] == ["Average", "At adoption"]
    assert table["label"].iloc[2] == "Largest |t| of all 7 estimands"
    assert table["label"].iloc[3].startswith("Wald test, ")
    saved = context.estimates("drawn").details.balance
    drawn = table[table["group"] == "Drawn"].set_index("label")
    assert drawn.loc["Average", "statistic"] == pytest.approx(saved.rows[0].statistic)
    assert drawn["fisher_p_value"].between(1 / 20, 1).all()
    plain = table[table["group"] == "Plain"]
    assert plain["fisher_p_value"].isna().all()
    assert plain["p_value"].between(0, 1).all()
    assert plain["statistic"].iloc[2] == pytest.approx(max(abs(line.statistic) for line in saved.rows))


def test_what_is_not_there_is_named(context: AnalysisContext) -> None:
    entry = {"id": "a", "kind": "timing_balance", "rows": {"event:9": "Late"}}
    with pytest.raises(SpecError, match=r"no row 'event:9'.*event:3"):
        analyze({**entry, "specs": {"Plain": "normal"}}, context)
    with pytest.raises(SpecError, match="'twfe' has no balance test"):
        analyze({**entry, "specs": {"Plain": "twfe"}}, context)
