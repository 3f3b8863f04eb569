"""``replication data``: the state of the raw files as text, and fetching them."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

from replication.sources.fetch import fetch
from replication.sources.manifest import load_manifest, of_study, status
from replication.workflow import project


def status_text(root: Path, study: str | None) -> str:
    """The table of raw files, with the remedy for missing ones."""
    table = status(root, files_of(root, study))
    width = max(len(name) for name in table["file"])
    lines = [f"{row.state:<9} {row.file:<{width}} {row.id}" for row in table.itertuples()]
    counts = table["state"].value_counts()
    lines += ["", ", ".join(f"{number} {state}" for state, number in counts.items()) + "."]
    mirror = os.environ.get("REPLICATION_MIRROR")
    if mirror:
        lines.append(f"Files are also looked for in {mirror} (REPLICATION_MIRROR).")
    wanting = table[table["state"].isin(["missing", "damaged"])]
    if len(wanting):
        lines += ["", "What to do:"]
        for todo, rows in wanting.groupby("todo", sort=False):
            lines.append(f"  {', '.join(rows['id'])}")
            lines.append(textwrap.indent(textwrap.fill(str(todo), 96), "    "))
    return "\n".join(lines)


def fetch_files(root: Path, study: str | None) -> tuple[str, bool]:
    """Fetch the files that may be fetched; returns a report and whether all are in place."""
    results = fetch(of_study(load_manifest(root), files_of(root, study)), root)
    lines = []
    for result in results:
        lines.append(f"{result.outcome:<10} {result.source.id:<28} {result.message}".rstrip())
    failed = [result for result in results if result.outcome in {"failed", "by hand"}]
    lines += ["", f"{len(results) - len(failed)} of {len(results)} files are in place."]
    return "\n".join(lines), not failed


def files_of(root: Path, name: str | None) -> str | None:
    """The name in the manifest: the one given, or that of the study's files where it is a study.

    Studies that share their files, such as the two made from Return A, share their name there.
    """
    known = {study for source in load_manifest(root) for study in source.studies}
    if name is None or name in known:
        return name
    requested = {study.id: study.source_names for study in project.studies(root)}.get(name, [])
    return requested[0] if len(requested) == 1 else name
