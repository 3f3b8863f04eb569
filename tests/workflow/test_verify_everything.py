"""``replication verify`` finds a change of one character or pixel in every output, and names its place."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from small_project import STUDIES, run

from replication.checks.compare_cells import Verdict
from replication.checks.compare_numbers import report, write_expected
from replication.core.fingerprints import Ledger
from replication.workflow.verify_outputs import verify_outputs

EVENTS = "tables/first/specs/first_events"


@pytest.fixture(scope="module")
def committed(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that ran, with its numbers committed; not to be changed."""
    root = shutil.copytree(finished, tmp_path_factory.mktemp("committed") / "project")
    for study in STUDIES:
        write_expected(root, study)
    return root


@pytest.fixture
def spoiled(committed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(committed, tmp_path / "project")


def failures(root: Path) -> list[Verdict]:
    return [one for one in verify_outputs(root, STUDIES, STUDIES) if not one.passed]


def replaced(path: Path, pattern: str) -> None:
    """Make the last digit that a pattern ends in another one."""
    text = path.read_text(encoding="utf-8")
    found = re.search(pattern, text)
    assert found is not None
    digit = "4" if text[found.end() - 1] == "3" else "3"
    path.write_text(text[: found.end() - 1] + digit + text[found.end() :], encoding="utf-8")


def test_a_finished_project_passes(committed: Path) -> None:
    verdicts = verify_outputs(committed, STUDIES, STUDIES)
    assert [one for one in verdicts if not one.passed] == []
    files = {f"{one.study}/{one.file}" for one in verdicts}
    assert {
        "first/tables/effects.tex",
        "first/tables/effects.html",
        "first/tables/effects.md",
        "first/tables/effects.csv",
        "first/tables/effects.docx",
        "first/tables/estimates.csv",
        "first/tables/second_engine.csv",
        "first/tables/summary_numbers.csv",
        "first/tables/analyses/placebo.csv",
        "first/tables/specs/first_events/vcov.csv",
        "first/tables/specs/first_events/spec.yaml",
        "first/figures/path.png",
        "first/figures/path.pdf",
        "first/figures/path.svg",
        "first/report/summary.md",
        "first/data_clean/panel.parquet",
        "first/data_clean/codebook.md",
        "report/index.html",
        "report/first/index.html",
        "report/first/explorer.html",
        "report/first/data.html",
        "report/assets/site.js",
    } <= files


@pytest.mark.parametrize(
    ("name", "pattern", "message"),
    [
        ("tables/first/effects.tex", r"\(0\.\d+", r"line \d+, character \d+: expected .*, found"),
        ("tables/first/effects.md", r"\(0\.\d+", r"line \d+, character \d+"),
        ("tables/first/effects.html", r"\(0\.\d+", r"line \d+, character \d+"),
        ("tables/first/effects.csv", r"0\.\d{12}", r"line 2, character \d+"),
        ("tables/first/estimates.csv", r"0\.\d{14}", r"line 2, character \d+"),
        ("tables/first/second_engine.csv", r"0\.\d{6}", r"line 2, character \d+"),
        ("tables/first/summary_numbers.csv", r"0\.\d{12}", r"line 2, character \d+"),
        ("tables/first/analyses/placebo.csv", r"0\.\d{9}", "changed after the pipeline wrote it"),
        (f"{EVENTS}/estimates.csv", r"0\.\d{12}", "changed after the pipeline wrote it"),
        (f"{EVENTS}/spec.yaml", r"statistic: [\d.]+", "changed after the pipeline wrote it"),
        (f"{EVENTS}/vcov.csv", r"event:-3,0\.\d{6}", r"row att, column event:-3: 0\.\d+, but"),
        ("data_clean/first/codebook.md", r"\d rows", "changed after the pipeline wrote it"),
        ("report/first/summary.md", r"\d%|\d percent|\d\.\d", r"line \d+, character \d+"),
        ("report/first/index.html", r"\(0\.\d+", r"line \d+, character \d+"),
    ],
)
def test_one_character_is_named(spoiled: Path, name: str, pattern: str, message: str) -> None:
    replaced(spoiled / name, pattern)
    shown = name.replace("/first/", "/", 1)
    names = (shown, name.partition("/")[2], Path(name).name)
    found = [one for one in failures(spoiled) if one.file in names]
    assert any(re.search(message, one.message) for one in found), found
    assert f"FAIL  {found[0].study}/{found[0].file}" in report(found)


def test_one_pixel_and_one_word_of_a_picture_are_named(spoiled: Path) -> None:
    place = spoiled / "figures" / "first" / "path.png"
    with Image.open(place) as picture:
        said = {str(key): str(value) for key, value in picture.info.items() if isinstance(value, str)}
        pixels = np.array(picture)
    repainted = pixels.copy()
    repainted[9, 19, 0] ^= 1
    save_picture(place, repainted, said)
    assert messages(spoiled, "figures/path.png") == ["1 pixels differ, the first in row 10, column 20"]
    save_picture(place, pixels, {**said, "Comment": said["Comment"].replace("95", "96")})
    (message,) = messages(spoiled, "figures/path.png")
    assert message.startswith("the description 'Comment' differs: line")


def save_picture(place: Path, pixels: np.ndarray, said: dict[str, str]) -> None:
    words = PngInfo()
    for name, text in said.items():
        words.add_text(name, text)
    Image.fromarray(pixels).save(place, pnginfo=words)


def messages(root: Path, file: str) -> list[str]:
    return [one.message for one in failures(root) if one.study == "first" and one.file == file]


def test_one_byte_of_a_pdf_is_named(spoiled: Path) -> None:
    place = spoiled / "figures" / "first" / "path.pdf"
    data = bytearray(place.read_bytes())
    data[999] ^= 1
    place.write_bytes(data)
    (message,) = messages(spoiled, "figures/path.pdf")
    assert message.startswith("byte 1,000 differs")


def test_a_figure_of_another_backend_is_held_by_its_data(spoiled: Path) -> None:
    place = spoiled / "figures" / "first" / "path.png"
    with Image.open(place) as picture:
        said = {str(key): str(value) for key, value in picture.info.items() if isinstance(value, str)}
        pixels = np.array(picture)
    pixels[9, 19, 0] ^= 1
    save_picture(place, pixels, {**said, "Backend": "matplotlib 3.0.0"})
    verdicts = verify_outputs(spoiled, STUDIES, STUDIES)
    (found,) = [one for one in verdicts if (one.study, one.file) == ("first", "figures/path.png")]
    assert found.passed
    assert "matplotlib 3.0.0" in found.message
    replaced(spoiled / "figures" / "first" / "path.csv", r"0\.\d{12}")
    assert messages(spoiled, "figures/path.csv") != []


def forget_bytes(place: Path) -> None:
    """Take the digests out of a ledger, as of an older version: contents alone are left to go by."""
    ledger = Ledger.read(place)
    for entry in ledger.entries.values():
        entry["sha256"] = []
    ledger.write(keep=list(ledger.entries))


def test_one_value_of_a_panel_is_named_by_column_and_rows(spoiled: Path) -> None:
    place = spoiled / "data_clean" / "first" / "panel.parquet"
    frame = pd.read_parquet(place)
    row = len(frame) // 2
    frame.loc[row, "log_rate"] *= 1 + 1e-8
    frame.to_parquet(place, index=False)
    forget_bytes(spoiled / "data_clean" / "first" / ".clean.json")
    (message,) = messages(spoiled, "data_clean/panel.parquet")
    found = re.fullmatch(r"values differ in log_rate \(rows (\d+) to (\d+)\)", message)
    assert found is not None
    assert int(found[1]) <= row + 1 <= int(found[2])


def test_the_last_digits_of_a_panel_may_differ(spoiled: Path) -> None:
    place = spoiled / "data_clean" / "first" / "panel.parquet"
    frame = pd.read_parquet(place)
    frame["log_rate"] *= 1 + 2e-16
    frame.to_parquet(place, index=False)
    forget_bytes(spoiled / "data_clean" / "first" / ".clean.json")
    assert messages(spoiled, "data_clean/panel.parquet") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.mul(1.0001), "the variances differ"),
        (lambda v: v.mask(~np.eye(len(v), dtype=bool), v * 0.999), "the correlations differ"),
        (lambda v: v.iloc[:-1, :-1], r"\d+ rows where \d+ are expected"),
    ],
)
def test_a_covariance_matrix_is_held_by_its_content(
    spoiled: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    place = spoiled / EVENTS / "vcov.csv"
    change(pd.read_csv(place, index_col=0)).to_csv(place)
    for part in (spoiled / "tables" / "first" / ".parts").glob("[!.]*.json"):
        forget_bytes(part)
    (found,) = messages(spoiled, "tables/specs/first_events/vcov.csv")
    assert re.match(message, found)


def test_a_lost_file_and_a_lost_result_are_named(spoiled: Path) -> None:
    (spoiled / "tables" / "first" / "effects.tex").unlink()
    assert messages(spoiled, "tables/effects.tex") == ["the file was not written"]
    shutil.rmtree(spoiled / EVENTS)
    said = report(failures(spoiled))
    assert "'first_events' has not been estimated yet" in said
    assert "1 specifications were not estimated, such as first_events" in said


def test_the_command_prints_failures_and_a_total(spoiled: Path) -> None:
    replaced(spoiled / "tables" / "second" / "others.md", r"\(0\.\d+")
    done = run(spoiled, ["verify"])
    assert done.returncode == 1
    assert done.stdout.split()[:2] == ["FAIL", "second/tables/others.md"]
    assert "pass  " not in done.stdout
    assert "are reproduced exactly from the saved estimates" in done.stdout
    every = run(spoiled, ["verify", "second", "--all"])
    assert "pass  second/tables/effects.md" in every.stdout
    assert "first/" not in every.stdout
