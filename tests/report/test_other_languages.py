"""Generated R, Stata and pyfixest files: those that can be run give the estimates of the package."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import replication as rp
from replication.cli import main
from replication.core.errors import SpecError
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Spec, load_specs, parse_spec
from replication.estimators.estimate_spec import estimate
from replication.report.languages import write_code
from studies.castle_doctrine.clean import clean

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference"
SPECS = ROOT / "studies" / "castle_doctrine" / "specs"
POINTS = 1e-8
"""Both solve least squares iteratively to 1e-10 or closer; Poisson stops at a deviance of 1e-12."""
ERRORS = 1e-6
"""Relative; the formulas are equal, and a variance squares the errors of the demeaned regressors."""
DIGITS = 1e-14
"""Files have 15 digits."""
HOSTILE = 'A "title" \\N{x} \\u12 /* of `x\' */ // {with} """ends"""\n* and a line\x0b'

Case = tuple[Spec, Panel]


def simulated(estimator: str, **keys: object) -> Case:
    given = {"id": f"sim_{estimator}", "outcome": "y", "estimator": estimator, "cluster": "state", **keys}
    frame = rp.simulated_panel(seed=5).assign(count=lambda rows: np.exp(rows["y"]).round())
    spec = parse_spec(given, "the test")
    return spec, build_panel(frame, spec)


@pytest.fixture(scope="module")
def castle() -> list[Case]:
    """Two-way, event-study and group-time specifications of the castle-doctrine panel."""
    panel = clean(ROOT).panels["state_year"][0]
    files = ("effects_by_year", "effects_by_region", "event_study", "group_time")
    specs = [spec for name in files for spec in load_specs(SPECS / f"{name}.yaml")]
    return [(spec, build_panel(panel, spec)) for spec in specs if spec.outcome == "log_homicide"]


@pytest.fixture(scope="module")
def made() -> list[Case]:
    """The simulated panel, with weights, covariates, bins and counts."""
    return [
        simulated("twfe", weights="size"),
        simulated("event_study", window=[-3, 3]),
        simulated("event_study", id="sim_dropped", window=[-3, 3], endpoints="drop", anticipation=1),
        simulated("twfe", id="sim_trends", trends=["unit_linear"], cluster="unit"),
        simulated("poisson", outcome="count"),
        simulated("callaway_santanna", weights="size", control_group="never_treated"),
        simulated("sun_abraham"),
        simulated("imputation"),
        simulated("two_stage"),
    ]


@pytest.fixture(scope="module")
def written(castle: list[Case], made: list[Case], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both panels in one folder, below a hostile title."""
    folder = tmp_path_factory.mktemp("code")
    write_code(folder, HOSTILE, [*castle, *made])
    return folder


def expected_rows(case: Case) -> pd.DataFrame:
    """Treatment effect, or path without the reference, with the names that pyfixest gives."""
    table = estimate(case[1], case[0]).table
    if case[0].estimator != "event_study":
        return table[table["term"] == "att"].assign(name="treatment")
    path = table[(table["term"] == "event") & table["std_error"].notna() & table["event_time"].notna()]
    return path.assign(name=[f"event_time::{int(time)}" for time in path["event_time"]])


def held(found: pd.DataFrame, case: Case, errors: float) -> None:
    """Every expected row is found once, with its estimate and its standard error."""
    found = found[found["spec_id"] == case[0].id].set_index("term")
    rows = expected_rows(case).set_index("name")
    assert set(found.index) >= set(rows.index)
    assert found.index.is_unique
    assert len(rows) > 0
    np.testing.assert_allclose(found.loc[rows.index, "estimate"], rows["estimate"], rtol=0, atol=POINTS)
    np.testing.assert_allclose(found.loc[rows.index, "std_error"], rows["std_error"], rtol=errors)


def test_the_pyfixest_file_gives_the_estimates(written: Path, castle: list[Case], made: list[Case]) -> None:
    command = [sys.executable, "run_pyfixest.py"]
    done = subprocess.run(command, cwd=written, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(written / "results_pyfixest.csv")
    regressions = [
        case for case in [*castle, *made] if case[0].estimator in ("twfe", "event_study", "poisson")
    ]
    assert set(found["spec_id"]) == {spec.id for spec, _ in regressions}
    for case in regressions:
        # Effects of strata and trends count for other numbers of parameters; NOTES.md reports it.
        held(found, case, 0.1 if case[0].trends else ERRORS)


def rscript(*arguments: str) -> str:
    """Output of R, or a test that is reported as not run."""
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R is not installed")
    packages = (
        'stopifnot(all(sapply(c("plm", "estimatr", "clubSandwich"), requireNamespace, quietly = TRUE)))'
    )
    if subprocess.run([program, "-e", packages], capture_output=True, check=False).returncode:
        pytest.skip("R has no plm, estimatr or clubSandwich")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def factor(n: float, k: float, clusters: int) -> float:
    """Correction of a clustered variance."""
    return clusters / (clusters - 1) * (n - 1) / (n - k)


def test_the_r_file_runs_with_feols_by_estimatr(castle: list[Case], made: list[Case], tmp_path: Path) -> None:
    cases = [case for case in [*castle, *made[:2]] if case[0].estimator in ("twfe", "event_study")]
    cases = [case for case in cases if not case[0].trends]
    write_code(tmp_path, HOSTILE, cases)
    rscript(str(REFERENCE / "shim_fixest.R"), str(tmp_path))
    found = pd.read_csv(tmp_path / "results_r.csv")
    assert set(found["spec_id"]) == {spec.id for spec, _ in cases}
    for spec, panel in cases:
        rows = found["spec_id"] == spec.id
        n = len(pd.read_csv(tmp_path / "data" / f"{spec.id}.csv"))
        clusters = next(iter(panel.clusters.values())).max() + 1
        # Units are nested in the clusters, so that K is here the slopes and one effect per period; estimatr
        # counts one effect per unit too.
        ours = rows.sum() + panel.periods.size
        theirs = ours + panel.units.size - 1
        found.loc[rows, "std_error"] *= np.sqrt(factor(n, ours, clusters) / factor(n, theirs, clusters))
        held(found, (spec, panel), ERRORS)


def test_plm_and_club_sandwich_agree_on_the_exported_rows(tmp_path: Path) -> None:
    chosen, panel = simulated("twfe")
    write_code(tmp_path, "Simulated", [(chosen, panel)])
    data = tmp_path / "data" / f"{chosen.id}.csv"
    point, error = map(float, rscript(str(REFERENCE / "two_way.R"), str(data), "y", "cluster_state").split())
    fit = estimate(panel, chosen)
    q = factor(panel.y.size, 1 + panel.periods.size, 20)
    assert point == pytest.approx(fit.att[0], abs=POINTS)
    assert error * np.sqrt(q) == pytest.approx(fit.att[1], rel=ERRORS)


def test_r_parses_the_whole_file(written: Path) -> None:
    rscript("-e", f'stopifnot(length(parse("{written / "run_r.R"}")) > 20)')


def code_of(path: Path, comment: str) -> list[str]:
    """Lines of code, without comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith(comment)]


def unquoted(text: str) -> str:
    return re.sub(r'"[^"\n]*"', '""', text)


@pytest.mark.parametrize(("name", "comment"), [("run_r.R", "#"), ("run_stata.do", "*")])
def test_brackets_and_quotes_are_balanced(written: Path, name: str, comment: str) -> None:
    text = unquoted("\n".join(code_of(written / name, comment)))
    assert text.count('"') % 2 == 0
    for first, last in ("()", "[]", "{}"):
        assert text.count(first) == text.count(last) > 0
    if name.endswith(".do"):
        assert all(line.count("(") == line.count(")") for line in text.splitlines())


def test_columns_that_the_files_read_are_exported(
    written: Path, castle: list[Case], made: list[Case]
) -> None:
    blocks = re.split(r"(?m)^import delimited ", (written / "run_stata.do").read_text())[1:]
    assert len(blocks) == len([*castle, *made])
    for block in blocks:
        columns = set(pd.read_csv(written / re.match('"([^"]+)"', block)[1], nrows=1).columns)
        named = re.findall(r"\b(?:cluster|vce|ivar|time|gvar|offset|absorb)\(([^()]*)\)", block)
        words = {word for text in named for word in re.split(r"[\s#]+|[ic]\.", text)} - {"", "cluster"}
        assert words
        assert words <= columns


def line_of(path: Path, spec_id: str, start: str) -> str:
    """The command that starts so after the data of a specification are read, on one line."""
    block = path.read_text().split(f"data/{spec_id}.csv", 1)[1]
    block = re.split(r"import delimited|read\.csv", block)[0]
    found = re.search(rf"(?ms)^{re.escape(start)}.*?\)$", block)
    assert found, block
    return " ".join(found[0].split())


def test_options_of_fixest_and_did(written: Path) -> None:
    file = written / "run_r.R"
    assert line_of(file, "castle_year__log_homicide", "fit <- feols") == (
        "fit <- feols(log_homicide ~ treatment | unit + time, data, cluster = ~cluster_state_fips, "
        "weights = ~weight, fixef.tol = 1e-10)"
    )
    assert "| unit + stratum_region^time" in line_of(file, "castle_region__log_homicide", "fit <- feols")
    assert "i(event_time, ref = -2) | unit + time" in line_of(file, "sim_dropped", "fit <- feols")
    assert "unit + time + unit[[time]]" in line_of(file, "sim_trends", "fit <- feols")
    assert "sunab(first_treated, time, ref.p = -1)" in line_of(file, "sim_sun_abraham", "fit <- feols")
    assert "cluster = ~cluster_state, glm.tol" in line_of(file, "sim_poisson", "fit <- fepois")
    groups = line_of(file, "sim_callaway_santanna", "fit <- att_gt")
    for option in (
        'gname = "first_treated"',
        'control_group = "nevertreated"',
        'base_period = "universal"',
        'est_method = "dr"',
        'weightsname = "weight"',
        'clustervars = "cluster_state"',
    ):
        assert option in groups
    analytic = line_of(file, "castle_group_time__log_homicide__none", "fit <- att_gt")
    assert "bstrap = FALSE, cband = FALSE" in analytic
    assert "weightsname" not in analytic


def test_options_of_reghdfe_and_csdid(written: Path) -> None:
    file = written / "run_stata.do"
    assert line_of(file, "castle_year__log_homicide", "reghdfe") == (
        "reghdfe log_homicide treatment [aw = weight], absorb(unit time) vce(cluster cluster_state_fips)"
    )
    assert "absorb(unit i.stratum_region#i.time)" in line_of(file, "castle_region__log_homicide", "reghdfe")
    assert "absorb(unit time i.unit#c.time)" in line_of(file, "sim_trends", "reghdfe")
    assert line_of(file, "sim_poisson", "ppmlhdfe").startswith("ppmlhdfe count treatment, absorb(unit time)")
    groups = line_of(file, "sim_callaway_santanna", "csdid")
    assert groups.startswith("csdid y [weight = weight], ivar(unit) time(time) gvar(first_treated)")
    assert groups.endswith("method(dripw) long2 cluster(cluster_state)")
    assert "notyet" not in groups
    later = write_code_of(
        simulated("callaway_santanna", control_group="not_yet_treated"), file.parent / "later"
    )
    assert " notyet" in line_of(later / "run_stata.do", "sim_callaway_santanna", "csdid")
    assert 'control_group = "notyettreated"' in line_of(
        later / "run_r.R", "sim_callaway_santanna", "fit <- att_gt"
    )


def write_code_of(case: Case, folder: Path) -> Path:
    write_code(folder, "One", [case])
    return folder


def test_a_hostile_title_stays_in_its_comment(written: Path) -> None:
    assert ast.get_docstring(ast.parse((written / "run_pyfixest.py").read_text())) is not None
    first = (written / "run_stata.do").read_text().splitlines()
    assert first[0].startswith("* A title N{x} u12")
    installs = [line for line in first if line.startswith("* ssc install")]
    assert installs == first[1 : 1 + len(installs)]
    assert installs
    assert all(len(line.split()) == 4 for line in installs), "Stata installs one package per line."
    assert not re.search(r"/\*|//|\*/|`|\\|\"", first[0])
    assert (written / "run_r.R").read_text().splitlines()[1].startswith("# install.packages")


def test_the_exported_rows_are_the_estimation_sample(written: Path, made: list[Case]) -> None:
    rows = pd.read_csv(written / "data" / "sim_event_study.csv")
    frame = rp.simulated_panel(seed=5)
    assert len(rows) == len(frame)
    np.testing.assert_allclose(np.sort(rows["y"]), np.sort(frame["y"]), rtol=DIGITS)
    assert set(rows["event_time"]) == set(range(-3, 4))
    assert (rows.loc[rows["first_treated"] == 0, "event_time"] == -1).all()
    assert set(pd.read_csv(written / "data" / "sim_dropped.csv")["event_time"]) == set(range(-3, 4))


@pytest.mark.parametrize(
    ("estimator", "keys", "reason"),
    [
        ("dcdh", {}, "dcdh has no exact counterpart"),
        (
            "callaway_santanna",
            {"trends": ["unit_linear"]},
            "trends are removed by a procedure of this package",
        ),
        ("callaway_santanna", {"control_group": "last_treated"}, "its control group is the last cohort"),
        ("imputation", {"anticipation": 1}, "it anticipates the treatment"),
        ("twfe", {"covariates": ["size_by_time"]}, "the column 'size_by_time:2' has a name"),
        ("twfe", {"cluster": "my state"}, "the column 'cluster_my state' has a name"),
        ("twfe", {"outcome": "time_"}, ""),
        ("twfe", {"outcome": "if"}, "the column 'if' has a name"),
        ("twfe", {"outcome": "weight"}, "the column 'weight' has a name"),
        ("twfe", {"outcome": "y" * 33}, "the column 'yyy"),
    ],
)
def test_refusals(estimator: str, keys: dict[str, object], reason: str, tmp_path: Path) -> None:
    given = {"id": "one", "outcome": "y", "estimator": estimator, **keys}
    frame = rp.simulated_panel(seed=5)
    frame["my state"] = frame["state"]
    frame[given["outcome"]] = frame["y"]
    spec = parse_spec(given, "the test")
    case = spec, build_panel(frame, spec)
    if not reason:
        assert len(write_code(tmp_path, "One", [case])) == 5
        return
    with pytest.raises(SpecError, match=re.escape(reason)):
        write_code(tmp_path, "One", [case])
    assert list(tmp_path.iterdir()) == []
    write_code(tmp_path, "Two", [case, simulated("twfe")])
    assert f"* one: {reason}" in (tmp_path / "NOTES.md").read_text()
    assert not (tmp_path / "data" / "one.csv").exists()


def test_notes_name_what_differs(tmp_path: Path) -> None:
    case = simulated("twfe")
    other = replace(case[0], id="wild", inference=replace(case[0].inference, method="wild"))
    write_code(tmp_path, "Two", [case, (other, case[1])], {case[0].id: (0.123456789, 0.01)})
    notes = (tmp_path / "NOTES.md").read_text()
    assert "| sim_twfe | twfe | 0.12345679 | 0.01 |  |" in notes
    assert "| wild | twfe |  |  | standard errors here are wild, cv1; the file clusters (CV1) |" in notes
    for name, mark in (("run_r.R", "#"), ("run_stata.do", "*"), ("run_pyfixest.py", "#")):
        assert f"{mark} sim_twfe: replication has 0.12345679 (0.01)" in (tmp_path / name).read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["castle"], "castle"),
        (["castle_doctrine", "--table", "homicid"], "did you mean 'homicide'"),
        (["castle_doctrine", "--table", "homicide"], "has not been cleaned yet. Run `replication run --only"),
    ],
)
def test_the_command_refuses_in_one_paragraph(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    shutil.copy(ROOT / "Snakefile", tmp_path)
    monkeypatch.setenv("REPLICATION_ROOT", str(tmp_path))
    assert main(["export-code", *arguments, "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "out").exists()
