"""``replication explain`` and ``replication compare``: keys, resolved specifications, their differences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import yaml

from replication.core.errors import SpecError, nearest
from replication.core.estimates import Estimates, row_labels
from replication.core.result_files import RECORDED
from replication.core.spec import load_specs
from replication.core.spec_grid import flat
from replication.core.spec_schema import explain
from replication.core.wording import counted
from replication.display.result_text import estimator_label
from replication.estimators.registry import ENTRIES
from replication.estimators.unused_keys import find_unused_keys, keys_read
from replication.workflow.saved_folders import folder_labels, read_folder

MAIN = r"att\b|coef|event\b"
"""Beginnings of the labels of the rows that a comparison is about."""


def explain_keys() -> str:
    """Every key of a specification, and the estimators with the keys that each one reads."""
    lines = [explain(), "", "Estimators:"]
    for name, entry in ENTRIES.items():
        keys = ", ".join(keys_read(name)) or "no further keys"
        lines.append(f"  {name}: {entry.label}; reads {keys}")
    return "\n".join(lines)


def explain_named(place: Path) -> str:
    """A specification file, that of a saved result, a key with those below it, or an estimator with its keys.

    Raises
    ------
    SpecError
        If there is nothing of that name.
    """
    if place.is_dir() and not (place / RECORDED).is_file():
        raise SpecError(
            f"The folder {place} contains no {RECORDED}: it is no result of `replication estimate`."
        )
    word, keys = str(place), _lines_by_key()
    if place.exists() or place.suffix in (".yaml", ".yml"):
        return explain_spec(place / RECORDED if place.is_dir() else place)
    if word in ENTRIES:
        read = [keys[key] for key in keys_read(word) if key in keys]
        return "\n".join([f"{word}: {ENTRIES[word].label}. It reads:", "", *read])
    if found := [line for key, line in keys.items() if key == word or key.startswith(f"{word}.")]:
        return "\n".join(found)
    near = nearest(word, [*keys, *ENTRIES])
    raise SpecError(
        f"There is no file, key, or estimator {word!r}{near}. `replication explain` lists all of them."
    )


def _lines_by_key() -> dict[str, str]:
    """What ``explain`` says of each key."""
    lines = explain().splitlines()[2:]
    return {
        found[1]: line for line in lines if (found := re.match(r"([\w.]+)(?: \[default: .*?\])?: ", line))
    }


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
    """Two saved results side by side: their samples, what differs in the specifications, and the estimates.

    Without ``every_row`` the overall effect, coefficients and effects by event time alone are shown.
    """
    (fit_a, spec_a), (fit_b, spec_b) = (_result_and_spec(folder) for folder in (first, second))
    names = folder_labels([first, second])
    changed = [key for key in spec_a | spec_b if key != "id" and spec_a.get(key) != spec_b.get(key)]
    lines = [*_samples((fit_a, fit_b), names), ""]
    lines += [f"Specification ({' -> '.join(names)}):" if changed else "The same specification."]
    lines += [f"  {key}: {spec_a.get(key)} -> {spec_b.get(key)}" for key in changed]
    if fit_a.outcome != fit_b.outcome:
        both = f"The results have different outcomes ({fit_a.outcome} and {fit_b.outcome})"
        lines.insert(0, f"{both}; their difference has no interpretation.")
    tables = [_numbers(fit) for fit in (fit_a, fit_b)]
    joined = pd.concat(tables, axis=1, keys=names, join="inner")
    joined[("", "change")] = joined[(names[1], "estimate")] - joined[(names[0], "estimate")]
    alone = [f"{len(one) - len(joined)} of {name}" for one, name in zip(tables, names, strict=True)]
    if any(len(one) > len(joined) for one in tables):
        lines.append(f"Rows in one result only: {', '.join(alone)}.")
    if joined.empty:
        return "\n".join([*lines, "", "The results have no row in common."])
    main = joined[joined.index.str.match(MAIN)]
    if not every_row and 0 < len(main) < len(joined):
        hidden = counted(len(joined) - len(main), "further row is", "further rows are")
        lines.append(f"{hidden} shown with --all (cohorts, periods, cells).")
        joined = main
    return "\n".join([*lines, "", joined.to_string(float_format=lambda value: f"{value:.4g}", na_rep="")])


def _result_and_spec(folder: Path) -> tuple[Estimates, dict[str, object]]:
    result, record = read_folder(folder)
    return result, flat(record["spec"])


def _numbers(fit: Estimates) -> pd.DataFrame:
    """Estimates and standard errors by row, periods in the usual notation."""
    table = fit.table.assign(row=row_labels(fit.table, fit.details.period)).set_index("row")
    return table[["estimate", "std_error"]]


def _samples(fits: Sequence[Estimates], names: Sequence[str]) -> list[str]:
    """Estimator, observations, units and clusters of each result, in columns."""
    first = [fit.table.iloc[0] for fit in fits]
    clusters = [" and ".join(fit.details.clusters) for fit in fits]
    rows = {
        "": names,
        "Estimator": [estimator_label(fit.estimator) for fit in fits],
        "Observations": [f"{row['n_obs']:,}" for row in first],
        "Units": [f"{row['n_units']:,}" for row in first],
        "Clusters": [f"{row['n_clusters']:,} ({by})" for row, by in zip(first, clusters, strict=True)],
    }
    width = max(len(text) for texts in rows.values() for text in texts[:-1])
    return [f"{name:<14}{texts[0]:<{width}}  {texts[1]}" for name, texts in rows.items()]
