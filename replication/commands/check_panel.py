"""``replication check``: is this file a panel that can be estimated, and what would make it one?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from replication.commands.own_data import WORDS, Subparsers, add_assigned
from replication.commands.reading_flags import PANEL_HELP, add_reading, reading_keys

ROLES = ("unit", "time", "cohort", "weights")


def add(commands: Subparsers) -> None:
    """The parser of this command."""
    check = commands.add_parser(
        "check",
        help="check a panel file for duplicates, gaps, stray spaces, and never-treated codes",
        epilog="example: replication check my.csv --unit state --time quarter --cohort law --outcome rate",
    )
    check.add_argument("panel", type=Path, metavar="FILE", help=PANEL_HELP)
    for key in ROLES:
        check.add_argument(f"--{key}", help=WORDS[key])
    check.add_argument(
        "--outcome", nargs="+", default=[], metavar="COLUMN", help="outcome variables to check"
    )
    check.add_argument("--covariates", nargs="+", metavar="COLUMN", help="covariates to check")
    check.add_argument("--cluster", nargs="+", metavar="COLUMN", help="cluster variables to check")
    add_assigned(check)
    add_reading(check)
    check.set_defaults(run=run_check)


def run_check(chosen: argparse.Namespace) -> int:
    """``replication check FILE``: exit code 2 where an estimate would be refused."""
    from replication.checks.panel_check import check_panel, check_text
    from replication.workflow.estimate_file import assignments

    named = {key: getattr(chosen, key) for key in (*ROLES, "covariates", "cluster")}
    keys = {key: value for key, value in named.items() if value} | reading_keys(chosen)
    keys |= assignments(chosen.assigned)
    found = check_panel(chosen.panel, keys, chosen.outcome)
    print(check_text(found, next_command(chosen, dict(found.keys))))
    return 2 if found.refusal else 0


def next_command(chosen: argparse.Namespace, keys: dict[str, Any]) -> str:
    """The command that estimates the panel with these keys."""
    from replication.core.reading import as_option

    named = {"outcome": chosen.outcome[0] if chosen.outcome else "COLUMN", **keys}
    given = " ".join(as_option(key, value) for key, value in named.items())
    return f"replication estimate --panel {chosen.panel} {given} --out out"
