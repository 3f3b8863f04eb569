"""``replication explain`` and ``replication compare``: what a specification says, what differs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml

from replication.core import saved_results
from replication.core.errors import SpecError
from replication.core.estimates import row_labels
from replication.core.spec import explain, load_specs
from replication.estimators.registry import ENTRIES
from replication.estimators.unused_keys import reads, unread_keys


def explain_keys() -> str:
    """Every key of a specification, and the estimators with the keys that each one reads."""
    lines = [explain(), "", "Estimators:"]
    for name, entry in ENTRIES.items():
        keys = ", ".join(reads(name)) or "no further keys"
        lines.append(f"  {name}: {entry.label}; reads {keys}")
    return "\n".join(lines)


def explain_spec(path: Path) -> str:
    """A specification file with every default filled in; a grid as its specifications."""
    parts = []
    specs = load_specs(path)
    unread = unread_keys(specs)
    for spec in specs:
        entry = ENTRIES[spec.estimator]
        head = [f"{spec.id}: {entry.label} of {spec.outcome}", *unread.get(spec.id, [])]
        lines = "".join(f"# {line}\n" for line in head)
        parts.append(lines + yaml.safe_dump(spec.resolved(), sort_keys=False))
    return "\n".join(parts)


def compare(first: Path, second: Path) -> str:
    """Two saved results side by side: what the specifications say differently, and the numbers."""
    (table_a, spec_a), (table_b, spec_b) = (_load(folder) for folder in (first, second))
    changed = [key for key in spec_a | spec_b if spec_a.get(key) != spec_b.get(key)]
    lines = ["Specification:" if changed else "The same specification."]
    lines += [f"  {key}: {spec_a.get(key)} -> {spec_b.get(key)}" for key in changed]
    joined = pd.concat([table_a, table_b], axis=1, keys=["first", "second"])
    joined[("", "change")] = joined[("second", "estimate")] - joined[("first", "estimate")]
    return "\n".join([*lines, "", joined.to_string(float_format=lambda value: f"{value:.6g}")])


def _load(folder: Path) -> tuple[pd.DataFrame, dict[str, object]]:
    """Estimates and standard errors by row of a saved result, and its specification, flat."""
    if not (folder / "spec.yaml").is_file():
        raise SpecError(
            f"{folder} holds no saved result (no spec.yaml). Name a folder that `replication "
            "estimate --out` wrote, or one below tables/<study>/specs/."
        )
    try:
        estimates, record = saved_results.load(folder)
        rows = pd.Index(row_labels(estimates.table), name="row")
        if not rows.is_unique:
            raise ValueError(f"the row {rows[rows.duplicated()][0]} stands twice")
        table = estimates.table[["estimate", "std_error"]].astype(float).set_axis(rows)
        return table, _flat(dict(record["spec"]))
    except (OSError, yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise SpecError(
            f"{folder} holds a result that cannot be read ({type(error).__name__}: {reason}). "
            "Estimate the specification again."
        ) from None


def _flat(data: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in data.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
