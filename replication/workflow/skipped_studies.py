"""Studies that a run skips, with a paragraph about each; the others are run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from replication.core.code_digest import code_digest, package_modules
from replication.core.errors import SpecError
from replication.core.fingerprints import Ledger, fingerprint
from replication.core.study_folder import study_digest
from replication.workflow.project import StudyFolder, checked, readable
from replication.workflow.run_requirements import unwritable
from replication.workflow.study_specs import study_specs

CHECKED = ".snakemake/checked.json"
KINDS = ("replication.analyses", "replication.report.tables", "replication.report.figures")
"""Packages whose modules define the options of entries."""


@dataclass(frozen=True, slots=True)
class Usable:
    """The studies of a project, as a run finds them.

    Attributes
    ----------
    ids : those that can run.
    changed : those of them that are new, or that someone has edited since they ran.
    complaints : id of each of the others -> a paragraph about it.
    """

    ids: list[str]
    changed: list[str]
    complaints: dict[str, str]


def usable_studies(root: Path) -> Usable:
    """Studies whose descriptions and specifications are valid, and why the others are not.

    Valid ones are not checked again until they or the kinds change.
    """
    found, refused = readable(root)
    complaints = {name: str(error) for name, error in refused.items()}
    ledger = Ledger.read(root / CHECKED)
    changed = []
    for study in found:
        digest = description_digest(study)
        if not ledger.is_current(study.id, digest):
            try:
                study_specs(study)
                checked(study)
                ledger.note(study.id, digest, [])
                changed.append(study.id)
            except SpecError as error:
                complaints[study.id] = str(error)
        if study.id not in complaints and (why := unwritable(study)):
            complaints[study.id] = why
    ids = [study.id for study in found if study.id not in complaints]
    ledger.write(keep=ids)
    return Usable(ids, [name for name in changed if name in ids], complaints)


def description_digest(study: StudyFolder) -> str:
    """Digest of a study's description and specifications, and of the schemas of its entries."""
    kinds = [module for package in KINDS for module in package_modules(package, study.root)]
    kinds += package_modules(f"studies.{study.id}.analyses", study.root)
    code = code_digest("replication.report.study_config", *kinds, root=study.root, every_choice=False)
    return fingerprint(code, study_digest(study.folder))
