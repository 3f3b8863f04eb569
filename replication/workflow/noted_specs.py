"""Specifications as they are estimated: with notes on keys without effect, and the digest of both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from replication.core.fingerprints import file_digest, fingerprint
from replication.core.kept_values import while_unchanged
from replication.core.spec import Spec
from replication.estimators.unused_keys import find_unused_keys
from replication.workflow.project import StudyFolder
from replication.workflow.study_specs import read_specs, specs_by_file


@dataclass(frozen=True, slots=True)
class NotedSpec:
    """One specification.

    Attributes
    ----------
    notes : keys of its file that have no effect.
    digest : of all its keys, the defaults included, and of the notes.
    """

    spec: Spec
    notes: tuple[str, ...]
    digest: str


def noted_specs(study: StudyFolder) -> list[NotedSpec]:
    """Every specification of a study, checked as in ``study_specs``."""
    specs_by_file(study)
    return [one for path in study.spec_files for one in _of_file(path)]


@while_unchanged(file_digest)
def _of_file(path: Path) -> list[NotedSpec]:
    specs = read_specs(path)
    unused = find_unused_keys(specs)
    noted = [(spec, tuple(unused.get(spec.id, ()))) for spec in specs]
    return [NotedSpec(spec, notes, fingerprint(spec.resolved(), notes)) for spec, notes in noted]
