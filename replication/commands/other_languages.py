"""The command ``export-code``."""

from __future__ import annotations

import argparse
from pathlib import Path

from replication.commands.own_data import Subparsers


def add(commands: Subparsers) -> None:
    """The parser of this command."""
    code = commands.add_parser(
        "export-code",
        help="export a table of a study as R, Stata, and pyfixest code with data",
        epilog="example: replication export-code castle_doctrine --table homicide --out code",
    )
    code.add_argument("study", metavar="STUDY")
    code.add_argument("--table", metavar="ID", help="table (default: the first one with regressions)")
    code.add_argument("--out", type=Path, metavar="DIR", help="folder (default: exports/STUDY/code)")
    code.set_defaults(run=run_code)


def run_code(chosen: argparse.Namespace) -> int:
    """``replication export-code STUDY``."""
    from replication.workflow.export_study_code import export_code
    from replication.workflow.project import find_root

    for path in export_code(find_root(), chosen.study, chosen.table, chosen.out):
        print(f"Wrote {path}")
    return 0
