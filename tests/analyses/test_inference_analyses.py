"""Analyses on top of saved estimates, on a made-up study."""

import pytest
from drawn_panels import as_frame, draw_panel

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.kinds import analyze
from replication.core.errors import SpecError
from replication.core.panel_builder import build_panel
from replication.core.saved_results import save
from replication.core.spec import parse_spec
from replication.estimators.estimate_spec import estimate


@pytest.fixture
def context(tmp_path):
    frame = as_frame(draw_panel(1, n_clusters=12)).rename(columns={"y": "y1"})
    frame = frame.assign(y2=frame["y1"] ** 2, y3=frame["y1"].abs())
    clean, tables = tmp_path / "clean", tmp_path / "tables"
    clean.mkdir()
    frame.to_parquet(clean / "panel.parquet")
    specs = [{"id": f"out{k}", "outcome": f"y{k}", "estimator": "twfe"} for k in (1, 2, 3)]
    specs.append({"id": "bacon", "outcome": "y1", "estimator": "goodman_bacon"})
    drawn = {"method": "permutation", "draws": 19}
    specs.append({"id": "mixed", "outcome": "y1", "estimator": "twfe", "inference": drawn})
    for data in specs:
        spec = parse_spec({**data, "cluster": "cluster", "title": f"Title of {data['id']}"})
        save(estimate(build_panel(frame, spec), spec), spec, tables / "specs" / spec.id)
    return AnalysisContext(clean, tables)


def test_stepdown_of_three_outcomes(context) -> None:
    table = analyze({"id": "a", "kind": "stepdown", "specs": ["out1", "out2", "out3"]}, context)
    assert table["outcome"].tolist() == ["y1", "y2", "y3"]
    # Draws of 12 clusters are coarse; single p-values from t(11) bound the adjusted ones nearly.
    assert (table["p_romano_wolf"] >= 0.6 * table["p_value"]).all()
    assert (table["p_romano_wolf"] <= table["p_holm"] * 1.4).all()


def test_comparisons_and_decomposition_give_the_same_estimate(context) -> None:
    pairs = analyze({"id": "a", "kind": "comparisons", "spec": "bacon"}, context)
    parts = analyze({"id": "b", "kind": "decomposition", "spec": "out1"}, context)
    two_way = parts.set_index("part").loc["twfe", "estimate"]
    assert (pairs["weight"] * pairs["estimate"]).sum() == pytest.approx(two_way)
    assert context.estimates("bacon").att[0] == pytest.approx(two_way)


def test_permutation_draws_have_one_actual_value(context) -> None:
    frame = analyze({"id": "a", "kind": "permuted", "specs": ["mixed"]}, context)
    assert frame["kind"].value_counts().to_dict() == {"draw": 19, "actual": 1}
    assert frame["panel"].unique().tolist() == ["Title of mixed"]
    actual = frame.loc[frame["kind"] == "actual", "estimate"].iloc[0]
    draws = frame.loc[frame["kind"] == "draw", "estimate"]
    p_value = context.estimates("mixed").rows("att")["p_value"].iloc[0]
    assert p_value == pytest.approx((1 + (draws.abs() >= abs(actual)).sum()) / 20)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "comparisons", "spec": "out1"}, "goodman_bacon"),
        ({"kind": "permuted", "specs": ["out1"]}, "no permutation draws"),
        ({"kind": "permuted", "specs": ["mixed"], "measure": "rank"}, "no measure 'rank'"),
        ({"kind": "stepdown", "specs": ["out9"]}, "did you mean"),
    ],
)
def test_refusals(context, entry, message) -> None:
    with pytest.raises(SpecError, match=message):
        analyze({"id": "a", **entry}, context)
