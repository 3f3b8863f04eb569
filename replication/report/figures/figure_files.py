"""A finished figure, its note, and its files: PDF, PNG, SVG, and the CSV of every number that is plotted.

The note is one paragraph of at most three lines, without a specification id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from replication.core.errors import SpecError
from replication.core.files import replacing
from replication.display.canvas import COMPRESSED, DPI, Sheet, sheet
from replication.display.fitted_notes import FIGURE_LINES, Fact, fitted
from replication.display.formatting import SIMULATED, typeset
from replication.report.report_context import Context
from replication.report.report_data import read_source
from replication.report.spreadsheet import write_spreadsheet
from replication.report.study_config import Entry
from replication.report.table_document import MADE_WITH

OWN_FONT, FONTS = "font-family: 'STIXGeneral'; ", "STIXGeneral, 'Times New Roman', Times, serif"
MOST_POINTS = 3_000
"""Points, and corners of areas, beyond which these are drawn as pixels inside an SVG, of some 350 kB without;
axes and text never are."""
SVG_DPI = 150
MANY = 100
"""Points of a line from which on it counts as points."""

_NUMBER = re.compile(r"-?\d+\.\d+")
_REFERENCE = re.compile(r'(?:(?<=href="#)|(?<=url\(#))[^")]+')


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


def entry_sheet(entry: Entry, context: Context, words: str, **layout: Any) -> Sheet:
    """The sheet of an entry, its title above and its note below; ``layout`` is that of ``sheet``."""
    return sheet(context.study.heading(entry.title), words, medium=entry.medium, **layout)


def save(drawing: Drawing, frame: pd.DataFrame, entry: Entry, context: Context) -> list[Path]:
    """Write ``<id>.pdf``, ``.png``, ``.csv`` and ``.svg``; no date or machine in any of them."""
    figure, folder = drawing.figure, context.folders.figures
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_text(typeset(text.get_text()))
    if context.study.simulated:
        style: dict[str, Any] = {"ha": "center", "va": "center", "weight": "bold", "zorder": 100}
        figure.text(0.5, 0.5, SIMULATED, size=46, color="black", alpha=0.1, rotation=25, **style)
    title = context.study.heading(entry.title)
    paths = [folder / f"{entry.id}.{ending}" for ending in ("pdf", "png", "csv", "svg")]
    with replacing(paths[0]) as temporary:
        figure.savefig(temporary, format="pdf", metadata=_pdf_metadata(drawing, title, context.study.id))
    with replacing(paths[1]) as temporary:
        metadata = _png_metadata(drawing, title)
        figure.savefig(temporary, format="png", dpi=DPI, metadata=metadata, **COMPRESSED["png"])
    write_spreadsheet(paths[2], frame.assign(made_with=MADE_WITH))
    write_svg(figure, paths[3], {"Title": title, "Creator": drawing.versions})
    return paths


def _pdf_metadata(drawing: Drawing, title: str, author: str) -> dict[str, Any]:
    return {
        "Title": title,
        "Subject": drawing.alt,
        "Keywords": ", ".join(drawing.specs),
        "Author": author,
        "Creator": drawing.versions,
        "Producer": "matplotlib",
        "CreationDate": None,
    }


def _png_metadata(drawing: Drawing, title: str) -> dict[str, str]:
    return {
        "Title": title,
        "Description": drawing.alt,
        "Comment": drawing.note,
        "Details": "\n".join(drawing.details),
        "Source": ", ".join(drawing.specs),
        "Software": drawing.versions,
        "Backend": backend(),
    }


def write_svg(figure: Figure, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a figure as SVG, equal bytes for equal figures; a large one with its areas and points as pixels.

    Parameters
    ----------
    metadata : ``Title``, ``Creator`` and other terms of Dublin Core; the date is left out.
    """
    with (
        mpl.rc_context({"svg.hashsalt": "replication", "svg.fonttype": "none"}),
        replacing(path) as temporary,
    ):
        if sum(map(points_of, figure.axes)) > MOST_POINTS:
            for axes in figure.axes:
                for artist in (*axes.collections, *(line for line in axes.lines if _many(line))):
                    artist.set_rasterized(True)
        figure.savefig(temporary, format="svg", metadata={**metadata, "Date": None}, dpi=SVG_DPI)
        temporary.write_text(compact(temporary.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


def points_of(axes: Axes) -> int:
    """Points of the lines of one panel, and corners of its areas and marks."""
    areas = (
        sum(len(np.asarray(path.vertices)) for path in marks.get_paths())
        * len(np.asarray(marks.get_offsets()))
        for marks in axes.collections
    )
    return sum(len(np.asarray(line.get_xdata())) for line in axes.lines) + sum(areas)


def compact(svg: str) -> str:
    """The same drawing in fewer bytes: short names, and coordinates to a hundredth of a point.

    Its text is text, which readers find and screen readers read, in a font that every machine has one like.
    """
    text = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    if OWN_FONT in text:
        text = text.replace(OWN_FONT, "").replace("<svg ", f'<svg font-family="{FONTS}" ', 1)
    text = re.sub(r' transform="rotate\(-0 [^"]*\)"', "", text)
    text = re.sub(r'(?<= d=")[^"]*', lambda path: " ".join(_NUMBER.sub(_hundredth, path[0]).split()), text)
    names = {name: f"i{place}" for place, name in enumerate(dict.fromkeys(_REFERENCE.findall(text)))}
    text = re.sub(r' id="([^"]+)"', lambda own: f' id="{names[own[1]]}"' if own[1] in names else "", text)
    text = _REFERENCE.sub(lambda other: names[other[0]], text)
    return re.sub(r"\n\s*", "\n", text)


def _hundredth(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _many(line: Line2D) -> bool:
    return len(np.asarray(line.get_xdata())) > MANY


def backend() -> str:
    """The versions that decide the bytes of a figure: of matplotlib, of FreeType and of Pillow."""
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
        metadata = {str(key): str(value) for key, value in image.info.items()}
        return {**metadata, "width": str(image.width), "height": str(image.height)}


def figure_note(
    entry: Entry, context: Context, marks: Sequence[str], optional: Sequence[Fact] = ()
) -> tuple[str, tuple[str, ...]]:
    """The printed paragraph, and what is recorded with the files only, such as the file that is shown.

    Parameters
    ----------
    marks : sentences on what the marks are; always printed, before the entry's own notes.
    optional : facts printed as far as there is room.
    """
    facts = [Fact(0, words) for words in (*marks, *entry.notes)]
    facts += optional
    paragraphs, details = fitted(facts, FIGURE_LINES, entry.medium.letters)
    if "source" in entry.options:
        details = (*details, f"Source: {context.folders.shown(entry.options['source'])}.")
    return "\n".join(paragraphs), details


def from_source(
    entry: Entry, context: Context, needed: Sequence[str], optional: Sequence[str] = ()
) -> pd.DataFrame:
    """The columns that a figure needs, and those it can use, of the file that the entry names."""
    frame = read_source(
        context.folders,
        entry.options["source"],
        needed,
        where=entry.options.get("where"),
        rename=entry.options.get("rename"),
    )
    return frame[[*needed, *(name for name in optional if name in frame.columns)]]


def require_numbers(frame: pd.DataFrame, names: Sequence[str], source: str) -> None:
    """Refuse text columns where numbers are needed."""
    for name in names:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise SpecError(
                f"{source}: the column {name!r} must be numeric but contains text, such as "
                f"{frame[name].dropna().astype(str).iloc[0]!r}. Correct the file."
            )


def in_order(values: pd.Series[str]) -> list[str]:
    """Distinct values in the order of the file."""
    return list(dict.fromkeys(values))


def panels_of(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each ``panel`` in the order of the file; all rows under no name where there are none."""
    if "panel" not in frame:
        return [("", frame)]
    return [(name, frame[frame["panel"] == name]) for name in in_order(frame["panel"])]
