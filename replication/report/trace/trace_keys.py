"""Keys of cells: short names of rows, columns and points, made of their labels."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from replication.core.errors import SHORTEST, SpecError, nearest
from replication.display.formatting import MINUS, listed
from replication.report.table_document import TableDocument

POINT = "point"
"""Column key of the points of a figure."""
MOST_LISTED = 12
OTHERS = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Key:
    """Name of a row, a column or a point.

    Attributes
    ----------
    key : unique among its kind.
    label : as printed.
    heading : heading of the block of rows, or the headings above the column; may be empty.
    """

    key: str
    label: str
    heading: str = ""


def cell_key(row: Key, column: Key | None = None) -> str:
    """``<row key>|<column key>``."""
    return f"{row.key}|{POINT if column is None else column.key}"


def row_keys(document: TableDocument) -> list[Key]:
    """Keys of all rows of a printed table, top to bottom."""
    return unique((section.heading, row.label) for section in document.sections for row in section.rows)


def column_keys(document: TableDocument) -> list[Key]:
    """Keys of all columns but the first, left to right; a numbered column goes by its number."""
    spread = [[head.text for head in row for _ in range(head.span)] for row in document.headings]
    columns = list(zip(*spread, strict=True)) or [("",)] * len(document.align)
    found = []
    for texts in columns:
        *above, last = texts
        found.append((", ".join(dict.fromkeys(text for text in above if text)), last))
    return unique(found)


def unique(names: Iterable[tuple[str, str]]) -> list[Key]:
    """Keys of (heading, label): the label where no other has it, else with its heading, and numbered."""
    pairs = [(heading, label, slug(label)) for heading, label in names]
    alike = Counter(name for _, _, name in pairs)
    used: Counter[str] = Counter()
    found: list[Key] = []
    for heading, label, name in pairs:
        key = f"{slug(heading)}.{name}" if heading and alike[name] > 1 else name
        used[key] += 1
        found.append(Key(key if used[key] == 1 else f"{key}.{used[key]}", label, heading))
    return found


def slug(text: str) -> str:
    """A text in small letters, digits and hyphens; the sign of a number is spelled out."""
    signed = re.sub(r"(?<!\w)-(?=\d)", "minus ", text.replace(MINUS, "-"))
    plain = unicodedata.normalize("NFKD", signed).encode("ascii", "ignore").decode().lower()
    return OTHERS.sub("-", plain).strip("-") or "blank"


def find(keys: Sequence[Key], wanted: str, what: str) -> Key:
    """The key that a reader means: a key or a label, in any case, or the beginning of only one of them.

    Raises
    ------
    SpecError
        If none or several fit; the message lists what there is.
    """
    text = wanted.strip().casefold().replace(MINUS, "-")
    exact = [key for key in keys if key.label == wanted]
    if len(exact) == 1:
        return exact[0]
    ways = (
        lambda key: text == key.key or wanted == key.label,
        lambda key: text in names(key),
        lambda key: any(name.startswith(text) for name in names(key)),
        lambda key: text in " ".join(names(key)),
        lambda key: slug(wanted) in slug(" ".join(names(key))),
    )
    for fits in ways:
        found = [key for key in keys if fits(key)]
        if len(found) == 1:
            return found[0]
        if found:
            raise SpecError(f"{len(found)} {what}s match {wanted!r}: {shown(found)}. Use the key of one.")
    raise SpecError(f"There is no {what} {wanted!r}{_meant(wanted, keys)}. There are: {shown(keys)}.")


def _meant(wanted: str, keys: Sequence[Key]) -> str:
    """A hint at the key that shares most words, or else at one of similar spelling; none for a number."""
    words = {word for word in slug(wanted).split("-") if len(word) >= SHORTEST and not word.isdecimal()}
    if not words:
        return ""
    shares = [len(words & set(slug(" ".join(names(key))).split("-"))) for key in keys]
    if max(shares, default=0):
        best = keys[shares.index(max(shares))]
        return f" (did you mean {best.key!r}?)"
    return nearest(wanted, [name for key in keys for name in (key.key, key.label)])


def names(key: Key) -> list[str]:
    """Whatever a reader may call it, in small letters."""
    plain = [key.key, key.label, f"{key.heading} {key.label}", f"{key.heading}, {key.label}", slug(key.label)]
    return [name.casefold().replace(MINUS, "-") for name in plain]


def shown(keys: Sequence[Key]) -> str:
    """The first keys with their labels."""
    said = [", ".join(part for part in (key.heading, key.label) if part) for key in keys]
    words = [
        f"{key.key} ({text})" if text not in ("", key.key) else key.key
        for key, text in zip(keys, said, strict=True)
    ]
    more = [f"{len(words) - MOST_LISTED} more"] if len(words) > MOST_LISTED else []
    return listed([*words[:MOST_LISTED], *more])
