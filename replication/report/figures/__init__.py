"""One kind of figure per file, ``<kind>_figure.py``, each with its options and two functions.

``OPTIONS``
    Options of an entry of ``figures.yaml`` (``entry_kinds``).
``collect(entry, context) -> DataFrame``
    Every number that is plotted, one row per mark: the CSV beside the figure.
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
sensitivity    m (empty for the original interval), conf_low, conf_high, (panel), (breakdown)
bacon          kind, estimate, weight, (treated, comparison), (spec_id)
line, scatter  the columns that the entry names
=============  ===================================================================================

matplotlib is imported when the first figure is drawn.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from replication.report.entry_kinds import result_kinds
from replication.report.report_context import Context
from replication.report.study_config import Entry

FIGURES = result_kinds("figures")
"""Kind of figure -> its module."""


def write_figure(entry: Entry, context: Context) -> list[Path]:
    """Write a figure as PDF, PNG and the CSV of what it plots; returns the paths."""
    from replication.display.canvas import styled
    from replication.report.figures.figure_files import save

    kind = importlib.import_module(FIGURES[entry.kind])
    frame = kind.collect(entry, context)
    with styled():
        return save(kind.draw(frame, entry, context), frame, entry, context)
