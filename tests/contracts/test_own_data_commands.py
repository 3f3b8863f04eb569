"""From data of one's own to a figure and a table, by commands alone."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import replication as rp
from replication.cli import main
from replication.display import result_text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A panel and two saved results."""
    place = tmp_path_factory.mktemp("own")
    rp.simulated_panel(seed=4).to_csv(place / "panel.csv", index=False)
    common = ["--panel", str(place / "panel.csv"), "--outcome", "y", "--cluster", "state"]
    assert main(["estimate", *common, "--out", str(place / "cs"), "--set", "window=[-4,5]"]) == 0
    assert main(["estimate", *common, "--out", str(place / "bjs"), "--estimator", "imputation"]) == 0
    return place


def test_options_give_what_a_specification_gives(folder: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("id: mine\noutcome: y\nestimator: callaway_santanna\ncluster: state\nwindow: [-4, 5]\n")
    assert (
        main(["estimate", str(spec), "--panel", str(folder / "panel.csv"), "--out", str(tmp_path / "o")]) == 0
    )
    by_file = pd.read_csv(tmp_path / "o" / "estimates.csv").drop(columns="spec_id")
    by_options = pd.read_csv(folder / "cs" / "estimates.csv").drop(columns="spec_id")
    pd.testing.assert_frame_equal(by_file, by_options, check_exact=True)


def test_what_is_written_and_printed(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main(["estimate", "--panel", str(folder / "panel.csv"), "--outcome", "y", "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "Overall effect" in shown
    assert "By time since adoption" in shown
    assert f"replication honest {out}" in shown
    assert (out / "event_study.png").stat().st_size > 10_000
    assert "event_study.png" in (out / "index.html").read_text()


def test_a_long_path_is_shown_near_adoption_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three hundred event times would scroll the estimate off the screen."""
    fit = rp.estimate(rp.simulated_panel(seed=4), outcome="y")
    whole = fit.summary()
    times = fit.rows("event")["event_time"].dropna().sort_values()
    monkeypatch.setattr(result_text, "MOST", 5)
    cut = fit.summary()
    shown = [line.split()[0] for line in cut.splitlines() if re.match(r" +[+-]\d+ ", line)]
    assert shown == ["-2", "-1", "+0", "+1", "+2"]
    assert f"the {len(times) - 5} event times" in cut
    assert f"from {times.iloc[0]:+g} to {times.iloc[-1]:+g}" in cut
    assert "Not shown" not in whole


def test_options_replace_keys_of_a_file(folder: Path, tmp_path: Path) -> None:
    spec = tmp_path / "grid.yaml"
    spec.write_text("id: g\noutcome: y\nestimator: twfe\nvary: {estimator: [twfe, imputation]}\n")
    command = ["estimate", str(spec), "--panel", str(folder / "panel.csv"), "--out", str(tmp_path / "o")]
    assert main([*command, "--cluster", "state", "--set", "inference.level=0.9"]) == 0
    summary = pd.read_csv(tmp_path / "o" / "summary.csv")
    assert set(summary["estimator"]) == {"twfe", "imputation"}
    assert (summary["n_clusters"] == 20).all()


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_plot_draws_both_paths(folder: Path, ending: str, tmp_path: Path) -> None:
    out = tmp_path / f"both.{ending}"
    assert (
        main(["plot", str(folder / "cs"), str(folder / "bjs"), "--labels", "CS", "BJS", "-o", str(out)]) == 0
    )
    first = out.read_bytes()
    assert (
        main(["plot", str(folder / "cs"), str(folder / "bjs"), "--labels", "CS", "BJS", "-o", str(out)]) == 0
    )
    assert out.read_bytes() == first


def test_table_honest_and_compare(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["table", str(folder / "cs"), str(folder / "bjs"), "--labels", "One", "Two"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^ +One +Two$", said, re.MULTILINE)
    assert "<br>" not in said
    assert "Event time" in said
    assert main(["table", str(folder / "cs"), str(folder / "bjs")]) == 0
    head = capsys.readouterr().out.partition("Overall effect")[0]
    assert "Callaway" in head
    assert "callaway_santanna" not in head
    assert main(["table", str(folder / "cs"), "--overall"]) == 0
    assert "Event time" not in capsys.readouterr().out
    assert main(["honest", str(folder / "cs")]) == 0
    assert re.search(r"Breakdown value: Mbar = [\d.]+, the largest violation", capsys.readouterr().out)
    figure = tmp_path / "compared.png"
    assert main(["compare", str(folder / "cs"), str(folder / "bjs"), "-o", str(figure)]) == 0
    shown = capsys.readouterr().out
    assert "estimator: callaway_santanna -> imputation" in shown
    assert "Rows in one result only" in shown
    assert "nan" not in shown.split("att", 1)[1].splitlines()[0].lower()
    assert figure.is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["table", "nowhere"], "contains no saved result"),
        (["plot", "{cs}", "-o", "figure.doc"], "ends in .doc"),
        (["plot", "{cs}", "-o", "figure"], "figure has no extension"),
        (["table", "{cs}", "-o", "."], ". is a folder"),
        (
            ["estimate", "--panel", ".", "--outcome", "y", "--out", "x"],
            ". is a folder. Name a panel file in it",
        ),
        (
            ["plot", "{cs}", "--labels", "a", "b"],
            "--labels has 2 labels for 1 folder. Give one label per folder.",
        ),
        (["estimate", "--panel", "{panel}", "--out", "x"], "No outcome is named"),
        (["estimate", "--panel", "{panel}", "--out", "x", "--outcome", "y", "--set", "window"], "KEY=VALUE"),
        (
            ["estimate", "--panel", "{panel}", "--out", "x", "--outcome", "y", "--set", "outcome.x=1"],
            "contains no keys",
        ),
    ],
)
def test_refusals(
    folder: Path,
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {"cs": folder / "cs", "panel": folder / "panel.csv"}
    assert main([word.format(**places) for word in arguments]) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "x").exists()
