"""``replication export-code STUDY``: a table of a study as files of R, Stata and pyfixest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from replication.core import saved_results
from replication.core.errors import SpecError, nearest
from replication.core.panel_builder import build_panel
from replication.core.plain_data import texts_in
from replication.core.result_files import TABLE
from replication.core.spec import load_specs
from replication.report.languages import write_code
from replication.workflow.project import StudyFolder, cleaned_panel, study

PREFERRED = ("regression", "estimators", "published")
"""Kinds of table, in the order in which the main one is looked for."""


def export_code(root: Path, name: str, table: str | None, folder: Path | None) -> list[Path]:
    """Write the models of a table of a study for other software.

    Parameters
    ----------
    name : id of the study.
    table : id of the table; the first one with regressions if None.
    folder : where to write; ``exports/<study>/code`` in the project if None.

    Raises
    ------
    SpecError
        If there is no such study or table, the panel has not been cleaned yet, or no specification of the
        table has an exact counterpart.
    """
    owner = study(root, name)
    entry = _entry(owner, table)
    shown = set(texts_in(entry))
    specs = [spec for path in owner.spec_files for spec in load_specs(path) if spec.id in shown]
    places = {spec.panel: cleaned_panel(owner, spec.panel) for spec in specs}
    frames = {panel: pd.read_parquet(place) for panel, place in places.items()}
    cases = [(spec, build_panel(frames[spec.panel], spec)) for spec in specs]
    estimated = {
        spec.id: found
        for spec in specs
        if (found := _overall(root / "tables" / name / "specs" / spec.id)) is not None
    }
    place = folder or root / "exports" / name / "code"
    return write_code(place, entry["title"], cases, estimated)


def _entry(owner: StudyFolder, table: str | None) -> dict[str, Any]:
    entries = {entry["id"]: entry for entry in owner.config.get("tables", [])}
    if table is not None and table not in entries:
        raise SpecError(
            f"{owner.id} has no table {table!r}{nearest(table, entries)}. Its tables: {', '.join(entries)}."
        )
    if table is not None:
        return dict(entries[table])
    for kind in PREFERRED:
        for entry in entries.values():
            if entry["kind"] == kind:
                return dict(entry)
    raise SpecError(f"{owner.id} has no table of regressions. Its tables: {', '.join(entries)}.")


def _overall(folder: Path) -> tuple[float, float] | None:
    if not (folder / TABLE).is_file():
        return None
    rows = saved_results.load_table(folder)
    overall = rows[rows["term"] == "att"]
    return (float(overall["estimate"].iloc[0]), float(overall["std_error"].iloc[0])) if len(overall) else None
