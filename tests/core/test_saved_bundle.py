"""The bundle of a study's estimates gives what the files of its specifications hold, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import replication as rp
from replication.core.errors import SpecError
from replication.core.saved_bundle import Bundle, write_bundle
from replication.core.saved_results import load_table, save
from replication.core.spec import Spec


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("bundle") / "specs"
    frame = rp.simulated_panel(seed=1)
    for name in ("twfe", "callaway_santanna", "event_study"):
        spec = Spec(id=name, outcome="y", estimator=name)
        save(rp.estimate(frame, outcome="y", estimator=name), spec, root / name)
    return sorted(root.iterdir())


@pytest.fixture
def bundle(saved: list[Path], tmp_path: Path) -> Path:
    write_bundle(tmp_path / "estimates.csv", saved)
    return tmp_path / "estimates.csv"


def test_each_table_is_that_of_its_own_file(saved: list[Path], bundle: Path) -> None:
    read = Bundle(bundle)
    for folder in saved:
        found = read.rows(folder)
        assert found is not None
        own = load_table(folder)
        pd.testing.assert_frame_equal(found.table, own, check_exact=True)
        rows = pd.DataFrame([found.record(place) for place in range(len(own))])
        pd.testing.assert_frame_equal(rows, own, check_exact=True, check_dtype=False)


def _edited(folder: Path) -> str:
    path = folder / "estimates.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("att,", "att ,", 1), encoding="utf-8")
    return text


def _shortened(folder: Path) -> str:
    path = folder / "estimates.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.rstrip().rindex("\n") + 1], encoding="utf-8")
    return text


@pytest.mark.parametrize("change", [_edited, _shortened])
def test_a_file_that_changed_since_is_not_read_from_the_bundle(
    saved: list[Path], bundle: Path, change: Callable[[Path], str]
) -> None:
    read = Bundle(bundle)
    before = change(saved[0])
    try:
        assert read.rows(saved[0]) is None
        assert read.rows(saved[1]) is not None
    finally:
        (saved[0] / "estimates.csv").write_text(before, encoding="utf-8")


def test_without_a_bundle_or_in_another_every_file_is_read_itself(saved: list[Path], tmp_path: Path) -> None:
    assert Bundle(tmp_path / "none.csv").rows(saved[0]) is None
    write_bundle(tmp_path / "other.csv", saved[1:])
    assert Bundle(tmp_path / "other.csv").rows(saved[0]) is None


def test_a_cell_with_a_line_break_turns_the_bundle_off(saved: list[Path], bundle: Path) -> None:
    text = bundle.read_text(encoding="utf-8")
    bundle.write_text(text.replace(",y,att,", ',"y\n",att,', 1), encoding="utf-8")
    assert all(Bundle(bundle).rows(folder) is None for folder in saved)


def test_other_columns_are_refused_with_the_folder(saved: list[Path], tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "estimates.csv").write_text("spec_id,estimate\nodd,1\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"odd.estimates\.csv does not have the columns"):
        write_bundle(tmp_path / "both.csv", [*saved, odd])
    assert not (tmp_path / "both.csv").exists()
