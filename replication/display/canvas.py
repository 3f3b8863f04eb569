"""The canvas of figures: title above, note below, all sizes in inches.

No layout engine: margins are set by hand, which is quick and gives the same bytes every time.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from replication.display.media import EDGE, PAGE, Medium

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
COLORS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")
LineStyle = Literal["-"] | tuple[float, tuple[float, ...]]
LINES: tuple[LineStyle, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (9, 3)),
    (0, (3, 3)),
)
GRAY, LIGHT, DARK = "#6b6b6b", "#d0d0d0", "#333333"

DPI = 200
COMPRESSED: Mapping[str, Mapping[str, Any]] = {"png": {"pil_kwargs": {"compress_level": 3}}}
"""Further options of ``savefig`` by format.

At this level a figure takes as many bytes as at the usual one, and is written in three fifths of the time.
"""
TITLE_LINE, NOTE_LINE = 0.22, 0.127
TITLE_SIZE, NOTE_SIZE = 12.0, 8.0
LABEL_LETTERS_PER_INCH, LEGEND_LETTERS_PER_INCH, TITLE_LETTERS_PER_INCH = 17.5, 14.5, 13.5


@dataclass(frozen=True, slots=True)
class Sheet:
    """A figure with room for title, legend and note; axes from left to right, top to bottom."""

    figure: Figure
    axes: list[Axes]
    top: float
    across: int

    def legend(self, labels: Sequence[str], styles: Sequence[LineStyle] = ()) -> None:
        """Names of the series under the title, colors and shapes (or line ``styles``) in their order."""
        handles = [
            Line2D(
                [],
                [],
                linestyle=styles[place % len(styles)] if styles else "none",
                marker="" if styles else MARKERS[place % len(MARKERS)],
                markersize=4.5,
                color=COLORS[place % len(COLORS)],
            )
            for place in range(len(labels))
        ]
        width, height = self.figure.get_size_inches()
        self.figure.legend(
            handles,
            labels,
            loc="upper left",
            ncols=legend_columns(labels, width),
            bbox_to_anchor=(EDGE / width, 1 - self.top / height),
            borderaxespad=0,
            borderpad=0,
            handletextpad=0.5 if styles else 0.1,
            columnspacing=1.2,
        )

    def rows(self) -> list[list[Axes]]:
        """The axes row by row."""
        return [self.axes[place : place + self.across] for place in range(0, len(self.axes), self.across)]

    def begins_row(self, place: int) -> bool:
        """Whether the axes with this number are the first of their row."""
        return place % self.across == 0

    def ends_row(self, place: int) -> bool:
        """Whether the axes with this number are the last of their row."""
        return place % self.across == self.across - 1 or place == len(self.axes) - 1


def legend_columns(labels: Sequence[str], width: float) -> int:
    """Series named in one line of the legend: all if they fit, else as many as in columns of one width."""
    letters = [len(label) + 5 for label in labels]
    if sum(letters) <= LEGEND_LETTERS_PER_INCH * width:
        return len(labels)
    return max(1, int(LEGEND_LETTERS_PER_INCH * width / max(letters)))


def legend_height(labels: Sequence[str], medium: Medium) -> float:
    """Inches below the title that ``Sheet.legend`` takes; none for a single series."""
    if len(labels) < 2:
        return 0.0
    rows = -(-len(labels) // legend_columns(labels, medium.width))
    return 0.07 + 0.15 * rows


@contextmanager
def styled() -> Iterator[None]:
    """The house style, whatever the reader's own settings are."""
    # ``mpl.rcdefaults`` would read every style that matplotlib brings along, and setting the backend would
    # open it.
    style = mpl.rc_params_from_file(STYLE_FILE)
    with mpl.rc_context({name: value for name, value in style.items() if name != "backend"}):
        yield


def side_by_side(panels: int, inches_each: float, medium: Medium) -> int:
    """Panels in a row that leave no cell of the grid empty, each at least ``inches_each`` wide."""
    room = int(medium.width / inches_each)
    fitting = [count for count in range(1, min(medium.most, room, panels) + 1) if panels % count == 0]
    return max(fitting, default=1)


def _lines(title: str, note: str, medium: Medium) -> tuple[list[str], list[str]]:
    """The lines of title and note, wrapped to the width of the medium."""
    heading = textwrap.wrap(title, int(medium.letters * NOTE_SIZE / TITLE_SIZE * 0.92))
    parts = (textwrap.wrap(part, medium.letters, break_on_hyphens=False) for part in note.split("\n"))
    return heading, [line for part in parts for line in part]


def _write(figure: Figure, y: float, lines: Sequence[str], **style: Any) -> None:
    """Lines of text from the left edge, the first at the fraction ``y`` of the height."""
    width = figure.get_size_inches()[0]
    put: dict[str, Any] = {"va": "top", "ha": "left", "linespacing": 1.05}
    figure.text(EDGE / width, y, "\n".join(lines), **put, **style)


def _row(
    figure: Figure, count: int, y: float, tall: float, *, left: float, right: float, gap: float
) -> list[Axes]:
    """One row of axes, ``y`` inches above the lower edge."""
    width, total = figure.get_size_inches()
    wide = (width - left - right - (count - 1) * gap) / count
    corners = [left + column * (wide + gap) for column in range(count)]
    return [figure.add_axes((x / width, y / total, wide / width, tall / total)) for x in corners]


def sheet(
    title: str,
    note: str,
    *,
    panels: int = 1,
    across: int = 1,
    medium: Medium = PAGE,
    height: float = 3.0,
    left: float = 0.75,
    right: float = 0.15,
    above: float = 0.3,
    below: float = 0.55,
    gap: float = 0.75,
    legend: float = 0.0,
    ratios: Sequence[float] | None = None,
    exact: bool = False,
) -> Sheet:
    """Axes of ``height`` inches in rows of ``across``, with the title above and the note below.

    Panels of an incomplete last row widen until they fill it. ``left``, ``above`` and ``below`` are the
    inches that each axes needs for its labels; ``gap`` is the room between columns; ``legend`` the room
    under the title; ``ratios`` are heights of the rows relative to ``height``, which a slide
    reduces unless it is ``exact``.
    """
    title_lines, note_lines = _lines(title, note, medium)
    head = EDGE + TITLE_LINE * len(title_lines) + 0.04
    bottom = 2 * EDGE + NOTE_LINE * len(note_lines)
    rows = -(-panels // across)
    heights = [height * (1.0 if exact else medium.flat) * ratio for ratio in (ratios or [1.0] * rows)]
    total = head + legend + sum(heights) + rows * (above + below) + bottom
    figure = Figure(figsize=(medium.width, total), dpi=DPI)
    FigureCanvasAgg(figure)
    _write(figure, 1 - EDGE / total, title_lines, weight="bold", size=TITLE_SIZE)
    _write(figure, (bottom - EDGE / 2) / total, note_lines, size=NOTE_SIZE, color=GRAY)
    axes, y = [], total - (head + legend)
    for row, tall in enumerate(heights):
        y -= above + tall
        count = min(across, panels - row * across)
        axes += _row(figure, count, y, tall, left=left, right=right, gap=gap)
        y -= below
    return Sheet(figure, axes, head, across)


def inches(axes: Axes) -> tuple[float, float]:
    """Width and height of axes."""
    box = axes.get_window_extent()
    return box.width / DPI, box.height / DPI


def wrapped(words: str, inches: float, letters_per_inch: float = LABEL_LETTERS_PER_INCH) -> str:
    """Words of an axis label in lines that fit along ``inches``."""
    letters = max(12, int(letters_per_inch * inches))
    lines = textwrap.wrap(words, letters, break_on_hyphens=False)
    name, bracket, unit = words.partition(" (")
    parts = (name, f"({unit}") if bracket else (words,)
    apart = [line for part in parts for line in textwrap.wrap(part, letters, break_on_hyphens=False)]
    # Labels that need several lines break before the unit, so that those of stacked panels look alike.
    return "\n".join(apart if len(lines) > 1 else lines)
