"""Analyses that describe a panel, on made frames, each answer computed another way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.balance import groups
from replication.analyses.kinds import analyze
from replication.analyses.moments import weighted_mean, weighted_spread
from replication.core.errors import PanelError, SpecError


def artificial(folder: Path, **frames: pd.DataFrame) -> AnalysisContext:
    clean = folder / "clean"
    clean.mkdir(exist_ok=True)
    for name, frame in frames.items():
        frame.to_parquet(clean / f"{name}.parquet")
    return AnalysisContext(clean, folder / "tables")


def run(context: AnalysisContext, kind: str, **options: Any) -> pd.DataFrame:
    return analyze({"id": "a", "kind": kind, **options}, context)


@pytest.fixture
def counties() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    grid = pd.MultiIndex.from_product([range(1, 41), range(2004, 2008)], names=["fips", "year"])
    frame = grid.to_frame(index=False)
    days = pd.to_datetime("2009-01-01") + pd.to_timedelta(rng.integers(0, 1400, 40), unit="D")
    frame["date"] = frame["fips"].map(dict(zip(range(1, 41), days, strict=True)))
    frame["people"] = frame["fips"].map(dict(enumerate(rng.integers(1, 90, 40) * 100.0, 1)))
    frame["x"] = rng.normal(size=len(frame))
    frame["z"] = rng.normal(size=len(frame)).round(1)
    frame.loc[5, "z"] = np.nan
    return frame


def test_weighted_moments_are_those_of_copies() -> None:
    values, weight = np.array([1.0, 4.0, np.nan, 6.0]), np.array([2.0, 1.0, 5.0, 1.0])
    copies = np.array([1.0, 1.0, 4.0, 6.0])
    assert weighted_mean(values, weight) == pytest.approx(copies.mean())
    # The correction counts the three values that are there, not the four copies.
    assert weighted_spread(values, weight) == pytest.approx(copies.std() * np.sqrt(3 / 2))
    assert weighted_spread(values, np.ones(4)) == pytest.approx(np.nanstd(values, ddof=1))
    assert np.isnan(weighted_mean(values, np.zeros(4)))
    assert np.isnan(weighted_spread(np.array([3.0]), np.ones(1)))


def test_summary_statistics(tmp_path: Path, counties: pd.DataFrame) -> None:
    context = artificial(tmp_path, panel=counties)
    blocks = {"One": {"x": "The x"}, "Two": {"z": "The z"}}
    table = run(context, "summary_statistics", panel="panel", blocks=blocks, weights="people")
    described = counties[["x", "z"]].describe().T
    names = {"mean": "mean", "spread": "std", "minimum": "min", "median": "50%", "maximum": "max"}
    for ours, theirs in names.items():
        assert table[ours].to_numpy() == pytest.approx(described[theirs].to_numpy())
    assert table["rows"].tolist() == [160, 159]
    assert table["units"].tolist() == [40, 40]
    assert table["block"].tolist() == ["One", "Two"]
    there = counties.dropna()
    assert table["weighted_mean"].iloc[1] == pytest.approx(
        (there["z"] * there["people"]).sum() / there["people"].sum()
    )
    with pytest.raises(PanelError, match=r"no column 'zz' \(did you mean 'z'"):
        run(context, "summary_statistics", panel="panel", blocks={"A": {"zz": "?"}}, weights="x")


def test_balance_of_first_and_last(tmp_path: Path, counties: pd.DataFrame) -> None:
    table = run(
        artificial(tmp_path, panel=counties),
        "balance",
        panel="panel",
        variables={"x": "X", "z": "Z"},
        group="date",
        breaks=["2010-03-01", "2011-06-01"],
        labels=["a", "b", "c"],
        weights={"alike": None, "people": "people"},
        year=2005,
    )
    rows = counties[counties["year"] == 2005]
    first, last = rows[rows["date"] < "2010-03-01"], rows[rows["date"] >= "2011-06-01"]
    means = (first["x"].mean(), last["x"].mean())
    scale = np.sqrt((first["x"].var() + last["x"].var()) / 2)
    row = table.iloc[0]
    assert (row["mean_1"], row["mean_3"]) == pytest.approx(means)
    assert row["normalised_difference"] == pytest.approx((means[1] - means[0]) / scale)
    assert row["flag"] == ("yes" if abs(row["normalised_difference"]) > 0.25 else "no")
    assert row["units_1"] == len(first)
    assert table["units_1"].tolist()[1] == first["z"].notna().sum()
    weighted = table[(table["block"] == "people") & (table["variable"] == "x")].iloc[0]
    assert weighted["mean_3"] == pytest.approx(np.average(last["x"], weights=last["people"]))


def test_flags_stand_beyond_a_quarter(tmp_path: Path) -> None:
    frame = pd.DataFrame({"fips": range(4), "year": 2005, "people": 1.0})
    frame["date"] = pd.to_datetime(["2009-01-01"] * 2 + ["2012-01-01"] * 2)
    frame["far"], frame["near"] = [0.0, 2.0, 0.4, 2.4], [0.0, 2.0, 0.3, 2.3]
    table = run(
        artificial(tmp_path, panel=frame),
        "balance",
        panel="panel",
        year=2005,
        group="date",
        variables={"far": "", "near": ""},
        breaks=["2010-01-01"],
        labels=["a", "b"],
        weights={"": None},
    )
    assert table["normalised_difference"].tolist() == pytest.approx([0.4 / np.sqrt(2), 0.3 / np.sqrt(2)])
    assert table["flag"].tolist() == ["yes", "no"]


def test_groups_start_on_their_first_day() -> None:
    dates = pd.Series(pd.to_datetime(["2009-12-31", "2010-01-01", "2012-05-05"]))
    assert groups(dates, ["2010-01-01", "2011-01-01"], ["a", "b", "c"]).tolist() == [0, 1, 2]
    for breaks, labels in (
        (["2011-01-01", "2010-01-01"], ["a", "b", "c"]),
        (["2010-01-01"], ["a"]),
    ):
        with pytest.raises(SpecError, match=r"make . groups"):
            groups(dates, breaks, labels)


def test_cohorts_and_their_roles(tmp_path: Path) -> None:
    everyone = pd.DataFrame(
        {
            "fips": range(1, 7),
            "year": 2010,
            "population": [10, 20, 30, 40, 50, 60],
            "cohort": [2009, 2009, 2012, 2012, 2012, 2013],
            "role": ["treated", "treated", "comparison", "left_out", "left_out", "comparison"],
        }
    )
    everyone = pd.concat([everyone, everyone.assign(year=2011, population=1)])
    panel = everyone[everyone["fips"].isin([1, 3, 4])]
    table = run(
        artificial(tmp_path, panel=panel, everyone=everyone),
        "rollout_by_role",
        panel="panel",
        everyone="everyone",
        cohort="cohort",
        role="role",
        year=2010,
        roles={"treated": "T", "left_out": "L", "comparison": "C"},
    )
    shown = table[["cohort", "role", "all_units", "all_people", "units", "people"]]
    assert [tuple(row) for row in shown.to_numpy()] == [
        ("2009", "T", 2, 30, 1, 10),
        ("2012", "L", 2, 90, 1, 40),
        ("2012", "C", 1, 30, 1, 30),
        ("2013", "C", 1, 60, 0, 0),
        ("All", "T", 2, 30, 1, 10),
        ("All", "L", 2, 90, 1, 40),
        ("All", "C", 2, 90, 1, 30),
        ("All", "All", 6, 210, 3, 80),
    ]
    assert table["people_share"].tolist()[:2] == [10 / 80, 40 / 80]


def test_coverage_by_state(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "state": ["IL", "IL", "WI"] * 2,
            "year": [2004] * 3 + [2005] * 3,
            "population": [100.0, 300.0, 600.0] * 2,
            "covered_population": [100, 100, 600, 100, 300, 480],
            "coverage_indicator": [100.0, 20.0, 90.0, 100.0, 100.0, 90.0],
        }
    )
    table = run(artificial(tmp_path, panel=frame), "coverage_by_state", panel="panel", state="state")
    wide = table.pivot_table(index=["measure", "state"], columns="year", values="value")
    ratio, indicator = "Covered / Census population, %", "Coverage indicator"
    assert wide.loc[(ratio, "IL")].tolist() == [50, 100]
    assert wide.loc[(ratio, "US")].tolist() == [80, 88]
    assert wide.loc[(indicator, "IL")].tolist() == [40, 100]
    assert wide.loc[(indicator, "US")].tolist() == pytest.approx([70, 94])
    change = table.set_index(["measure", "state"])["change"]
    assert change.loc[(ratio, "WI")].tolist() == [-20, -20]


def test_cohort_means(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "fips": [1, 2, 3] * 3,
            "year": np.repeat([2004, 2005, 2006], 3),
            "cohort": [2009, 2009, 2012] * 3,
            "people": [100.0, 300.0, 200.0] * 3,
            "crimes": [4, 0, 2, 8, 0, 2, 2, 2, 4],
        }
    )
    context = artificial(tmp_path, panel=frame)
    options: dict[str, Any] = {
        "panel": "panel",
        "outcomes": {"crimes": "Crimes"},
        "people": "people",
        "cohort": "cohort",
        "index_years": [2004, 2005],
        "per": "Rate",
    }
    groups_of = {"early": [2009], "late": [2010, 2012]}
    table = run(context, "cohort_means", groups=groups_of, **options)
    wide = table.pivot_table(index=["panel", "group"], columns="time", values="mean")
    assert wide.loc[("Rate", "early")].tolist() == [1000, 2000, 1000]
    indexed = wide.loc["Relative to 2004-2005 (= 100)"]
    assert indexed.loc["early"].tolist() == pytest.approx([200 / 3, 400 / 3, 200 / 3])
    assert indexed.loc["late"].tolist() == [100, 100, 200]
    described = table.drop_duplicates("group").set_index("group")
    assert described["adoption"].to_dict() == {"early": 2009, "late": 2010}
    assert described["units"].to_dict() == {"early": 2, "late": 1}
    with pytest.raises(SpecError, match="No group has the cohort 2012"):
        run(context, "cohort_means", groups={"early": [2009]}, **options)


def test_two_sources_year_by_year(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    grid = pd.MultiIndex.from_product([range(30), range(2011, 2015)], names=["fips", "year"])
    frame = grid.to_frame(index=False).assign(used=True)
    frame["people"] = frame["fips"] + 1.0
    frame["b"] = rng.normal(size=len(frame))
    frame["a"] = (frame["b"] + rng.normal(scale=0.1, size=len(frame))).where(frame["year"] < 2013)
    frame.loc[frame["fips"] == 29, "used"] = False
    frame.loc[0, "a"] = np.nan
    table = run(
        artificial(tmp_path, panel=frame),
        "compare_sources",
        panel="panel",
        pairs={"o": ["a", "b"]},
        weights="people",
        where="used",
        last=2012,
    ).set_index("year")
    rows = frame[frame["used"] & (frame["year"] == 2012)]
    gap = rows["b"] - rows["a"]
    assert table.loc[2012, "difference"] == pytest.approx(np.average(gap, weights=rows["people"]))
    assert table.loc[2012, "spread"] == pytest.approx(gap.std())
    assert table.loc[2012, "correlation"] == pytest.approx(np.corrcoef(rows["a"], rows["b"])[0, 1])
    assert table.loc[2012, "close"] == (gap.abs() <= 0.05).mean()
    wide = frame[frame["used"]].pivot_table(index="fips", columns="year", values=["a", "b"])
    step = {name: (wide[name][2012] - wide[name][2011]).drop(0) for name in ("a", "b")}
    assert table.loc[2012, "change_correlation"] == pytest.approx(step["a"].corr(step["b"]))
    assert table["units"].tolist() == [28, 29, 0, 0]
    assert table.loc[2013, "seam"] == table.loc[2012, "difference"]
    assert table["seam"].notna().tolist() == [False, False, True, False]


def test_agreement_of_two_lists(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "fips": [1001, 18063, 18065, 2020],
            "county_name": ["A", "B", "C", "D"],
            "state_postal": ["AL", "IN", "IN", "AK"],
            "activation_date": ["2010-01-05", "2011-05-31", "2011-05-31", "2011-06-01"],
            "activation_month": ["2010-01-01", "2011-06-01", "2011-07-01", None],
            "agreement": ["same month", "other month", "other month", "first list only"],
        }
    )
    context = artificial(tmp_path)
    frame.to_csv(context.clean / "lists.csv", index=False)
    words = {"same month": "Same", "other month": "Other", "second list only": "Second"}
    counts = run(context, "transcription_agreement", lists="lists", words=words)
    assert [tuple(row) for row in counts.to_numpy()] == [
        ("Same", 1, 1, "AL"),
        ("Other", 2, 1, "IN"),
        ("Second", 0, 0, ""),
    ]
    listed = run(context, "transcription_agreement", lists="lists", words={}, listed=True)
    assert [tuple(row) for row in listed.to_numpy()] == [
        ("B, IN", 18063, "2011-05-31", "2011-06", 1),
        ("C, IN", 18065, "2011-05-31", "2011-07", 31),
    ]
