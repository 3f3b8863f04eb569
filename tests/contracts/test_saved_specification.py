"""The specification inside a saved result is one that can be estimated again."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import replication as rp
from replication.cli import main
from replication.core import saved_results
from replication.core.spec import Inference, Spec, load_specs


@pytest.mark.parametrize(
    "spec",
    [
        Spec("a", "y", "callaway_santanna"),
        Spec("a", "y", "ols", fixed_effects=()),
        Spec(
            *("a", "y", "twfe"),
            cluster=("state",),
            never=(9,),
            trends=("unit_linear",),
            window=(-1, 2),
            inference=Inference(method="conley", coordinates=("north", "east")),
        ),
    ],
)
def test_a_saved_specification_is_read_as_it_was(spec: Spec, tmp_path: Path) -> None:
    fit = rp.estimate(rp.simulated_panel(seed=1), outcome="y", estimator="twfe")
    saved_results.save(fit, spec, tmp_path)
    assert load_specs(tmp_path / "spec.yaml") == [spec]


def test_the_copy_of_a_record_counts_only_beside_the_text_that_it_was_written_with(tmp_path: Path) -> None:
    fit = rp.estimate(rp.simulated_panel(seed=1), outcome="y", estimator="event_study", cluster="state")
    saved_results.save(fit, Spec("a", "y", "event_study"), tmp_path, "fingerprint")
    copy, record = tmp_path / saved_results.COPY, tmp_path / "spec.yaml"
    stored = json.loads(copy.read_text())
    by_copy = saved_results.load_record(tmp_path)
    assert by_copy[0] == stored["record"]
    # A copy that is read in place of the text would show.
    stored["record"]["spec"]["title"] = "of the copy"
    copy.write_text(json.dumps(stored))
    assert saved_results.load_record(tmp_path)[0]["spec"]["title"] == "of the copy"
    record.write_text(record.read_text().replace("title: null", "title: of the text"))
    assert saved_results.load_record(tmp_path)[0]["spec"]["title"] == "of the text"
    record.write_text(record.read_text().replace("title: of the text", "title: null"))
    for damaged in ("", "[]", "{", '{"sha256": 1}', "[" * 100_000):
        copy.write_text(damaged)
        found = saved_results.load_record(tmp_path)
        assert (repr(found[0]), found[1]) == (repr(by_copy[0]), by_copy[1])


def test_an_estimate_of_ones_own_has_no_copy(tmp_path: Path) -> None:
    fit = rp.estimate(rp.simulated_panel(seed=1), outcome="y", estimator="twfe")
    saved_results.save(fit, Spec("a", "y", "twfe"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(saved_results.FILES)


def test_a_saved_result_is_estimated_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rp.simulated_panel(seed=1).to_csv(tmp_path / "panel.csv", index=False)
    panel = ["--panel", str(tmp_path / "panel.csv"), "--numbers-only"]
    first, again, other = (str(tmp_path / name) for name in ("first", "again", "other"))
    given = ["--outcome", "y", "--cluster", "state", "--set", "anticipation=1"]
    assert main(["estimate", *panel, *given, "--out", first]) == 0
    assert main(["estimate", f"{first}/spec.yaml", *panel, "--out", again]) == 0
    tables = [pd.read_csv(Path(folder) / "estimates.csv") for folder in (first, again)]
    pd.testing.assert_frame_equal(*tables)
    assert main(["estimate", f"{first}/spec.yaml", *panel, "--estimator", "twfe", "--out", other]) == 0
    capsys.readouterr()
    assert main(["explain", f"{first}/spec.yaml"]) == 0
    assert "anticipation: 1" in capsys.readouterr().out


def test_only_needs_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rp.simulated_panel(seed=1).to_csv(tmp_path / "panel.csv", index=False)
    call = ["estimate", "--panel", str(tmp_path / "panel.csv"), "--outcome", "y", "--only", "foo"]
    assert main([*call, "--out", str(tmp_path / "out")]) == 2
    assert "no file is named. Leave it out, or name the file" in capsys.readouterr().err
