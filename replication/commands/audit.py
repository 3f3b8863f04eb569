"""Commands that examine a panel: audit."""

from __future__ import annotations

import argparse
from pathlib import Path

from replication.commands.own_data import WORDS, Subparsers
from replication.commands.reading_flags import PANEL_HELP, add_reading, nested, reading_keys

KEYS = ("unit", "time", "cohort", "cluster", "weights")


def add(commands: Subparsers) -> None:
    """The parsers of these commands."""
    audit = commands.add_parser("audit", help="examine a staggered design and write a checklist on one page")
    audit.add_argument("--panel", type=Path, required=True, help=PANEL_HELP)
    audit.add_argument("--outcome", required=True, help=WORDS["outcome"])
    for key in KEYS:
        audit.add_argument(f"--{key}", help=WORDS[key])
    audit.add_argument("--covariates", nargs="+", metavar="COLUMN", help=WORDS["covariates"])
    audit.add_argument("--out", type=Path, default=Path("audit"), help="folder for the page (default: audit)")
    add_reading(audit)
    audit.set_defaults(run=run_audit)


def run_audit(chosen: argparse.Namespace) -> int:
    """``replication audit --panel FILE --outcome y``."""
    from replication.api import read_panel
    from replication.audit.run_audit import audit, audit_text, write_audit

    keys = {key: getattr(chosen, key) for key in (*KEYS, "covariates")}
    given = {key: value for key, value in keys.items() if value} | nested(reading_keys(chosen))
    panel = read_panel(chosen.panel, outcome=chosen.outcome, **given)
    found = audit(panel, f"Audit of {chosen.outcome} in {chosen.panel.name}")
    page = write_audit(found, chosen.out)
    print(f"{audit_text(found)}\n\nThe page with every table and figure: {page}")
    return 0
