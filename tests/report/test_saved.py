"""Sources are shown as paths that exist from the root of the project on."""

from __future__ import annotations

from pathlib import Path

import pytest

from replication.report.folders import Folders


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("clean/rollout.csv", "data_clean/made/rollout.csv"),
        ("analyses/paths.csv", "tables/made/analyses/paths.csv"),
        ("tables/estimates.csv", "tables/made/estimates.csv"),
        ("raw/typed/published.csv", "data_raw/typed/published.csv"),
    ],
)
def test_shown_paths_lead_to_the_file(name: str, path: str, tmp_path: Path) -> None:
    folders = Folders.under(tmp_path, "made")
    assert folders.shown(name) == path
    assert tmp_path / path == folders.source(name)


def test_one_folder_for_everything_is_its_own_root(tmp_path: Path) -> None:
    folders = Folders(tmp_path, tmp_path, tmp_path, tmp_path)
    assert folders.shown("tables/summary.csv") == "summary.csv"
