"""What a study's pages show of every estimate: the traces of printed numbers, and the explorer's data.

Both read all that was saved of every specification. Traces are written again only where they changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from replication.core.errors import InputError
from replication.core.files import write_bytes
from replication.core.fingerprints import Ledger, file_digest
from replication.report.site.site_render import EXPLORER, explorer_script, trace_script, write_site
from replication.report.study_config import Entry
from replication.report.trace.traces import StudyTraces
from replication.workflow.project import StudyFolder
from replication.workflow.settings import read_settings
from replication.workflow.trace_inputs import TraceInputs, shared_in

FOLDER = "traces"
SHOWN = "all specifications"
"""Entry of the ledger with the data of the explorer, which are made anew every time."""


@dataclass(slots=True)
class TraceFiles:
    """The traces of a study.

    Attributes
    ----------
    scripts : path below ``report/`` -> content.
    fingerprints : table or figure -> digest of what its traces are made from.
    refused : why a table or figure has no traces; it cannot be made either.
    kept : how many are those of an earlier run.
    """

    scripts: dict[str, bytes] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    refused: dict[str, InputError] = field(default_factory=dict)
    kept: int = 0


def traces(study: StudyFolder, root: Path) -> tuple[int, int]:
    """Write the explorer's data and the traces of the tables and figures; returns (written, kept) of these.

    Nothing is written of a table or figure that is refused: the step that makes it says why.
    """
    reader = study_traces(study, root)
    found = traces_of(study, root, reader, (*reader.study.tables, *reader.study.figures))
    write_site(found.scripts, root / "report", (FOLDER,))
    ledger = Ledger(root / study.ledger("traces"))
    for name, digest in found.fingerprints.items():
        ledger.note(name, digest, [root / "report" / trace_file(study, name)])
    explorer, place = explorer_script(reader.context), explorer_file(study, root)
    if explorer:
        write_bytes(place, explorer)
        ledger.note(SHOWN, "", [place])
    else:
        place.unlink(missing_ok=True)
    ledger.write(keep=list(ledger.entries))
    return len(found.scripts) - found.kept, found.kept


def study_traces(study: StudyFolder, root: Path) -> StudyTraces:
    """The reader of a study's traces, with the settings of the project."""
    return StudyTraces(root, study.folder, stars=read_settings(root)["tables"]["stars"])


def traces_of(study: StudyFolder, root: Path, reader: StudyTraces, entries: Sequence[Entry]) -> TraceFiles:
    """The traces of tables and figures.

    Those of an earlier run are kept if nothing changed that they, or what they refer to, are made from.
    """
    ledger, inputs = Ledger.read(root / study.ledger("traces")), TraceInputs.of(study, root, reader)
    found = TraceFiles()
    for entry in entries:
        name = trace_file(study, entry.id)
        path = root / "report" / name
        if _is_untouched(ledger.entries.get(entry.id, {}), path):
            known = inputs.fingerprint(entry, shared_in(path))
            if ledger.is_current(entry.id, known):
                found.scripts[name], found.fingerprints[entry.id] = path.read_bytes(), known
                found.kept += 1
                continue
        try:
            trace = reader.file(reader.traced(entry))
        except InputError as error:
            found.refused[entry.id] = error
            continue
        found.scripts[name] = trace_script(study.id, entry.id, trace)
        found.fingerprints[entry.id] = inputs.fingerprint(entry, trace["shared"])
    return found


def explorer_file(study: StudyFolder, root: Path) -> Path:
    """The script with the data of a study's explorer."""
    return root / "report" / study.id / f"{EXPLORER}.js"


def trace_file(study: StudyFolder, entry: str) -> str:
    """The script with the traces of a table or figure, below ``report/``."""
    return f"{study.id}/{FOLDER}/{entry}.js"


def _is_untouched(noted: Mapping[str, object], path: Path) -> bool:
    """Whether the traces of an entry are the very bytes that were written."""
    return path.is_file() and noted.get("sha256") == [file_digest(path)]
