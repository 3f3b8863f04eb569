"""``replication explain`` and ``replication compare``: resolved specifications and their differences."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml

from replication.core.estimates import row_labels
from replication.core.spec import explain, load_specs
from replication.core.spec_grid import flat
from replication.estimators.registry import ENTRIES
from replication.estimators.unused_keys import find_unused_keys, keys_read
from replication.workflow.saved_folders import read_folder

MAIN = r"att\b|coef|event\b"
"""Beginnings of the labels of the rows that a comparison is about."""


def explain_keys() -> str:
    """Every key of a specification, and the estimators with the keys that each one reads."""
    lines = [explain(), "", "Estimators:"]
    for name, entry in ENTRIES.items():
        keys = ", ".join(keys_read(name)) or "no further keys"
        lines.append(f"  {name}: {entry.label}; reads {keys}")
    return "\n".join(lines)


def explain_spec(path: Path) -> str:
    """A specification file with every default filled in; a grid as its specifications."""
    parts = []
    specs = load_specs(path)
    unused = find_unused_keys(specs)
    for spec in specs:
        entry = ENTRIES[spec.estimator]
        head = [f"{spec.id}: {entry.label} of {spec.outcome}", *unused.get(spec.id, [])]
        lines = "".join(f"# {line}\n" for line in head)
        parts.append(lines + yaml.safe_dump(spec.resolved(), sort_keys=False))
    return "\n".join(parts)


def compare(first: Path, second: Path, *, every_row: bool = False) -> str:
    """Two saved results side by side: differences of the specifications, and the estimates.

    Without ``every_row`` the overall effect, coefficients and effects by event time alone are shown.
    """
    (table_a, spec_a), (table_b, spec_b) = (_numbers_and_spec(folder) for folder in (first, second))
    changed = [key for key in spec_a | spec_b if spec_a.get(key) != spec_b.get(key)]
    lines = ["Specification:" if changed else "The same specification."]
    lines += [f"  {key}: {spec_a.get(key)} -> {spec_b.get(key)}" for key in changed]
    joined = pd.concat([table_a, table_b], axis=1, keys=["first", "second"], join="inner")
    joined[("", "change")] = joined[("second", "estimate")] - joined[("first", "estimate")]
    alone = [len(table) - len(joined) for table in (table_a, table_b)]
    if any(alone):
        lines.append(f"Rows in one result only: {alone[0]} of the first, {alone[1]} of the second.")
    if joined.empty:
        return "\n".join([*lines, "", "The results have no row in common."])
    main = joined[joined.index.str.match(MAIN)]
    if not every_row and 0 < len(main) < len(joined):
        lines.append(
            f"{len(joined) - len(main)} further rows (cohorts, periods, cells) are shown with --all."
        )
        joined = main
    return "\n".join([*lines, "", joined.to_string(float_format=lambda value: f"{value:.4g}")])


def _numbers_and_spec(folder: Path) -> tuple[pd.DataFrame, dict[str, object]]:
    """Estimates and standard errors by row of a saved result, and its specification, flat."""
    result, record = read_folder(folder)
    table = result.table.assign(row=row_labels(result.table)).set_index("row")
    return table[["estimate", "std_error"]], flat(record["spec"])
