"""Input of the report: saved results, and CSV files written by cleaning and estimation."""

from __future__ import annotations

import fnmatch
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from replication.core.details import Details
from replication.core.details_record import details_of
from replication.core.errors import SpecError, nearest
from replication.core.result_files import RECORDED, TABLE
from replication.core.saved_bundle import Bundle
from replication.core.saved_results import load_table, read_record
from replication.core.saved_rows import SavedRows
from replication.core.temporary_files import visible_paths
from replication.report.folders import Folders
from replication.sources.raw_checks import raw_bytes


@dataclass(frozen=True)
class Saved:
    """One estimated specification as it lies on disk.

    Attributes
    ----------
    rows : its estimates.
    noted : its details as they were written.
    file : where they were, for messages.
    """

    spec_id: str
    rows: SavedRows
    spec: Mapping[str, Any]
    noted: Any
    versions: Mapping[str, str]
    file: str

    @property
    def table(self) -> pd.DataFrame:
        """The estimates as a frame."""
        return self.rows.table

    @cached_property
    def details(self) -> Details:
        """What the estimator noted; refused if another version of the package wrote it."""
        return details_of(self.noted, self.file)

    def find(self, label: str) -> Mapping[str, Any] | None:
        """The estimate with a row label such as ``att`` or ``event:-2``; None if there is none."""
        place = self.rows.places.get(label)
        return None if place is None else self.rows.record(place)

    def row(self, label: str) -> Mapping[str, Any]:
        """The estimate with a row label; refused with what there is."""
        found = self.find(label)
        if found is None:
            labels = self.rows.labels
            raise SpecError(
                f"{self.spec_id} has no row {label!r}{nearest(label, labels)}. "
                f"Its rows are: {', '.join(labels[:12])}{', ...' if len(labels) > 12 else ''}."
            )
        return found


def not_estimated(spec_id: str, known: Sequence[str], study: str) -> str:
    """The message for a specification of a study without a saved result."""
    return (
        f"{spec_id!r} has not been estimated yet{nearest(spec_id, known)}. Run "
        f"`replication run --only {study}` first, or correct the id in the table, figure, or analysis that "
        "names it."
    )


@dataclass
class Results:
    """The saved results of one study, each read on first use.

    Attributes
    ----------
    folder : Path
        ``tables/<study>/specs``, one folder per specification.
    """

    folder: Path
    cache: dict[str, Saved] = field(default_factory=dict)

    @cached_property
    def ids(self) -> list[str]:
        """Ids of all saved specifications, sorted."""
        found = visible_paths(self.folder.glob(f"*/{RECORDED}"), self.folder)
        return [path.parent.name for path in found]

    @cached_property
    def _bundle(self) -> Bundle:
        return Bundle(self.folder.parent / TABLE)

    def get(self, spec_id: str) -> Saved:
        """One saved specification.

        Raises
        ------
        SpecError
            If there is no result of that id.
        """
        if spec_id not in self.cache:
            place = self.folder / spec_id
            if not (place / RECORDED).is_file():
                raise SpecError(not_estimated(spec_id, self.ids, self.folder.parent.name))
            self.cache[spec_id] = load(place, self._bundle)
        return self.cache[spec_id]

    def matching(self, patterns: Sequence[str]) -> list[Saved]:
        """Saved specifications whose id fits one of the patterns, sorted by id."""
        ids = self.ids
        chosen = [name for name in ids if any(fnmatch.fnmatchcase(name, p) for p in patterns)]
        if not chosen:
            raise SpecError(
                f"No saved specification matches {', '.join(map(repr, patterns))}"
                f"{nearest(patterns[0], ids)}. There are {len(ids)} in {self.folder}."
            )
        return [self.get(name) for name in chosen]


def load(folder: Path, bundle: Bundle | None = None) -> Saved:
    """Read ``estimates.csv``, in the bundle of its study if it is there, and ``spec.yaml``."""
    record = read_record(folder)
    rows = None if bundle is None else bundle.rows(folder)
    return Saved(
        str(record["spec"]["id"]),
        SavedRows.of(load_table(folder)) if rows is None else rows,
        record["spec"],
        record.get("details"),
        record.get("versions") or {},
        str(folder / RECORDED),
    )


def read_source(
    folders: Folders,
    name: str,
    needed: Sequence[str] = (),
    *,
    where: Mapping[str, Sequence[Any]] | None = None,
    rename: Mapping[str, str] | None = None,
    text: bool = False,
) -> pd.DataFrame:
    """A CSV file as a frame with the columns that are needed.

    Parameters
    ----------
    where : keep the rows whose column has one of the values.
    rename : needed column -> its name in the file.
    text : keep every cell as written (digits of published numbers).

    Raises
    ------
    SpecError
        If the file or a column is missing, or no row is left.
    """
    path = folders.source(name)
    if not path.is_file():
        raise SpecError(f"{name} was not found ({path}). Run the step that writes it first.")
    file = io.BytesIO(raw_bytes(path)) if name.startswith("raw/") else path
    frame = pd.read_csv(file, dtype=str, keep_default_na=False) if text else pd.read_csv(file)
    frame = frame.rename(columns={old: new for new, old in (rename or {}).items()})
    absent = [column for column in [*(where or {}), *needed] if column not in frame.columns]
    if absent:
        raise SpecError(
            f"{name} has no column {absent[0]!r}{nearest(absent[0], frame.columns)}. "
            f"Its columns are: {', '.join(frame.columns)}."
        )
    for column, values in (where or {}).items():
        allowed = [str(value) for value in values]
        frame = frame[frame[column].astype(str).isin(allowed)]
    if frame.empty:
        raise SpecError(f"{name} has no rows{' that fit ' + str(dict(where)) if where else ''}.")
    return frame.reset_index(drop=True)
