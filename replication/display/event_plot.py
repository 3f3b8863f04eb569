"""An event-study figure of one or several results on the same outcome, and one panel of it.

A panel is drawn from a frame with one row per estimate: ``series`` and ``label``, ``event_time``,
``estimate``, ``conf_low``, ``conf_high``, ``band_low``, ``band_high``, ``treated_units``,
``reference`` (the period that is zero by construction) and ``panel_title``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from replication.core.details import Details
from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.display import formatting, marks
from replication.display.canvas import GRAY, inches, legend_height, sheet, styled
from replication.display.details_text import confidence_level, control_group, in_logs, pooled_note
from replication.display.formatting import distinct_words
from replication.display.inference_text import INTERVALS, drawn_notes, error_note
from replication.display.media import PAGE
from replication.display.result_text import estimator_label
from replication.inference.cautions import FEW_EFFECTIVE

HEIGHT, LEFT, RIGHT = 3.0, 0.95, 0.15


def event_study_figure(
    fits: Sequence[Estimates],
    labels: Sequence[str],
    title: str = "",
    *,
    window: tuple[int, int] | None = None,
) -> Figure:
    """Draw the event studies of results, with all words taken from them.

    Parameters
    ----------
    labels : names in the legend, one per result
    title : ``Event-study estimates: OUTCOME`` if empty
    window : first and last event time drawn; all if None

    Raises
    ------
    SpecError
        If a result has no effects by event time.
    """
    frames = [event_frame(fit, label) for fit, label in zip(fits, labels, strict=True)]
    if window is not None:
        frames = [frame[frame["event_time"].between(*window)] for frame in frames]
    outcomes = distinct_words(fit.outcome for fit in fits)
    ends = pooled_note([fit.details for fit in fits], labels, [frame["event_time"] for frame in frames])
    periods = {fit.details.period for fit in fits}
    period = periods.pop() if len(periods) == 1 else ""
    return event_figure(
        frames,
        title or f"Event-study estimates: {formatting.listed(outcomes)}",
        f"{figure_note(fits, labels)} {ends}".rstrip(),
        x_label=f"{(period or 'period').capitalize()}s relative to adoption",
        y_label=f"Effect on {outcomes[0]}" if len(outcomes) == 1 else "Effect",
        percent=all(in_logs(fit.outcome, fit.details) for fit in fits),
    )


def event_figure(
    paths: Sequence[pd.DataFrame],
    title: str,
    note: str,
    *,
    x_label: str = "Periods relative to adoption",
    y_label: str = "Effect",
    percent: bool = False,
) -> Figure:
    """Draw the paths into one panel, side by side at each event time.

    Parameters
    ----------
    paths : frames with the columns that the module names, one per result
    title, note : text above and below; a thinly supported last event time is added to the note
    percent : whether effects are differences of logs, and an axis in percent stands at the right
    """
    frame = pd.concat([path.assign(series=place + 1) for place, path in enumerate(paths)], ignore_index=True)
    labels = distinct_words(frame["label"])
    right = marks.PERCENT_ROOM if percent else RIGHT
    with styled():
        page = sheet(
            title,
            f"{note} {thin_support([frame])}".rstrip(),
            height=HEIGHT,
            left=LEFT,
            right=right,
            below=0.45 + counts_inches(frame, PAGE.width - LEFT - right),
            legend=legend_height(labels, PAGE),
        )
        draw_panel(page.axes[0], frame, labels)
        page.axes[0].set_title("")
        label_axes(page.axes[0], frame, labels, x_label)
        page.axes[0].set_ylabel(y_label)
        if percent:
            marks.percent_axis(page.axes[0], marks.PERCENT)
        if len(labels) > 1:
            page.legend(labels)
    return page.figure


def event_frame(estimates: Estimates, label: str) -> pd.DataFrame:
    """The path by event time as ``draw_panel`` draws it.

    Raises
    ------
    SpecError
        If there are no effects by event time.
    """
    path, _ = estimates.path()
    if path.empty:
        raise SpecError(
            f"{estimates.estimator} gives no effects by event time, so there are no event-study coefficients "
            "to plot. Use an estimator that does, such as event_study, callaway_santanna, or imputation."
        )
    counts = {one.event_time: one.units for one in estimates.details.support}
    path = drawable(path.sort_values("event_time").reset_index(drop=True), estimates.details)
    return path.assign(
        label=label, treated_units=path["event_time"].map(counts), panel_title=estimates.outcome
    )


def figure_note(fits: Sequence[Estimates], labels: Sequence[str]) -> str:
    """How to read an event plot, and the joint tests of the periods before adoption."""
    details = fits[0].details
    bare = [fit for fit in fits if few_clusters(fit.table, fit.details)]
    few = f" No intervals are drawn with fewer than {FEW_EFFECTIVE} clusters." if bare else ""
    return (
        f"{_what(fits)}Dark bars: {confidence_level(details)} pointwise confidence intervals; pale bars: "
        f"{confidence_level(details)} uniform (sup-t) confidence bands.{few} Hollow markers: "
        "reference period, zero by construction. Dashed line: "
        f"adoption. {' '.join([error_note(fits, labels), *drawn_notes(fits, labels, INTERVALS)])}"
        f"{pretrend_words(fits, labels)}"
    )


def _what(fits: Sequence[Estimates]) -> str:
    """The estimator and its control group where no legend names them."""
    if len(fits) > 1:
        return ""
    group = control_group(fits[0].details)
    return f"{estimator_label(fits[0].estimator)} estimates{group and f'; the control group is {group}'}. "


def pretrend_words(fits: Sequence[Estimates], labels: Sequence[str]) -> str:
    """The p-values of the joint pre-trend tests in a sentence; empty if there is none."""
    tests = [fit.details.pretrend for fit in fits]
    shown = [formatting.p_equals(test.p_value) if test else "" for test in tests]
    named = [f"{p} ({label})" for p, label in zip(shown, labels, strict=True) if p]
    words = formatting.listed(named) if len(fits) > 1 else shown[0]
    return f" Joint pre-trend test{'s' if len(named) > 1 else ''}: {words}." if words else ""


ONSET = -0.5
SPREAD = 0.3
GLYPHS = ("\N{BLACK CIRCLE}", "\N{BLACK SQUARE}", "\N{BLACK UP-POINTING TRIANGLE}")
DIGIT_INCHES = 0.062
TURNED_INCHES = 0.09
"""Width of a count of 8 points that is turned by 90 degrees."""
BELOW_TICKS = 18.0
"""Points between the horizontal axis and the first line of counts."""
THIN_SHARE = 0.1
ENDS = ["conf_low", "conf_high", "band_low", "band_high"]
CountLine = tuple[str, dict[float, float]]
"""The name of a series and the treated units behind each of its event times."""


def panel_width(panel: pd.DataFrame) -> float:
    """Inches that a panel needs for a mark and a count at each event time, its axis labels included."""
    marked = panel["event_time"].nunique() * max(TURNED_INCHES, 0.05 * panel["series"].nunique())
    return float(0.75 + marked)


def few_clusters(path: pd.DataFrame, details: Details) -> bool:
    """Whether clusters are too few for intervals other than those of a wild bootstrap.

    Cluster-robust standard errors collapse at some event times when clusters are few.
    """
    return bool(path["n_clusters"].max() < FEW_EFFECTIVE) and "wild" not in details.uncertainty.method


def drawable(path: pd.DataFrame, details: Details) -> pd.DataFrame:
    """The path with its reference period marked, and without intervals where clusters are few."""
    path = path.assign(reference=path["std_error"].isna() & (path["estimate"] == 0))
    return path.assign(**dict.fromkeys(ENDS, np.nan)) if few_clusters(path, details) else path


def thin_support(panels: Sequence[pd.DataFrame], unit: str = "unit", units: str = "units") -> str:
    """A sentence on the last event time where few of the treated units are observed there; else empty.

    Parameters
    ----------
    unit, units : what one of them is called, and what several are.
    """
    last = max(float(panel["event_time"].max()) for panel in panels)
    counts = [panel.loc[panel["event_time"] == last, "treated_units"].min() for panel in panels]
    share = max(count / panel["treated_units"].max() for count, panel in zip(counts, panels, strict=True))
    if last < 0 or not share < THIN_SHARE:
        return ""
    ends = formatting.distinct_words(map(formatting.integer, (min(counts), max(counts))))
    observed = unit if max(counts) == 1 else units
    return (
        f"Event time {formatting.signed(last)} is observed for {' to '.join(ends)} treated {observed} "
        f"({100 * share:.0f} percent)."
    )


def draw_panel(axes: Axes, panel: pd.DataFrame, labels: Sequence[str], below_title: str = "") -> None:
    """Estimates of one outcome by one estimator or several, offset from each other."""
    parts = [part for _, part in panel.groupby("series", sort=True)]
    offsets = (np.arange(len(parts)) - (len(parts) - 1) / 2) * SPREAD
    room = 0.85 * SPREAD * 72 * inches(axes)[0] / (panel["event_time"].nunique() + 0.2)
    marks.light_grid(axes)
    marks.zero_line(axes)
    axes.axvline(ONSET, color=GRAY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    for part, offset in zip(parts, offsets, strict=True):
        index = labels.index(str(part["label"].iloc[0]))
        marks.interval_points(axes, part["event_time"] + offset, part, index, room=room)
    axes.set_title(str(panel["panel_title"].iloc[0]), pad=15 if below_title else None)
    marks.beside(axes, below_title, (0, 1), "axes fraction", (0, 5), color=GRAY)


def label_axes(
    axes: Axes, panel: pd.DataFrame, labels: Sequence[str], x_label: str, *, units: str = "units"
) -> None:
    """Event times and the treated units behind each of them, named at the left unless ``units`` is empty."""
    times = sorted(panel["event_time"].unique())
    axes.set_xlim(min(times) - 0.6, max(times) + 0.6)
    lines = count_lines(panel)
    wide = inches(axes)[0]
    longest = max(len(formatting.signed(time)) for time in times)
    named = marks.thinned(times, int(wide / (DIGIT_INCHES * (longest + 0.5))))
    axes.set_xticks(named, [formatting.signed(time) for time in named])
    axes.set_xticks([time for time in times if time not in named], minor=True)
    turned = counts_turned(panel, wide)
    shown = marks.thinned(times, int(wide / TURNED_INCHES), last=True) if turned else times
    step = line_points(panel, wide)
    for number, (_, counts) in enumerate(lines):
        values = [counts.get(time, np.nan) for time in shown]
        marks.counts_below(axes, shown, values, BELOW_TICKS + step * number, turned=turned)
    axes.set_xlabel(x_label, labelpad=3 + step * len(lines))
    if units:
        _name_counts(axes, times[0], lines, labels, units, step if turned else 0.0)


def counts_turned(panel: pd.DataFrame, wide: float) -> bool:
    """Whether the counts of all event times fit on axes of ``wide`` inches only if turned."""
    return wide < DIGIT_INCHES * (_digits(panel) + 1) * panel["event_time"].nunique()


def line_points(panel: pd.DataFrame, wide: float) -> float:
    """Height in points of a line of counts; turned ones leave room for the two lines of their name."""
    if not counts_turned(panel, wide):
        return 9.0
    return max(72 * DIGIT_INCHES * _digits(panel) + 2, 20.0 if len(count_lines(panel)) > 1 else 0.0)


def counts_inches(panel: pd.DataFrame, wide: float) -> float:
    """Height in inches of all lines of counts."""
    return line_points(panel, wide) * len(count_lines(panel)) / 72


def _digits(panel: pd.DataFrame) -> int:
    return max((len(formatting.integer(count)) for count in panel["treated_units"].dropna()), default=2)


def _name_counts(
    axes: Axes, first: float, lines: Sequence[CountLine], labels: Sequence[str], units: str, turned: float
) -> None:
    """What the lines of counts are, in the margin; ``turned`` is the height of a line of turned counts."""
    # The first count is centered below its tick and may reach into the margin.
    left = (first - axes.get_xlim()[0]) / np.diff(axes.get_xlim())[0] * inches(axes)[0]
    letters = [len(formatting.integer(counts[first])) for _, counts in lines if first in counts]
    away = 0.0 if turned else 72 * max(0.0, DIGIT_INCHES * max(letters, default=0) / 2 - left)
    if len(lines) == 1:
        marks.name_at_left(axes, f"treated\n{units}", BELOW_TICKS, away=away)
    for number, (label, _) in enumerate(lines if len(lines) > 1 else []):
        glyph = GLYPHS[labels.index(label) % len(GLYPHS)]
        word = f"treated\n{units} " if turned else ("treated ", f"{units} ", "")[number]
        marks.name_at_left(axes, f"{word}{glyph}", BELOW_TICKS + (turned or 9.0) * number, away=away)


def count_lines(panel: pd.DataFrame) -> list[CountLine]:
    """Treated units by event time, once for all estimators that share the counts."""
    found: list[CountLine] = []
    for _, part in panel.groupby("series", sort=True):
        known = part[part["treated_units"].notna()]
        counts = dict(zip(known["event_time"], known["treated_units"], strict=True))
        shared = next((other for _, other in found if agree(counts, other)), None)
        if shared is not None:
            shared.update(counts)
        elif counts:
            found.append((str(part["label"].iloc[0]), counts))
    return found


def agree(one: dict[float, float], other: dict[float, float]) -> bool:
    """Whether two counts are the same wherever both are known."""
    return all(other[time] == count for time, count in one.items() if time in other)
