"""The cleaning step: a study's raw files to its panels, their codebook and their sample flow."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from replication.cleaning.codebook import codebook, codebook_markdown
from replication.cleaning.ready_panel import ready_panels
from replication.cleaning.recipe import Cleaned, recipe_of
from replication.core.errors import SpecError
from replication.core.files import write_csv, write_parquet, write_text
from replication.core.fingerprints import Ledger
from replication.sources.manifest import promises, require_verified
from replication.sources.verified_bytes import checksums_enforced
from replication.workflow.project import StudyFolder


def clean_study(study: StudyFolder, root: Path) -> Cleaned:
    """Clean a study and write everything below ``data_clean/<study>``.

    Raises
    ------
    SourceError
        If a raw file does not match the manifest, before the cleaning or when it is read.
    SpecError
        If the study has neither a recipe nor ready panels.
    """
    require_verified(study.sources, root)
    with checksums_enforced(promises(root)):
        cleaned = panels_of(study, root)
    folder = root / "data_clean" / study.id
    books, pages = [], []
    for name, (frame, schema) in cleaned.panels.items():
        write_parquet(folder / f"{name}.parquet", frame)
        books.append(codebook(frame, schema).assign(panel=name))
        pages.append(codebook_markdown(frame, schema, f"{study.config['title']}: {name}"))
    write_csv(folder / "codebook.csv", pd.concat(books, ignore_index=True))
    write_text(folder / "codebook.md", "\n".join(pages))
    write_csv(folder / "sample_flow.csv", flow_table(cleaned))
    for name, frame in cleaned.frames.items():
        write_csv(folder / f"{name}.csv", frame)
    ledger = Ledger(root / study.ledger("clean"))
    ledger.note("clean", "", [root / name for name in study.clean_outputs()])
    ledger.write(keep=["clean"])
    return cleaned


def panels_of(study: StudyFolder, root: Path) -> Cleaned:
    """The panels of a study by its recipe, or read from the files that it names."""
    recipe = recipe_of(study.folder)
    if recipe is not None:
        return recipe(root)
    if study.ready_files:
        return ready_panels(study.config["panels"], study.folder)
    raise SpecError(
        f"studies/{study.id} has no cleaning recipe (clean.py) and names no ready panel. Write the recipe, "
        "or name a file in study.yaml: panels: {panel: {file: panel.csv}}."
    )


def flow_table(cleaned: Cleaned) -> pd.DataFrame:
    """The sample flow; for ready panels, their rows."""
    if cleaned.flow is not None:
        return cleaned.flow.table()
    rows = [{"rule": f"rows of {name}", "rows": len(frame)} for name, (frame, _) in cleaned.panels.items()]
    return pd.DataFrame(rows)
