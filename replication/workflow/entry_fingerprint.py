"""The fingerprint of a table or figure: it is made again when this changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from replication.core.code_digest import code_digest
from replication.core.fingerprints import fingerprint
from replication.report.folders import Folders
from replication.workflow.entry_inputs import NamedInputs
from replication.workflow.project import StudyFolder

LISTS = ("tables", "figures", "analyses")
"""Keys of a description that concern single entries; the rest is shared."""


@dataclass
class EntryFingerprints:
    """Fingerprints of tables and figures, taken at one time: code and files of several are read once.

    Attributes
    ----------
    makers : kind -> module.
    """

    study: StudyFolder
    folders: Folders
    makers: Mapping[str, str]
    _codes: dict[str, str] = field(default_factory=dict)

    def of(self, entry: Mapping[str, Any], others: Sequence[Any] = ()) -> str:
        """Digest of all that an entry depends on: itself, the code, its results and files, and the others."""
        code, named = self._code(entry.get("kind")), self._inputs.digests(entry)
        return fingerprint(entry, self._shared, code, named, *others)

    def _code(self, kind: Any) -> str:
        modules = [self.makers[kind]] if kind in self.makers else []
        name = "".join(modules)
        if name not in self._codes:
            own = "replication.report.study_report"
            self._codes[name] = code_digest(own, *modules, every_choice=False)
        return self._codes[name]

    @cached_property
    def _shared(self) -> str:
        return fingerprint({key: value for key, value in self.study.config.items() if key not in LISTS})

    @cached_property
    def _inputs(self) -> NamedInputs:
        return NamedInputs(self.folders)
