"""``replication export STUDY/PANEL``: a cleaned panel of a study as a file for other software."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from replication.cleaning.estimation_frame import EstimationFrame, estimation_frame
from replication.cleaning.panel_export import ENDINGS, export_panel
from replication.core.errors import SpecError, nearest
from replication.core.spec import load_specs
from replication.workflow.project import StudyFolder, cleaned_panel, study


def export(root: Path, asked: str, kind: str | None, output: Path | None) -> list[Path]:
    """Export a cleaned panel.

    Parameters
    ----------
    asked : ``STUDY/PANEL``, or ``STUDY`` where it has one panel.
    kind : dta, csv, rds or parquet; the ending of ``output`` if None.
    output : where to write; ``exports/STUDY/PANEL.<kind>`` in the project if None.

    Returns
    -------
    list of Path
        The panel, and the list of its variables.

    Raises
    ------
    SpecError
        If there is no such study or panel, the panel has not been cleaned yet, or the format is unknown.
    """
    name, _, panel = asked.strip("/").partition("/")
    owner = study(root, name)
    panel = _panel(owner, panel)
    ending = kind or (output.suffix.removeprefix(".") if output else "")
    if not ending:
        others = f"{', '.join(one for one in ENDINGS[1:-1])}, or {ENDINGS[-1]}"
        raise SpecError(
            f"Give the format: `replication export {name}/{panel} --to {ENDINGS[0]}` (or {others})."
        )
    if ending not in ENDINGS:
        raise SpecError(
            f"--to must be {', '.join(ENDINGS[:-1])}, or {ENDINGS[-1]}; got {ending!r}"
            f"{nearest(ending, ENDINGS)}."
        )
    if output is not None and output.suffix != f".{ending}":
        raise SpecError(
            f"--to is {ending!r}, but the file {output} ends in {output.suffix!r}. Give both the same format."
        )
    frame = pd.read_parquet(cleaned_panel(owner, panel))
    place = output or root / "exports" / name / f"{panel}.{ending}"
    found = EstimationFrame(frame)
    if owner.ready_files:
        specs = [spec for path in owner.spec_files for spec in load_specs(path) if spec.panel == panel]
        found = estimation_frame(frame, specs)
    return export_panel(found, labels_of(root, name, panel), place)


def _panel(owner: StudyFolder, panel: str) -> str:
    if not panel and len(owner.panels) == 1:
        return owner.panels[0]
    if panel not in owner.panels:
        problem = (
            f"{owner.id} has no panel {panel!r}{nearest(panel, owner.panels)}"
            if panel
            else "No panel is named"
        )
        raise SpecError(f"{problem}. Name one: {', '.join(f'{owner.id}/{name}' for name in owner.panels)}.")
    return panel


def labels_of(root: Path, name: str, panel: str) -> dict[str, str]:
    """What each column of a panel is, from the codebook that cleaning wrote."""
    book = pd.read_csv(root / "data_clean" / name / "codebook.csv", dtype=str, keep_default_na=False)
    rows = book[book["panel"] == panel]
    return dict(zip(rows["name"], rows["label"], strict=True))
