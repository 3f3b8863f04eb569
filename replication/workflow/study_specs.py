"""The specifications of a study, read and checked."""

from __future__ import annotations

import itertools
from pathlib import Path

from replication.core.errors import SpecError
from replication.core.fingerprints import file_digest
from replication.core.kept_values import while_unchanged
from replication.core.spec import Spec, load_specs
from replication.core.spec_grid import in_study
from replication.workflow.project import StudyFolder


def study_specs(study: StudyFolder) -> list[Spec]:
    """Every specification of a study; ids must be unique and name their study."""
    return [spec for specs in specs_by_file(study) for spec in specs]


@while_unchanged(file_digest)
def read_specs(path: Path) -> list[Spec]:
    """The specifications of one file, which messages call ``studies/<study>/specs/<file>``."""
    return load_specs(path, in_study(path))


def specs_by_file(study: StudyFolder) -> list[list[Spec]]:
    """The specifications of each file of a study, checked as in ``study_specs``."""
    files = [read_specs(path) for path in study.spec_files]
    seen: set[str] = set()
    for spec in itertools.chain.from_iterable(files):
        if spec.id in seen:
            raise SpecError(f"Two specifications of {study.id} share the id {spec.id!r}.")
        if spec.study != study.id:
            raise SpecError(
                f"{spec.id} lies in studies/{study.id}/specs and says 'study: {spec.study}'. Make them one."
            )
        if spec.panel not in study.panels:
            raise SpecError(
                f"{spec.id} uses the panel {spec.panel!r}; {study.id} has {', '.join(study.panels)}."
            )
        seen.add(spec.id)
    return files
