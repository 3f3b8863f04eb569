"""What the traces of a table or figure are made from, so that those that did not change are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from replication.core.code_digest import code_digest, package_modules
from replication.core.fingerprints import file_digest, files_digest, fingerprint
from replication.core.result_files import RECORDED, TABLE
from replication.report.figures import FIGURES
from replication.report.site.site_render import data_of
from replication.report.study_config import Entry
from replication.report.table_document import MADE_WITH
from replication.report.tables import TABLES
from replication.report.trace.expected_values import ESTIMATES
from replication.report.trace.traces import StudyTraces
from replication.sources.manifest import MANIFEST
from replication.workflow.entry_fingerprint import EntryFingerprints
from replication.workflow.project import StudyFolder

Shared = Mapping[str, Mapping[str, Any]]
"""What the cells of one trace file refer to: specifications, files, panels, each described once."""


@dataclass(frozen=True)
class TraceInputs:
    """Digests of all that the traces of one study are made from, as they were when the step began.

    Attributes
    ----------
    traces : the reader of the study's traces.
    """

    study: StudyFolder
    root: Path
    traces: StudyTraces

    @classmethod
    def of(cls, study: StudyFolder, root: Path, traces: StudyTraces) -> TraceInputs:
        """The digests, taken before any of these inputs is read."""
        inputs = cls(study, root, traces)
        _ = inputs._entries, inputs._specifications
        return inputs

    def fingerprint(self, entry: Entry, shared: Shared) -> str:
        """Digest of what the traces of an entry depend on.

        Parameters
        ----------
        shared : what these traces refer to; a specification or file counts if one of them leads to it.
        """
        return fingerprint(
            self._entries[entry.id],
            {name: self._specifications.get(name) for name in shared.get("specifications", ())},
            {name: self._file(name) for name in shared.get("files", ())},
        )

    @cached_property
    def _entries(self) -> dict[str, str]:
        """Table or figure -> digest of what it and its committed values are made from."""
        folders, expected = self.traces.context.folders, self.study.folder / "expected"
        common = fingerprint(*self._common, files_digest([expected / ESTIMATES]))
        found = {
            "tables": EntryFingerprints(self.study, folders, TABLES),
            "figures": EntryFingerprints(self.study, folders, FIGURES),
        }
        return {
            str(entry["id"]): made.of(
                entry, [common, files_digest([expected / place / f"{entry['id']}.csv"])]
            )
            for place, made in found.items()
            for entry in self.study.config.get(place, [])
        }

    @cached_property
    def _common(self) -> list[Any]:
        """What all traces of the study depend on: code, versions, analyses, panels and raw files."""
        own = f"studies.{self.study.id}"
        modules = [*package_modules(own, self.root), *package_modules(f"{own}.analyses", self.root)]
        code = code_digest("replication.workflow.trace_step", *modules, root=self.root)
        ledger, manifest = self.root / self.study.ledger("clean"), self.root / MANIFEST
        inputs = files_digest([ledger, manifest, *self.study.ready_files])
        return [code, MADE_WITH, self.traces.context.stars, self.study.config.get("analyses", []), inputs]

    @cached_property
    def _specifications(self) -> dict[str, list[Any]]:
        """Specification -> digest of its result, its file, and what independent software found."""
        return dict(self._described_specifications())

    def _described_specifications(self) -> Iterator[tuple[str, list[Any]]]:
        files = self.traces.provenance.spec_files
        second: dict[str, list[Any]] = {}
        for (name, row), found in self.traces.engine.items():
            second.setdefault(name, []).append([row, found])
        folder = self.traces.context.results.folder
        for name in self.traces.context.results.ids:
            result = files_digest([folder / name / RECORDED, folder / name / TABLE])
            file = files.get(name, "")
            yield name, [result, file, self.traces.provenance.in_file[file] > 1, second.get(name)]

    def _file(self, name: str) -> str:
        path = self.root / name
        return file_digest(path) if path.is_file() else ""


def shared_in(path: Path) -> Shared:
    """What the traces in a script refer to that this package wrote."""
    return data_of(path.read_bytes()).get("shared", {})  # type: ignore[no-any-return]
