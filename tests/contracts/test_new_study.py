"""``replication new`` makes a study that runs as is; ``run --only`` makes a part of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from awkward_panel import COLUMNS, FLAGS, awkward_panel, plain_panel

import replication as rp
from replication.cli import main
from replication.core.errors import SpecError
from replication.core.files import parse_yaml
from replication.workflow.run_targets import targets_of

ROOT = Path(__file__).parents[2]
ROUNDING = 5e-4
"""Tables print three decimals."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder outside any project, with an awkward panel."""
    awkward_panel().to_csv(tmp_path / "my.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPLICATION_ROOT", raising=False)
    return tmp_path


def test_a_project_of_its_own_runs_to_its_table_and_its_figure(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "law_rates", "--panel", "my.csv", *COLUMNS, *FLAGS]) == 0
    assert "replication run --only law_rates" in capfd.readouterr().out
    monkeypatch.chdir(here / "law_rates")
    assert main(["run", "--cores", "1", "--only", "tables/law_rates/main"]) == 0
    root = here / "law_rates"
    table = pd.read_csv(root / "tables" / "law_rates" / "estimates.csv")
    found = table[table["term"] == "att"].set_index("spec_id")
    frame = plain_panel()
    for name, estimator in (
        ("twfe", "twfe"),
        ("group_time", "callaway_santanna"),
        ("imputation", "imputation"),
    ):
        fit = rp.estimate(
            frame, outcome="rate", unit="state", time="quarter", cohort="law", estimator=estimator
        )
        row = found.loc[f"law_rates__{name}"]
        assert (row["estimate"], row["std_error"]) == pytest.approx(fit.att, rel=1e-10), name
        assert f"{fit.att[0]:.3f}" in (root / "tables" / "law_rates" / "main.md").read_text(encoding="utf-8")
    assert (root / "tables" / "law_rates" / "main.tex").is_file()
    assert main(["export", "law_rates/panel", "--to", "dta"]) == 0
    exported = root / "exports" / "law_rates" / "panel.dta"
    stata = pd.read_stata(exported).sort_values(["state", "quarter"], ignore_index=True)
    assert len(stata) == len(frame)
    assert not stata.duplicated(["state", "quarter"]).any()
    assert stata["state"].dtype.name == "category"
    assert stata["quarter"].iloc[0] == pd.Timestamp(2010, 1, 1)
    never = (
        frame.groupby("state")["law"].max().isna().sum() or (frame.groupby("state")["law"].max() == 0).sum()
    )
    assert stata.groupby("state", observed=True)["law"].max().isna().sum() == never
    with pd.io.stata.StataReader(exported) as reader:
        reader.read()
        assert {"%tq"} == {text for text in reader._fmtlist if text.startswith("%t")}
    assert exported.with_name("panel_dta_variables.csv").is_file()
    assert not (root / "figures" / "law_rates").exists()
    assert not (root / "report" / "index.html").exists()
    assert main(["run", "--cores", "1", "--only", "figures/law_rates/event_study.png"]) == 0
    assert (root / "figures" / "law_rates" / "event_study.png").stat().st_size > 10_000
    capfd.readouterr()
    assert main(["trace", "law_rates/main"]) == 0
    example = capfd.readouterr().out.splitlines()[-1].split()
    assert example[:3] == ["replication", "trace", "law_rates/main"]
    assert main(example[1:]) == 0
    spec = root / "studies" / "law_rates" / "specs" / "main.yaml"
    text = spec.read_text(encoding="utf-8")
    spec.write_text(
        text.replace("estimator: twfe}", "estimator: twfe, trends: unit_linear}"), encoding="utf-8"
    )
    capfd.readouterr()
    assert main(["run", "--cores", "1", "--only", "tables/law_rates/main"]) == 0
    assert "1 estimate changed since the last run, most law_rates__twfe" in capfd.readouterr().out
    spec.write_text(text, encoding="utf-8")
    assert main(["run", "--cores", "1", "--only", "tables/law_rates/main"]) == 0
    said = capfd.readouterr().out
    assert "\n  tables/law_rates/main.html (also .csv, .docx, .md, .tex)\n" in said
    assert "figures/law_rates" not in said
    assert "`replication report` writes report/index.html" in said
    assert main(["run", "--cores", "1", "--only", "law_rates"]) == 0
    said = capfd.readouterr().out
    for path in ("tables/law_rates/main.html", "figures/law_rates/event_study.png"):
        assert f"\n  {path} (also " in said
        assert (root / path).is_file()


def test_nothing_is_overwritten_and_nothing_is_left_of_a_refusal(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["new", "law_rates", "--panel", "my.csv", *COLUMNS]
    assert main(command) == 2
    assert "`--never 9999` (in YAML `never: [9999]`" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["my.csv"]
    assert main([*command, *FLAGS]) == 0
    before = (here / "law_rates" / "studies" / "law_rates" / "specs" / "main.yaml").read_bytes()
    assert main([*command, *FLAGS, "--title", "Another"]) == 2
    assert "already exists and was not overwritten" in capsys.readouterr().err
    assert (here / "law_rates" / "studies" / "law_rates" / "specs" / "main.yaml").read_bytes() == before
    assert main(["new", "a-b", "--panel", "my.csv", *COLUMNS, *FLAGS]) == 2
    assert "letters, digits, and _" in capsys.readouterr().err
    assert main(["new", "con", "--panel", "my.csv", *COLUMNS, *FLAGS]) == 2
    reserved = "'con' is not a valid study name, because Windows reserves it for a device."
    assert capsys.readouterr().err.startswith(f"replication: {reserved} Choose another name.")


def test_a_new_project_has_no_files_of_the_repository(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refusals name what the project has, and a file that it lacks."""
    assert main(["new", "law_rates", "--panel", "my.csv", *COLUMNS, *FLAGS]) == 0
    monkeypatch.chdir(here / "law_rates")
    assert main(["trace", "x"]) == 2
    assert "This project has law_rates/main and law_rates/event_study." in capsys.readouterr().err
    assert main(["manifest"]) == 2
    assert "CITATION.cff. The RO-Crate takes its title" in capsys.readouterr().err


def test_inside_a_project_the_study_joins_the_others(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "studies" / "_template", here / "studies" / "my_study")
    (here / "Snakefile").touch()
    plain_panel().assign(people=1.0).to_csv("plain.csv", index=False)
    command = ["new", "second", "--panel", "plain.csv", *COLUMNS, "--weights", "people", "--title", "A: b"]
    assert main(command) == 0
    study = parse_yaml((here / "studies" / "second" / "study.yaml").read_text(encoding="utf-8"))
    assert study["title"] == "A: b"
    assert study["panels"]["panel"]["keys"] == ["state", "quarter"]
    assert {path.name for path in (here / "studies" / "second").iterdir()} == {
        *("analyses.yaml", "figures.yaml", "panel.csv", "specs", "study.yaml", "tables.yaml"),
    }


def test_targets_by_study_table_figure_estimates_and_id(here: Path) -> None:
    shutil.copytree(ROOT / "studies" / "_template", here / "studies" / "my_study")
    (here / "Snakefile").touch()

    def files(asked: str) -> tuple[str, ...]:
        (target,) = targets_of(here, [asked])
        return target.files

    tables, figures = "tables/my_study/.tables.json", "figures/my_study/.figures.json"
    assert files("my_study")[:2] == (tables, figures)
    for asked in ("tables/my_study", "tables/my_study/main_SIMULATED", "tables/my_study/main_SIMULATED.tex"):
        assert files(asked) == (tables,)
    assert files("figures/my_study/event_study_SIMULATED.pdf") == (figures,)
    assert files("main_SIMULATED") == (tables,)
    assert files("tables/my_study/estimates.csv") == ("tables/my_study/estimates.csv",)
    assert files("tables/my_study/analyses/panel") == ("tables/my_study/.analyses.json",)
    assert files("data_clean/my_study/district_year") == ("data_clean/my_study/.clean.json",)
    for asked, words in (
        ("tables/my_study/main_SIMULATE", "Did you mean tables/my_study/main_SIMULATED"),
        ("nothing_like_it", r"Name a study \(my_study\)"),
    ):
        with pytest.raises(SpecError, match=words):
            targets_of(here, [asked])
