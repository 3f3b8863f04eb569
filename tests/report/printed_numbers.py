"""Whether a number prints as a cell prints it: the text is read back and the number rounded to it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

MINUS = "\N{MINUS SIGN}"
MARKS = "*\N{DAGGER}()[] "
NUMBER = re.compile(r"-?[\d,]*\.?\d+")
POWER = re.compile(r"-?\de(-\d+)")
# Half of the last printed digit, and a little for a value that lies on the border in binary.
HALF = 0.5 + 1e-6


def prints_as(printed: Sequence[str], cell: Mapping[str, Any]) -> bool:
    """Whether the value of a cell, and its standard error or interval, print as its lines do."""
    first, *rest = [line.replace(MINUS, "-") for line in printed]
    value, interval = cell["value"], cell.get("interval")
    if interval and first.startswith("["):
        ends = first.strip("[]").split(", ")
        return all(one_prints_as(text, end) for text, end in zip(ends, interval, strict=True))
    if cell.get("quantity") == "control_group":
        # A table names units as the study does, its file calls them units.
        return first.rpartition(" ")[0] == str(value).rpartition(" ")[0]
    below = all(
        percent_prints_as(line, value) if line.endswith("%]") else one_prints_as(line, cell["std_error"])
        for line in rest
        if line
    )
    return one_prints_as(first, value) and below


def percent_prints_as(text: str, value: Any) -> bool:
    """Whether a log-point estimate is the percentage in brackets."""
    return one_prints_as(text.strip("[%]"), math.expm1(float(value)))


def one_prints_as(text: str, value: Any) -> bool:
    """Whether one value is the printed text, or rounds to the printed number."""
    if not text or value is None:
        return not text and value is None
    if str(value).replace(MINUS, "-") == text:
        return True
    if not _is_number(value):
        return False
    bare = text.strip(MARKS)
    if bare.startswith("<"):
        return float(value) <= float(bare.removeprefix("<").strip())
    if bare.startswith("Yes ("):
        bare = bare.removeprefix("Yes (")
    if power := POWER.fullmatch(bare):
        return abs(float(bare) - float(value)) <= HALF * 10.0 ** int(power[1])
    if not NUMBER.fullmatch(bare):
        return bare == "No" and float(value) == 0
    digits = len(bare.partition(".")[2])
    number = float(bare.replace(",", ""))
    # A share is printed as a percentage in some tables.
    return any(abs(number - scale * float(value)) <= HALF * 10.0**-digits for scale in (1, 100))


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False
