"""Context passed to the functions that make tables and figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from replication.report.folders import Folders
from replication.report.report_data import Results, Saved
from replication.report.study_config import Entry, StudyConfig
from replication.report.table_document import MADE_WITH, TableDocument


@dataclass(frozen=True, slots=True)
class Context:
    """A study, its saved results, its folders, and the switches of the report.

    Attributes
    ----------
    stars : bool
        Whether estimates carry significance stars (``config.yaml``; off by default).
    """

    study: StudyConfig
    results: Results
    folders: Folders
    stars: bool = False

    @classmethod
    def of(cls, study: StudyConfig, folders: Folders, *, stars: bool = False) -> Context:
        """The context of a study whose results lie in ``folders.tables / "specs"``."""
        return cls(study, Results(folders.tables / "specs"), folders, stars)

    def document(self, entry: Entry, **parts: Any) -> TableDocument:
        """The table of an entry; ``parts`` are the other fields of ``TableDocument``."""
        title, study = self.study.heading(entry.title), self.study
        return TableDocument(id=entry.id, study=study.id, title=title, simulated=study.simulated, **parts)


def versions_of_results(results: Iterable[Saved]) -> str:
    """Versions of the packages behind the results; only this package where no result is shown."""
    found: dict[str, list[str]] = {}
    for saved in results:
        for name, number in saved.versions.items():
            if number != "not installed" and number not in found.setdefault(name, []):
                found[name].append(number)
    found.pop("replication", None)
    others = [f"{name} {' and '.join(numbers)}" for name, numbers in found.items()]
    return ", ".join([MADE_WITH, *others])
