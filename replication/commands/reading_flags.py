"""Options that say how a panel file is read, the same for every command that takes one."""

from __future__ import annotations

import argparse
from typing import Any

PANEL_HELP = "panel file: .csv, .csv.gz, .xlsx, .parquet, or .dta"
FLAGS: dict[str, dict[str, Any]] = {
    "time_format": {"help": "year, quarter, month, date, or a pattern such as %%d/%%m/%%Y"},
    "never": {"nargs": "+", "metavar": "CODE", "help": "codes for never treated, such as 9999"},
    "cohort_from": {
        "metavar": "COLUMN",
        "help": "0/1 treatment column; the cohort is the first period in which it is 1",
    },
    "duplicates": {
        "help": "rows with the same unit and period: refuse (stop with an error), drop_identical (keep one "
        "of identical rows), first, last, or mean"
    },
    "sep": {"help": "separator of a CSV file, such as ';'"},
    "decimal": {"help": "decimal mark of numbers in text, such as ','"},
    "thousands": {"help": "thousands separator"},
    "percent": {"help": "12%% becomes 12 (points) or 0.12 (share)"},
    "missing": {"nargs": "+", "metavar": "MARK", "help": "values to treat as missing, such as '.'"},
    "encoding": {"help": "encoding of a CSV file, such as latin-1"},
    "sheet": {"help": "sheet of an Excel file"},
    "strip_blanks": {
        "action": "store_true",
        "help": "strip leading and trailing spaces: 'Ohio ' becomes 'Ohio'",
    },
}


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options, in a group of their own."""
    group = parser.add_argument_group("options for reading data")
    for name, options in FLAGS.items():
        group.add_argument(f"--{name.replace('_', '-')}", **options)


def reading_keys(chosen: argparse.Namespace) -> dict[str, Any]:
    """Keys of a specification, those of ``read`` with a dot, for the options that were given."""
    given = {name: getattr(chosen, name) for name in FLAGS}
    return {_key(name): _value(name, value) for name, value in given.items() if value}


def _key(name: str) -> str:
    # Every command imports this module, and few read a panel: YAML is left to those.
    from replication.core.reading import OF_READ

    return f"read.{name}" if name in OF_READ else name


def _value(name: str, value: Any) -> Any:
    if name == "sep" and value in ("\\t", "tab"):
        return "\t"
    if name == "sheet" and value.isdecimal():
        return int(value)
    return [_number(code) for code in value] if name == "never" else value


def _number(code: str) -> int | str:
    """A code as YAML reads it: a whole number is one."""
    return int(code) if code.removeprefix("-").isdecimal() else code
