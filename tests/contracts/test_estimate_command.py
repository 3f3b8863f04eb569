"""``replication estimate SPEC.yaml --panel FILE --out DIR``: the promise that scripts rely on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from replication.cli import main
from replication.core.estimates import COLUMNS
from replication.core.spec import load_specs
from replication.estimators.registry import ENTRIES
from replication.estimators.unused_keys import find_unused_keys

SPEC = {
    "id": "mine",
    "outcome": "y",
    "estimator": "twfe",
    "unit": "county",
    "time": "year",
    "cohort": "first",
    "weights": "people",
    "cluster": "state",
}


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    rows = pd.MultiIndex.from_product([range(40), range(2001, 2009)], names=["county", "year"])
    frame = rows.to_frame(index=False)
    frame["first"] = frame["county"] % 4 * 2 + 2002
    frame.loc[frame["county"] % 4 == 3, "first"] = 0
    frame["people"] = 100 + frame["county"]
    frame["state"] = "S" + (frame["county"] % 10).astype(str)
    frame["y"] = rng.normal(size=len(frame)) + (frame["year"] >= frame["first"]) * (frame["first"] > 0)
    path = tmp_path / "panel.csv"
    frame.to_csv(path, index=False)
    return path


def write_spec(folder: Path, **changes: object) -> Path:
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump({**SPEC, **changes}, sort_keys=False))
    return path


def run(spec: Path, panel: Path, out: Path) -> int:
    return main(["estimate", str(spec), "--panel", str(panel), "--out", str(out)])


def test_three_files_are_written_as_promised(tmp_path: Path, panel: Path) -> None:
    out = tmp_path / "deep" / "out"
    assert run(write_spec(tmp_path), panel, out) == 0
    written = sorted(path.name for path in out.iterdir())
    numbers = ["estimates.csv", "spec.yaml", "vcov.csv"]
    assert set(numbers) < set(written)
    assert {"index.html", "table.md", "table.tex", "table.html", "table.docx"} < set(written)
    table = pd.read_csv(out / "estimates.csv")
    assert list(table.columns) == COLUMNS
    row = table.set_index("term").loc["att"]
    assert row[["spec_id", "n_obs", "n_units", "n_clusters"]].tolist() == ["mine", 320, 40, 10]
    assert row["conf_low"] < row["estimate"] < row["conf_high"]
    vcov = pd.read_csv(out / "vcov.csv", index_col=0)
    assert vcov.loc["att", "att"] == pytest.approx(row["std_error"] ** 2, rel=1e-12)
    record = yaml.safe_load((out / "spec.yaml").read_text())
    assert record["spec"]["weights"] == "people"
    assert record["spec"]["inference"]["seed"] == 20141120
    assert {"python", "numpy", "pandas", "replication"} <= set(record["versions"])


@pytest.mark.parametrize("ending", ["parquet", "dta"])
def test_other_formats_give_the_same_numbers(tmp_path: Path, panel: Path, ending: str) -> None:
    frame = pd.read_csv(panel)
    other = tmp_path / f"panel.{ending}"
    if ending == "parquet":
        frame.to_parquet(other)
    else:
        frame.to_stata(other, write_index=False)
    spec = write_spec(tmp_path)
    assert run(spec, panel, tmp_path / "a") == run(spec, other, tmp_path / "b") == 0
    first, second = (pd.read_csv(tmp_path / name / "estimates.csv") for name in "ab")
    pd.testing.assert_frame_equal(first, second)


def test_same_inputs_same_bytes(tmp_path: Path, panel: Path) -> None:
    spec = write_spec(tmp_path, estimator="event_study")
    for name in "ab":
        assert run(spec, panel, tmp_path / name) == 0
    for file in ("estimates.csv", "vcov.csv", "spec.yaml"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_grid_gets_a_folder_a_specification(tmp_path: Path, panel: Path) -> None:
    spec = write_spec(tmp_path, vary={"weights": ["people", None]})
    assert run(spec, panel, tmp_path / "out") == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "mine__none",
        "mine__people",
        "summary.csv",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"estimator": "twfee"}, "did you mean 'twfe'"),
        ({"outcome": "yy"}, "no column 'yy'"),
        ({"weights": "state"}, "is text and contains no number"),
        ({"trends": "region_by_time"}, "no column 'region'"),
        ({"cohort": "begin"}, "no column 'begin'"),
        ({"estimator": "callaway_santanna", "treatment": "people"}, "needs a binary treatment"),
        ({"estimator": "goodman_bacon", "covariates": ["people"]}, "takes no covariates"),
        ({"sample": {"where": {"state": ["S1"]}}}, "one cluster"),
    ],
)
def test_a_bad_spec_ends_with_2_and_one_paragraph(
    tmp_path: Path, panel: Path, capsys: pytest.CaptureFixture[str], changes: dict, words: str
) -> None:
    assert run(write_spec(tmp_path, **changes), panel, tmp_path / "out") == 2
    output = capsys.readouterr()
    assert words in output.err
    assert output.err.count("\n") == 1
    assert "Traceback" not in output.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.csv", None, "no panel file"),
        ("empty.csv", b"", "is empty"),
        ("header.csv", b"county,year,first,people,state,y\n", "no rows"),
        ("panel.ods", b"x", "Panels are read from .csv, .csv.gz, .xlsx, .parquet, and .dta"),
        ("panel.xlsx", b"x", "is not an Excel workbook, although its name ends in .xlsx"),
        ("cut.parquet", b"PAR1abc", "cannot be read as a parquet file"),
        ("bad.dta", b"nonsense", "cannot be read as a Stata file"),
    ],
)
def test_a_bad_panel_ends_with_2_and_one_paragraph(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, words: str
) -> None:
    place = tmp_path / name
    if content is not None:
        place.write_bytes(content)
    assert run(write_spec(tmp_path), place, tmp_path / "out") == 2
    output = capsys.readouterr().err
    assert words in output
    assert str(place) in output
    assert output.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_refused(
    tmp_path: Path, panel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("mine")
    assert run(write_spec(tmp_path), panel, tmp_path / "out") == 2
    assert "is a file" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "mine"


def test_explain_prints_defaults_and_resolves_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain"]) == 0
    assert 'base_period [default: "universal"]' in capsys.readouterr().out
    assert main(["explain", str(write_spec(tmp_path))]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["control_group"] == "not_yet_treated"


def test_explain_names_a_key_once_for_each_estimator(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.split("Estimators:")[1].strip().splitlines()
    assert len(lines) == len(ENTRIES)
    for line in lines:
        keys = line.split("; reads ")[1].split(", ")
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("changes", "unused"),
    [
        ({"estimator": "callaway_santanna", "leave_one_out": True}, ["leave_one_out"]),
        (
            {"control_group": "never_treated", "window": [-2, 2], "anticipation": 1},
            ["window", "anticipation", "control_group"],
        ),
        # One of the two reads it, and the grid hands it to both.
        ({"vary": {"estimator": ["twfe", "imputation"]}, "leave_one_out": True}, []),
        ({"vary": {"estimator": ["twfe", "imputation"]}, "endpoints": "drop"}, ["endpoints"]),
        ({"control_group": "not_yet_treated", "leave_one_out": False}, []),
        (
            {"inference": {"kernel": "uniform", "interval": "symmetric", "draws": 9}},
            ["inference.kernel", "inference.interval"],
        ),
        ({"inference": {"method": "wild", "interval": "symmetric"}}, []),
        (
            {
                "estimator": "callaway_santanna",
                "trends": "unit_linear",
                "inference": {"interval": "symmetric", "draws": 20},
            },
            [],
        ),
    ],
)
def test_a_key_that_no_estimator_of_the_file_reads_is_noted(
    tmp_path: Path, panel: Path, capsys: pytest.CaptureFixture[str], changes: dict, unused: list
) -> None:
    spec, out = write_spec(tmp_path, **changes), tmp_path / "out"
    assert run(spec, panel, out) == 0
    output = capsys.readouterr().out
    assert main(["explain", str(spec)]) == 0
    explained = capsys.readouterr().out
    records = [yaml.safe_load(path.read_text()) for path in out.rglob("spec.yaml")]
    assert len(records) == len(changes.get("vary", {}).get("estimator", ["one"]))
    for record in records:
        notes = [note for note in record["details"].get("notes", []) if "does not use it" in note]
        assert {note.split("'")[1] for note in notes} == set(unused)
        for note in notes:
            of_method = note.startswith("'inference.")
            name = "method 'analytic'" if of_method else record["spec"]["estimator"]
            assert note.endswith(f"has no effect: {name} does not use it")
            assert note in " ".join(output.split())
            assert f"# {note}" in explained
    assert ("does not use it" in output + explained) is bool(unused)


def test_no_shipped_specification_sets_a_key_in_vain() -> None:
    root = Path(__file__).parents[2] / "studies"
    files = sorted(root.glob("*/specs/**/*.yaml"))
    assert len(files) > 40
    found = {path.name: find_unused_keys(load_specs(path)) for path in files}
    assert not {name: notes for name, notes in found.items() if notes}


def test_compare_of_the_same_says_so(tmp_path: Path, panel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write_spec(tmp_path), panel, tmp_path / "a") == 0
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "a")]) == 0
    output = capsys.readouterr().out
    assert "\nThe same specification.\n" in output
    assert "Specification (" not in output
    assert output.split()[:4] == ["a", "(1)", "a", "(2)"]


def test_compare_shows_what_changed(tmp_path: Path, panel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write_spec(tmp_path), panel, tmp_path / "a") == 0
    assert run(write_spec(tmp_path, weights=None), panel, tmp_path / "b") == 0
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    output = capsys.readouterr().out
    assert "weights: people -> None" in output
    assert "att" in output


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (
            ["estimate"],
            ["'estimate' is of one study", "`replication step estimate first`", "Studies: first, second."],
        ),
        (["clean"], ["'clean' is of one study", "Studies: first, second."]),
        (["estimate", "third"], ["no study 'third'", "Studies: first, second."]),
    ],
)
def test_a_step_without_its_study_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    output: list[str],
) -> None:
    (tmp_path / "Snakefile").touch()
    for name in ("first", "second"):
        (tmp_path / "studies" / name).mkdir(parents=True)
        (tmp_path / "studies" / name / "study.yaml").write_text(f"id: {name}\ntitle: T\npanels: [p]\n")
    monkeypatch.setenv("REPLICATION_ROOT", str(tmp_path))
    assert main(["step", *words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    for part in output:
        assert part in error
