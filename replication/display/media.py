"""Where figures are shown: a journal column, a page, a slide."""

from __future__ import annotations

from dataclasses import dataclass

EDGE = 0.1
LETTERS_PER_INCH = 20.5


@dataclass(frozen=True, slots=True)
class Medium:
    """Where a figure is shown, at the size at which it is printed.

    Attributes
    ----------
    width : inches.
    most : panels side by side.
    flat : factor of the height of axes.
    """

    width: float
    most: int = 3
    flat: float = 1.0

    @property
    def letters(self) -> int:
        """Characters of a note in one line."""
        return int(LETTERS_PER_INCH * (self.width - 2 * EDGE))


PAGE = Medium(7.0)
MEDIA = {"column": Medium(3.5, most=1), "page": PAGE, "slide": Medium(6.0, flat=0.75)}
"""What ``figure: {width: ...}`` of an entry names: a journal column, a page, or a slide of 6.3 by 3.5 inches
(16:9 in LaTeX beamer; larger slides magnify type with the figure)."""
