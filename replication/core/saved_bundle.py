"""The estimates of a study in one file, as each specification saved them, written and read at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from replication.core.errors import SpecError
from replication.core.estimates import COLUMNS, LABELS
from replication.core.files import replacing
from replication.core.result_files import TABLE
from replication.core.saved_results import read_table
from replication.core.saved_rows import Columns, SavedRows, columns_of

PLAIN, LABELED = (",".join(columns) + "\n" for columns in (COLUMNS, [*COLUMNS, *LABELS]))
"""The first line of a file of estimates; of quarters and months it has the labels of the periods too."""


def write_bundle(path: Path, folders: Sequence[Path]) -> None:
    """Every estimate of saved specifications in one file, as each of them wrote it.

    Raises
    ------
    SpecError
        If one of them was written with other columns.
    """
    texts = {folder: (folder / TABLE).read_text(encoding="utf-8") for folder in folders}
    header = LABELED if any(text.startswith(LABELED) for text in texts.values()) else PLAIN
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as bundle:
        bundle.write(header)
        for folder, text in texts.items():
            if not text.startswith((PLAIN, LABELED)):
                raise SpecError(
                    f"{folder / TABLE} does not have the columns of saved estimates. Remove "
                    f"{folder} and run again: the specification is then estimated anew."
                )
            bundle.write(_below(header, text))


def _below(header: str, text: str) -> str:
    """The rows of a file as they follow a header, with empty labels where only the header has them."""
    head, _, rows = text.partition("\n")
    return rows if f"{head}\n" == header else rows.replace("\n", ",,\n")


@dataclass
class Bundle:
    """The file that ``write_bundle`` wrote, from which the tables of many specifications are read at once.

    It counts for a specification only if it has the very rows that the specification's own file has.

    Attributes
    ----------
    path : ``tables/<study>/estimates.csv``, which need not be there.
    """

    path: Path

    def rows(self, folder: Path) -> SavedRows | None:
        """The rows of one saved specification as ``load_table`` reads them; None where they differ."""
        block = self._blocks.get(folder.name)
        if block is None or self._frame is None:
            return None
        start, lines = block
        own = (folder / TABLE).read_text(encoding="utf-8")
        if _below(self._text[0], own) != "".join(lines):
            return None
        return SavedRows(self._frame, self._columns, start, start + len(lines))

    @cached_property
    def _text(self) -> list[str]:
        """The lines of the file; none if it is not there."""
        if not self.path.is_file():
            return []
        return self.path.read_text(encoding="utf-8").splitlines(keepends=True)

    @cached_property
    def _blocks(self) -> dict[str, tuple[int, list[str]]]:
        """Specification -> the number of its first row, and its lines."""
        return dict(_blocks_of(self._text[1:]))

    @cached_property
    def _frame(self) -> pd.DataFrame | None:
        """All rows; None where a cell has a line break, so that lines are not rows."""
        frame = read_table(self.path)
        return frame if len(frame) == len(self._text) - 1 else None

    @cached_property
    def _columns(self) -> Columns:
        return {} if self._frame is None else columns_of(self._frame)


def _blocks_of(lines: Sequence[str]) -> Iterator[tuple[str, tuple[int, list[str]]]]:
    numbered = enumerate(lines)
    for name, group in itertools.groupby(numbered, key=lambda one: one[1].partition(",")[0]):
        block = list(group)
        yield name, (block[0][0], [line for _, line in block])
