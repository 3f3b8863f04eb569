"""A finished figure and its files: PDF, PNG, and the CSV of every number that is plotted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from replication.core.files import replacing
from replication.display.canvas import DPI
from replication.report.report_context import Context
from replication.report.spreadsheet import write_spreadsheet
from replication.report.study_config import SIMULATED, Entry
from replication.report.table_document import MADE_WITH


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished figure with its description.

    Attributes
    ----------
    alt : the figure in words, for readers who do not see it.
    note : the note below it.
    details : statements for which the note has no room; recorded in the PNG.
    specs : ids of the specifications shown.
    """

    figure: Figure
    alt: str
    note: str
    specs: Sequence[str] = ()
    versions: str = MADE_WITH
    details: Sequence[str] = ()


def save(drawing: Drawing, frame: pd.DataFrame, entry: Entry, context: Context) -> list[Path]:
    """Write ``<id>.pdf``, ``<id>.png`` and ``<id>.csv``; no date or machine in any of them."""
    figure, folder = drawing.figure, context.folders.figures
    if context.study.simulated:
        figure.text(
            0.5,
            0.5,
            SIMULATED,
            size=46,
            color="black",
            alpha=0.1,
            rotation=25,
            ha="center",
            va="center",
            weight="bold",
            zorder=100,
        )
    title = context.study.heading(entry.title)
    specs = ", ".join(drawing.specs)
    pdf = {
        "Title": title,
        "Subject": drawing.alt,
        "Keywords": specs,
        "Author": context.study.id,
        "Creator": drawing.versions,
        "Producer": "matplotlib",
        "CreationDate": None,
    }
    png = {
        "Title": title,
        "Description": drawing.alt,
        "Comment": drawing.note,
        "Details": "\n".join(drawing.details),
        "Source": specs,
        "Software": drawing.versions,
        "Backend": backend(),
    }
    paths = [folder / f"{entry.id}.{ending}" for ending in ("pdf", "png", "csv")]
    with replacing(paths[0]) as temporary:
        figure.savefig(temporary, format="pdf", metadata=pdf)
    with replacing(paths[1]) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata=png)
    write_spreadsheet(paths[2], frame.assign(made_with=MADE_WITH))
    return paths


def backend() -> str:
    """The versions that decide the bytes of a figure: of matplotlib, of FreeType and of Pillow."""
    import matplotlib as mpl
    import PIL
    from matplotlib import ft2font

    drawn = {
        "matplotlib": mpl.__version__,
        "FreeType": ft2font.__freetype_version__,
        "Pillow": PIL.__version__,
    }
    return ", ".join(f"{name} {number}" for name, number in drawn.items())


def read_description(png: Path) -> dict[str, str]:
    """Title, alternative text, note and specifications that ``save`` wrote into a PNG."""
    from PIL import Image

    with Image.open(png) as image:
        image.load()
        metadata = {str(key): str(value) for key, value in image.info.items()}
        return {**metadata, "width": str(image.width), "height": str(image.height)}
