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

from replication.report.report_context import Context
from replication.report.study_config import Entry

FIGURES = {
    "event_study": "replication.report.figures.event_study_figure",
    "rollout": "replication.report.figures.rollout_figure",
    "raw_means": "replication.report.figures.raw_means_figure",
    "map": "replication.report.figures.map_figure",
    "specification_curve": "replication.report.figures.specification_curve_figure",
    "leave_one_out": "replication.report.figures.dots_figure",
    "dots": "replication.report.figures.dots_figure",
    "permutation": "replication.report.figures.permutation_figure",
    "sensitivity": "replication.report.figures.sensitivity_figure",
    "bacon": "replication.report.figures.bacon_figure",
    "line": "replication.report.figures.line_figure",
    "scatter": "replication.report.figures.scatter_figure",
}


def write_figure(entry: Entry, context: Context) -> list[Path]:
    """Write a figure as PDF, PNG and the CSV of what it plots; returns the paths."""
    from replication.display.canvas import styled
    from replication.report.figures.figure_files import save

    kind = importlib.import_module(FIGURES[entry.kind])
    frame = kind.collect(entry, context)
    with styled():
        return save(kind.draw(frame, entry, context), frame, entry, context)
