"""Studies that a run skips, with a paragraph about each; the others are run."""

from __future__ import annotations

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


def usable_studies(root: Path) -> tuple[list[str], dict[str, str]]:
    """Studies whose descriptions and specifications are valid, and one paragraph about each of the others.

    Valid ones are not checked again until they or the kinds change.

    Returns
    -------
    (ids, complaints) : the ids of those that can run, and of the others, id -> paragraph.
    """
    found, refused = readable(root)
    complaints = {name: str(error) for name, error in refused.items()}
    ledger = Ledger.read(root / CHECKED)
    for study in found:
        digest = description_digest(study)
        if not ledger.is_current(study.id, digest):
            try:
                study_specs(study)
                checked(study)
                ledger.note(study.id, digest, [])
            except SpecError as error:
                complaints[study.id] = str(error)
        if study.id not in complaints and (why := unwritable(study)):
            complaints[study.id] = why
    ids = [study.id for study in found if study.id not in complaints]
    ledger.write(keep=ids)
    return ids, complaints


def description_digest(study: StudyFolder) -> str:
    """Digest of a study's description and specifications, and of the schemas of its entries."""
    kinds = [module for package in KINDS for module in package_modules(package, study.root)]
    kinds += package_modules(f"studies.{study.id}.analyses", study.root)
    code = code_digest("replication.report.study_config", *kinds, root=study.root, every_choice=False)
    return fingerprint(code, study_digest(study.folder))
