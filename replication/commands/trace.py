"""``replication trace``: where a printed number comes from."""

from __future__ import annotations

import argparse

from replication.commands.own_data import Subparsers


def add(commands: Subparsers) -> None:
    """The parser of the command."""
    trace = commands.add_parser("trace", help="show where a number in a table or figure comes from")
    trace.add_argument("name", metavar="TABLE|FIGURE", help="id of the table or figure, or STUDY/ID")
    trace.add_argument(
        "row", nargs="?", metavar="ROW|POINT", help="printed label or key (default: list them)"
    )
    trace.add_argument("column", nargs="?", metavar="COLUMN", help="column of a table")
    trace.add_argument("--json", action="store_true", help="print JSON")
    trace.set_defaults(run=run_trace)


def run_trace(chosen: argparse.Namespace) -> int:
    """``replication trace TABLE ROW COLUMN`` and ``replication trace FIGURE POINT``."""
    from replication.report.trace.trace_text import listing, trace_json, trace_text
    from replication.report.trace.traces import find_entry, trace_in
    from replication.workflow.project import find_root
    from replication.workflow.settings import read_settings

    root = find_root()
    traces, entry = find_entry(root, chosen.name, stars=read_settings(root)["tables"]["stars"])
    traced = traces.traced(entry)
    if chosen.row is None or (chosen.column is None and not traced.points):
        print(listing(traced, f"{traces.study.id}/{entry.id}", chosen.row))
        return 0
    found = trace_in(traces, traced, chosen.row, chosen.column)
    print(trace_json(found) if chosen.json else trace_text(found))
    return 0
