"""Reading the tidy panel of the user from CSV, Excel, parquet or Stata."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from replication.core.columns import FIRST_LINE, row_name
from replication.core.errors import PanelError, nearest
from replication.core.identifiers import require_single_names, text_where_zeros_lead
from replication.core.reading import AS_USUAL, Read, plain_label, proposal, stripped, with_numbers
from replication.core.wording import extension_words

FORMATS: Final = (".csv", ".csv.gz", ".xlsx", ".parquet", ".dta")
SEPARATORS: Final = {";": "';'", "\t": '"\\t"', "|": "'|'"}
"""Separators other than the comma, as they are written in YAML."""
RAGGED: Final = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
"""How pandas reports a line with more fields than there are columns."""


OF_CSV: Final = ("a CSV file", (".csv", ".csv.gz"))
"""What keys of ``read`` on separators and encodings are for."""


def read_frame(
    path: Path, identifiers: Sequence[str] = (), read: Read = AS_USUAL, columns: Sequence[str] = ()
) -> pd.DataFrame:
    """A panel file as a frame.

    Parameters
    ----------
    identifiers : columns whose values are labels; in a CSV file they stay text where reading
        them as numbers would lose leading zeros.
    read : how the file is read.
    columns : columns that are needed; they tell which sheet of several is proposed.

    Raises
    ------
    PanelError
        If the file is absent, empty, of another format, or cannot be read, if two of its columns
        have one name, or if labels are one number and two texts.
    """
    kind = ending(path)
    if not kind:
        raise PanelError(_not_a_panel(path))
    if not path.is_file():
        raise PanelError(f"There is no panel file {path}. Check the path.")
    try:
        needed = (*identifiers, *columns)
        require_single_names(_names(path, kind, read, needed), f"The panel {path}")
        frame = _READERS[kind](path, read)
    except PanelError:
        raise
    except pd.errors.EmptyDataError:
        raise PanelError(f"The panel {path} is empty. It needs a header and rows.") from None
    except Exception as error:
        raise PanelError(_unreadable(path, kind, error, read)) from None
    frame.attrs.pop(FIRST_LINE, None)
    if has_lines(path, kind, len(frame)):
        frame.attrs[FIRST_LINE] = 2
    require_plain_cells(frame, f"The panel {path}")
    if frame.empty:
        raise PanelError(f"The panel {path} has a header and no rows.")
    _require_separated(path, frame)
    if kind.startswith(".csv") and not read.converts:
        named = plain_label if read.strip_blanks else str
        labels = [name for name in frame.columns if named(name) in identifiers]
        frame = text_where_zeros_lead(path, frame, labels, **_csv_options(read))
    return with_numbers(stripped(frame) if read.strip_blanks else frame, read)


def reading_notes(path: Path, read: Read) -> list[str]:
    """Notes on keys of ``read`` that have no effect on a file of its format."""
    kind = ending(path)
    needed = {"sheet": ("an Excel file", (".xlsx",)), **dict.fromkeys(("sep", "encoding"), OF_CSV)}
    return [
        f"'read.{key}' has no effect: {path.name} is not {what}"
        for key, (what, kinds) in needed.items()
        if getattr(read, key) is not None and kind not in kinds
    ]


def _not_a_panel(path: Path) -> str:
    """The message for an absent file, a folder, a file without an extension, and one of another format."""
    if not path.exists():
        return f"There is no panel file {path}. Check the path."
    formats = f"{', '.join(FORMATS[:-1])}, {{}} {FORMATS[-1]}"
    if path.is_dir():
        return f"{path} is a folder. Name a panel file in it ({formats.format('or')})."
    return (
        f"The panel {path} {extension_words(path)}. Panels are read from {formats.format('and')}: rename it "
        "or save it as one of these."
    )


def has_lines(path: Path, kind: str, rows: int) -> bool:
    """Whether each row of the frame is one line of the file, the first below the header.

    Not so in a CSV file with blank lines, which are not read, or with line breaks inside cells.
    """
    if not kind.startswith(".csv"):
        return kind == ".xlsx"
    with gzip.open(path) if kind.endswith(".gz") else path.open("rb") as lines:
        filled = [bool(line.strip()) for line in lines]
    return sum(filled) == rows + 1 and all(filled[: rows + 1])


def ending(path: Path) -> str:
    """The ending of a panel file that says its format; empty if it is none of ``FORMATS``."""
    name = path.name.lower()
    return next((kind for kind in FORMATS if name.endswith(kind)), "")


def _csv_options(read: Read) -> dict[str, Any]:
    options = {"sep": read.sep, "encoding": read.encoding, "na_values": list(read.missing)}
    return {key: value for key, value in options.items() if value}


def _names(path: Path, kind: str, read: Read, needed: Sequence[str]) -> Sequence[str]:
    """Names of the columns as written in the file; pandas renames those that repeat.

    ``needed``: those that are looked for where it is unclear which sheet of a workbook is meant.
    """
    if kind.startswith(".csv"):
        options = {key: value for key, value in _csv_options(read).items() if key != "na_values"}
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False, **options)
    elif kind == ".xlsx":
        sheet = _sheet(path, read, needed)
        header = pd.read_excel(path, sheet_name=sheet, header=None, nrows=1, dtype=str, na_filter=False)
    elif kind == ".parquet":
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    else:
        return ()
    return [str(name) for name in header.iloc[0]] if len(header) else ()


def _unreadable(path: Path, kind: str, error: Exception, read: Read) -> str:
    reason = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, UnicodeDecodeError | UnicodeError):
        return (
            f"The panel {path} is not encoded as {read.encoding or 'UTF-8'}. If it was saved by an older "
            f"version of Excel or Stata, set {proposal({'read.encoding': 'latin-1'})}."
        )
    if isinstance(error, LookupError) and read.encoding and read.encoding in reason:
        return f"There is no encoding {read.encoding!r}. Set `--encoding latin-1` or leave it out for UTF-8."
    if ragged := RAGGED.search(reason):
        return (
            f"The panel {path}: line {ragged[2]} has {ragged[3]} fields where the lines before have "
            f"{ragged[1]}. Quote values that contain the separator, or name another one with `--sep`."
        )
    if isinstance(error, zipfile.BadZipFile):
        return (
            f"The panel {path} is not an Excel workbook, although its name ends in {kind}. If it is a CSV "
            "file, rename it."
        )
    kinds = {".parquet": "a parquet file", ".dta": "a Stata file", ".csv.gz": "a CSV file compressed by gzip"}
    if kind in kinds:
        return (
            f"The panel {path} cannot be read as {kinds[kind]}, although its name ends in {kind}. It is "
            "damaged or of another format: save it again, or give it the ending of its format."
        )
    return f"The panel {path} cannot be read as {kind[1:]}: {reason}. Check that the file is complete."


def _require_separated(path: Path, frame: pd.DataFrame) -> None:
    """Refuse a file with one column whose header holds another separator."""
    header = str(frame.columns[0])
    for separator, written in SEPARATORS.items():
        if frame.shape[1] == 1 and separator in header:
            raise PanelError(
                f"The panel {path} has a single column {header[:60]!r}; its columns appear to be "
                f"separated by {written}. Set {proposal({'read.sep': separator})}."
            )


def _sheet(path: Path, read: Read, needed: Sequence[str] = ()) -> str | int:
    """The sheet that holds the panel: the one named, or the only one with cells.

    ``needed``: columns of the panel, by which one of several sheets is proposed.
    """
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    try:
        names = [str(name) for name in book.sheetnames]
        filled = [str(sheet.title) for sheet in book.worksheets if (sheet.max_row or 0) > 1]
    finally:
        book.close()
    if read.sheet is None:
        if len(filled) > 1:
            raise PanelError(
                f"The panel {path} has {len(filled)} sheets with rows ({', '.join(filled)}). Say which "
                f"one is the panel: {proposal({'read.sheet': _likely_sheet(path, filled, needed)})}."
            )
        return filled[0] if filled else names[0]
    if isinstance(read.sheet, int):
        if not 1 <= read.sheet <= len(names):
            raise PanelError(f"The panel {path} has no sheet {read.sheet}; it has {len(names)}, from 1.")
        return names[read.sheet - 1]
    if read.sheet not in names:
        raise PanelError(
            f"The panel {path} has no sheet {read.sheet!r}{nearest(read.sheet, names)}. Its sheets are: "
            f"{', '.join(names)}."
        )
    return read.sheet


def _likely_sheet(path: Path, sheets: Sequence[str], needed: Sequence[str]) -> str:
    """The first sheet whose header has all the columns that are needed, else the first sheet."""
    headers = pd.read_excel(path, sheet_name=list(sheets), header=None, nrows=1, dtype=str, na_filter=False)
    wanted = {plain_label(name) for name in needed}
    names = {sheet: set(map(plain_label, header.to_numpy().ravel())) for sheet, header in headers.items()}
    return next((sheet for sheet in sheets if wanted <= names[sheet]), sheets[0])


def _read_csv(path: Path, read: Read) -> pd.DataFrame:
    kept: dict[str, Any] = {"dtype": str} if read.converts else {}
    frame: pd.DataFrame = pd.read_csv(path, **_csv_options(read), **kept)
    return frame


def without_marks(frame: pd.DataFrame, read: Read) -> pd.DataFrame:
    """The frame with missing values where the file has a mark for them, as a text or a number."""
    if not read.missing:
        return frame
    texts = {mark.strip() for mark in read.missing}
    return frame.mask(
        frame.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value)).isin(texts)
    )


_READERS: dict[str, Callable[[Path, Read], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
    ".xlsx": lambda path, read: pd.read_excel(
        path, sheet_name=_sheet(path, read), na_values=list(read.missing)
    ),
    ".parquet": lambda path, read: without_marks(pd.read_parquet(path), read),
    ".dta": lambda path, read: without_marks(pd.read_stata(path, convert_categoricals=False), read),
}
PLAIN = (str, bytes, int, float, complex, bool)


def require_plain_cells(frame: pd.DataFrame, source: str) -> None:
    """Refuse columns whose cells hold several values.

    Parameters
    ----------
    frame : DataFrame
        A panel as it was read.
    source : str
        Its name in the message.

    Raises
    ------
    PanelError
        Naming the columns, and the first such cell.
    """
    found = {}
    for place, kind in enumerate(frame.dtypes):
        if not pd.api.types.is_object_dtype(kind):
            continue
        column = frame.iloc[:, place]
        nested = column.map(lambda value: not isinstance(value, PLAIN) and hasattr(value, "__len__"))
        if nested.any():
            row = int(nested.to_numpy().argmax())
            found[str(frame.columns[place])] = (row, type(column.iloc[row]).__name__)
    if found:
        name, (row, kind) = next(iter(found.items()))
        raise PanelError(
            f"{source} has {len(found)} columns whose cells contain several values "
            f"({', '.join(found)}): {row_name(frame, row)}, column {name!r}, is a {kind}. A panel has one "
            "value per cell; write them to columns of their own, or leave the column out."
        )
