"""The analysis step: analyses beyond single specifications, one CSV file each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.kinds import analyze, module_of
from replication.core.code_digest import code_digest
from replication.core.errors import InputError
from replication.core.files import write_csv
from replication.core.fingerprints import file_digest, fingerprint, renew
from replication.report.folders import Folders
from replication.workflow.entry_inputs import NamedInputs
from replication.workflow.project import StudyFolder


def analyze_study(study: StudyFolder, root: Path) -> tuple[int, int]:
    """Rerun analyses that have changed; returns (made, kept)."""
    context = AnalysisContext(root / "data_clean" / study.id, root / "tables" / study.id, study.folder)
    entries = {str(entry["id"]): entry for entry in study.config.get("analyses", [])}
    # A folder of their own: a table of the same name writes its cells into tables/<study>.
    places = {name: context.tables / "analyses" / f"{name}.csv" for name in entries}

    def make(names: Sequence[str]) -> Iterator[str]:
        """Write the files of these analyses; yields each name when its file is written."""
        for name in names:
            try:
                write_csv(places[name], analyze(entries[name], context))
            except InputError as error:
                raise type(error)(f"{study.id}, analysis {name!r}: {error}") from None
            yield name

    inputs = NamedInputs(Folders.under(study.root, study.id))
    cleaned = sorted(path for path in context.clean.glob("[!.]*") if path.suffix in (".parquet", ".csv"))
    panels = [file_digest(path) for path in cleaned]
    return renew(
        root / study.ledger("analyze"),
        {name: analysis_fingerprint(entry, study, panels, inputs) for name, entry in entries.items()},
        lambda name: [places[name]],
        make,
    )


def analysis_fingerprint(
    entry: Mapping[str, Any], study: StudyFolder, panels: list[str], inputs: NamedInputs
) -> str:
    """Digest of all inputs of an analysis: its options, the code, panels and estimates."""
    return fingerprint(entry, analysis_digest(str(entry["kind"]), study), panels, inputs.digests(entry))


def analysis_digest(kind: str, study: StudyFolder) -> str:
    """Digest of the code that an analysis of this kind depends on; empty if there is no such kind."""
    module = module_of(kind, study.folder)
    return code_digest(module, root=study.folder.parents[1]) if module else ""
