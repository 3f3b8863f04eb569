"""Curves with choices told by id, groups of dots, several permutations."""

from __future__ import annotations

import importlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from replication.core.errors import SpecError
from replication.core.saved_rows import SavedRows
from replication.display import event_plot, marks
from replication.display.canvas import DPI, styled
from replication.display.media import MEDIA
from replication.report.figures import (
    FIGURES,
    dots_figure,
    event_study_figure,
    map_figure,
    permutation_figure,
    specification_curve_figure,
    write_figure,
)
from replication.report.figures.figure_files import read_description
from replication.report.folders import Folders
from replication.report.report_context import Context
from replication.report.study_config import Entry, StudyConfig
from replication.report.tables.frame_table import printed


@pytest.fixture
def context(study: StudyConfig, folders: Folders, tmp_path: Path) -> Context:
    return Context.of(study, Folders(folders.tables, tmp_path, folders.clean, folders.raw))


def curve(ids: dict[str, str], headline: Any = ()) -> Entry:
    options = {
        "specs": ["plain*", "weighted*"],
        "headline": headline,
        "choices": [{"key": "kind", "label": "Kind", "ids": ids}],
    }
    return Entry("curve", "A curve", "specification_curve", (), options)


def test_choices_are_told_by_the_first_pattern_that_fits(context: Context) -> None:
    entry = curve({"plain_*": "Plain with trends", "plain*": "Plain", "*": "Other"})
    frame = specification_curve_figure.collect(entry, context).set_index("spec_id")
    assert frame["kind"].to_dict() == {
        "plain": "Plain",
        "plain_trends": "Plain with trends",
        "weighted": "Other",
        "weighted_trends": "Other",
    }
    lines = specification_curve_figure.choice_lines(frame, entry)
    assert [value for _, value, _ in lines if value] == ["Plain with trends", "Plain", "Other"]
    with pytest.raises(SpecError, match="no pattern for the choice 'kind' matches 'weighted'"):
        specification_curve_figure.collect(curve({"plain*": "Plain"}), context)


def test_several_headlines_are_marked_and_named(context: Context) -> None:
    entry = curve({"*": "All"}, ["plain", "weighted"])
    paths = write_figure(entry, context)
    frame = pd.read_csv(paths[2])
    assert set(frame.loc[frame["headline"], "spec_id"]) == {"plain", "weighted"}
    note = read_description(paths[1])["Comment"]
    for name in ("plain", "weighted"):
        shown = f"{context.results.get(name).row('att')['estimate']:.3f}"
        assert f"{shown.replace('-', chr(0x2212))} [" in note
    assert "plain" not in note, "ids stay in the metadata and the CSV"
    with pytest.raises(SpecError, match="the headline 'absent' is not among"):
        specification_curve_figure.collect(curve({"*": "All"}, ["plain", "absent"]), context)


def test_groups_of_a_leave_one_out_figure_stay_together(context: Context) -> None:
    rows = pd.DataFrame(
        {
            "label": ["All", "A", "B", "X", "Y"],
            "group": ["W", "S", "S", "O", "O"],
            "estimate": [0.0, -0.2, 0.2, 0.1, -0.1],
        }
    )
    rows.assign(conf_low=-1.0, conf_high=1.0).to_csv(context.folders.clean / "groups.csv", index=False)
    options = {"source": "clean/groups.csv", "headline": "All"}
    entry = Entry("l", "L", "leave_one_out", (), options)
    frame = dots_figure.collect(entry, context)
    assert frame["label"].tolist() == ["All", "B", "A", "X", "Y"]
    with styled():
        axes = dots_figure.draw(frame, entry, context).figure.axes[0]
    ticks = dict(zip((t.get_text() for t in axes.get_yticklabels()), axes.get_yticks(), strict=True))
    heads = {note.get_text(): note.xy[1] for note in axes.texts}
    assert heads["W"] < ticks["All"] < heads["S"] < ticks["B"] < ticks["A"] < heads["O"]


def test_panels_fill_their_rows(context: Context) -> None:
    rows = [
        {"panel": panel, "kind": kind, "estimate": value}
        for panel in ("P", "Q", "R", "S", "T")
        for kind, value in (("actual", 2.0), ("draw", -1.0), ("draw", 0.5), ("draw", 3.0))
    ]
    pd.DataFrame(rows).to_csv(context.folders.clean / "draws.csv", index=False)
    entry = Entry("p", "P", "permutation", (), {"source": "clean/draws.csv", "x_label": "t"})
    frame = permutation_figure.collect(entry, context)
    with styled():
        picture = permutation_figure.draw(frame, entry, context)
    drawn = [axes for axes in picture.figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in drawn] == ["P", "Q", "R", "S", "T"]
    assert drawn == picture.figure.axes, "no cell of the grid is empty"
    ends = {round(axes.get_position().x1, 6) for axes in (drawn[2], drawn[4])}
    assert len(ends) == 1, "an incomplete row widens to the width of the page"
    assert picture.alt.count("actual 2.000") == 5
    assert "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.500, 3 draws" in picture.alt


@pytest.mark.parametrize(("value", "shown"), [(0.0004, "< 0.001"), (0.0284, "0.028"), (float("nan"), "")])
def test_p_values_of_frames(value: float, shown: str) -> None:
    assert printed({"name": "p", "format": "p_value"}, value) == shown


@pytest.mark.parametrize("width", list(MEDIA))
def test_type_is_legible_at_print_size(context: Context, width: str) -> None:
    for described in context.study.figures:
        entry = replace(described, options={**described.options, "figure": {"width": width}})
        kind = importlib.import_module(FIGURES[entry.kind])
        with styled():
            picture = kind.draw(kind.collect(entry, context), entry, context)
            picture.figure.canvas.draw()
        assert picture.figure.get_size_inches()[0] == MEDIA[width].width
        texts = [text for text in picture.figure.findobj(Text) if text.get_text() and text.get_visible()]
        assert min(text.get_fontsize() for text in texts) >= 8
        drawn = picture.figure.get_tightbbox()
        assert drawn.x0 >= -0.01, (entry.id, "text is cut at the left")
        assert drawn.x1 <= MEDIA[width].width + 0.01, (entry.id, "text is cut at the right")


def test_percent_beside_log_points(context: Context) -> None:
    figure = Figure()
    axes = figure.add_subplot()
    axes.set_ylim(-0.5, 0.5)
    marks.percent_axis(axes, "Percent")
    FigureCanvasAgg(figure).draw()
    low, high = axes.child_axes[0].get_ylim()
    assert (low, high) == pytest.approx((100 * (math.exp(-0.5) - 1), 100 * (math.exp(0.5) - 1)))


def test_the_map_shows_every_state() -> None:
    shapes = map_figure.county_shapes()
    assert {fips // 1000 for fips in shapes} >= {map_figure.ALASKA, map_figure.HAWAII}
    parts = {
        state: np.concatenate([ring for fips in shapes if fips // 1000 == state for ring in shapes[fips]])
        for state in (map_figure.ALASKA, map_figure.HAWAII, 48, 6)
    }
    alaska, hawaii = parts[map_figure.ALASKA], parts[map_figure.HAWAII]
    assert alaska[:, 0].max() < hawaii[:, 0].min() < parts[48][:, 0].max(), "the insets do not overlap"
    assert max(alaska[:, 1].max(), hawaii[:, 1].max()) < parts[6][:, 1].min(), "they lie south of California"


def test_panels_with_few_clusters_are_not_drawn_beside_others(study: StudyConfig, folders: Folders) -> None:
    context = Context.of(study, folders)
    entry = next(one for one in study.figures if one.id == "events")
    saved = context.results.get("events_b")
    context.results.cache["events_b"] = replace(saved, rows=SavedRows.of(saved.table.assign(n_clusters=8)))
    frame = event_study_figure.collect(entry, context)
    with styled():
        picture = event_study_figure.draw(frame, entry, context)
    label = frame.loc[frame["spec_id"] == "events_b", "panel_title"].iloc[0]
    assert label not in [axes.get_title() for axes in picture.figure.axes]
    assert f"Panels with fewer than 10 clusters in this sample are not drawn (8 for {label})." in picture.note
    assert frame.loc[frame["spec_id"] == "events_b", "conf_low"].notna().any(), "the CSV keeps the numbers"


def test_series_with_few_clusters_have_no_intervals(study: StudyConfig, folders: Folders) -> None:
    context = Context.of(study, folders)
    entry = next(one for one in study.figures if one.id == "events")
    for name in ("events_twfe", "events_cs", "events_b"):
        saved = context.results.get(name)
        context.results.cache[name] = replace(saved, rows=SavedRows.of(saved.table.assign(n_clusters=8)))
    frame = event_study_figure.collect(entry, context)
    with styled():
        picture = event_study_figure.draw(frame, entry, context)
    bars = [bar for c in picture.figure.axes[1].collections for bar in c.get_segments()]  # type: ignore[attr-defined]
    assert not bars, "cluster-robust intervals collapse with few clusters"
    assert "No intervals are drawn with fewer than 10 clusters (8)." in picture.note


def test_draws_that_are_off_center_are_noted_with_the_p_value_from_their_mean() -> None:
    draws = pd.Series([-3.0, -2.0, -1.5, -1.0, 0.0])
    entry = Entry("p", "P", "permutation", options={"statistic": "t"})
    frame = pd.DataFrame({"kind": ["actual", *["draw"] * 5], "estimate": [-2.5, *draws]})
    # The mean is -1.5: only the draws -3 and 0 are at least 1.0 away from it, as is the actual one.
    share = (1 + 2) / (1 + 5)
    note = permutation_figure.off_center([("", frame)], entry)
    assert "The placebo t-statistics average \N{MINUS SIGN}1.50;" in note
    assert f"{share:.3f}" in note
    centered = frame.assign(estimate=frame["estimate"] + 1.5)
    assert permutation_figure.off_center([("", centered)], entry) == ""


def test_every_event_time_has_its_count_and_a_thin_last_one_is_noted() -> None:
    counts = [1022, 1078, 1078, 1078, 1078, 1078, 1078, 361, 56]
    panel = pd.DataFrame(
        {"series": 1, "label": "TWFE", "event_time": range(-6, 3), "treated_units": counts}, dtype=object
    ).astype({"event_time": float, "treated_units": float})
    for width, turned in ((1.5, 90), (5.0, 0)):
        axes = Figure(figsize=(width, 2), dpi=DPI).add_axes((0, 0, 1, 1))
        event_plot.label_axes(axes, panel, ["TWFE"], "Years", units="")
        assert [text.get_text() for text in axes.texts] == [f"{count:,}" for count in counts]
        assert {text.get_rotation() for text in axes.texts} == {turned}
    words = "Event time 2 is observed for 56 treated counties (5 percent)."
    assert event_plot.thin_support([panel], "county", "counties") == words
    assert event_plot.thin_support([panel[panel["event_time"] < 2]], "county", "counties") == ""
    panel.loc[panel["event_time"] == 2, "treated_units"] = 1.0
    words = "Event time 2 is observed for 1 treated county (0 percent)."
    assert event_plot.thin_support([panel], "county", "counties") == words


def test_detectable_effects_are_ticks_and_published_values_diamonds_in_their_rows(context: Context) -> None:
    rows = {"label": ["Index", "Violent"], "spec_id": ["plain", "weighted"], "estimate": [0.05, 0.04]}
    pd.DataFrame({**rows, "found": [-0.03, -0.02]}).to_csv(context.folders.clean / "mde.csv", index=False)
    published = {"value": -0.04, "label": "Earlier study", "where": {"label": ["Index"]}}
    options = {"source": "clean/mde.csv", "detectable": "decline", "published": [published]}
    entry = Entry("mde", "MDE", "dots", (), {**options, "x_label": "Effect (log points)"})
    frame = dots_figure.collect(entry, context)
    assert frame["conf_low"].tolist() == [
        context.results.get(name).row("att")["conf_low"] for name in rows["spec_id"]
    ]
    with styled():
        picture = dots_figure.draw(frame, entry, context)
    axes = picture.figure.axes[0]
    drawn = {
        str(line.get_marker()): list(line.get_xdata()) for line in axes.lines if line.get_xdata() is not None
    }
    assert drawn["|"] == [-0.05, -0.04]
    assert drawn["D"] == [-0.04]
    assert axes.child_axes[0].get_xlabel() == "Percent"
    assert "Vertical ticks: minimum detectable decline. Hollow diamond: Earlier study" in picture.note
    wrong = replace(entry, options={**entry.options, "published": [{**published, "where": {"label": ["X"]}}]})
    with styled(), pytest.raises(SpecError, match="no row matches"):
        dots_figure.draw(frame, wrong, context)
