"""Analyses of saved results: without each group, robust intervals, detectable effects, rows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_panels import as_frame, draw_panel
from scipy import stats

from replication.analyses import pretrends
from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.detectable import effect_for, percent_fall
from replication.analyses.kinds import analyze
from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.core.panel_builder import build_panel
from replication.core.saved_results import save
from replication.core.spec import parse_spec
from replication.estimators.estimate_spec import estimate
from replication.inference.romano_wolf import romano_wolf
from replication.inference.sensitivity import breakdown_value, parallel_trends_interval, sensitivity_table


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    artificial = as_frame(draw_panel(4, n_clusters=12)).rename(columns={"y": "y1"})
    state = artificial["cluster"].map(lambda code: f"S{code:02d}")
    return artificial.assign(
        y2=artificial["y1"] + artificial["unit"] % 5,
        y3=artificial["y1"].abs(),
        state=state,
        big=artificial["unit"] < 20,
    )


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame) -> AnalysisContext:
    folder = tmp_path_factory.mktemp("study")
    (folder / "clean").mkdir()
    frame.to_parquet(folder / "clean" / "panel.parquet")
    drawn = {"method": "permutation", "draws": 39}
    specs: list[dict[str, Any]] = [
        {"id": "first", "outcome": "y1", "estimator": "twfe"},
        {"id": "second", "outcome": "y2", "estimator": "twfe"},
        {"id": "third", "outcome": "y3", "estimator": "twfe"},
        {"id": "drawn", "outcome": "y1", "estimator": "twfe", "inference": drawn},
        {
            "id": "path",
            "outcome": "y1",
            "estimator": "callaway_santanna",
            "window": [-3, 2],
            "control_group": "never_treated",
        },
        {"id": "no_path", "outcome": "y1", "estimator": "imputation", "window": [-3, 2]},
    ]
    for data in specs:
        spec = parse_spec({**data, "cluster": "cluster"})
        place = folder / "tables" / "specs" / spec.id
        save(estimate(build_panel(frame, spec), spec), spec, place)
    return AnalysisContext(folder / "clean", folder / "tables")


def run(context: AnalysisContext, kind: str, **options: Any) -> pd.DataFrame:
    return analyze({"id": "a", "kind": kind, **options}, context)


def test_leaving_out_is_estimating_the_rest(context: AnalysisContext, frame: pd.DataFrame) -> None:
    found = run(
        context,
        "leave_out",
        spec="first",
        by="state",
        heading="One",
        everyone="All",
        everyone_heading="Whole",
        others={"Big": {"big": [True]}, "Nobody": {"state": ["S99"]}},
    ).set_index("label")
    assert found.index.tolist() == ["All", *sorted(frame["state"].unique()), "Big", "Nobody"]
    assert found["group"].unique().tolist() == ["Whole", "One", "Without other groups"]
    spec = context.spec("first")
    for label, kept in (("S03", frame["state"] != "S03"), ("Big", ~frame["big"])):
        again = estimate(build_panel(frame[kept], spec), spec).rows("att").iloc[0]
        assert found.loc[label, "estimate"] == pytest.approx(again["estimate"])
        assert found.loc[label, "conf_high"] == pytest.approx(again["conf_high"])
        gone = frame.loc[~kept, "unit"].nunique()
        assert found.loc[label, "units_left_out"] == gone
    assert found.loc["Nobody", "units_left_out"] == 0
    assert found.loc["Nobody", "estimate"] == found.loc["All", "estimate"]


def test_robust_intervals_name_their_panels(context: AnalysisContext) -> None:
    found = run(context, "robust_intervals", panels={"Index": "path"})
    assert found["panel"].unique().tolist() == ["Index: relative magnitudes", "Index: smoothness"]
    plain = parallel_trends_interval(context.estimates("path")).iloc[0]
    first = found[found["m"].isna()]
    assert len(first) == 2
    assert (first["conf_low"] == plain["conf_low"]).all()
    assert (found["spec_id"] == "path").all()


def test_pretrends_keep_paths_that_cannot_be_used(context: AnalysisContext) -> None:
    found = run(context, "pretrends", groups={"G": {"Usable": "path", "Not": "no_path"}})
    assert found["label"].tolist() == ["Usable", "Not"]
    estimates = context.estimates("path")
    assert found["pretrend_p_value"].iloc[0] == estimates.details.pretrend.p_value
    assert found["breakdown_relative_magnitudes"].iloc[0] == pytest.approx(
        breakdown_value(estimates), abs=1e-5
    )
    assert "reference" in found["note"].iloc[1]
    assert np.isnan(found["breakdown_relative_magnitudes"].iloc[1])


def test_rows_of_a_path_are_kept_until_its_estimates_change(
    context: AnalysisContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same frame whether its rows are made, kept, or made again beside a file that is damaged."""
    own = AnalysisContext(context.clean, shutil.copytree(context.tables / "specs", tmp_path / "specs").parent)
    groups = {"G": {"Usable": "path", "Not": "no_path"}}
    made: list[str] = []

    def counted(results: list[Estimates]) -> pd.DataFrame:
        made.extend(str(one.table["spec_id"].iloc[0]) for one in results)
        return sensitivity_table(results)

    monkeypatch.setattr(pretrends, "sensitivity_table", counted)
    first = run(own, "pretrends", groups=groups)
    pd.testing.assert_frame_equal(run(own, "pretrends", groups=groups), first, check_exact=True)
    assert made == ["path", "no_path"]
    record = own.tables / "specs" / "path" / "vcov.csv"
    record.write_text(record.read_text().rstrip("\n"))
    pd.testing.assert_frame_equal(run(own, "pretrends", groups=groups), first, check_exact=True)
    assert made == ["path", "no_path", "path"]
    (own.tables / "analyses" / ".pretrends.json").write_text('{"path": 1')
    pd.testing.assert_frame_equal(run(own, "pretrends", groups=groups), first, check_exact=True)
    assert made[3:] == ["path", "no_path"]


def test_detectable_effects(context: AnalysisContext) -> None:
    found = run(
        context,
        "detectable",
        groups={"G": {"One": "first", "Two": "second"}},
        permutations={"first": "drawn"},
    ).set_index("label")
    std_error = context.estimates("first").att[1]
    assert found.loc["One", "estimate"] == pytest.approx(2.8015852 * std_error)
    assert found.loc["One", "percent"] == pytest.approx(100 * (1 - np.exp(-2.8015852 * std_error)))
    draws = context.estimates("drawn").details.permutation.estimates
    assert found.loc["One", "by_permutation"] == effect_for(draws, 0.8, 0.95)
    assert np.isnan(found.loc["Two", "by_permutation"])
    assert found["size"].tolist() == pytest.approx([0.05, 0.05])
    with pytest.raises(SpecError, match="no permutation draws"):
        run(context, "detectable", groups={"G": {"One": "first"}}, permutations={"first": "third"})


def test_effect_for_normal_draws_is_the_usual_one() -> None:
    draws = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    assert effect_for(draws.tolist(), 0.8, 0.95) == pytest.approx(2.8016, abs=1e-3)
    skewed = np.concatenate([draws, draws - 3])
    shift = effect_for(skewed.tolist(), 0.8, 0.95)
    critical = np.quantile(np.abs(skewed), 0.95)
    assert min(np.mean(skewed + shift >= critical), np.mean(skewed - shift <= -critical)) >= 0.799


def test_fall_of_a_log_effect() -> None:
    assert percent_fall(np.log(2)) == pytest.approx(50)


def test_collected_rows_and_what_a_permutation_has_not(context: AnalysisContext) -> None:
    entries = [
        {"label": "By cluster", "spec": "first", "assumes": "little"},
        {"label": "Permuted", "spec": "drawn"},
        {"label": "Two later", "spec": "path", "row": "event:2"},
    ]
    found = run(context, "collected", groups={"G": entries}).set_index("label")
    assert found.loc["By cluster", "estimate"] == found.loc["Permuted", "estimate"]
    assert found.loc["By cluster", "std_error"] == context.estimates("first").att[1]
    assert found.loc["Permuted", ["std_error", "conf_low", "conf_high"]].isna().all()
    assert 0 < found.loc["Permuted", "p_value"] <= 1
    events = context.estimates("path").rows("event").set_index("event_time")
    assert found.loc["Two later", "estimate"] == events.loc[2, "estimate"]
    assert found["assumes"].tolist()[0] == "little"
    assert found["n_clusters"].notna().all()
    with pytest.raises(SpecError, match="no row 'event:9'"):
        run(context, "collected", groups={"G": [{"label": "x", "spec": "path", "row": "event:9"}]})


def test_families_are_adjusted_apart(context: AnalysisContext) -> None:
    found = run(context, "stepdown", families=[["first", "second"], ["third"]])
    assert found["family"].tolist() == [1, 1, 2]
    spec, panel = context.spec("third"), context.frame("panel")
    alone = romano_wolf([estimate(build_panel(panel, spec), spec)], spec.inference)
    assert found["p_romano_wolf"].iloc[2] == alone["p_romano_wolf"].iloc[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "nowhere"}, "has no column 'nowhere'"),
        ({"by": "time"}, "units change their 'time'"),
    ],
)
def test_columns_that_name_no_units_are_refused(
    context: AnalysisContext, options: dict[str, str], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        run(context, "leave_out", spec="first", heading="One", **options)


def test_files_lie_apart_from_the_tables(tmp_path: Path, frame: pd.DataFrame) -> None:
    """A table of the same name writes into the folder above."""
    from replication.workflow.analysis_step import analyze_study
    from replication.workflow.project import StudyFolder

    (tmp_path / "data_clean" / "made").mkdir(parents=True)
    frame.to_parquet(tmp_path / "data_clean" / "made" / "panel.parquet")
    spec = parse_spec({"id": "one", "outcome": "y1", "estimator": "twfe", "cluster": "cluster"})
    place = tmp_path / "tables" / "made" / "specs" / "one"
    save(estimate(build_panel(frame, spec), spec), spec, place)
    entry = {"id": "rows", "kind": "collected", "groups": {"G": [{"label": "a", "spec": "one"}]}}
    study = StudyFolder("made", {"panels": ["panel"], "analyses": [entry]}, tmp_path, tmp_path)
    assert analyze_study(study, tmp_path) == (1, 0)
    assert analyze_study(study, tmp_path) == (0, 1)
    assert study.analysis_outputs() == ["tables/made/analyses/rows.csv"]
    assert (tmp_path / study.analysis_outputs()[0]).is_file()
