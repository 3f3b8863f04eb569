"""Commands around a study of one's own: new, export, export-code."""

from __future__ import annotations

import argparse
from pathlib import Path

from replication.commands.own_data import WORDS, Subparsers, add_assigned
from replication.commands.reading_flags import PANEL_HELP, add_reading, reading_keys

KEYS = ("unit", "time", "cohort", "cluster", "weights")


def _words(key: str) -> str:
    """The help of an option, without a default where it must be given."""
    return WORDS[key].partition(" (default")[0] if key in KEYS[:2] else WORDS[key]


def add(commands: Subparsers) -> None:
    """The parsers of these commands."""
    new = commands.add_parser(
        "new",
        help="create a study of your own panel: a folder with commented files that runs as is",
        epilog="example: replication new jobs --panel my.csv --unit state --time year --cohort g --outcome y",
    )
    new.add_argument("study", metavar="STUDY", help="name of the study: letters, digits and _")
    new.add_argument("--panel", type=Path, required=True, help=PANEL_HELP)
    new.add_argument("--outcome", required=True, help=WORDS["outcome"])
    for key in KEYS:
        new.add_argument(f"--{key}", help=_words(key), required=key in KEYS[:2])
    new.add_argument("--title", help="title of the study (default: its name)")
    add_assigned(new)
    add_reading(new)
    new.set_defaults(run=run_new)
    export = commands.add_parser(
        "export",
        help="export a cleaned panel, with labels, for Stata, R or a spreadsheet",
        epilog="example: replication export castle_doctrine/state_year --to dta",
    )
    export.add_argument("panel", metavar="STUDY/PANEL", help="panel of a study")
    export.add_argument("--to", help="format: dta, csv, rds or parquet")
    export.add_argument(
        "-o",
        "--output",
        type=Path,
        help="file to write (default: exports/STUDY/PANEL with the ending of the format)",
    )
    export.set_defaults(run=run_export)
    code = commands.add_parser(
        "export-code",
        help="export a table of a study as R, Stata, and pyfixest code with data",
        epilog="example: replication export-code castle_doctrine --table homicide --out code",
    )
    code.add_argument("study", metavar="STUDY")
    code.add_argument("--table", metavar="ID", help="table (default: the first one with regressions)")
    code.add_argument("--out", type=Path, metavar="DIR", help="folder (default: exports/STUDY/code)")
    code.set_defaults(run=run_code)


def run_new(chosen: argparse.Namespace) -> int:
    """``replication new STUDY --panel FILE``."""
    from replication.workflow.estimate_file import assignments
    from replication.workflow.new_study import make_study

    columns = {key: getattr(chosen, key) for key in (*KEYS, "outcome")}
    keys = {key: value for key, value in columns.items() if value} | reading_keys(chosen)
    keys |= assignments(chosen.assigned)
    print(make_study(chosen.study, chosen.panel, keys, chosen.title or ""))
    return 0


def run_export(chosen: argparse.Namespace) -> int:
    """``replication export STUDY/PANEL --to dta``."""
    from replication.workflow.export_step import export
    from replication.workflow.project import find_root

    for path in export(find_root(), chosen.panel, chosen.to, chosen.output):
        print(f"Wrote {path}")
    return 0


def run_code(chosen: argparse.Namespace) -> int:
    """``replication export-code STUDY``."""
    from replication.workflow.export_study_code import export_code
    from replication.workflow.project import find_root

    for path in export_code(find_root(), chosen.study, chosen.table, chosen.out):
        print(f"Wrote {path}")
    return 0
