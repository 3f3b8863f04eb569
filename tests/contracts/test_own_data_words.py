"""What a user of own data reads: logarithms, losses, marks in numbers, labels of periods, fewer rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from awkward_panel import COLUMNS, FLAGS, awkward_panel, plain_panel

import replication as rp
from replication.audit.checklist import setup_of
from replication.audit.estimate_sections import every_estimator, honest_bounds
from replication.cli import main
from replication.core.dropped_units import units_dropped
from replication.core.errors import PanelError, SpecError
from replication.core.reading import proposal
from replication.core.wording import series
from replication.display.result_text import is_large_loss
from replication.inference.sensitivity import breakdown_value
from replication.report.tables.table_notes import EXAMPLE, OPTION

KEYS = {"unit": "state", "time": "quarter", "cohort": "law"}


@pytest.fixture
def frame() -> pd.DataFrame:
    """50 states by 24 quarters without faults, the rate positive."""
    return plain_panel()


def refusal(frame: pd.DataFrame, **keys: object) -> str:
    """What an estimate on the frame is refused with."""
    with pytest.raises((PanelError, SpecError)) as error:
        rp.estimate(frame, **{"outcome": "rate", **KEYS, **keys})
    return str(error.value)


def test_the_logarithm_of_a_column_is_the_column_of_logarithms(frame: pd.DataFrame) -> None:
    positive = frame.assign(rate=np.exp(frame["rate"]))
    ours = rp.estimate(positive, outcome="log(rate)", **KEYS)
    by_hand = rp.estimate(positive.assign(logged=np.log(positive["rate"])), outcome="logged", **KEYS)
    np.testing.assert_array_equal(ours.table["estimate"], by_hand.table["estimate"])
    np.testing.assert_array_equal(ours.table["std_error"], by_hand.table["std_error"])
    assert "% of the pre-treatment mean" not in ours.summary()


def test_zeros_and_negative_numbers_have_no_logarithm(frame: pd.DataFrame) -> None:
    rate = np.exp(frame["rate"])
    bad = frame.assign(rate=rate.where(~frame.index.isin([3, 8]), 0.0).where(frame.index != 9, -1.0))
    message = refusal(bad, outcome="log(rate)")
    assert f"3 of {len(frame)} values of column 'rate' are zero or negative" in message
    assert "neither a log nor a Poisson model applies" in message
    zeros = refusal(frame.assign(rate=rate.where(~frame.index.isin([3, 8]), 0.0)), outcome="log(rate)")
    assert f"2 of {len(frame)} values of column 'rate' are zero and have no logarithm" in zeros
    assert "`estimator: poisson`" in zeros
    negative = refusal(frame.assign(rate=rate.where(frame.index != 9, -1.0)), outcome="log(rate)")
    assert f"1 of {len(frame)} values of column 'rate' is negative, for example state " in negative
    assert "Use 'rate' itself as the outcome" in negative
    assert "no column 'rates' (did you mean 'rate'?)" in refusal(frame, outcome="log(rates)")
    found = rp.estimate(
        bad, outcome="log(rate)", sample={"drop": {"state": bad["state"][[3, 8, 9]].tolist()}}, **KEYS
    )
    assert np.isfinite(found.att[0])


def test_an_effect_in_levels_is_also_a_percentage_of_the_mean(frame: pd.DataFrame) -> None:
    frame = frame.assign(rate=frame["rate"] - frame["rate"].min() + 100)
    fit = rp.estimate(frame, outcome="rate", **KEYS)
    share = 100 * fit.att[0] / fit.details.mean_pre
    assert f"= {share:.1f}% of the pre-treatment mean" in fit.summary()


def test_a_large_loss_of_units_comes_first_with_names_and_remedy(frame: pd.DataFrame) -> None:
    states = frame["state"].unique()[:8]
    gone = frame["state"].isin(states) & (frame["quarter"] == frame["quarter"].max())
    lines = rp.estimate(frame[~gone], outcome="rate", **KEYS).summary().splitlines()
    place = next(
        number for number, line in enumerate(lines) if line.startswith("WARNING: 8 of 50 units (16%)")
    )
    assert place < next(number for number, line in enumerate(lines) if line.startswith("Overall effect"))
    words = " ".join(line.strip() for line in lines[place : place + 4])
    assert "unbalanced: pairwise" in words
    assert f"units {series(map(str, sorted(states)[:5]))}; " in words
    few = frame["state"].isin(states[:2]) & (frame["quarter"] == frame["quarter"].max())
    summary = rp.estimate(frame[~few], outcome="rate", **KEYS).summary()
    assert "WARNING" not in summary
    assert "2 of 50 units are dropped" in summary


def test_a_note_in_a_table_leaves_the_names_out() -> None:
    whole = "8 of 50 units (16%) are dropped because they have a gap"
    assert EXAMPLE.sub("", f"{whole}, for example units Ohio, Utah, and Iowa") == whole
    one = units_dropped(["Georgia (US)"], 50, "they have a gap")
    assert EXAMPLE.sub("", one) == "1 of 50 units is dropped because it has a gap"
    large = units_dropped(["Georgia (US)"], 5, "they have a gap")
    assert is_large_loss(large)
    assert EXAMPLE.sub("", large) == "1 of 5 units (20%) is dropped because it has a gap"
    balanced = "1 unit with a missing outcome in at least one period was dropped (unit 3)"
    assert EXAMPLE.sub("", balanced) == balanced.removesuffix(" (unit 3)")
    far = "2 units have a first treated period long after 2004 (for example, unit 2: first treated in 40)"
    assert EXAMPLE.sub("", far) == "2 units have a first treated period long after 2004"


def test_a_table_prints_no_option_and_one_unit_is_in_the_singular() -> None:
    note = units_dropped(
        ["Texas"], 50, "they have a gap", f"{proposal({'unbalanced': 'pairwise'})} keeps them"
    )
    assert note == (
        "1 of 50 units (unit Texas) is dropped because it has a gap; `--set unbalanced=pairwise` (in "
        "YAML `unbalanced: pairwise`, in Python `unbalanced='pairwise'`) keeps it"
    )
    kept = [part for part in note.split("; ") if not OPTION.search(part)]
    assert kept == ["1 of 50 units (unit Texas) is dropped because it has a gap"]


def test_every_mark_in_a_column_of_numbers_is_named(frame: pd.DataFrame) -> None:
    rate = frame["rate"].astype(object)
    rate[[2, 5]], rate[7] = "n.a.", "suppressed"
    message = refusal(frame.assign(rate=rate))
    assert "3 of 1200 values of column 'rate' are not numbers: 'n.a.', 'suppressed'" in message
    assert "--missing n.a. suppressed" in message


def test_a_period_that_is_none_is_named_alone(frame: pd.DataFrame) -> None:
    broken = frame.assign(quarter=frame["quarter"].astype(str))
    broken.loc[4, "quarter"] = "March-ish"
    message = refusal(broken)
    assert "1 of 1200 values of column 'quarter' cannot be read as a period: 'March-ish'" in message


def test_a_constant_outcome_and_one_unit_are_named(frame: pd.DataFrame) -> None:
    assert "'rate' does not vary: it is 2 in all 1200 rows" in refusal(frame.assign(rate=2.0))
    assert "only one unit" in refusal(frame[frame["state"] == frame["state"].iloc[0]])
    assert "missing in all 1200 rows" in refusal(frame.assign(rate=np.nan))


def test_commands_of_other_software_lead_to_the_estimator(frame: pd.DataFrame) -> None:
    assert "'estimator: callaway_santanna'" in refusal(frame, estimator="csdid")


def test_check_in_python_gives_the_call_that_works() -> None:
    awkward = awkward_panel()
    found = rp.check(awkward, outcome="rate", **KEYS)
    assert found.refusal
    assert "Set `never=[9999]`." in str(found)
    assert "--never" not in str(found)
    call = str(found).splitlines()[-1].strip()
    fit = eval(call, {"rp": rp, "frame": awkward})
    assert fit.att == pytest.approx(rp.estimate(plain_panel(), outcome="rate", **KEYS).att, rel=1e-12)


def test_the_audit_writes_periods_as_the_file_and_agrees_with_honest(tmp_path: Path) -> None:
    awkward_panel().to_csv(tmp_path / "my.csv", index=False)
    assert main(["audit", "--panel", str(tmp_path / "my.csv"), "--out", str(tmp_path), *COLUMNS, *FLAGS]) == 0
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "2012Q1" in page
    assert "80" + "48" not in page  # 2012Q1 as it is numbered inside
    panel = rp.read_panel(plain_panel(), outcome="rate", **KEYS)
    fits = every_estimator(panel, setup_of(panel))[1]
    section = honest_bounds(fits)
    assert section.table is not None
    fit = rp.estimate(plain_panel(), outcome="rate", window=[-12, 12], **KEYS)
    assert section.table["breakdown value"].iloc[0] == pytest.approx(breakdown_value(fit), abs=1e-4)
    assert [words for words in section.words if "Borusyak" in words] == [
        "Not available for Borusyak-Jaravel-Spiess: its leads have no common reference period."
    ]
