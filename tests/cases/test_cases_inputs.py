"""Input that once gave a number that looked right: each case with its right value or refusal.

The folders of ``data`` hold the smallest input of each kind, made up: ``spec.yaml``, ``panel.csv``
and ``expected.txt``, what is right and why. Each goes through the command line, as it was found.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from replication.cli import main

DATA = Path(__file__).with_name("data")

REFUSED = {
    "constant_outcome_event_study": ["'y' does not vary"],
    "conley_moving_coordinates": ["60 units change their 'latitude'"],
    "duplicate_column": ["2 columns named 'y'"],
    "etwfe_poisson_all_treated_separated": ["no treated unit is left", "40 units of 2 cohorts"],
    "event_study_no_period_after": ["No unit adopts in the panel's periods (1 to 3): the cohorts are 4 to 6"],
    "poisson_event_study_all_treated_zero": ["all outcomes of treated units are zero"],
    "poisson_offset_minus_999": ["offset 'lp'", "-999 for unit 1", "logarithm"],
    "time_above_2_53": ["'time' are 2^53 or more"],
    "time_outlier_hang_dcdh": ["'time'", "the farthest is 10000000"],
    "two_units_stacked": ["the fit is exact"],
    "unit_is_time_message": ["'unit' and 'time' name the same column 'time'"],
    "vary_collision": ["{'outcome': 'y 1'} and {'outcome': 'y-1'}", "id 't__y-1'"],
    "vary_on_scalar": ["'inference' is 3"],
}
# Values of expected.txt, printed there with six digits.
ESTIMATED = {
    "cohort_inf": (0.970769, 0.310846, ["14 units have an infinite cohort"]),
    "cohort_zero_is_a_period": (0.970769, 0.310846, ["cohort 0 of 'cohort' is taken as period 0"]),
    "cohort_lost_silently_sun_abraham": (0.886584, ..., ["13 units in 1 cohort (4) are excluded"]),
    "cohort_lost_calendar_gap_local_projections": (
        0.886584,
        ...,
        ["13 units in 1 cohort (4) are excluded", "event times 0 to 2"],
    ),
    "leading_zero_ids_merge": (1.613183, ..., []),
    "sdid_level_shift": (0.764943, 0.197902, []),
    "yyyymm_event_times": (1.023637, ..., ["consecutive months"]),
    "zero_weight_cohort_sets_window": (
        0.886584,
        ...,
        ["13 units with weight zero in every period", "event times 0 to 2"],
    ),
}
DIGITS = 5e-7
"""Half of the last printed digit."""


def run(name: str, out: Path) -> int:
    """Exit code of ``replication estimate`` on a case."""
    folder = DATA / name
    panel = str(folder / "panel.csv")
    return main(["estimate", str(folder / "spec.yaml"), "--panel", panel, "--out", str(out)])


def test_every_case_is_tried() -> None:
    tried = {*REFUSED, *ESTIMATED, "late_cohort_collapses_stacked"}
    assert {folder.name for folder in DATA.iterdir()} >= tried


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_paragraph(name, tmp_path, capsys) -> None:
    assert run(name, tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert message.startswith("replication: ")
    assert message.count("\n") == 1
    for words in REFUSED[name]:
        assert words in message, message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ESTIMATED)
def test_it_has_the_right_value_and_says_what_was_done(name, tmp_path, capsys) -> None:
    att, std_error, notes = ESTIMATED[name]
    assert run(name, tmp_path) == 0
    printed = " ".join(capsys.readouterr().out.split())
    row = pd.read_csv(tmp_path / "estimates.csv").iloc[0]
    assert row["estimate"] == pytest.approx(att, abs=DIGITS)
    if std_error is not ...:
        assert row["std_error"] == pytest.approx(std_error, abs=DIGITS)
    for words in notes:
        assert words.lower() in printed.lower(), printed


@pytest.mark.parametrize("estimator", ["stacked", "local_projections"])
def test_one_late_cohort_does_not_cut_the_effects_of_the_others(estimator, tmp_path, capsys) -> None:
    """The true effect grows by one a period: 3.31 over all treated cells, 3.5 over 0 to 5."""
    folder = DATA / "late_cohort_collapses_stacked"
    spec = tmp_path / "mine.yaml"
    spec.write_text(f"id: t\noutcome: y\nestimator: {estimator}\n")
    panel = str(folder / "panel.csv")
    assert main(["estimate", str(spec), "--panel", panel, "--out", str(tmp_path)]) == 0
    row = pd.read_csv(tmp_path / "estimates.csv").iloc[0]
    printed = capsys.readouterr().out
    assert "event times 0 to 5" in printed
    # No window of the stack has the late cohort as a control; projections at adoption do.
    role = "are excluded from" if estimator == "stacked" else "serve only as controls in"
    words = f"15 units in 1 cohort (8) {role} the overall effect because they lack clean controls"
    assert words in " ".join(printed.split())
    # Three standard errors around 3.5, the mean of 1 to 6.
    assert abs(row["estimate"] - 3.5) < 3 * row["std_error"]


def test_ids_of_text_and_of_numbers_agree(tmp_path) -> None:
    """The same panel as parquet keeps its text ids; the CSV file must not merge them."""
    folder = DATA / "leading_zero_ids_merge"
    frame = pd.read_csv(folder / "panel.csv", dtype={"unit": str})
    frame.to_parquet(tmp_path / "panel.parquet")
    arguments = ["--panel", str(tmp_path / "panel.parquet"), "--out", str(tmp_path / "text")]
    assert main(["estimate", str(folder / "spec.yaml"), *arguments]) == 0
    assert run("leading_zero_ids_merge", tmp_path / "csv") == 0
    first, second = (pd.read_csv(tmp_path / name / "estimates.csv") for name in ("text", "csv"))
    pd.testing.assert_frame_equal(first, second)
    assert first["n_units"].iloc[0] == 40


def test_a_result_does_not_overwrite_its_own_specification(tmp_path, capsys) -> None:
    text = (DATA / "cohort_inf" / "spec.yaml").read_text()
    (tmp_path / "spec.yaml").write_text(text)
    panel = str(DATA / "cohort_inf" / "panel.csv")
    arguments = [str(tmp_path / "spec.yaml"), "--panel", panel, "--out", str(tmp_path)]
    assert main(["estimate", *arguments]) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert (tmp_path / "spec.yaml").read_text() == text
