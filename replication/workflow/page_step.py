"""The pages of one study; the traces of a table or figure are written again only where they changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from replication.core.fingerprints import Ledger, file_digest
from replication.core.processes import in_processes, unused_cores
from replication.report.report_context import Context
from replication.report.site.site_render import compared_numbers, render_study, trace_script, write_site
from replication.report.study_config import Entry
from replication.report.trace.traces import StudyTraces
from replication.workflow.project import StudyFolder
from replication.workflow.settings import read_settings
from replication.workflow.trace_inputs import TraceInputs, shared_in

PAGE = "page"
"""Entry of the ledger with the files of a study that are made anew every time."""


@dataclass(frozen=True, slots=True)
class StudySite:
    """The files of a study in the report.

    Attributes
    ----------
    files : path below ``report/`` -> content.
    traces : table or figure -> fingerprint of its traces.
    """

    files: Mapping[str, bytes]
    traces: Mapping[str, str]


def page(study: StudyFolder, root: Path) -> int:
    """Write the pages of one study, ``report/<study>``; returns how many files they have."""
    site = study_site(study, root)
    write_site(site.files, root / "report")
    ledger = Ledger(root / study.ledger("page"))
    scripts = {name: trace_file(study, name) for name in site.traces}
    others = [name for name in site.files if name not in scripts.values()]
    ledger.note(PAGE, "", [root / "report" / name for name in others])
    for name, found in site.traces.items():
        ledger.note(f"trace {name}", found, [root / "report" / scripts[name]])
    ledger.write(keep=list(ledger.entries))
    return len(site.files)


def study_site(study: StudyFolder, root: Path) -> StudySite:
    """Pages of a study, with the traces and what ``verify`` finds, which show the committed numbers too."""
    found = StudyTraces(root, study.folder, stars=read_settings(root)["tables"]["stars"])
    # Both read what was saved of every specification, and share it if they run one after the other.
    parts: list[Callable[[], Any]] = [
        partial(traces_of, study, root, found),
        partial(pages_of, study, root, found),
    ]
    (traces, fingerprints), pages = in_processes(_called, parts, unused_cores())
    return StudySite(pages | traces, fingerprints)


def _called(part: Callable[[], Any]) -> Any:
    return part()


def pages_of(study: StudyFolder, root: Path, found: StudyTraces) -> dict[str, bytes]:
    """The pages and the comparison to the committed numbers."""
    from replication.checks.compare_numbers import verify
    from replication.report.site.site_pages import StudyReport

    held = (study.folder / "expected").is_dir()
    rows = [asdict(verdict) for verdict in verify(root, [study.id])] if held else []
    checks = sorted(rows, key=lambda row: -int(row["failed"]))
    pages = render_study(
        StudyReport(found.context, tuple(study.sources)),
        summary=summaries_of(root).get(study.id),
        traced=[entry.id for entry in written(found.context)],
    )
    return {**pages, **compared_numbers({study.id: checks})}


def traces_of(study: StudyFolder, root: Path, found: StudyTraces) -> tuple[dict[str, bytes], dict[str, str]]:
    """The scripts with the traces of a study, and the fingerprint of each.

    Those of an earlier run are kept if nothing changed that they, or what they refer to, are made from.
    """
    ledger, inputs = Ledger.read(root / study.ledger("page")), TraceInputs.of(study, root, found)
    scripts, fingerprints = {}, {}
    for entry in written(found.context):
        name = trace_file(study, entry.id)
        path = root / "report" / name
        if _is_untouched(ledger, entry.id, path):
            known = inputs.fingerprint(entry, shared_in(path))
            if ledger.is_current(f"trace {entry.id}", known):
                scripts[name], fingerprints[entry.id] = path.read_bytes(), known
                continue
        trace = found.file(found.traced(entry))
        scripts[name] = trace_script(study.id, entry.id, trace)
        fingerprints[entry.id] = inputs.fingerprint(entry, trace["shared"])
    return scripts, fingerprints


def trace_file(study: StudyFolder, entry: str) -> str:
    """The script with the traces of a table or figure, below ``report/``."""
    return f"{study.id}/traces/{entry}.js"


def _is_untouched(ledger: Ledger, entry: str, path: Path) -> bool:
    """Whether the traces of an entry are the very bytes that were written."""
    noted = ledger.entries.get(f"trace {entry}", {}).get("sha256")
    return path.is_file() and noted == [file_digest(path)]


def written(context: Context) -> list[Entry]:
    """The tables and figures of a study that were written."""
    tables, figures = context.folders.tables, context.folders.figures
    return [
        *(entry for entry in context.study.tables if (tables / f"{entry.id}.html").is_file()),
        *(entry for entry in context.study.figures if (figures / f"{entry.id}.svg").is_file()),
    ]


def summaries_of(root: Path) -> dict[str, Path]:
    """The written summaries that there are, by study."""
    return {path.parent.name: path for path in sorted((root / "report").glob("*/summary.md"))}
