"""An event-study figure of one or several results on the same outcome."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.display.canvas import legend_height, sheet, styled
from replication.display.details_text import confidence_level
from replication.display.event_panel import count_lines, draw_panel, label_axes
from replication.display.formatting import distinct_words
from replication.display.media import PAGE

HEIGHT = 3.0


def event_figure(
    paths: Sequence[pd.DataFrame],
    title: str,
    note: str,
    *,
    x_label: str = "Periods since adoption",
    y_label: str = "Effect",
) -> Figure:
    """Draw the paths into one panel, side by side at each event time.

    Parameters
    ----------
    paths : frames with the columns that ``event_panel`` names, one per result
    title, note : text above and below
    """
    frame = pd.concat([path.assign(series=place + 1) for place, path in enumerate(paths)], ignore_index=True)
    labels = distinct_words(frame["label"])
    lines = count_lines(frame)
    with styled():
        page = sheet(
            title,
            note,
            height=HEIGHT,
            left=0.95,
            below=0.45 + 0.125 * len(lines),
            legend=legend_height(labels, PAGE),
        )
        draw_panel(page.axes[0], frame, labels)
        page.axes[0].set_title("")
        label_axes(page.axes[0], frame, labels, x_label)
        page.axes[0].set_ylabel(y_label)
        if len(labels) > 1:
            page.legend(labels)
    return page.figure


def event_frame(estimates: Estimates, label: str) -> pd.DataFrame:
    """The path by event time as ``event_panel`` draws it.

    Raises
    ------
    SpecError
        If there are no effects by event time.
    """
    path, _ = estimates.path()
    if path.empty:
        raise SpecError(
            f"{estimates.estimator} gives no effects by event time, so there is no path to plot. Use an "
            "estimator that does, such as event_study, callaway_santanna or imputation."
        )
    counts = {one.event_time: one.units for one in estimates.details.support}
    path = path.sort_values("event_time").reset_index(drop=True)
    return path.assign(
        label=label, treated_units=path["event_time"].map(counts), panel_title=estimates.outcome
    )


def figure_note(fits: Sequence[Estimates]) -> str:
    """How to read an event plot."""
    details = fits[0].details
    return (
        f"Points: estimates. Thin bars: {confidence_level(details)} pointwise confidence intervals; "
        "broad bars: uniform (sup-t) bands. Hollow: reference period, zero by construction. Dashed line: "
        f"adoption. Standard errors are clustered by {' and '.join(details.clusters)}."
    )
