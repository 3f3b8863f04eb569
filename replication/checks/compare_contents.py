"""Panels and covariance matrices against ``expected/contents`` of their study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from replication.checks import content_digests
from replication.checks.compare_cells import Verdict
from replication.core.errors import InputError
from replication.core.temporary_files import visible_paths


def held_panels(root: Path, study: str) -> list[Verdict]:
    """A verdict for each panel that is committed or was written."""
    expected = committed(root, study, "panels")
    if expected is None:
        return []
    try:
        found = content_digests.panel_contents(root / "data_clean" / study)
    except InputError as error:
        return [Verdict(study, "data_clean", 0, 1, str(error))]
    left, right, compare = (
        by_name(expected, "panel"),
        by_name(found, "panel"),
        content_digests.panel_difference,
    )
    return [
        _verdict(study, f"data_clean/{name}.parquet", left.get(name), right.get(name), compare)
        for name in sorted(left.keys() | right.keys())
    ]


def held_matrices(root: Path, study: str) -> list[Verdict]:
    """A verdict for each covariance matrix: symmetric, and as committed."""
    folder, expected = root / "tables" / study, committed(root, study, "vcov")
    left = {} if expected is None else by_name(expected, "spec_id")
    paths = {path.parent.name: path for path in visible_paths(folder.glob("specs/*/vcov.csv"), folder)}
    verdicts = []
    for name in sorted(left.keys() | paths.keys()):
        label, found = f"tables/specs/{name}/vcov.csv", None
        try:
            if name in paths:
                rows, matrix = content_digests.read_matrix(paths[name])
                if wrong := content_digests.asymmetry(rows, matrix):
                    raise InputError(wrong)
                line = (name, *content_digests.summary(matrix))
                found = pd.DataFrame([line], columns=content_digests.MATRIX_COLUMNS)
        except InputError as error:
            verdicts.append(Verdict(study, label, 1, 1, str(error)))
            continue
        if expected is None:
            verdicts.append(Verdict(study, label, 1, 0, ""))
        else:
            verdicts.append(_verdict(study, label, left.get(name), found, content_digests.matrix_difference))
    return verdicts


def by_name(frame: pd.DataFrame, key: str) -> dict[str, pd.DataFrame]:
    """The lines of each name."""
    return {str(name): lines for name, lines in frame.groupby(key)}


def committed(root: Path, study: str, name: str) -> pd.DataFrame | None:
    """What is committed of the contents of a study; None if nothing is."""
    path = root / "studies" / study / "expected" / "contents" / f"{name}.csv"
    return pd.read_csv(path, dtype={"spec_id": str, "panel": str}) if path.is_file() else None


def _verdict(
    study: str,
    label: str,
    expected: pd.DataFrame | None,
    found: pd.DataFrame | None,
    compare: Callable[[pd.DataFrame, pd.DataFrame], str],
) -> Verdict:
    """One file by its lines in both frames."""
    if expected is None:
        return Verdict(study, label, 1, 1, "the file is not expected")
    if found is None:
        return Verdict(study, label, len(expected), 1, "the file was not written")
    message = compare(expected, found)
    return Verdict(study, label, len(expected), int(bool(message)), message)
