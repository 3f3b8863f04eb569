"""Figures plot what their CSV holds, in the conventions of the house, with the same bytes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from replication.core import details_record
from replication.core.errors import SpecError
from replication.display.canvas import styled
from replication.report.figures import FIGURES, event_study_figure, write_figure
from replication.report.figures.figure_files import MOST_POINTS, Drawing, read_description, write_svg
from replication.report.folders import Folders
from replication.report.report_context import Context
from replication.report.study_config import Entry, StudyConfig, parse_study
from replication.report.study_report import write_figures


@pytest.fixture(scope="module")
def written(root: Path) -> Path:
    """A folder of its own for the figures of this module."""
    return root / "drawn"


@pytest.fixture
def context(study: StudyConfig, folders: Folders, written: Path) -> Context:
    return Context.of(study, Folders(folders.tables, written, folders.clean, folders.raw))


def drawing(context: Context) -> tuple[pd.DataFrame, Drawing]:
    entry = context.study.figures[0]
    frame = event_study_figure.collect(entry, context)
    with styled():
        return frame, event_study_figure.draw(frame, entry, context)


def segments(axes: Axes) -> set[tuple[float, float]]:
    """(low, high) of every vertical bar."""
    found = [c.get_segments() for c in axes.collections]  # type: ignore[attr-defined]
    return {(round(s[0][1], 12), round(s[1][1], 12)) for part in found for s in part}


@pytest.mark.parametrize(("points", "pixels"), [(MOST_POINTS - 10, False), (MOST_POINTS + 10, True)])
def test_many_points_are_pixels_in_an_svg_and_its_text_is_text(
    tmp_path: Path, points: int, pixels: bool
) -> None:
    figure = Figure()
    axes = figure.add_subplot(title="Many points")
    axes.plot(np.arange(points), np.arange(points) % 7, "o")
    write_svg(figure, tmp_path / "many.svg", {"Title": "Many points"})
    svg = (tmp_path / "many.svg").read_text(encoding="utf-8")
    assert ("<image" in svg) == pixels
    assert ">Many points</text>" in svg
    if pixels:
        assert len(svg) < 100_000


def test_the_csv_has_every_plotted_number(context: Context) -> None:
    frame, picture = drawing(context)
    for axes, (_, part) in zip(picture.figure.axes, frame.groupby("panel"), strict=True):
        plotted = np.concatenate([line.get_ydata() for line in axes.lines if is_marks(line)])
        assert sorted(plotted) == sorted(part["estimate"])
        barred = part[part["std_error"].notna()]
        bars = {(round(r.conf_low, 12), round(r.conf_high, 12)) for r in barred.itertuples()}
        bands = {(round(r.band_low, 12), round(r.band_high, 12)) for r in barred.itertuples()}
        assert segments(axes) == bars | bands
        counts = [note.get_text() for note in axes.texts if note.get_text().isdigit()]
        assert [float(count) for count in counts] == part[part["series"] == 1]["treated_units"].tolist()


def is_marks(line: Any) -> bool:
    return line.get_marker() not in ("", "None", None)


def test_estimates_are_never_joined_and_the_reference_is_hollow(context: Context) -> None:
    frame, picture = drawing(context)
    assert frame["reference"].sum() == 3
    for axes in picture.figure.axes:
        marked = [line for line in axes.lines if is_marks(line)]
        assert all(line.get_linestyle() == "None" for line in marked)
        hollow = [line for line in marked if line.get_markerfacecolor() == "white"]
        assert [list(line.get_ydata()) for line in hollow] == [[0.0]] * len(hollow)
        assert hollow
        onset = [line for line in axes.lines if list(line.get_xdata()) == [-0.5, -0.5]]
        assert len(onset) == 1


def test_pointwise_bars_lie_inside_wider_bands(context: Context) -> None:
    frame, picture = drawing(context)
    barred = frame[frame["std_error"].notna()]
    assert (barred["band_low"] < barred["conf_low"]).all()
    for axes in picture.figure.axes:
        broad, thin = axes.collections[0], axes.collections[1]
        assert broad.get_linewidths()[0] > thin.get_linewidths()[0]
        assert broad.get_zorder() < thin.get_zorder()


def test_axis_and_note_say_what_a_reader_needs(context: Context) -> None:
    _, picture = drawing(context)
    axes = picture.figure.axes[0]
    assert axes.get_ylabel() == "Effect (log points)"
    beside = [one.get_ylabel() for axes in picture.figure.axes for one in axes.child_axes]
    assert "Percent" in beside
    shown = [text.get_text() for axes in picture.figure.axes for text in axes.texts]
    assert not any(words.startswith("Pre-treatment mean") for words in shown[: len(axes.texts)]), (
        "a mean of logs"
    )
    for words in (
        "95% pointwise",
        "199 draws",
        "Pooled event times",
        "Pre-trend test: p",
        "Standard errors clustered by state: 12 clusters.",
        "Population in 2004",
    ):
        assert words in picture.note, picture.note
    recorded = " ".join([picture.note, *picture.details])
    assert "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.475" in recorded
    assert "Seed of the draws: 7." in recorded
    assert "reference period (event time \N{MINUS SIGN}1)." in recorded
    assert not any(name in picture.note for name in picture.specs), "ids stay in the metadata and the CSV"
    assert "Property crime rate, Event study: estimates before adoption from" in picture.alt


def test_the_note_reports_bands_that_were_widened_to_contain_bootstrap_intervals(
    study: StudyConfig, folders: Folders
) -> None:
    context = Context.of(study, folders)
    entry = next(one for one in study.figures if one.id == "events")
    plain = event_study_figure.note(event_study_figure.collect(entry, context), entry, context)[0]
    assert "widened" not in plain
    saved = context.results.get("events_cs")
    details = saved.details.measured(method="bootstrap", interval="equal_tailed", resampled_clusters=12)
    context.results.cache["events_cs"] = replace(saved, noted=details_record.plain(details))
    resampled = event_study_figure.note(event_study_figure.collect(entry, context), entry, context)[0]
    assert "Bands are at least as wide as the percentile intervals" in resampled


def test_two_renderings_have_the_same_bytes(context: Context) -> None:
    def rendered() -> dict[str, bytes]:
        paths = write_figures(context.study, context.folders)
        return {path.name: path.read_bytes() for path in paths}

    first = rendered()
    assert sorted(first) == sorted(
        f"{entry.id}.{ending}" for entry in context.study.figures for ending in ("pdf", "svg", "png", "csv")
    )
    assert rendered() == first
    assert not any(b"CreationDate" in data for data in first.values())
    assert not list(context.folders.figures.glob(".*"))


def test_files_say_what_made_them(context: Context) -> None:
    write_figures(context.study, context.folders, only=["events"])
    output = read_description(context.folders.figures / "events.png")
    assert output["Source"] == "events_twfe, events_cs, events_b"
    assert output["Software"].startswith("replication 0.")
    assert "numpy" in output["Software"]
    assert output["Description"].startswith("Event study. Crime before and after activation.")
    table = pd.read_csv(context.folders.figures / "events.csv")
    assert set(table["made_with"]) == {output["Software"].split(",")[0]}
    assert set(table["spec_id"]) == {"events_twfe", "events_cs", "events_b"}
    pdf = (context.folders.figures / "events.pdf").read_bytes()
    assert b"/Type3" not in pdf, "journals refuse Type 3 fonts"


def test_binned_end_points_are_said(description: dict[str, Any], context: Context) -> None:
    frame, picture = drawing(context)
    recorded = " ".join([picture.note, *picture.details])
    ends = "\N{MINUS SIGN}4 and earlier, 3 and later"
    assert f"Pooled event times: {ends} (Index crimes, log rate, Event study)." in recorded
    ends = frame[frame["binned"].notna()]
    assert set(ends["spec_id"]) == {"events_twfe"}
    assert set(ends["event_time"]) == {-4, 3}
    description["figures"][0]["window"] = [-3, 3]
    entry = parse_study(description).figures[0]
    cut = event_study_figure.draw(event_study_figure.collect(entry, context), entry, context)
    words = " ".join([cut.note, *cut.details])
    assert "3 and later" in words
    assert "and earlier" not in words


def test_the_window_is_respected(description: dict[str, Any], context: Context) -> None:
    description["figures"][0]["window"] = [-2, 1]
    study = parse_study(description)
    frame = event_study_figure.collect(study.figures[0], context)
    assert sorted(frame["event_time"].unique()) == [-2, -1, 0, 1]
    description["figures"][0]["panels"][0]["series"] = ["plain"]
    with pytest.raises(SpecError, match=r"figure 'events': plain has no estimates by event time"):
        write_figures(parse_study(description), context.folders)


def test_simulated_figures_carry_the_mark(description: dict[str, Any], context: Context) -> None:
    description["simulated"] = True
    for entry in [*description["tables"], *description["figures"]]:
        entry["id"] += "_SIMULATED"
    write_figures(parse_study(description), context.folders, only=["rollout_SIMULATED"])
    plain = write_figures(context.study, context.folders, only=["rollout"])
    output = read_description(context.folders.figures / "rollout_SIMULATED.png")
    assert output["Title"].startswith("SIMULATED: ")
    marked = (context.folders.figures / "rollout_SIMULATED.png").read_bytes()
    assert marked != plain[1].read_bytes()


RNG = np.random.default_rng(5)
YEARS = list(range(2004, 2010))
FRAMES: dict[str, tuple[dict[str, Any], pd.DataFrame]] = {
    "raw_means": (
        {"y_label": "Rate"},
        pd.DataFrame(
            {
                "group": ["Early"] * 6 + ["Late"] * 6,
                "time": YEARS * 2,
                "mean": RNG.normal(4000, 9, 12),
                "adoption": [2007] * 6 + [0] * 6,
            }
        ),
    ),
    "map": (
        {"value": "date", "breaks": ["2010-01-01"]},
        pd.DataFrame(
            {"fips": [1001, 48201, 6037, 2020], "date": ["2009-01-01", "2008-10-27", "2011-05-17", None]}
        ),
    ),
    "leave_one_out": (
        {"headline": "All"},
        pd.DataFrame(
            {
                "label": ["All", "no TX", "no CA"],
                "estimate": [-0.05, -0.04, -0.06],
                "conf_low": [-0.1] * 3,
                "conf_high": [0.0] * 3,
            }
        ),
    ),
    "dots": ({}, pd.DataFrame({"label": ["a", "b"], "estimate": [1.0, 2.0], "group": ["x", "y"]})),
    "permutation": ({}, pd.DataFrame({"kind": ["actual"] + ["draw"] * 30, "estimate": RNG.normal(size=31)})),
    "sensitivity": (
        {},
        pd.DataFrame({"m": [None, 0.5, 1.0], "conf_low": [-0.1, -0.2, -0.3], "conf_high": [-0.01, 0.1, 0.2]}),
    ),
    "bacon": (
        {},
        pd.DataFrame(
            {
                "kind": ["earlier_vs_later", "later_vs_earlier"],
                "estimate": [0.1, -0.2],
                "weight": [0.75, 0.25],
            }
        ),
    ),
    "line": (
        {"x": "year", "y": "share", "group": "state", "highlight": ["IL"]},
        pd.DataFrame({"year": YEARS * 2, "share": RNG.random(12), "state": ["IL"] * 6 + ["AL"] * 6}),
    ),
    "scatter": (
        {"x": "a", "y": "b", "size": "n", "label": "name", "highlight": ["two"]},
        pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "n": [5, 6], "name": ["one", "two"]}),
    ),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_every_kind_draws_its_frame(kind: str, context: Context) -> None:
    options, frame = FRAMES[kind]
    frame.to_csv(context.folders.clean / f"{kind}.csv", index=False)
    entry = Entry(f"{kind}_figure", f"A {kind}", kind, (), {**options, "source": f"clean/{kind}.csv"})
    paths = write_figure(entry, context)
    shown = pd.read_csv(paths[2])
    numbers = [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])]
    for name in numbers:
        assert sorted(shown[name].dropna()) == pytest.approx(sorted(frame[name].dropna()))
    first = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_figure(entry, context)] == first
    output = read_description(paths[1])
    assert output["Description"].startswith(f"A {kind}.")
    assert f"Source: data_clean/made/{kind}.csv." in output["Details"]
    assert "data_clean" not in output["Comment"], "paths stay out of the picture"


def test_every_kind_is_drawn_here() -> None:
    assert set(FRAMES) | {"event_study", "rollout", "specification_curve"} == set(FIGURES)


def test_findings_are_in_the_words_of_the_figures(context: Context) -> None:
    def words(kind: str) -> str:
        return read_description(context.folders.figures / f"{kind}_figure.png")["Description"]

    for kind in ("permutation", "sensitivity", "bacon", "map"):
        test_every_kind_draws_its_frame(kind, context)
    frame = FRAMES["permutation"][1]
    actual, draws = frame["estimate"].iloc[0], frame["estimate"].iloc[1:]
    p_value = (1 + (draws.abs() >= abs(actual)).sum()) / 31
    assert f"{p_value:.3f}, 30 draws" in words("permutation")
    assert "No robust interval excludes zero" in words("sensitivity")
    assert "Earlier vs. later: weight 0.750, mean 0.100" in words("bacon")
    assert "before 2010-01-01: 2 counties; 2010-01-01 on: 1 counties" in words("map")


def test_specification_curve(context: Context) -> None:
    options = {
        "specs": ["plain*", "weighted*"],
        "headline": "weighted",
        "choices": [{"key": "weights", "label": "Weights"}, {"key": "outcome"}],
    }
    paths = write_figure(Entry("curve", "A curve", "specification_curve", (), options), context)
    frame = pd.read_csv(paths[2])
    assert frame["spec_id"].nunique() == len(frame) == 4
    assert frame["estimate"].is_monotonic_increasing
    assert frame.loc[frame["headline"], "spec_id"].tolist() == ["weighted"]
    assert set(frame["weights"]) == {"none", "Population in 2004"}
    assert set(frame["outcome"]) == {"Index crimes, log rate", "Property crime rate"}
    with pytest.raises(SpecError, match="No saved specification matches 'x\\*'"):
        write_figure(Entry("c", "C", "specification_curve", (), {**options, "specs": ["x*"]}), context)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("permutation", {"kind": "draw"}, "'kind' must be 'actual' once"),
        ("bacon", {"weight": "much"}, "the column 'weight' must be numeric but contains text"),
        ("leave_one_out", {"label": "Other"}, "no line is called 'All'"),
        ("map", {"date": "soon"}, "'date' contains neither numbers nor dates, for example 'soon'"),
        ("raw_means", {"mean": None}, "has no column 'mean'"),
    ],
)
def test_wrong_frames_are_refused(kind: str, change: dict[str, Any], message: str, context: Context) -> None:
    options, frame = FRAMES[kind]
    name = next(iter(change))
    wrong = frame.drop(columns=name) if change[name] is None else frame.assign(**change)
    wrong.to_csv(context.folders.clean / "wrong.csv", index=False)
    entry = Entry("wrong", "Wrong", kind, (), {**options, "source": "clean/wrong.csv"})
    with pytest.raises(SpecError, match=message):
        write_figure(entry, context)


def test_milestones_are_numbered_and_explained(context: Context) -> None:
    write_figures(context.study, context.folders, only=["rollout"])
    output = read_description(context.folders.figures / "rollout.png")
    assert re.search("1: August 10, 2010, Official count of 544; 2: January 22, 2013", output["Comment"])
    assert "3,143 counties and 100.0% of the population" in output["Description"]
    frame = pd.read_csv(context.folders.figures / "rollout.csv")
    stones = frame[frame["milestone"].notna()].set_index("milestone")["counties"]
    assert stones.to_dict() == {"Official count of 544": 546, "Last counties": 3143}
