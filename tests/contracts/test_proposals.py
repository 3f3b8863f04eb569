"""What a command proposes it takes: options in backticks, and keys in quotation marks after --set."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from awkward_panel import COLUMNS, awkward_panel, plain_panel

from replication.cli import main, parser
from replication.core.reading import as_option, proposal
from replication.core.spec import load_specs
from replication.core.spec_schema import schema
from replication.workflow.estimate_file import specs_of

ROOT = Path(__file__).parents[2]
OPTION = re.compile(r"`(--[^`]+)`")
KEY = re.compile(r"[`'\"]([a-z_.]+): ([^`'\"{}]+|\{[a-z_]+: [^{}]+\})[`'\"]")


def proposed(text: str) -> list[str]:
    """Options that a text proposes, each once."""
    return list(dict.fromkeys(OPTION.findall(text)))


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """Everything that was printed."""
    captured = capsys.readouterr()
    return captured.out + captured.err


def gaps() -> pd.DataFrame:
    """A panel with eight units that leave early, and few treated clusters."""
    frame = plain_panel()
    gone = frame["state"].isin(range(1, 9)) & (frame["quarter"] == frame["quarter"].max())
    return frame[~gone].assign(region=frame["state"] % 8)


@pytest.mark.parametrize("command", ["audit", "estimate"])
def test_proposals_for_an_awkward_file_lead_to_a_result(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each refusal proposes what mends it, until nothing is left."""
    place = tmp_path / "my.csv"
    awkward_panel().to_csv(place, index=False)
    call = [command, "--panel", str(place), *COLUMNS, "--out", str(tmp_path / "out")]
    code, rounds = main(call), 0
    while code == 2 and rounds < 6:
        first, *_ = proposed(printed(capsys))
        call += shlex.split(first)
        code, rounds = main(call), rounds + 1
    assert code == 0
    assert rounds == 3


def test_proposals_of_check_are_taken_by_check_and_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPLICATION_ROOT", raising=False)
    gaps().to_csv("gaps.csv", index=False)
    awkward_panel().to_csv("awkward.csv", index=False)
    for name, most in (("gaps", 1), ("awkward", 3)):
        assert main(["check", f"{name}.csv", *COLUMNS]) in (0, 2)
        found = proposed(printed(capsys))
        assert len(found) == most
        options = [word for one in found for word in shlex.split(one)]
        assert main(["check", f"{name}.csv", *COLUMNS, *options]) == 0
        command = printed(capsys).strip().splitlines()[-1].split("replication ")[1]
        assert all(one in command for one in found)
        assert main([*shlex.split(command)[:-1], name]) == 0
        assert main(["new", f"study_{name}", "--panel", f"{name}.csv", *COLUMNS, *options]) == 0
        folder = tmp_path / f"study_{name}" / "studies" / f"study_{name}"
        spec = load_specs(folder / "specs" / "main.yaml")[0]
        assert (spec.unbalanced, spec.never) == (("pairwise", ()) if name == "gaps" else ("drop", (9999,)))


@pytest.mark.parametrize("command", ["audit", "estimate"])
def test_proposals_of_a_result_are_taken_by_the_command_that_makes_them(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "my.csv"
    gaps().to_csv(place, index=False)
    call = [command, "--panel", str(place), *COLUMNS, "--cluster", "region", "--out", str(tmp_path / "out")]
    call += ["--set", "inference.draws=49"]
    assert main(call) == 0
    text = printed(capsys)
    found = proposed(text)
    assert "--set unbalanced=pairwise" in found
    if command == "audit":
        page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
        assert "--set unbalanced=pairwise" in page
        assert "sample.balanced=true" in page
        found += ["--set sample.balanced=true", *proposed(page)]
    for options in found:
        assert main([*call, *shlex.split(options)]) == 0, options
        again = printed(capsys)
        assert options not in again or "inference" in options


def test_the_audit_uses_the_keys_that_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place, out = tmp_path / "my.csv", tmp_path / "out"
    gaps().to_csv(place, index=False)
    call = ["audit", "--panel", str(place), *COLUMNS, "--out", str(out)]
    units = {}
    for options in ((), ("--set", "unbalanced=pairwise"), ("--set", "sample: {balanced: true}")):
        assert main([*call, *options]) == 0
        table = pd.read_csv(out / "all_estimators_side_by_side.csv").set_index("estimator")["units"]
        units[options] = table[table.index.str.contains("Callaway")].iloc[0], table["Two-way fixed effects"]
    assert list(units.values()) == [(42, 50), (50, 50), (42, 42)]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "All of them use 42 units" in page


def test_an_estimator_without_a_method_of_inference_stays_in_the_audit(tmp_path: Path) -> None:
    place, out = tmp_path / "my.csv", tmp_path / "out"
    plain_panel().to_csv(place, index=False)
    call = ["audit", "--panel", str(place), *COLUMNS, "--out", str(out)]
    assert main([*call, "--set", "inference.method=wild", "inference.draws=49"]) == 0
    wild = pd.read_csv(out / "all_estimators_side_by_side.csv").set_index("estimator")
    assert wild["estimate"].notna().all()
    assert "Standard errors are analytic where" in (out / "index.html").read_text(encoding="utf-8")
    assert main(call) == 0
    plain = pd.read_csv(out / "all_estimators_side_by_side.csv").set_index("estimator")
    moved = plain["p-value"] != wild["p-value"]
    assert moved[moved].index.tolist() == ["Two-way fixed effects"]


def test_the_audit_reads_a_specification_and_refuses_what_it_does_not_examine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, spec = tmp_path / "my.csv", tmp_path / "spec.yaml"
    plain_panel().assign(dose=0.5).to_csv(place, index=False)
    spec.write_text("id: a\noutcome: rate\nestimator: imputation\nunit: state\ntime: quarter\ncohort: law\n")
    call = ["audit", str(spec), "--panel", str(place), "--out", str(tmp_path / "out")]
    assert main(call) == 0
    assert "Audit of rate in my.csv" in printed(capsys)
    assert main([*call, "--set", "treatment=dose"]) == 2
    assert "Remove 'treatment'" in printed(capsys)
    assert main([*call, "--set", "vary={estimator: [twfe, imputation]}"]) == 2
    assert "--only" in printed(capsys)


def literals(*rooms: str) -> list[str]:
    """Texts of modules without placeholders; those that stand side by side are one."""
    paths = [path for room in rooms for path in ROOT.glob(f"replication/{room}/**/*.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    return [one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def options_of(command: str) -> set[str]:
    """Every option of a command."""
    actions = [one for one in parser()._actions if isinstance(one, argparse._SubParsersAction)]
    return {name for one in actions[0].choices[command]._actions for name in one.option_strings}


def test_every_option_in_a_message_exists() -> None:
    known = options_of("estimate") | options_of("honest")
    assert {"--set", "--only", "--never", "--window"} <= options_of("audit") | {"--window"}
    assert options_of("estimate") - options_of("audit") == {"--estimator", "--numbers-only"}
    texts = literals("core", "checks", "estimators", "inference", "audit")
    options = [word for text in texts for found in OPTION.findall(text) for word in found.split()[:1]]
    assert len(options) > 10
    assert set(options) <= known | {"--json", "--data"}


def test_every_key_in_a_message_is_one_of_a_specification() -> None:
    """``'control_group: last_treated'`` of a refusal can be given to ``--set`` as it stands."""
    texts = literals("core", "estimators", "inference")
    known = set(schema()["properties"])
    below = {name for one in schema()["properties"].values() for name in one.get("properties", {})}
    tried = 0
    for text in texts:
        for key, value in KEY.findall(text):
            if key.split(".")[0] not in known | below or key == "id":
                continue
            specs_of(None, {"outcome": "y"}, [f"{key}: {value}"])
            tried += 1
    assert tried > 25


def test_an_option_comes_before_its_key() -> None:
    assert proposal({"never": [9999]}) == "`--never 9999` (in YAML `never: [9999]`, in Python `never=[9999]`)"
    assert proposal({"read.decimal": ",", "read.thousands": "."}) == (
        "`--decimal , --thousands .` (in YAML `read: {decimal: ',', thousands: .}`, "
        "in Python `read={'decimal': ',', 'thousands': '.'}`)"
    )
    assert as_option("window", [-12, 12]) == "--set 'window=[-12, 12]'"
    assert as_option("read.strip_blanks", value=True) == "--strip-blanks"
    assert as_option("sample.balanced", value=True) == "--set sample.balanced=true"
