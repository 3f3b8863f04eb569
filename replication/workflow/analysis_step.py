"""The analysing step: what a study asks beyond single specifications, a CSV file each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.kinds import analyse
from replication.core.errors import InputError
from replication.core.files import write_csv, write_text
from replication.leavings import visible
from replication.workflow.estimate_step import file_digest
from replication.workflow.project import Study, code_digest

STAMPS = ".analyses.json"


def analyse_study(study: Study, root: Path) -> tuple[int, int]:
    """Make what has changed; returns (made, kept)."""
    context = AnalysisContext(root / "data_clean" / study.id, root / "tables" / study.id)
    entries = study.config.get("analyses", [])
    # A folder of their own: a table of the same name writes its cells into tables/<study>.
    folder = context.tables / "analyses"
    place = context.tables / STAMPS
    known: dict[str, str] = json.loads(place.read_text()) if place.is_file() else {}
    stamps = {entry["id"]: stamp(entry, context) for entry in entries}
    stale = [
        entry
        for entry in entries
        if known.get(entry["id"]) != stamps[entry["id"]] or not (folder / f"{entry['id']}.csv").is_file()
    ]
    for entry in stale:
        try:
            write_csv(folder / f"{entry['id']}.csv", analyse(entry, context))
        except InputError as error:
            raise type(error)(f"{study.id}, analysis {entry['id']!r}: {error}") from None
    write_text(place, json.dumps(stamps, indent=1, sort_keys=True) + "\n")
    return len(stale), len(entries) - len(stale)


def stamp(entry: Mapping[str, Any], context: AnalysisContext) -> str:
    """Digest of all that an analysis depends on: its options, the code, panels and estimates."""
    parts = [json.dumps(entry, sort_keys=True, default=str), code_digest("analyse")]
    for ending in ("parquet", "csv"):
        files = visible(context.clean.glob(f"*.{ending}"), context.clean)
        parts += [file_digest(path) for path in files]
    for text in sorted(set(strings(entry))):
        record = context.tables / "specs" / text / "spec.yaml"
        if record.is_file():
            parts.append(file_digest(record))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def strings(value: Any) -> list[str]:
    """Every text inside nested plain data."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in parts for text in strings(part)]
