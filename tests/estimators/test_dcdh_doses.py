"""Treatment that falls, returns and has a dose: against moderndid 0.4.1, diff-diff, and formulas."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import diff_diff
import numpy as np
import pandas as pd
import pytest
from dosed_panels import BINARY, CASES, EFFECTS, PLACEBOS, draw_doses
from drawn_panels import as_frame, draw_panel

import replication as rp
from replication.cli import main
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import row_labels
from replication.core.panel_builder import build_panel
from replication.core.spec import parse_spec
from replication.estimators.dcdh import dcdh
from replication.estimators.dcdh.control_slopes import control_slopes
from replication.estimators.dcdh.switcher_comparisons import did, layout_of
from replication.estimators.dcdh.treatment_paths import switching_panel

REFERENCE = pd.read_csv(Path(__file__).parents[1] / "reference" / "dcdh_moderndid.csv").set_index(
    ["seed", "row"]
)
ROUNDING = 1e-12
"""The reference values have 15 digits; sums are taken in another order."""


def estimate(frame: pd.DataFrame, **keys):
    return rp.estimate(frame, outcome="y", estimator="dcdh", treatment="d", **{"window": [-3, 3], **keys})


def values(found) -> pd.DataFrame:
    table = found.table
    return table.set_index(pd.Index(row_labels(table)))[["estimate", "std_error"]]


def panel_of(frame: pd.DataFrame, **keys):
    spec = {"id": "s", "outcome": "y", "estimator": "dcdh", "treatment": "d", **keys}
    return build_panel(frame, parse_spec(spec))


@pytest.mark.parametrize("seed", CASES)
def test_effects_placebos_and_total_equal_moderndid(seed: int) -> None:
    draw, keys = CASES[seed]
    found = estimate(draw_doses(seed, **draw), **keys)
    ours, theirs = values(found), REFERENCE.loc[seed].drop("joint", errors="ignore")
    both = theirs.index
    assert len(both) >= 6
    # Placebos of length 3 are not asked of the peer.
    assert set(both) == set(ours.index) - {"event:-4"} - {f"event:{-1 - k}" for k in range(PLACEBOS + 1, 9)}
    assert ours.loc[both, "estimate"].to_numpy() == pytest.approx(theirs["estimate"].to_numpy(), abs=ROUNDING)
    units = {f"event:{one.event_time}": one.units for one in found.details.support}
    assert [units[row] for row in both if row != "att"] == theirs["switchers"].dropna().tolist()
    if "covariates" not in keys:
        assert ours.loc[both, "std_error"].to_numpy() == pytest.approx(
            theirs["std_error"].to_numpy(), rel=ROUNDING
        )


@pytest.mark.parametrize("seed", [seed for seed in CASES if (seed, "joint") in REFERENCE.index])
def test_the_wald_statistic_of_all_placebos_equals_moderndid(seed: int) -> None:
    """From the same covariance; the p-value here is that of Hotelling's F with its clusters."""
    draw, keys = CASES[seed]
    found = estimate(draw_doses(seed, **draw), **keys)
    leads = [f"event:{-1 - k}" for k in range(1, PLACEBOS + 1)]
    path = values(found).loc[leads, "estimate"].to_numpy()
    wald = path @ np.linalg.solve(found.vcov.loc[leads, leads].to_numpy(), path)
    if "covariates" not in keys:
        assert wald == pytest.approx(REFERENCE.loc[(seed, "joint"), "estimate"], rel=1e-9)
    test = found.details.pretrend
    assert (test.df, test.df_resid) == (PLACEBOS, found.table["n_clusters"][0] - PLACEBOS)
    assert test.statistic == pytest.approx(wald * test.df_resid / (PLACEBOS * (test.df_resid + PLACEBOS - 1)))


@pytest.mark.parametrize("seed", [seed for seed, (_, keys) in CASES.items() if "covariates" in keys])
def test_errors_with_covariates_are_those_of_moderndid_centered(seed: int) -> None:
    """The peer adds (DID without covariates - DID with) / G to the score of each of G units.

    Scores of the slopes have mean zero; the constant is what an outcome in place of a residual
    would have cancelled. Without it the standard error is that of repeated samples.
    """
    draw, keys = CASES[seed]
    frame = draw_doses(seed, **draw)
    panel = panel_of(frame, **keys)
    raw = values(estimate(frame, **{key: value for key, value in keys.items() if key != "covariates"}))
    with_them = values(estimate(frame, **keys))
    panel, grid, paths = switching_panel(panel, None)
    y, slopes = control_slopes(panel, grid, paths)
    layout = layout_of(panel, replace(grid, y=np.nan_to_num(y)), paths, "all")
    for step in range(EFFECTS):
        effect = did(layout, step)
        assert effect is not None
        scores = effect.scores - np.einsum("nk,nk->n", slopes, effect.gradient[paths.group])
        row, theirs = f"event:{step}", REFERENCE.loc[(seed, f"event:{step}")]
        assert with_them.loc[row, "std_error"] == pytest.approx(np.sqrt(scores @ scores), rel=ROUNDING)
        shift = (raw.loc[row, "estimate"] - with_them.loc[row, "estimate"]) / theirs["units"]
        assert np.sqrt(((scores + shift) ** 2).sum()) == pytest.approx(theirs["std_error"], rel=ROUNDING)


def uncrossed(frame: pd.DataFrame) -> pd.DataFrame:
    """Units never above and below their first dose: diff-diff drops or keeps the others whole."""
    first = frame.groupby("unit")["d"].transform("first")
    moved = np.sign(frame["d"] - first).groupby(frame["unit"])
    return frame[(moved.transform("max") - moved.transform("min")) < 2]


@pytest.mark.parametrize("covariates", [[], ["x1", "x2"]])
@pytest.mark.parametrize("seed", range(30, 40))
def test_points_equal_diff_diff(seed: int, covariates: list[str]) -> None:
    """Its errors are smaller: it centers cohorts without the factor n/(n-1), so that one unit has none."""
    frame = uncrossed(draw_doses(seed, **({"levels": BINARY} if seed % 2 else {"n_units": 90})))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = diff_diff.ChaisemartinDHaultfoeuille(drop_larger_lower=False, twfe_diagnostic=False).fit(
            frame, outcome="y", group="unit", time="time", treatment="d", L_max=4, controls=covariates or None
        )
    keys = {"window": None, **({"covariates": covariates} if covariates else {})}
    ours = values(estimate(frame, **keys))["estimate"]
    per_unit = values(estimate(frame, **keys, normalized=True))["estimate"]
    for length, effect in theirs.event_study_effects.items():
        if length > 0:
            assert ours[f"event:{length - 1}"] == pytest.approx(effect["effect"], abs=ROUNDING)
    for length, effect in theirs.normalized_effects.items():
        assert per_unit[f"event:{length - 1}"] == pytest.approx(effect["effect"], abs=ROUNDING)
    for length, effect in theirs.placebo_event_study.items():
        if np.isfinite(effect["effect"]):
            assert ours[f"event:{-1 - abs(length)}"] == pytest.approx(effect["effect"], abs=ROUNDING)


def written_out(frame: pd.DataFrame, length: int) -> tuple[float, float, float]:
    """DID_l, its summed change of treatment and its change in the period, by loops over units."""
    y, d = (frame.pivot(index="unit", columns="time", values=name).to_numpy() for name in ("y", "d"))
    effects, summed, last = [], [], []
    first = [next((t for t in range(d.shape[1]) if row[t] != row[0]), d.shape[1]) for row in d]
    for i, start in enumerate(first):
        end = start - 1 + length
        if end >= d.shape[1]:
            continue
        path = d[i, : end + 1] - d[i, 0]
        if path.max() > 0 > path.min():
            continue
        controls = [j for j, later in enumerate(first) if d[j, 0] == d[i, 0] and later > end]
        if not controls:
            continue
        sign = 1 if d[i, start] > d[i, 0] else -1
        change = y[i, end] - y[i, start - 1] - np.mean([y[j, end] - y[j, start - 1] for j in controls])
        effects.append(sign * change)
        summed.append(sign * path.sum())
        last.append(sign * path[-1])
    return float(np.sum(effects)), float(np.sum(summed)), float(np.sum(last))


def test_the_formula_written_out() -> None:
    frame = draw_doses(50)
    parts = np.array([written_out(frame, length) for length in range(1, 5)])
    ours, per_unit = values(estimate(frame)), values(estimate(frame, normalized=True))
    assert per_unit["estimate"][[f"event:{e}" for e in range(4)]].to_numpy() == pytest.approx(
        parts[:, 0] / parts[:, 1], rel=1e-12
    )
    assert ours.loc["att", "estimate"] == pytest.approx(parts[:, 0].sum() / parts[:, 2].sum(), rel=1e-12)
    assert per_unit.loc["att"].tolist() == ours.loc["att"].tolist()
    changes = estimate(frame).details.by_row
    summed, in_period = changes["treatment_change_summed"], changes["treatment_change_in_period"]
    assert summed["event:0"] == in_period["event:0"] < summed["event:3"]


@pytest.mark.parametrize("covariates", [[], ["x1", "x2"]])
@pytest.mark.parametrize("seed", range(3))
def test_an_absorbing_binary_column_gives_what_its_cohorts_give(seed: int, covariates: list[str]) -> None:
    frame = as_frame(draw_panel(seed))
    frame[["x1", "x2"]] = np.random.default_rng(seed).normal(size=(len(frame), 2))
    keys = {"outcome": "y", "estimator": "dcdh", "covariates": covariates}
    by_column = rp.estimate(frame.drop(columns="cohort"), treatment="d", **keys)
    by_cohort = rp.estimate(frame, **keys)
    assert values(by_column).to_numpy() == pytest.approx(values(by_cohort).to_numpy(), abs=1e-13)
    per_period = values(rp.estimate(frame, normalized=True, **keys))
    assert per_period.loc["event:2"].to_numpy() == pytest.approx(
        values(by_cohort).loc["event:2"].to_numpy() / 3
    )
    assert per_period.loc["att"].tolist() == values(by_cohort).loc["att"].tolist()


def test_bins_of_the_first_treatment_equal_a_recoded_dose() -> None:
    """Continuous doses: comparisons need the bin, the date and the direction of the change only."""
    frame = draw_doses(60, n_units=150)
    first = frame.groupby("unit")["d"].transform("first")
    place = (
        frame["unit"]
        .where(frame["time"] == 2001)
        .groupby(first)
        .rank()
        .groupby(frame["unit"])
        .transform("max")
    )
    frame, first = frame[place <= 60], first[place <= 60]
    noise = pd.Series(np.random.default_rng(60).uniform(0, 0.4, 150))
    continuous = frame.assign(d=np.where(frame["d"] == first, 0, 5 * (frame["d"] - first)) + first)
    continuous["d"] += frame["unit"].map(noise)
    with pytest.raises(PanelError, match=r"stable control.*120 different values.*'baseline_bins'"):
        estimate(continuous)
    ours, theirs = values(estimate(continuous, baseline_bins=2)), values(estimate(frame))
    events = [row for row in theirs.index if row != "att"]
    assert ours.loc[events, "estimate"].to_numpy() == pytest.approx(theirs.loc[events, "estimate"].to_numpy())


def test_rows_without_outcome_date_a_change() -> None:
    frame = draw_doses(61, levels=BINARY)
    first = frame.groupby("unit")["d"].transform("first")
    changed = frame[frame["d"] != first].groupby("unit")["time"].min()
    unit = int(changed[(changed > 2002) & (changed < 2007)].index[0])
    at = (frame["unit"] == unit) & (frame["time"] == changed[unit])
    before = (frame["unit"] == unit) & (frame["time"] == changed[unit] - 1)
    support = {}
    for name, edited in (
        ("all", frame),
        ("no outcome", frame.assign(y=frame["y"].mask(at))),
        ("no row", frame[~at]),
        ("no row before", frame[~before]),
    ):
        found = estimate(edited)
        support[name] = [one.units for one in found.details.support if one.event_time in (0, 1)]
    assert support["no outcome"] == [support["all"][0] - 1, support["all"][1]]
    assert support["no row"] == [n - 1 for n in support["all"]]
    assert any("changes after a gap" in note for note in found.notes)


def test_permuted_treatment_takes_its_doses_along() -> None:
    panel = panel_of(draw_doses(62, levels=BINARY))
    order = np.random.default_rng(1).permutation(len(panel.units))
    moved = panel.reassigned(order)
    assert (moved.doses == panel.doses[order]).all()
    found = rp.estimate(
        draw_doses(62, levels=BINARY),
        outcome="y",
        estimator="dcdh",
        treatment="d",
        window=[0, 0],
        inference={"method": "permutation", "draws": 19},
    )
    assert 0.05 <= found.table["p_value"][0] <= 1


@pytest.mark.parametrize(
    ("edit", "keys", "words"),
    [
        (lambda frame: frame.assign(d=1.0), {}, "is constant within all 60 units"),
        (
            lambda frame: frame.assign(d=frame["d"].where(frame.index != 9)),
            {},
            "1 of 480 values of column 'd' is missing",
        ),
        (lambda frame: frame.assign(d="high"), {}, "Column 'd' is text and contains no number: 'high'"),
        (
            lambda frame: frame.assign(x1=frame["unit"] % 7),
            {"covariates": ["x1"]},
            "covariate 'x1' are zero or collinear",
        ),
        (
            lambda frame: frame.assign(x2=2 * frame["x1"]),
            {"covariates": ["x1", "x2"]},
            "covariate 'x2' are zero or collinear",
        ),
        (lambda frame: frame, {"window": [40, 50]}, r"in the window \[40, 50\]: no period has"),
    ],
)
def test_wrong_treatment_columns_are_refused(edit, keys, words) -> None:
    with pytest.raises(PanelError, match=words) as error:
        estimate(edit(draw_doses(70)), **keys)
    assert "\n" not in str(error.value)


def test_a_dose_is_refused_by_estimators_that_cannot_use_it() -> None:
    for name in ("callaway_santanna", "imputation", "stacked", "synthetic_did"):
        with pytest.raises((SpecError, PanelError), match="dcdh"):
            rp.estimate(
                draw_doses(71), outcome="y", estimator=name, treatment="d", reversals="allow", cohort="none"
            )


@pytest.mark.parametrize("method", ["conley_taber", "ferman_pinto"])
def test_placebos_of_untreated_clusters_are_refused_with_a_dose(method: str) -> None:
    with pytest.raises(SpecError, match=r"units without treatment.*permutation"):
        estimate(draw_doses(74), inference={"method": method})


def test_every_choice_is_listed_where_the_key_is_wrong() -> None:
    with pytest.raises(SpecError, match=r"all.*in.*out"):
        estimate(draw_doses(72), switchers="both")


def test_a_read_panel_may_be_handed_over() -> None:
    frame = draw_doses(73)
    panel = rp.read_panel(frame, outcome="y", treatment="d", reversals="allow")
    assert rp.dcdh(panel, window=(-3, 3)).att == estimate(frame).att
    assert dcdh(panel, window=(-3, 3)).att == estimate(frame).att


def test_a_specification_file_gives_the_same_from_the_command_line(tmp_path: Path) -> None:
    """The example of a specification with a dose."""
    frame = draw_doses(75)
    frame.to_csv(tmp_path / "panel.csv", index=False)
    (tmp_path / "spec.yaml").write_text(
        "id: doses\n"
        "outcome: y\n"
        "estimator: dcdh\n"
        "treatment: d          # any numbers: it may rise, fall and return\n"
        "normalized: true      # effects per unit of treatment\n"
        "switchers: in         # units whose treatment first rises\n"
        "window: [-3, 3]\n"
        "covariates: [x1, x2]  # in first differences\n"
    )
    arguments = ["estimate", str(tmp_path / "spec.yaml"), "--panel", str(tmp_path / "panel.csv")]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    written = pd.read_csv(tmp_path / "out" / "estimates.csv")
    found = estimate(frame, normalized=True, switchers="in", covariates=["x1", "x2"])
    assert written["estimate"].to_numpy() == pytest.approx(found.table["estimate"].to_numpy(), rel=1e-9)
    assert found.details.by_row.keys() == {"treatment_change_summed", "treatment_change_in_period"}


def test_the_command_refuses_a_dose_without_stable_controls(tmp_path: Path, capsys) -> None:
    frame = draw_doses(76)
    frame.assign(d=frame["d"] + frame["unit"] / 100).to_csv(tmp_path / "panel.csv", index=False)
    (tmp_path / "spec.yaml").write_text("id: s\noutcome: y\nestimator: dcdh\ntreatment: d\n")
    arguments = ["estimate", str(tmp_path / "spec.yaml"), "--panel", str(tmp_path / "panel.csv")]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert "stable control" in message
    assert "Traceback" not in message
    assert not (tmp_path / "out").exists()


def test_units_in_no_effect_are_counted_and_those_in_one_are_not() -> None:
    """Two units rise right after a gap: their date of change is unknown; the others rise in 3 or 4."""
    rng = np.random.default_rng(12)
    start = np.array([0] * 8 + [3] * 6 + [4] * 6)
    time = np.arange(1, 7)
    d = ((start[:, None] > 0) & (time >= start[:, None])).astype(float)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(20), 6),
            "time": np.tile(time, 20),
            "d": d.ravel(),
            "y": rng.normal(size=120) + d.ravel(),
        }
    )
    whole = estimate(frame, window=[-1, 1])
    assert not any("treatment changes" in note for note in whole.details.notes)
    gap = frame[~(frame["unit"].isin([8, 9]) & (frame["time"] == 2))]
    found = estimate(gap, window=[-1, 1])
    (note,) = (note for note in found.details.notes if "treatment changes" in note)
    assert note.startswith("2 units whose treatment changes, for example unit 8, are excluded")
