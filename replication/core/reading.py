"""How a panel file is read: separator, decimal mark, missing values, blanks, and numbers written as text."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import yaml

from replication.core.errors import PanelError
from replication.core.wording import label_text, series

if TYPE_CHECKING:
    # The Snakefile reads specifications, and has no use for pandas.
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Read:
    """The keys under ``read`` of a specification; their meaning is in the schema."""

    sep: str | None = None
    decimal: str = "."
    thousands: str | None = None
    percent: str = "refuse"
    missing: tuple[str, ...] = ()
    encoding: str | None = None
    sheet: str | int | None = None
    strip_blanks: bool = False

    @property
    def converts(self) -> bool:
        """Whether numbers are written in another way than Python reads them."""
        return self.decimal != "." or self.thousands is not None or self.percent != "refuse"


OF_READ: Final = ("sep", "decimal", "thousands", "percent", "missing", "encoding", "sheet", "strip_blanks")
"""Keys of ``read``, each of which is an option of the command line."""
OPTIONS: Final = (
    *("outcome", "estimator", "unit", "time", "cohort", "cluster", "weights", "covariates"),
    *("time_format", "never", "cohort_from", "duplicates", *(f"read.{name}" for name in OF_READ)),
)
"""Keys that are options of the command line; ``--set`` takes the others."""
AS_USUAL: Final = Read()
"""A comma between columns, a point in numbers, UTF-8, the only sheet."""
EXACT_DIGITS: Final = 15
"""Longer whole numbers, such as codes of units, are not all represented by a float of 64 bits."""
GROUPED_BY_POINTS: Final = r"[+-]?\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})"
"""1.234,5 and 1.234.567; 1.234 is as likely a number with three decimals."""
GROUPED: Final = r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?"
"""The same and 1.234, where the comma is the decimal mark."""
POINTED: Final = r"[+-]?(?:[\d.]*\.[\d.]*)(?:,\d*)?(?:[eE][+-]?\d+)?"
"""Texts of digits with a point, which is no decimal mark where the comma is."""
NOTATION: Final = "notation of numbers"
"""Attribute of a frame: ``decimal`` and ``thousands`` of its ``read``, where its numbers are converted."""
HINTS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    (r"[+-]?\d+,\d+", "the comma is a decimal mark", {"decimal": ","}),
    (r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", "commas separate thousands", {"thousands": ","}),
    (GROUPED_BY_POINTS, "points separate thousands", {"thousands": ".", "decimal": ","}),
    (r"[+-]?[\d.,]+\s*%", "12% means 12", {"percent": "points"}),
    (r"[.?*\-]+|-?9+|n[./]?a\.?|missing|null", "it marks a missing value", {"missing": []}),
)
"""How numbers look that are written in another way, what that means, and the keys of ``read``."""
MOST_MARKS: Final = 5
"""Distinct texts that a message names; a column with more of them is no column of numbers."""


def number_keys(value: Any, read: Read = AS_USUAL) -> list[tuple[str, dict[str, Any]]]:
    """What a text that is no number may mean, and the keys of ``read``; 1,234 may mean two things.

    ``read``: the keys given, which are not named again.
    """
    text = str(value).strip()
    hints = list(HINTS)
    if read.decimal == "," and read.thousands is None and re.fullmatch(GROUPED, text):
        hints = [(GROUPED, "points separate thousands", {"thousands": "."})]
    found = [
        (meaning, _beside(read, keys))
        for pattern, meaning, keys in hints
        if re.fullmatch(pattern, text, re.IGNORECASE)
    ]
    return [(meaning, {"missing": [text]} if "missing" in keys else keys) for meaning, keys in found if keys]


def _beside(read: Read, keys: dict[str, Any]) -> dict[str, Any]:
    """Keys without those that are given already, and with a decimal mark that is no separator as well."""
    if keys.get("thousands", "") == keys.get("decimal", read.decimal):
        keys = {**keys, "decimal": "." if read.decimal == "," else ","}
    return {key: value for key, value in keys.items() if value != getattr(read, key)}


def formatted(value: Any, read: Read = AS_USUAL) -> bool:
    """Whether a text is a number in another notation, such as 1,234.5 or 12%."""
    return any("missing" not in keys for _, keys in number_keys(value, read))


def pointed(value: Any, read: Read) -> bool:
    """Whether a text is a number with a point where the comma is the decimal mark."""
    text = str(value).strip()
    return read.decimal != "." and bool(re.fullmatch(POINTED, text) and re.search(r"\d", text))


def number_hint(texts: Sequence[Any], read: Read = AS_USUAL) -> str:
    """The keys that make numbers, or missing values, of distinct texts in a column, in sentences."""
    with_point = [text for text in texts if pointed(text, read)]
    if wrong := [text for text in with_point if not formatted(text, read)]:
        return (
            f" The decimal mark is {read.decimal!r} (`--decimal`), and {shown(wrong[0])} has a point: write "
            "all numbers of the file with one decimal mark."
        )
    first = (with_point or texts)[0]
    known = [(meaning, keys) for meaning, keys in number_keys(first, read) if "missing" not in keys]
    if known and known[0][1] == {"percent": "points"}:
        points = proposal({"read.percent": "points"})
        return f" To read 12% as 12, set {points}; to read it as 0.12, set `--percent share`."
    if known:
        return "".join(f" If {meaning}, set {proposal(of_read(keys))}." for meaning, keys in known)
    if len(texts) > MOST_MARKS:
        return ""
    marks = sorted(str(text).strip() for text in texts)
    verb = "marks a missing value" if len(marks) == 1 else "mark missing values"
    return f" If {series(map(shown, marks))} {verb}, set {proposal({'read.missing': marks})}."


def never_words(texts: Sequence[Any]) -> str:
    """The key that makes distinct texts of a cohort column mean never treated, in a sentence."""
    if len(texts) > MOST_MARKS:
        return ""
    codes = [str(text).strip() for text in texts]
    this = "this means" if len(codes) == 1 else "these mean"
    return f" If {this} never treated, set {proposal({'never': codes})}."


def of_read(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of ``read`` with the name of their block."""
    return {f"read.{name}": value for name, value in keys.items()}


def as_option(key: str, value: Any) -> str:
    """The option that gives a key its value: ``--never 9999 never``, ``--set unbalanced=pairwise``."""
    if key not in OPTIONS:
        return f"--set {shlex.quote(f'{key}={in_yaml(value)}')}"
    name = f"--{key.removeprefix('read.').replace('_', '-')}"
    if value is True:
        return name
    values = value if isinstance(value, list | tuple) else ["\\t" if value == "\t" else value]
    return " ".join([name, *(shlex.quote(str(part)) for part in values)])


def proposal(keys: Mapping[str, Any]) -> str:
    """Keys as they are set on the command line, in a specification, and in Python.

    ``--never 9999`` (in YAML ``never: [9999]``, in Python ``never=[9999]``), in backticks; a dot in a key
    leads into its block.
    """
    return f"{_in_options(keys)} (in YAML {in_specification(keys)}, in Python {in_call(keys)})"


def shell_proposal(keys: Mapping[str, Any]) -> str:
    """The same for a reader of the command line alone."""
    return f"{_in_options(keys)} (in YAML {in_specification(keys)})"


def _in_options(keys: Mapping[str, Any]) -> str:
    return f"`{' '.join(as_option(key, value) for key, value in keys.items())}`"


def in_specification(keys: Mapping[str, Any]) -> str:
    """Keys as lines of YAML, each in backticks; those of a block together."""
    return " and ".join(f"`{key}: {in_yaml(value)}`" for key, value in in_blocks(keys).items())


def in_call(keys: Mapping[str, Any]) -> str:
    """Keys as arguments of ``rp.estimate`` in backticks; those of a block together."""
    return f"`{', '.join(f'{key}={value!r}' for key, value in in_blocks(keys).items())}`"


def in_blocks(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Keys with a dot in mappings of their own."""
    blocks: dict[str, Any] = {}
    for key, value in keys.items():
        block, _, name = key.rpartition(".")
        (blocks.setdefault(block, {}) if block else blocks)[name] = value
    return blocks


def in_yaml(value: Any) -> str:
    """A value in one line of YAML: ``{decimal: ','}``, ``[9999, never]``."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).strip().removesuffix("...").strip()


def shown(value: Any) -> str:
    """A value as a message prints it: text in quotation marks, numbers of numpy like others, plain dates."""
    import numpy as np

    if isinstance(value, datetime):
        return str(value).removesuffix(" 00:00:00")
    plain = value.item() if isinstance(value, np.generic) else value
    return label_text(plain) if isinstance(plain, float) else repr(plain)


def plain_label(label: Any) -> str:
    """A label without blanks at its ends, single ones inside, and letters coded in one way."""
    return " ".join(unicodedata.normalize("NFKC", str(label)).split())


def is_text(values: pd.Series[Any]) -> bool:
    """Whether a column contains text, objects that may be text, or categories of text."""
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        return is_text(values.cat.categories.to_series())
    return bool(pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values))


def plain_numbers(values: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers of a column, missing where it has none; a date is no number of seconds since 1970."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(float("nan"), index=values.index, name=values.name)
    return pd.to_numeric(values, errors="coerce").astype("float64")


def is_blank(values: pd.Series[Any]) -> pd.Series[bool]:
    """Where a column contains text without a letter, digit, or sign: as empty as an empty cell."""
    import pandas as pd

    if not is_text(values):
        return pd.Series(data=False, index=values.index)
    blank = [value for value in values.dropna().unique() if isinstance(value, str) and not value.strip()]
    return values.isin(blank).astype(bool)


def stripped(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with plain labels in its text columns and their names.

    Raises
    ------
    PanelError
        If two columns would have one name.
    """
    names = [plain_label(name) if isinstance(name, str) else name for name in frame.columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise PanelError(
            f"Without blanks the panel has two columns named {twice!r}. Rename one of them in the file."
        )
    frame = frame.set_axis(names, axis=1)
    return frame.assign(**{name: _stripped(frame[name]) for name in names if is_text(frame[name])})


def _stripped(values: pd.Series[Any]) -> pd.Series[Any]:
    """Each label once: a panel repeats them in every period."""
    labels = values.dropna().unique()
    plain = {label: (plain_label(label) or None) if isinstance(label, str) else label for label in labels}
    return values.map(plain) if any(plain[label] != label for label in labels) else values


def with_numbers(frame: pd.DataFrame, read: Read) -> pd.DataFrame:
    """The frame with numbers in the text columns that hold numbers as ``read`` says they are written."""
    if not read.converts:
        return frame
    found = {name: numbers_in(frame[name], read) for name in frame.columns if is_text(frame[name])}
    frame = frame.assign(**{name: values for name, values in found.items() if values is not None})
    frame.attrs[NOTATION] = {"decimal": read.decimal, "thousands": read.thousands}
    return frame


def notation_of(frame: pd.DataFrame) -> Read:
    """How the numbers of a frame are written, as ``with_numbers`` has read it."""
    return Read(**frame.attrs.get(NOTATION, {}))


def not_numbers(values: pd.Series[Any], converted: pd.Series[Any], read: Read) -> pd.Series[bool]:
    """Where a column contains text that is no number in the notation of ``read``.

    Parameters
    ----------
    values, converted : the column, and its numbers in the notation of Python.
    """
    text = converted.isna() & values.notna()
    if not is_text(values) or read.decimal == ".":
        return text
    # A cell of a workbook may be a number beside cells of text, and has no notation.
    texts = values.astype(object).map(lambda value: value if isinstance(value, str) else "")
    written = texts.astype(str).str.strip()
    usual = written.str.fullmatch(_number_pattern(read))
    # Where the comma is the decimal mark, 821.310 is not 821.31.
    text |= written.str.fullmatch(POINTED) & written.str.contains(r"\d") & ~usual
    return text & ~usual if (text & ~usual).any() else text


def misread(values: pd.Series[Any], read: Read) -> bool:
    """Whether a text column has numbers throughout, some with thousands that ``read`` does not expect."""
    if not is_text(values) or read.decimal == ".":
        return False
    texts = {value.strip() for value in values.unique() if isinstance(value, str)}
    grouped = [text for text in texts if re.fullmatch(GROUPED, text) and formatted(text, read)]
    known = re.compile(rf"{GROUPED}|{POINTED}|{_number_pattern(read)}")
    return bool(grouped) and all(known.fullmatch(text) for text in texts)


def numbers_in(values: pd.Series[Any], read: Read) -> pd.Series[Any] | None:
    """Numbers of a text column; None unless every value is one.

    Groups of thousands must have three digits, so that ``1,5`` does not become 15, and a column with
    percent signs must have them throughout: half of the values would be in another unit.
    """
    text = values.dropna().astype(str).str.strip()
    text = text[text != ""]
    signed = text.str.endswith("%")
    if text.empty or (signed.any() and not (signed.all() and read.percent != "refuse")):
        return None
    text = text.str.removesuffix("%").str.strip()
    point = re.escape(read.decimal)
    if not text.str.fullmatch(_number_pattern(read)).all():
        return None
    longest = int(text.str.len().max())
    if text.str.match(r"0\d").any() or (longest > EXACT_DIGITS and not text.str.contains(point).any()):
        return None
    plain = text.str.replace(read.thousands, "", regex=False) if read.thousands else text
    numbers = plain.str.replace(read.decimal, ".", regex=False).astype(float)
    numbers = numbers / 100 if read.percent == "share" and signed.any() else numbers
    full = numbers.reindex(values.index)
    moderate = bool(((full.abs() < 10.0**EXACT_DIGITS) & (full == full.round())).all())
    whole = moderate and not text.str.contains(point).any()
    return full.astype("int64") if whole and not signed.any() else full


def _number_pattern(read: Read) -> str:
    """Numbers as ``read`` says they are written, as a regular expression."""
    mark, point = re.escape(read.thousands or ""), re.escape(read.decimal)
    grouped = rf"\d{{1,3}}(?:{mark}\d{{3}})+|" if mark else ""
    return rf"[+-]?(?:(?:{grouped}\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?"
