"""The event-study figure of own data: its title, axes and note; and what ``compare`` says of two results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from awkward_panel import COLUMNS, QUARTERS, plain_panel
from matplotlib.figure import Figure

import replication as rp
from replication.cli import main
from replication.core import saved_results
from replication.core.estimates import COLUMNS as OF_A_FILE
from replication.core.estimates import LABELS, row_labels
from replication.core.numbering import written_period
from replication.core.saved_bundle import write_bundle
from replication.display.details_text import in_logs
from replication.display.formatting import p_equals
from replication.estimators.registry import ENTRIES

KEYS = {"unit": "state", "time": "quarter", "cohort": "law"}
MONTHS = [f"{year}-{month:02d}" for year in (2010, 2011) for month in range(1, 13)]
YEARS = [str(year) for year in range(1990, 2014)]


def labeled(labels: list[str]) -> pd.DataFrame:
    """The panel of 24 periods with these labels, its rate positive."""
    frame = plain_panel()
    names = dict(enumerate(labels, 1))
    rate = np.exp(frame["rate"] / 10)
    return frame.assign(quarter=frame["quarter"].map(names), law=frame["law"].map(names), rate=rate)


def texts(figure: Figure) -> list[str]:
    """Title and note."""
    return [one.get_text() for one in figure.texts]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (QUARTERS, "Quarters relative to adoption"),
        (MONTHS, "Months relative to adoption"),
        (YEARS, "Years relative to adoption"),
        ([str(1 + place) for place in range(24)], "Periods relative to adoption"),
    ],
)
def test_the_axis_names_the_periods_of_the_panel(labels: list[str], words: str) -> None:
    figure = rp.estimate(labeled(labels), outcome="rate", **KEYS).plot()
    assert figure.axes[0].get_xlabel() == words
    assert texts(figure)[0] == "Event-study estimates: rate"


def test_effects_on_a_logarithm_have_an_axis_in_percent() -> None:
    fit = rp.estimate(labeled(QUARTERS), outcome="log(rate)", **KEYS)
    axes = fit.plot().axes[0]
    (percent,) = axes.child_axes
    assert percent.get_ylabel() == "Percent"
    low, high = axes.get_ylim()
    expected = (100 * math.expm1(low), 100 * math.expm1(high))
    percent.figure.draw_without_rendering()
    assert percent.get_ylim() == pytest.approx(expected, rel=1e-6)  # 100 (exp(b) - 1)
    assert not rp.estimate(labeled(QUARTERS), outcome="rate", **KEYS).plot().axes[0].child_axes


@pytest.mark.parametrize(
    ("outcome", "logged"),
    [
        *(("log(rate)", True), ("log_rate", True), ("ln_y", True), ("y_log", True), ("Log wage", True)),
        *(("rate", False), ("login", False), ("logit_y", False), ("violence", False), ("catalog", False)),
    ],
)
def test_outcomes_in_logs_are_known_by_name(outcome: str, logged: bool) -> None:
    fit = rp.estimate(labeled(QUARTERS), outcome="rate", **KEYS)
    assert in_logs(outcome, fit.details) is logged
    assert in_logs(outcome, replace(fit.details, scale="log points"))


def test_the_note_reports_the_joint_pre_trend_test() -> None:
    frame = labeled(QUARTERS)
    fits = [
        rp.estimate(frame, outcome="rate", estimator=name, **KEYS) for name in ("event_study", "imputation")
    ]
    values = [p_equals(fit.details.pretrend.p_value) for fit in fits if fit.details.pretrend]
    assert len(values) == 2
    alone = " ".join(texts(fits[0].plot())[1].split("\n"))
    assert f"Joint pre-trend test: {values[0]}." in alone
    both = " ".join(texts(rp.event_plot(fits, labels=["A", "B"]))[1].split("\n"))
    assert f"Joint pre-trend tests: {values[0]} (A) and {values[1]} (B)." in both


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Two saved results on quarters, the second without a unit."""
    place = tmp_path_factory.mktemp("compared")
    frame = labeled(QUARTERS)
    frame.to_csv(place / "my.csv", index=False)
    frame[frame["state"] != 3].to_csv(place / "less.csv", index=False)
    for name, file, estimator in (("all", "my.csv", "callaway_santanna"), ("less", "less.csv", "imputation")):
        call = ["estimate", "--panel", str(place / file), *COLUMNS, "--estimator", estimator]
        assert main([*call, "--out", str(place / name)]) == 0
    return {"all": place / "all", "less": place / "less"}


def test_compare_names_the_results_and_their_samples(
    folders: Mapping[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["compare", str(folders["all"]), str(folders["less"]), "--all"]) == 0
    said = capsys.readouterr().out
    rows = {line.split("  ")[0]: line.split() for line in said.splitlines()}
    assert said.split()[:2] == ["all", "less"]
    assert rows["Observations"][1:] == ["1,200", "1,176"]
    assert rows["Units"][1:] == ["50", "49"]
    assert rows["Clusters"][1:] == ["50", "(state)", "49", "(state)"]
    for name in ("callaway_santanna", "imputation"):
        assert ENTRIES[name].label in said.split("Observations")[0]
    assert "Specification (all -> less):" in said
    assert "of all, 0 of less" in said
    assert "first" not in said
    assert "group:2012Q1" in said
    assert "20121" not in said


def test_a_saved_result_has_quarters_as_people_write_them_and_reads_back(folders: Mapping[str, Path]) -> None:
    written = pd.read_csv(folders["all"] / "estimates.csv")
    assert list(written.columns) == [*OF_A_FILE, *LABELS]
    groups = written[(written["term"] == "group") & written["cohort"].notna()]
    assert groups["cohort"].tolist() == [20121, 20133, 20142]
    assert groups["cohort_label"].tolist() == ["2012Q1", "2013Q3", "2014Q2"]
    calendar = written[(written["term"] == "calendar") & written["time"].notna()]
    assert (calendar["time_label"] == [written_period(one, "quarter") for one in calendar["time"]]).all()
    found, _ = saved_results.load(folders["all"])
    assert found.details.period == "quarter"
    assert list(found.table.columns) == OF_A_FILE
    # A folder that an earlier version wrote has no labels, and no word for its periods.
    written[OF_A_FILE].to_csv(folders["all"] / "estimates.csv", index=False)
    record = folders["all"] / "spec.yaml"
    text = record.read_text(encoding="utf-8")
    assert "  period: quarter\n" in text
    record.write_text(text.replace("  period: quarter\n", ""), encoding="utf-8")
    old, _ = saved_results.load(folders["all"])
    pd.testing.assert_frame_equal(old.table, found.table)
    record.write_text(text, encoding="utf-8")
    written.to_csv(folders["all"] / "estimates.csv", index=False)


def test_a_bundle_joins_results_with_and_without_labels(folders: Mapping[str, Path], tmp_path: Path) -> None:
    rp.simulated_panel(seed=1).to_csv(tmp_path / "p.csv", index=False)
    assert (
        main(["estimate", "--panel", str(tmp_path / "p.csv"), "--outcome", "y", "--out", str(tmp_path / "n")])
        == 0
    )
    write_bundle(tmp_path / "both.csv", [tmp_path / "n", folders["less"]])
    both = pd.read_csv(tmp_path / "both.csv")
    assert list(both.columns) == [*OF_A_FILE, *LABELS]
    assert both["estimate"].notna().all()
    numbers = both["estimator"] == "callaway_santanna"
    assert both.loc[numbers, LABELS[0]].isna().all()
    assert both.loc[~numbers, LABELS[0]].notna().any()


def test_labels_of_rows_in_periods_of_each_kind() -> None:
    rows = [
        ("att", np.nan, np.nan, np.nan),
        ("group", 201201, np.nan, np.nan),
        ("att_gt", 201201, 201203, np.nan),
        ("event", np.nan, np.nan, -2),
    ]
    table = pd.DataFrame(rows, columns=["term", "cohort", "time", "event_time"])
    assert row_labels(table, "month") == ["att", "group:2012-01", "att_gt:2012-01:2012-03", "event:-2"]
    assert row_labels(table) == ["att", "group:201201", "att_gt:201201:201203", "event:-2"]
    # A cohort of 0, never treated in a decomposition, is no quarter.
    assert written_period(0, "quarter") == "0"
