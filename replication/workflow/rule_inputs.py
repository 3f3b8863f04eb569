"""Inputs of the rules of the Snakefile: the studies that run, their files, and digests of the inputs.

A rule of one study has a ``{study}`` wildcard, and studies differ in the panels, tables and figures that
they make; Snakemake sees them by the ledger that each step writes. A ledger whose files are not all there
is removed when the Snakefile is read, so that the step runs again and makes what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication.core.code_digest import code_digest, package_modules
from replication.core.fingerprints import files_digest, remove_if_incomplete
from replication.core.study_folder import study_digest
from replication.workflow.project import StudyFolder, absent_files, raw_files, readable
from replication.workflow.settings import checked_settings, requested_studies, retyped

CODE = {
    "clean": ("replication.workflow.clean_step",),
    "estimate": ("replication.workflow.estimate_step",),
    "analyze": ("replication.workflow.analysis_step",),
    "check": ("replication.workflow.check_step",),
    "tables": ("replication.report.study_report",),
    "figures": ("replication.report.study_report",),
    "summary": ("replication.report.summary",),
    "traces": ("replication.workflow.trace_step",),
    "page": ("replication.workflow.page_step",),
    "report": ("replication.report.site.site_render",),
    "draw": ("replication.analyses.placebo_draws",),
}
"""Entry modules of the steps; further dependencies follow from the imports."""
TABLES, FIGURES = "replication.report.tables", "replication.report.figures"
ROOMS = {"tables": (TABLES,), "figures": (FIGURES,), "traces": (TABLES, FIGURES)}
"""Steps whose kinds are the modules of packages, found by their names."""
OWN = {"clean": "", "analyze": "analyses"}
"""Steps that use a study's own Python, and its folder in the study."""


@dataclass(frozen=True)
class Rules:
    """The project as the Snakefile sees it.

    Attributes
    ----------
    studies : id -> study, of those that run
    skipped : ids of the others
    settings : ``config.yaml``, checked
    """

    root: Path
    studies: Mapping[str, StudyFolder]
    skipped: tuple[str, ...]
    settings: Mapping[str, Any]

    @classmethod
    def read(cls, root: Path, config: Mapping[str, Any]) -> Rules:
        """The studies that run with these settings; a study that cannot be read is skipped.

        Raises
        ------
        SpecError
            If the settings are wrong, or name a study that there is not.
        """
        settings = checked_settings(retyped(dict(config)))
        found, refused = readable(root)
        known = [*(study.id for study in found), *refused]
        requested = requested_studies(settings, known)
        runs = {study.id: study for study in found if study.id in requested and not absent_files(study)}
        return cls(root, runs, tuple(name for name in known if name not in runs), settings)

    @property
    def pattern(self) -> str:
        """Pattern of the ``study`` wildcard, which matches nothing if no study runs."""
        return "|".join(self.studies) or "(?!)"

    @property
    def skipped_contents(self) -> list[str]:
        """Digests of the files of the studies that do not run, of which the report says why."""
        return [study_digest(self.root / "studies" / name) for name in self.skipped]

    @property
    def parts(self) -> int:
        """Number of jobs in which the specifications of a study are estimated."""
        return int(self.settings["estimation"]["parts"])

    def priority(self, wildcards: Any) -> int:
        """Rank of a step among those that wait: the study with the most specification files first.

        Its steps take longest and depend on one another; those of the others fill the gaps.
        """
        return 2 * len(self.studies[wildcards.study].spec_files)

    def priority_of_figures(self, wildcards: Any) -> int:
        """Rank of the figures of a study: before what else is made at the same time, which takes less."""
        return self.priority(wildcards) + 1

    def raw_files(self, study: str) -> list[str]:
        """Raw files of a study."""
        return raw_files(self.studies[study])

    def specifications(self, study: str) -> list[str]:
        """Specification files of a study."""
        return self._relative(self.studies[study].spec_files)

    def description(self, study: str) -> list[str]:
        """The files that describe a study, its summary's template included."""
        chosen = self.studies[study]
        return [*chosen.description, *self._relative([chosen.summary] if chosen.summary else [])]

    def part_outputs(self, study: str) -> list[str]:
        """Ledgers of the jobs in which a study is estimated."""
        chosen = self.studies[study]
        return [chosen.part_output(part, self.parts) for part in range(1, self.parts + 1)]

    def simulation_parts(self, study: str, draws: str) -> list[str]:
        """Ledgers of the jobs in which a placebo simulation is drawn."""
        folder = f"simulations/{study}/{draws}/.parts"
        return [f"{folder}/{part}-of-{self.parts}" for part in range(1, self.parts + 1)]

    def summaries(self) -> list[str]:
        """The written summaries of the studies that have one."""
        return [path for study in self.studies.values() for path in study.summary_outputs()]

    def contents(self, paths: list[str]) -> str:
        """Digest of files: an edit counts whatever the time of the file says."""
        return files_digest([self.root / path for path in paths])

    def code(self, step: str, study: str = "") -> str:
        """Digest of the code behind a step, the study's own included."""
        modules = list(CODE[step])
        for room in ROOMS.get(step, ()):
            modules += package_modules(room, self.root)
        if study and step in OWN:
            modules += package_modules(".".join(filter(None, ["studies", study, OWN[step]])), self.root)
        return code_digest(*modules, root=self.root)

    def remove_incomplete(self) -> None:
        """Have the steps run again whose outputs are not all there."""
        for study in self.studies.values():
            ledgers = map(study.ledger, ("clean", "analyze", "tables", "figures", "traces", "page"))
            for place in (*ledgers, *self.part_outputs(study.id)):
                remove_if_incomplete(self.root / place)

    def _relative(self, paths: list[Path]) -> list[str]:
        return [path.relative_to(self.root).as_posix() for path in paths]
