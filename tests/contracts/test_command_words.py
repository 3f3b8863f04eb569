"""What commands print names the cause, and every remedy that they propose works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import replication as rp
from replication.audit.checklist import attainable_p, fit, setup_of
from replication.audit.robustness_sections import other_inference
from replication.cli import main

FRAME = rp.simulated_panel(seed=1)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("panel.csv", index=False)
    return Runner(capsys)


class Runner:
    """Runs commands on ``panel.csv``."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, line: str) -> tuple[int, str]:
        """The exit code, and everything that was printed."""
        try:
            code = main(shlex.split(line))
        except SystemExit as end:
            code = int(end.code or 0)
        captured = self.capsys.readouterr()
        return code, captured.out + captured.err


ESTIMATE = "estimate --panel panel.csv --outcome y --out out"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            f"{ESTIMATE} --clusters state",
            "replication estimate: unknown option --clusters (did you mean --cluster?). "
            "`replication estimate --help` lists the options.\n",
        ),
        (
            "audit --panel panel.csv --outcome y --estimator twfe",
            "replication audit: unknown option --estimator. `replication audit --help` lists the options.\n",
        ),
        (
            "explain a.yaml b.yaml",
            "replication explain: unexpected argument 'b.yaml'. `replication explain --help` lists the "
            "arguments.\n",
        ),
        (
            "estim --panel panel.csv",
            "replication: no command 'estim' (did you mean estimate?). `replication --help` lists them.\n",
        ),
        (
            "estimate --panel panel.csv --outcome y",
            "replication estimate: the following arguments are required: --out. "
            "`replication estimate --help` lists the options.\n",
        ),
        (
            "estimate --panel panel.csv --set window=[-3,3] my.yaml --out out",
            "replication: --set takes KEY=VALUE, such as --set 'window=[-5,5]'; got 'my.yaml'. Name a "
            "specification file before the options.\n",
        ),
        (
            "estimate --panel panel.csv --outcome 'ln(y)' --out out",
            "replication: The panel has no column 'ln(y)'. Write the natural logarithm of a column as "
            "log(y).\n",
        ),
        (
            "explain windw",
            "replication: There is no file, key, or estimator 'windw' (did you mean 'window'?). "
            "`replication explain` lists all of them.\n",
        ),
    ],
)
def test_an_unknown_argument_is_named_with_its_command(run: Runner, line: str, words: str) -> None:
    assert run(line) == (2, words)


def test_explain_takes_a_result_a_key_and_an_estimator(run: Runner) -> None:
    assert run(f"{ESTIMATE} --estimator twfe")[0] == 0
    of_folder = run("explain out")
    assert of_folder == run("explain out/spec.yaml")
    assert "estimator: twfe" in of_folder[1]
    code, said = run("explain inference")
    keys = [line.partition(" ")[0] for line in said.splitlines()]
    assert (code, keys[0], keys[1]) == (0, "inference", "inference.method")
    code, said = run("explain twfe")
    assert code == 0
    assert said.startswith("twfe: Two-way fixed effects. It reads:\n")
    assert "\ncovariates" in said
    code, said = run("explain .")
    assert (code, "contains no spec.yaml" in said) == (2, True)


def test_a_second_cluster_column_is_proposed_as_a_list(run: Runner) -> None:
    code, said = run(f"{ESTIMATE} --estimator twfe --cluster unit state")
    (option,) = re.findall(r"`(--set [^`]+)`", said)
    assert (code, option) == (2, "--set 'cluster=[unit, state]'")
    assert run(f"{ESTIMATE} --estimator twfe {option}")[0] == 0


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ("--sheet 2", "Note: 'read.sheet' has no effect: panel.csv is not an Excel file."),
        ("--sep ,", ""),
    ],
)
def test_an_option_of_another_format_is_noted(run: Runner, options: str, note: str) -> None:
    code, said = run(f"{ESTIMATE} {options}")
    assert code == 0
    assert ("has no effect" in said) == bool(note)
    assert note in said


def test_a_return_to_zero_is_printed_once(run: Runner) -> None:
    treated = (FRAME["cohort"] > 0) & (FRAME["time"] >= FRAME["cohort"])
    back = treated & ~((FRAME["unit"] == 2) & (FRAME["time"] == 9))
    FRAME.assign(d=back.astype(int)).drop(columns="cohort").to_csv("panel.csv", index=False)
    code, said = run("check panel.csv --outcome y --cohort-from d")
    assert code == 2
    assert said.count("Column 'd' returns to 0 in unit 2 at time 9.") == 1
    assert said.endswith("Estimation will fail as is.\n")
    code, said = run(f"{ESTIMATE} --cohort-from d --set reversals=allow")
    said = " ".join(said.split())
    assert code == 0
    assert (
        "'d' returns to 0 in 1 unit, which is treated as adopting permanently in its first period with 1"
        in said
    )


def test_a_name_with_spaces_must_be_fixed(run: Runner) -> None:
    FRAME.rename(columns={"y": " y "}).to_csv("panel.csv", index=False)
    code, said = run("check panel.csv --outcome y")
    fixes = said.partition("Notes:")[0]
    assert code == 2
    assert "Must be fixed before estimation:\n  - 1 column name has leading or trailing spaces" in fixes
    command = said.strip().splitlines()[-1].removeprefix("  replication ")
    assert "  " not in command
    assert run(command)[0] == 0


def test_check_names_methods_for_one_treated_unit(run: Runner) -> None:
    one = FRAME.assign(cohort=FRAME["cohort"].where(FRAME["unit"] == 2, 0))
    one.to_csv("panel.csv", index=False)
    _, said = run("check panel.csv --outcome y")
    (line,) = [line for line in said.splitlines() if "is ever treated" in line]
    assert "Only 1 unit is ever treated, so clustered standard errors are not valid" in line
    for method in re.findall(r"'(?:inference.method: )?(\w+)'", line):
        assert run(f"{ESTIMATE} --set inference.method={method} inference.draws=49")[0] == 0, method


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            "--set 'window=[20, 30]'",
            "remains with window [20, 30]; the panel has event times -7 to 6. Change 'window'.",
        ),
        (
            "--set 'sample.years=[1990, 1995]'",
            "'sample.years' keeps 1990 to 1995, and column 'time' runs from 1 to 10.",
        ),
        ("--set inference.method=conley", "need coordinates, and the panel has no column 'latitude'"),
        ("--estimator continuous_dose", "Set `--set dose=COLUMN`"),
        ("--estimator triple_difference", "Set `--set eligible=COLUMN`"),
        ("--estimator ols --set 'fixed_effects=[state]'", "'fixed_effects' contains 'state', which is not"),
        (
            "--estimator twfe --set 'trends=[unit_linear, state_by_time]'",
            "unit fixed effects, state-by-period fixed effects, and unit-specific linear trends absorb all "
            "variation in treatment",
        ),
    ],
)
def test_a_refusal_names_its_cause(run: Runner, options: str, words: str) -> None:
    FRAME.assign(state=FRAME["cohort"]).to_csv("panel.csv", index=False)
    code, said = run(f"{ESTIMATE} {options}")
    assert code == 2
    assert words in said


def test_a_cohort_that_changes_is_shown_as_in_the_file() -> None:
    moved = FRAME.assign(cohort=FRAME["cohort"].mask((FRAME["unit"] == 2) & (FRAME["time"] > 5), 0))
    with pytest.raises(rp.InputError, match=r"takes different values within 1 of 60 units.*never treated\)"):
        rp.estimate(moved, outcome="y")


def test_decompositions_show_their_parts() -> None:
    panel = rp.read_panel(FRAME, outcome="y")
    found = rp.goodman_bacon(panel)
    text = found.summary()
    parts = [one for one in found.details.comparisons if one.kind == "later_vs_earlier"]
    weight = sum(one.weight for one in parts)
    mean = sum(one.weight * one.estimate for one in parts) / weight
    (line,) = [line for line in text.splitlines() if line.startswith("Later adopters")]
    assert [float(word) for word in line.split()[-2:]] == pytest.approx([weight, mean], abs=5e-4)
    assert "TWFE estimate" in text
    assert "Overall effect" not in text
    assert "45 of 225 treated unit-periods have negative weights" in rp.twfe_weights(panel).summary()


def test_results_on_two_outcomes_are_compared_with_a_warning(run: Runner) -> None:
    FRAME.assign(z=2 * FRAME["y"]).to_csv("panel.csv", index=False)
    for outcome in ("y", "z"):
        assert run(f"estimate --panel panel.csv --outcome {outcome} --numbers-only --out {outcome}")[0] == 0
    assert run("compare y z")[1].startswith("The results have different outcomes (y and z);")
    assert "different outcomes" not in run("compare y y")[1]


def test_agreement_is_no_passed_check_where_a_method_cannot_reject() -> None:
    """With four clusters the wild bootstrap has 16 sign patterns, and its p-values are 1/8 or more."""
    few = FRAME.assign(region=FRAME["unit"] % 4)
    panel = rp.read_panel(few, outcome="y", cluster="region")
    spec = setup_of(panel)
    wild = fit(panel, spec, "twfe", drawn=False)
    assert attainable_p(wild, panel) == 0
    section = other_inference(panel, spec)
    assert not any("agree on significance" in words for words in section.passed)
    every = other_inference(rp.read_panel(FRAME, outcome="y"), spec)
    assert every.passed == (
        "the analytic, wild bootstrap, and permutation p-values of the TWFE estimate agree on significance "
        "at the 5% level",
    )


def test_percent_signs_can_be_read_both_ways() -> None:
    marked = FRAME.assign(y=[f"{value:.2f}%" for value in FRAME["y"]])
    with pytest.raises(rp.InputError) as refused:
        rp.estimate(marked, outcome="y")
    assert "To read 12% as 12, set `--percent points`" in str(refused.value)
    assert "to read it as 0.12, set `--percent share`" in str(refused.value)
    points, share = (
        rp.estimate(marked, outcome="y", read={"percent": one}).att[0] for one in ("points", "share")
    )
    assert np.isclose(points, 100 * share)
