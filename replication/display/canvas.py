"""The canvas of figures: title above, note below, all sizes in inches.

No layout engine: margins are set by hand, which is quick and gives the same bytes every time.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

STYLE_FILE = Path(__file__).with_name("replication.mplstyle")
# Okabe & Ito (2008): distinguished with any color vision; shapes repeat the information of colors.
BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#E69F00",
    "#56B4E9",
    "#CC79A7",
)
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")
GREY, LIGHT = "#6b6b6b", "#d0d0d0"

DPI = 200
WIDTH = 7.0
TITLE_LINE, NOTE_LINE, EDGE = 0.22, 0.127, 0.1
TITLE_SIZE, NOTE_SIZE = 12.0, 8.0
LETTERS_PER_INCH = 20.5
LABEL_LETTERS_PER_INCH = 17.5


@dataclass(frozen=True, slots=True)
class Sheet:
    """A figure with room for title, legend and note; axes from left to right, top to bottom."""

    figure: Figure
    axes: list[Axes]
    top: float

    def legend(self, labels: Sequence[str]) -> None:
        """Names of the series in one line under the title, colors and shapes in their order."""
        handles = [
            Line2D(
                [],
                [],
                linestyle="none",
                marker=MARKERS[place % len(MARKERS)],
                markersize=4.5,
                color=COLOURS[place % len(COLOURS)],
            )
            for place in range(len(labels))
        ]
        width, height = self.figure.get_size_inches()
        self.figure.legend(
            handles,
            labels,
            loc="upper left",
            ncols=len(labels),
            bbox_to_anchor=(EDGE / width, 1 - self.top / height),
            borderaxespad=0,
            borderpad=0,
            handletextpad=0.1,
            columnspacing=1.2,
        )


@contextmanager
def styled() -> Iterator[None]:
    """The house style, whatever the reader's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(mpl.rc_params_from_file(STYLE_FILE, use_default_template=False))
        yield


def sheet(
    title: str,
    note: str,
    *,
    rows: int = 1,
    columns: int = 1,
    height: float = 3.0,
    width: float = WIDTH,
    left: float = 0.75,
    right: float = 0.15,
    above: float = 0.3,
    below: float = 0.55,
    gap: float = 0.75,
    legend: float = 0.0,
    ratios: Sequence[float] | None = None,
) -> Sheet:
    """Axes of ``height`` inches in a grid, with the title above and the note below.

    ``left``, ``above`` and ``below`` are the inches that each axes needs for its labels; ``gap``
    is the room between columns; ``legend`` the room under the title.
    """
    letters = int(LETTERS_PER_INCH * (width - 2 * EDGE))
    title_lines = textwrap.wrap(title, int(letters * NOTE_SIZE / TITLE_SIZE * 0.92))
    note_lines = [
        line for part in note.split("\n") for line in textwrap.wrap(part, letters, break_on_hyphens=False)
    ]
    head = EDGE + TITLE_LINE * len(title_lines) + 0.04
    top = head + legend
    bottom = 2 * EDGE + NOTE_LINE * len(note_lines)
    heights = [height * ratio for ratio in (ratios or [1.0] * rows)]
    total = top + sum(heights) + rows * (above + below) + bottom
    figure = Figure(figsize=(width, total), dpi=DPI)
    FigureCanvasAgg(figure)
    put: dict[str, Any] = {"va": "top", "ha": "left", "linespacing": 1.05}
    figure.text(EDGE / width, 1 - EDGE / total, "\n".join(title_lines), weight="bold", size=TITLE_SIZE, **put)
    figure.text(
        EDGE / width, (bottom - EDGE / 2) / total, "\n".join(note_lines), size=NOTE_SIZE, color=GREY, **put
    )
    across = (width - left - right - (columns - 1) * gap) / columns
    axes, y = [], total - top
    for tall in heights:
        y -= above + tall
        for column in range(columns):
            x = left + column * (across + gap)
            axes.append(figure.add_axes((x / width, y / total, across / width, tall / total)))
        y -= below
    return Sheet(figure, axes, head)


def inches(axes: Axes) -> tuple[float, float]:
    """Width and height of axes."""
    box = axes.get_window_extent()
    return box.width / DPI, box.height / DPI


def wrapped(words: str, inches: float) -> str:
    """Words of an axis label in lines that fit along ``inches``."""
    letters = max(12, int(LABEL_LETTERS_PER_INCH * inches))
    return "\n".join(textwrap.wrap(words, letters, break_on_hyphens=False))
