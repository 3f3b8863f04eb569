"""One kind of figure a file, each with two functions.

``collect(entry, context) -> DataFrame``
    Every number that is plotted, one row a mark: the CSV beside the figure.
``draw(frame, entry, context) -> Drawing``
    The picture of that frame and nothing else, its note and its description in words.

Columns of the files behind the kinds that show one (``rename`` maps other names to them; those
in parentheses are optional):

=============  ===================================================================================
kind           columns
=============  ===================================================================================
rollout        date, counties and share (both cumulative)
raw_means      group, time, mean, (adoption: first treated period, 0 for never), (panel)
map            fips, and the column named in ``value``
leave_one_out  label, estimate, (conf_low, conf_high), (group), (spec_id)
and dots
permutation    kind (``actual`` once, ``draw``), estimate, (panel), (spec_id)
sensitivity    m (empty for the original interval), conf_low, conf_high, (panel), (spec_id)
bacon          kind, estimate, weight, (treated, comparison), (spec_id)
line, scatter  the columns that the entry names
=============  ===================================================================================

matplotlib is imported when the first figure is drawn.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from replication.report.config import Entry
from replication.report.context import Context

FIGURES = {
    "event_study": "replication.report.figures.event_study",
    "rollout": "replication.report.figures.rollout",
    "raw_means": "replication.report.figures.raw_means",
    "map": "replication.report.figures.county_map",
    "specification_curve": "replication.report.figures.specification_curve",
    "leave_one_out": "replication.report.figures.dots",
    "dots": "replication.report.figures.dots",
    "permutation": "replication.report.figures.permutation",
    "sensitivity": "replication.report.figures.sensitivity",
    "bacon": "replication.report.figures.bacon",
    "line": "replication.report.figures.line",
    "scatter": "replication.report.figures.scatter",
}


def write_figure(entry: Entry, context: Context) -> list[Path]:
    """Write a figure as PDF, PNG and the CSV of what it plots; returns the paths."""
    from replication.report.figures.canvas import save, styled

    kind = importlib.import_module(FIGURES[entry.kind])
    frame = kind.collect(entry, context)
    with styled():
        return save(kind.draw(frame, entry, context), frame, entry, context)
