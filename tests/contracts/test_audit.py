"""The audit: what it finds on a panel whose truth is known, and that its page holds everything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import replication as rp
from replication.audit import design_sections
from replication.audit.checklist import setup_of
from replication.audit.design_sections import (
    cohorts,
    comparisons,
    decomposition,
    effective_clusters,
    other_test,
)
from replication.audit.estimate_sections import every_estimator
from replication.audit.robustness_sections import left_out, other_inference
from replication.audit.run_audit import audit, audit_text, write_audit
from replication.cli import main
from replication.core.panel_builder import build_panel
from replication.core.spec import parse_spec
from replication.display.formatting import fixed

TITLES = {
    "Cohorts",
    "Comparison groups by event time",
    "Clusters",
    "What the TWFE estimator averages",
    "All estimators side by side",
    "Event study, pre-trends and their power",
    "Sensitivity to violations of parallel trends",
    "Inference by other methods",
    "Leave one out",
    "Specification curve",
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return rp.simulated_panel(seed=2)


def test_every_item_of_the_checklist_is_there(frame: pd.DataFrame) -> None:
    found = audit(rp.read_panel(frame, outcome="y", cluster="state", weights="size"), "Audit")
    assert {section.title for section in found.sections} == TITLES
    side_by_side = next(one for one in found.sections if one.title.startswith("All estimators")).table
    assert side_by_side is not None
    assert side_by_side["estimate"].notna().all()
    own = rp.estimate(frame, outcome="y", cluster="state", weights="size").att[0]
    row = side_by_side[side_by_side["estimator"].str.contains("Callaway")]
    assert row["estimate"].iloc[0] == pytest.approx(own, abs=5e-5)  # the table has four decimals
    assert any("TWFE assigns negative weights" in warning for warning in found.warnings)


@pytest.mark.parametrize("cohort", [0, 40])
def test_a_panel_without_adoption_is_refused(frame: pd.DataFrame, cohort: int) -> None:
    with pytest.raises(rp.InputError, match=r"No unit in the sample adopts treatment.*'cohort'"):
        audit(rp.read_panel(frame.assign(cohort=cohort), outcome="y"), "Audit")


def test_comparisons_are_counted(frame: pd.DataFrame) -> None:
    table = design_sections.comparisons(rp.read_panel(frame, outcome="y")).table
    assert table is not None
    by_time = table.set_index("event time")
    assert by_time.loc[0, "treated units"] == 45
    # Cohorts 4, 6 and 8 have 15 units each: in period 8 only the 15 never treated are untreated.
    assert by_time.loc[0, "fewest not-yet-treated units"] == 15
    assert by_time.loc[6, "treated units"] == 15


def test_few_treated_clusters_and_a_pre_trend_are_warned_of(frame: pd.DataFrame) -> None:
    few = frame[(frame["cohort"] == 0) | (frame["state"] < 2)]
    drift = few["y"] + np.where(few["cohort"] > 0, 0.4 * few["time"], 0.0)
    warnings = audit(rp.read_panel(few.assign(y=drift), outcome="y", cluster="state"), "Audit").warnings
    assert any("clusters contain treated units" in warning for warning in warnings)
    assert any("pre-trend test" in warning for warning in warnings)


def test_the_command_writes_a_page_with_its_parts(
    frame: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame.to_csv(tmp_path / "panel.csv", index=False)
    command = [
        "audit",
        "--panel",
        str(tmp_path / "panel.csv"),
        "--outcome",
        "y",
        "--out",
        str(tmp_path / "a"),
    ]
    assert main([*command, "--cluster", "state"]) == 0
    shown = capsys.readouterr().out
    assert "What cannot be concluded" in shown
    page = (tmp_path / "a" / "index.html").read_text()
    for title in TITLES:
        assert title in page
    for link in [part.split('"')[0] for part in page.split('href="')[1:] + page.split('src="')[1:]]:
        assert (tmp_path / "a" / link).is_file()


def test_checks_that_find_nothing_are_listed_and_counted(frame: pd.DataFrame) -> None:
    found = audit(rp.read_panel(frame, outcome="y", cluster="state"), "Audit")
    assert "every cohort has at least 5 units" in found.passed
    assert any("pre-trend test of Borusyak-Jaravel-Spiess" in words for words in found.passed)
    counts = f"The checklist raises {len(found.warnings)} warnings; {len(found.passed)} checks passed"
    assert found.found[-1].startswith(counts)
    assert "Passed: no unit is treated in every period" in audit_text(found)
    early = audit(rp.read_panel(frame.assign(cohort=frame["cohort"].replace(4, 1)), outcome="y"), "Audit")
    assert any("15 units are treated in every period" in warning for warning in early.warnings)
    assert "no unit is treated in every period" not in early.passed


def test_a_long_table_is_folded_behind_its_ends_and_the_time_of_adoption(tmp_path: Path) -> None:
    panel = rp.read_panel(rp.simulated_panel(seed=2, n_periods=14), outcome="y")
    section = design_sections.comparisons(panel)
    assert section.table is not None
    assert section.short is not None
    times = section.short["event time"].tolist()
    assert {section.table["event time"].min(), -1, 0, section.table["event time"].max()} <= set(times)
    assert len(times) < len(section.table) / 2
    write_audit(audit(panel, "Audit"), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f"<summary>All {len(section.table)} rows</summary>" in page
    written = pd.read_csv(tmp_path / "comparison_groups_by_event_time.csv")
    assert len(written) == len(section.table)


def test_each_cluster_or_unit_is_left_out_where_they_are_few(frame: pd.DataFrame) -> None:
    by_unit = dict(left_out(rp.read_panel(frame, outcome="y")))
    assert len(by_unit) == 4 + 60
    assert (~by_unit["unit 7"]).sum() == 1
    by_cluster = dict(left_out(rp.read_panel(frame, outcome="y", cluster="state")))
    assert len(by_cluster) == 4 + 20
    assert all((~kept).sum() == 3 for name, kept in by_cluster.items() if name.startswith("state "))
    assert "state 17" in by_cluster
    many = rp.simulated_panel(seed=2, n_units=61)
    assert len(dict(left_out(rp.read_panel(many, outcome="y")))) == 4


def test_a_p_value_at_the_floor_of_its_draws_is_marked(frame: pd.DataFrame) -> None:
    section = other_inference(*setup(frame))
    assert section.table is not None
    shown = dict(section.table.itertuples(index=False))
    # 499 draws, none as extreme: (1 + 0) / 500 in a permutation test, twice that in an equal-tailed one.
    least = "\N{LESS-THAN OR EQUAL TO}"
    assert shown == {"analytic": "< 0.001", "wild": f"{least} 0.004", "permutation": f"{least} 0.002"}
    noise = frame.assign(y=np.random.default_rng(3).normal(size=len(frame)))
    table = other_inference(*setup(noise)).table
    assert table is not None
    assert not table["p-value"].str.contains("[<\N{LESS-THAN OR EQUAL TO}]").any()


def setup(frame: pd.DataFrame) -> tuple[rp.Panel, rp.Spec]:
    """The panel, and the setup of an audit without options."""
    panel = rp.read_panel(frame, outcome="y", cluster="state")
    return panel, setup_of(panel)


def test_a_panel_that_cannot_carry_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"unit": [1, 1], "time": [1, 2], "cohort": [0, 0]}).to_csv(tmp_path / "p.csv", index=False)
    assert (
        main(["audit", "--panel", str(tmp_path / "p.csv"), "--outcome", "y", "--out", str(tmp_path / "a")])
        == 2
    )
    assert "y" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_controls_at_an_event_time_are_untreated_and_of_other_cohorts() -> None:
    cohort = {"a": 3, "b": 3, "c": 5, "d": np.nan}
    frame = pd.DataFrame(
        [(unit, time, cohort[unit], float(time)) for unit in cohort for time in range(1, 7)],
        columns=["unit", "time", "cohort", "y"],
    )
    table = comparisons(rp.read_panel(frame, outcome="y")).table
    assert table is not None
    found = table.set_index("event time")
    # Cohort 3 has c and d as controls until period 4, then d alone; cohort 5 has d alone, as cohort 3 is
    # treated in period 4, the last before cohort 5 adopts.
    assert found.loc[-2].tolist() == [3, 2, 1]
    assert found.loc[1, "fewest not-yet-treated units"] == 1
    assert found.loc[-4].tolist() == [1, 1, 1]
    assert found.loc[3].tolist() == [2, 1, 1]


@pytest.mark.parametrize(("n_clusters", "words"), [(5, "cannot reject"), (12, "keeps its size better")])
def test_the_wild_bootstrap_is_proposed_where_it_can_reject(n_clusters: int, words: str) -> None:
    assert words in other_test(n_clusters)


def test_one_treated_unit_has_no_interval_power_or_breakdown_value(frame: pd.DataFrame) -> None:
    one = rp.read_panel(frame.assign(cohort=frame["cohort"].where(frame["unit"] == 2, 0)), outcome="y")
    found = audit(one, "Audit")
    assert (
        "(Callaway-Sant'Anna). No confidence interval is reported, because only 1 cluster is"
        in found.found[0]
    )
    words = " ".join(word for section in found.sections for word in section.words)
    reason = (
        "not reported, because with 1 treated cluster the standard errors on which it relies are not valid"
    )
    assert words.count(reason) == 3
    assert "80% power" not in words
    assert not any("breakdown value" in word or "significance" in word for word in found.passed)
    assert not any("breakdown value" in word for word in dict(found.listed))


def test_a_panel_without_a_control_group_passes_no_check_of_estimates(frame: pd.DataFrame) -> None:
    found = audit(rp.read_panel(frame.assign(cohort=4), outcome="y"), "Audit")
    assert found.warnings[0] == (
        "All 60 units adopt in period 4: there is no control group, and no estimator can be computed."
    )
    assert not any("last cohort serves" in warning for warning in found.warnings)
    assert not any("no estimator drops" in word or "significance" in word for word in found.passed)


def test_a_breakdown_value_below_one_is_a_caution() -> None:
    found = audit(rp.read_panel(rp.simulated_panel(seed=1), outcome="y", cluster="state"), "Audit")
    words = dict(found.listed)["To interpret with caution"]
    assert "at least the threshold of 0.5 used here (a value of 1 means" in words
    assert found.found[-1].endswith("checks passed, and 1 is to be interpreted with caution.")
    assert words in audit_text(found).replace("\n  ", " ")


def test_the_range_of_robust_estimates_contains_every_average_over_all_treated_cells() -> None:
    panel = rp.read_panel(rp.simulated_panel(seed=1).drop(index=[13, 25, 377]), outcome="y")
    section, fits = every_estimator(panel, setup_of(panel))
    assert "The 6 estimators that allow effects to differ" in section.words[0]
    assert fixed(fits["dcdh"].att[0]) in section.words[0]
    words = every_estimator(panel, replace(setup_of(panel), window=(-3, 1)))[0].words[0]
    assert "The 5 estimators" in words
    assert "local projections, and de Chaisemartin-D'Haultfoeuille average fewer event times" in words


def test_clusters_and_cohorts_agree_on_units_that_are_not_treated_in_the_panel() -> None:
    frame = rp.simulated_panel(seed=1)
    panel = rp.read_panel(frame.assign(cohort=frame["cohort"].replace({0: 9999})), outcome="y")
    assert "0 are never treated, 15 adopt only after" in cohorts(panel).words[0]
    assert "15 with units untreated through the last period" in effective_clusters(panel).words[0]


def test_a_decomposition_that_is_refused_gives_its_reason_once(frame: pd.DataFrame) -> None:
    words, table = decomposition(rp.read_panel(frame.iloc[1:], outcome="y"))
    assert table is None
    assert words.startswith("The Goodman-Bacon decomposition needs a balanced panel")


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"weights": "size", "trends": ["unit_linear"], "cluster": "state"},
        {"unbalanced": "pairwise", "inference": {"method": "wild", "draws": 99}, "cluster": "state"},
    ],
)
def test_an_audit_with_covariates_weighs_comparisons_without_them(
    frame: pd.DataFrame, keys: dict[str, Any]
) -> None:
    drawn = np.random.default_rng(6).normal(size=len(frame))
    spec = parse_spec(
        {"id": "a", "outcome": "y", "estimator": "twfe", "covariates": ["x"], **keys}, "the test"
    )
    found = audit(build_panel(frame.assign(x=drawn).drop(index=[5, 90]), spec), "Audit", spec)
    assert {section.title for section in found.sections} == TITLES
    words = next(one for one in found.sections if one.title == "What the TWFE estimator averages").words
    assert f"(TWFE) without {'trends and ' * ('trends' in keys)}covariates gives" in words[0]
    assert words[1].endswith("so this section leaves out x, which the sections below use.")
    plain = parse_spec({"id": "a", "outcome": "y", "estimator": "twfe", **keys}, "the test")
    alone = audit(build_panel(frame.drop(index=[5, 90]), plain), "Audit", plain)
    section = next(one for one in alone.sections if one.title == "What the TWFE estimator averages")
    assert section.words[0].partition(" gives ")[2] == words[0].partition(" gives ")[2]
    assert not any("covariates" in word for word in section.words)
