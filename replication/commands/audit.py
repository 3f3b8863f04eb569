"""Commands that examine a panel: audit."""

from __future__ import annotations

import argparse
from pathlib import Path

from replication.commands.own_data import COLUMNS, Subparsers, add_specification, chosen_specs

NAMED = tuple(key for key in COLUMNS if key != "estimator")
"""Every estimator is part of the audit."""


def add(commands: Subparsers) -> None:
    """The parsers of these commands."""
    audit = commands.add_parser(
        "audit",
        help="examine a staggered design and write a checklist on one page",
        epilog="example: replication audit --panel my.csv --unit state --time quarter --cohort law "
        "--outcome rate --set unbalanced=pairwise",
    )
    add_specification(audit, NAMED)
    audit.add_argument("--out", type=Path, default=Path("audit"), help="folder for the page (default: audit)")
    audit.set_defaults(run=run_audit)


def run_audit(chosen: argparse.Namespace) -> int:
    """``replication audit [SPEC.yaml] --panel FILE --outcome y``."""
    from replication.audit.run_audit import audit, audit_text, write_audit
    from replication.core.column_roles import named_columns
    from replication.core.errors import SpecError
    from replication.core.frames import read_frame
    from replication.core.panel_builder import build_panel
    from replication.core.sample_selection import identifier_columns

    specs = chosen_specs(chosen, NAMED)
    if len(specs) > 1:
        names = " or ".join(f"--only {spec.id}" for spec in specs[:4])
        raise SpecError(f"An audit is of one specification, and the file has {len(specs)}. Add {names}.")
    (spec,) = specs
    frame = read_frame(chosen.panel, identifier_columns(spec), spec.read, named_columns(spec))
    panel = build_panel(frame, spec)
    found = audit(panel, f"Audit of {spec.outcome} in {chosen.panel.name}", spec)
    page = write_audit(found, chosen.out)
    print(f"{audit_text(found)}\n\nThe page with every table and figure: {page}")
    return 0
