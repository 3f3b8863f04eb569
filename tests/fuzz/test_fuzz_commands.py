"""The command line in this process: whatever it is given, it ends with 0, 1 or 2 and no traceback.

A command that succeeds has written everything that it promises; one that fails has written nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
import yaml
from drawn_panels import as_frame, draw_panel
from drawn_specs import mutated, valid
from fuzzing import NASTY, cases, changed
from hypothesis import given
from hypothesis import strategies as st

from replication.cli import main

FRAME = as_frame(draw_panel(3, n_units=12, n_periods=6, weighted=True)).assign(
    x=lambda frame: (frame["unit"] * 7 % 5) + 0.1 * (frame["time"] % 3),
    cl=lambda frame: frame["unit"] // 2,
    region=lambda frame: frame["unit"] % 2,
    state=lambda frame: frame["unit"] % 4,
    year=lambda frame: frame["time"],
)
PROMISED = ("estimates.csv", "spec.yaml", "vcov.csv")
PLAIN = "--numbers-only"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("commands")
    FRAME.to_csv(place / "panel.csv", index=False)
    FRAME.to_parquet(place / "panel.parquet")
    return place


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPLICATION_MIRROR", raising=False)


def ended(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> int:
    """The exit code of a command, which is one of ours and comes without a traceback."""
    capsys.readouterr()
    try:
        code = main(arguments)
    except SystemExit as stop:  # argparse ends so, with its usage on standard error
        code = int(stop.code or 0)
    output = capsys.readouterr().err
    assert code in {0, 1, 2}
    assert "Traceback" not in output
    if code == 2:
        assert output.strip()
    return code


def require_promised(code: int, out: Path, *, pictures: bool = False) -> None:
    """Files of every specification after a success, none after a refusal."""
    if code == 0:
        found = {place.parent for place in out.rglob("spec.yaml")}
        assert found
        for place in found:
            names = sorted(path.name for path in place.iterdir())
            assert set(PROMISED) < set(names) if pictures else tuple(names) == PROMISED
            assert not [name for name in names if name.startswith(".")]
            assert len(pd.read_csv(place / "estimates.csv"))
    else:
        assert not [path for path in out.rglob("*") if path.is_file()]


@cases(0.015)
@given(data=st.data())
def test_estimate_of_a_drawn_specification(
    folder: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    spec = data.draw(st.one_of(valid(), mutated()))
    spec.setdefault("cluster", "cl")
    if isinstance(spec.get("inference"), dict) and isinstance(spec["inference"].get("draws"), int):
        spec["inference"]["draws"] = min(spec["inference"]["draws"], 20)
    else:
        spec["inference"] = {"draws": 20}
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    pictures = data.draw(st.sampled_from([False, False, False, True]))
    arguments = ["--panel", str(folder / "panel.csv"), "--out", str(out), *([] if pictures else [PLAIN])]
    code = ended(["estimate", str(folder / "spec.yaml"), *arguments], capsys)
    require_promised(code, out, pictures=pictures)


@cases(0.02)
@given(data=st.data())
def test_estimate_of_damaged_files(
    folder: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    ending = data.draw(st.sampled_from(["csv", "parquet"]))
    spec = {
        "id": "one",
        "outcome": "y",
        "estimator": data.draw(st.sampled_from(["twfe", "imputation", "callaway_santanna", "event_study"])),
        "inference": {"draws": 20},
    }
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    content = (folder / f"panel.{ending}").read_bytes()
    damaged = folder / f"damaged.{ending}"
    damaged.write_bytes(data.draw(changed(content, 2)))
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    arguments = ["--panel", str(damaged), "--out", str(out), PLAIN]
    code = ended(["estimate", str(folder / "spec.yaml"), *arguments], capsys)
    require_promised(code, out)


WORDS = st.one_of(
    st.sampled_from(
        [
            "data",
            "status",
            "fetch",
            "estimate",
            "explain",
            "compare",
            "verify",
            "report",
            "step",
            "clean",
            "tables",
            "castle_doctrine",
            "--panel",
            "--out",
            "--help",
            "--threads",
            "-1",
            "x",
            "--log",
            "--draws",
            "simulate",
            ".",
            "/",
            "/dev/null",
            "a" * 300,
            *NASTY,
        ]
    ),
    st.text(max_size=6),
)
READ_ONLY = ("explain", "compare", "table", "honest", "data status")


@cases(0.05)
@given(words=st.lists(WORDS, max_size=4), command=st.sampled_from(READ_ONLY))
def test_any_arguments_of_commands_that_only_read(
    capsys: pytest.CaptureFixture[str], command: str, words: list[str]
) -> None:
    ended([*command.split(), *words], capsys)


@cases(0.015)
@given(data=st.data())
def test_commands_on_damaged_results(
    folder: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    whole = folder / "whole"
    if not whole.is_dir():
        (folder / "spec.yaml").write_text("id: one\noutcome: y\nestimator: twfe\n")
        arguments = ["--panel", str(folder / "panel.csv"), "--out", str(whole), PLAIN]
        assert main(["estimate", str(folder / "spec.yaml"), *arguments]) == 0
    damaged = folder / "damaged"
    shutil.copytree(whole, damaged, dirs_exist_ok=True)
    for path in sorted(whole.iterdir()):
        (damaged / path.name).write_bytes(data.draw(changed(path.read_bytes(), 2)))
    ended(["compare", str(whole), str(damaged)], capsys)
    ended(["table", str(whole), str(damaged)], capsys)
    ended(["honest", str(damaged)], capsys)


def test_results_are_told_apart_from_nothing(tmp_path: Path) -> None:
    require_promised(2, tmp_path)
    with pytest.raises(AssertionError):
        require_promised(0, tmp_path)
    (tmp_path / "estimates.csv").write_text("half")
    with pytest.raises(AssertionError):
        require_promised(2, tmp_path)
