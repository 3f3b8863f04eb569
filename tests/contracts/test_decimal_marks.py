"""Numbers whose decimal mark is a comma: points in them separate thousands, and are no decimals."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from awkward_panel import COLUMNS, plain_panel

import replication as rp
from replication.cleaning.ready_panel import ready_panels
from replication.cli import main
from replication.core.reading import Read, number_hint, number_keys

KEYS: dict[str, Any] = {"unit": "state", "time": "quarter", "cohort": "law", "outcome": "rate"}
COMMA: dict[str, Any] = {"sep": ";", "decimal": ","}
POPULATION = 821_310
"""Of the first unit; the others have more, and none of them a million."""


def european(factor: int = 1) -> pd.DataFrame:
    """Rates with a decimal comma, and populations such as 821.310."""
    frame = plain_panel()
    population = factor * (POPULATION + 1000 * frame["state"] + frame["quarter"])
    return frame.assign(
        rate=frame["rate"].map(lambda value: f"{value:.4f}".replace(".", ",")),
        population=population.map(lambda value: f"{value:,}".replace(",", ".")),
    )


def written(frame: pd.DataFrame, folder: Path) -> Path:
    """The frame in a file with semicolons."""
    frame.to_csv(folder / "panel.csv", index=False, sep=";")
    return folder / "panel.csv"


@pytest.mark.parametrize(("factor", "example"), [(1, "'822.311'"), (2, "'1.644.622'")])
@pytest.mark.parametrize("role", ["weights", "covariates", "outcome", "log", "offset"])
def test_points_beside_a_decimal_comma_are_no_decimals(
    tmp_path: Path, factor: int, example: str, role: str
) -> None:
    place = written(european(factor), tmp_path)
    named = {"outcome": "log(population)"} if role == "log" else {role: "population"}
    estimator = {"estimator": "poisson"} if role == "offset" else {}
    with pytest.raises(rp.InputError) as refused:
        rp.estimate(place, **{**KEYS, **named, **estimator}, read=COMMA)
    message = str(refused.value)
    assert f"1200 of 1200 values of column 'population' are not numbers: {example}" in message
    assert "If points separate thousands, set `--thousands .` (in YAML `read: {thousands: .}`" in message


def test_the_proposal_reads_the_populations_that_are_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = written(european(), tmp_path)
    command = ["check", str(place), *COLUMNS, "--weights", "population", "--sep", ";", "--decimal", ","]
    assert main(command) == 2
    said = capsys.readouterr().out
    assert "column population, 1,200 rows, first on line 2 of the file: values that are not numbers" in said
    assert "Set `--thousands .` (in YAML `read: {thousands: .}`)." in said
    proposed = shlex.split(said.strip().splitlines()[-1])
    assert proposed[proposed.index("--thousands") + 1] == "."
    panel = rp.read_panel(place, **KEYS, weights="population", read={**COMMA, "thousands": "."})
    assert panel.weight[0, 0] == POPULATION + 1000 + 1
    assert main([*command, "--thousands", "."]) == 0


def test_a_frame_is_read_as_a_file_is(tmp_path: Path) -> None:
    frame = european()
    with pytest.raises(rp.InputError, match=r"`--thousands \.`"):
        rp.estimate(frame, **KEYS, weights="population", read={"decimal": ","})
    found = rp.check(frame, **KEYS, weights="population", read={"decimal": ","})
    assert dict(found.proposed) == {"read.thousands": "."}
    assert [one.column for one in found.findings if one.refused] == ["population"]
    frame.to_parquet(tmp_path / "panel.parquet")
    with pytest.raises(rp.InputError, match=r"`--thousands \.`"):
        rp.estimate(tmp_path / "panel.parquet", **KEYS, weights="population", read={"decimal": ","})


def test_other_numbers_with_a_point_are_refused_with_the_contradiction() -> None:
    frame = european().assign(population=lambda d: (d["state"] + 0.5).astype(str))
    with pytest.raises(rp.InputError, match=r"decimal mark is ',' \(`--decimal`\), and '1\.5' has a point"):
        rp.estimate(frame, **KEYS, weights="population", read={"decimal": ","})
    with pytest.raises(rp.InputError, match=r"'1\.5' has a point"):
        rp.estimate(frame, **KEYS, weights="population", read={"decimal": ",", "thousands": "."})


def test_only_the_values_in_another_notation_are_counted() -> None:
    frame = european().assign(population=lambda d: d["state"].map("{},5".format))
    frame.loc[3, "population"] = "x"
    with pytest.raises(rp.InputError, match="1 of 1200 values of column 'population' is not a number: 'x'"):
        rp.estimate(frame, **KEYS, weights="population", read={"decimal": ","})


@pytest.mark.parametrize("kind", ["category", "string", "object"])
def test_every_type_of_text_is_read_alike(kind: str) -> None:
    frame = european().astype({"population": kind})
    with pytest.raises(rp.InputError, match=r"1200 of 1200 values of column 'population'.*`--thousands \.`"):
        rp.estimate(frame, **KEYS, weights="population", read={"decimal": ","})
    assert rp.estimate(frame, **KEYS, weights="population", read={"decimal": ",", "thousands": "."}).att


def test_numbers_of_a_workbook_have_no_notation() -> None:
    plain = plain_panel()
    weight = (plain["state"] + 0.125).astype(object)
    found = rp.estimate(plain.assign(weight=weight), **KEYS, weights="weight", read={"decimal": ","})
    assert found.att == rp.estimate(plain.assign(weight=weight.astype(float)), **KEYS, weights="weight").att


@pytest.mark.parametrize(
    ("text", "read", "keys"),
    [
        ("821.310", Read(), []),
        ("1.076.147", Read(), [{"thousands": ".", "decimal": ","}]),
        ("821.310", Read(decimal=","), [{"thousands": "."}]),
        ("1.076.147", Read(decimal=","), [{"thousands": "."}]),
        ("1.076.147,5", Read(decimal=","), [{"thousands": "."}]),
        ("1,076,147", Read(), [{"thousands": ","}]),
        ("1,076,147", Read(decimal=","), [{"thousands": ",", "decimal": "."}]),
        ("0.75", Read(decimal=","), []),
        ("12%", Read(decimal=","), [{"percent": "points"}]),
    ],
)
def test_keys_for_a_number_in_another_notation(text: str, read: Read, keys: list[dict[str, str]]) -> None:
    assert [key for _, key in number_keys(text, read)] == keys


def test_the_mirror_case_proposes_as_before() -> None:
    assert number_hint(["1,621,310"]).startswith(
        " If commas separate thousands, set `--thousands ,` (in YAML"
    )
    assert number_hint(["821.310"], Read(decimal=",")).startswith(
        " If points separate thousands, set `--thousands .` (in YAML"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--decimal", ",", "--thousands", ","), "are both ',', and one character cannot be"),
        (("--thousands", "."), "are both '.', the usual decimal mark, and one character cannot be"),
    ],
)
def test_one_character_is_not_both_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    place = written(european(), tmp_path)
    for command in (["check", str(place)], ["estimate", "--panel", str(place), "--out", str(tmp_path / "o")]):
        assert main([*command, *COLUMNS, "--sep", ";", *options]) == 2
        said = capsys.readouterr().err
        assert words in said
        assert "Set `--decimal " in said
        assert "`--decimal , --thousands .` (in YAML" in said


def test_columns_in_two_notations_end_in_a_refusal_of_one(tmp_path: Path) -> None:
    plain = plain_panel()
    both = plain.assign(
        rate=plain["rate"].map(lambda value: f"{1000 + value:,.1f}"),
        population=plain["state"].map("{},5".format),
    )
    found = rp.check(written(both, tmp_path), **KEYS, weights="population", read={"sep": ";"})
    assert dict(found.proposed) == {"read.thousands": ","}
    assert "column 'population' are not numbers" in found.remaining


def test_the_panel_of_a_study_is_refused_as_well(tmp_path: Path) -> None:
    written(european().assign(version="1.10"), tmp_path)
    entry: dict[str, Any] = {"file": "panel.csv", "read": COMMA, "keys": ["state", "quarter"]}
    with pytest.raises(rp.InputError, match=r"1200 of 1200 values of column 'population'.*`--thousands \.`"):
        ready_panels({"panel": entry}, tmp_path)
    frame, _ = ready_panels({"panel": {**entry, "read": {**COMMA, "thousands": "."}}}, tmp_path).panels[
        "panel"
    ]
    assert np.issubdtype(frame["population"].dtype, np.integer)
