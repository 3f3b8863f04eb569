"""Commands on what the pipeline wrote: trace, verify, manifest."""

from __future__ import annotations

import argparse
from pathlib import Path

from replication.commands.own_data import Subparsers


def add(commands: Subparsers) -> None:
    """The parsers of these commands."""
    trace = commands.add_parser("trace", help="show where a number in a table or figure comes from")
    trace.add_argument("name", metavar="TABLE|FIGURE", help="id of the table or figure, or STUDY/ID")
    trace.add_argument(
        "row", nargs="?", metavar="ROW|POINT", help="printed label or key (default: list them)"
    )
    trace.add_argument("column", nargs="?", metavar="COLUMN", help="column of a table")
    trace.add_argument("--json", action="store_true", help="print JSON")
    trace.set_defaults(run=run_trace)
    verify = commands.add_parser(
        "verify", help="compare all outputs with their source files and the committed numbers"
    )
    verify.add_argument("study", nargs="*", help="verify only these studies")
    verify.add_argument("--all", action="store_true", help="print one line per file, not just the failures")
    verify.add_argument(
        "--write-expected",
        action="store_true",
        help="for maintainers: replace the committed numbers with the current outputs",
    )
    verify.set_defaults(run=run_verify)
    manifest = commands.add_parser(
        "manifest", help="list inputs and outputs with checksums (JSON, SHA256SUMS, and RO-Crate)"
    )
    manifest.add_argument(
        "--out", type=Path, metavar="FILE", help="JSON file (default: manifest.json in the project folder)"
    )
    manifest.set_defaults(run=run_manifest)


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


def run_verify(chosen: argparse.Namespace) -> int:
    """``replication verify``: exit code 1 if anything is not as it should be."""
    from replication.checks.compare_numbers import report, write_expected
    from replication.core.processes import cores
    from replication.core.study_folder import study_folders
    from replication.workflow.project import find_root, runnable, study
    from replication.workflow.verify_outputs import verify_outputs

    root = find_root()
    able = [one.id for one in runnable(root)]
    studies = [study(root, name).id for name in chosen.study] or able
    if chosen.write_expected:
        for name in studies:
            print(f"{name}: {len(write_expected(root, name))} files written to studies/{name}/expected/")
        return 0
    expected = [folder.name for folder in study_folders(root) if (folder / "expected").is_dir()]
    held = chosen.study or [name for name in studies if name in expected]
    for name in studies:
        if name not in held:
            print(f"none  {name}  no numbers are committed for this study, so nothing is compared")
    for name in expected if not chosen.study else ():
        if name not in able:
            print(f"skip  {name}  its raw files are missing, so its outputs were not verified")
    verdicts = verify_outputs(root, [name for name in studies if name in able], held, cores())
    print(report(verdicts, every=chosen.all))
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def run_manifest(chosen: argparse.Namespace) -> int:
    """``replication manifest``."""
    from replication.workflow.manifest_files import write_manifest
    from replication.workflow.project import find_root

    for path in write_manifest(find_root(), chosen.out):
        print(f"Wrote {path}")
    return 0
