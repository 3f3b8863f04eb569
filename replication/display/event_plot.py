"""An event-study figure of one or several results on the same outcome."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.display.canvas import legend_height, sheet, styled
from replication.display.details_text import confidence_level
from replication.display.event_panel import (
    counts_inches,
    draw_panel,
    drawable,
    few_clusters,
    label_axes,
    thin_support,
)
from replication.display.formatting import distinct_words
from replication.display.media import PAGE
from replication.inference.cautions import FEW_EFFECTIVE

HEIGHT, LEFT, RIGHT = 3.0, 0.95, 0.15


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
    title, note : text above and below; a thinly supported last event time is added to the note
    """
    frame = pd.concat([path.assign(series=place + 1) for place, path in enumerate(paths)], ignore_index=True)
    labels = distinct_words(frame["label"])
    with styled():
        page = sheet(
            title,
            f"{note} {thin_support([frame])}".rstrip(),
            height=HEIGHT,
            left=LEFT,
            right=RIGHT,
            below=0.45 + counts_inches(frame, PAGE.width - LEFT - RIGHT),
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
    path = drawable(path.sort_values("event_time").reset_index(drop=True), estimates.details)
    return path.assign(
        label=label, treated_units=path["event_time"].map(counts), panel_title=estimates.outcome
    )


def figure_note(fits: Sequence[Estimates]) -> str:
    """How to read an event plot."""
    details = fits[0].details
    bare = [fit for fit in fits if few_clusters(fit.table, fit.details)]
    few = f" No intervals are drawn with fewer than {FEW_EFFECTIVE} clusters." if bare else ""
    return (
        f"Dark bars: {confidence_level(details)} pointwise confidence intervals; pale bars: "
        f"uniform (sup-t) bands.{few} Hollow markers: reference period, zero by construction. Dashed line: "
        f"adoption. Standard errors clustered by {' and '.join(details.clusters)}."
    )
