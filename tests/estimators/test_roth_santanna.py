"""The efficient estimator under random timing: formulas written out, published values, tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_panels import as_frame, draw_panel
from written_out_design import written_out

from replication.core.errors import PanelError, SpecError
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Inference, parse_spec
from replication.estimators.callaway_santanna import callaway_santanna
from replication.estimators.estimate_spec import estimate
from replication.estimators.roth_santanna import roth_santanna
from replication.estimators.roth_santanna.design_moments import Loadings, drawn_moments, estimand_moments
from replication.estimators.roth_santanna.design_weights import cohorts_of, design_weights
from replication.sources.police_training import read_police_training

FEW = Inference(draws=99)
# Sums of a few hundred products in double precision; the largest difference seen is 3e-15.
TOLERANCE = 1e-9
RAW = "policing/pj_officer_level_balanced.rda"
TYPED = Path(__file__).parents[2] / "data_raw" / "typed" / "published_roth_santanna_2023.csv"
ADOPTIONS = (
    (0, 2003, 2004, 2006, 2007),
    (2003, 2004, 2006, 2007),
    (0, 2003, 2005, 2012),
    (0, 2002, 2003, 2004, 2005, 2006, 2007, 2008),
)


def drawn(seed: int) -> Panel:
    """Panels with and without never-treated units, later adopters, and cohorts of two units."""
    adoption = ADOPTIONS[seed % len(ADOPTIONS)]
    panel = draw_panel(seed, n_units=(40, 90)[seed % 2], adoption=adoption * 2)
    if seed % 5 == 4:
        keep = panel.periods != 2005
        panel = panel.keep_periods(keep)
    return panel


def rows_of(result: object) -> dict:
    table = result.table
    event = table["event_time"].where(table["event_time"].notna(), None)
    return {
        (term, None if e is None or np.isnan(e) else int(e)): (point, std_error)
        for term, e, point, std_error in zip(
            table["term"], event, table["estimate"], table["std_error"], strict=True
        )
    }


@pytest.mark.parametrize("variance", ["adjusted", "neyman"])
@pytest.mark.parametrize("seed", range(20))
def test_equals_the_formula_written_out(seed: int, variance: str) -> None:
    panel = drawn(seed)
    compared = 0
    controls = ["not_yet_treated", "last_treated"]
    controls += ["never_treated"] if (panel.cohort == 0).any() else []
    for control in controls:
        for beta in ("efficient", 1, 0):
            result = roth_santanna(
                panel, beta=beta, control_group=control, design_variance=variance, inference=FEW
            )
            other = "adjusted" if variance == "neyman" else "neyman"
            std_errors = result.details.by_row[f"std_errors_{other}"]
            kept = panel
            if control == "last_treated":
                inside = (panel.cohort > 0) & (panel.cohort <= panel.periods[-1])
                kept = panel.keep_units(inside)
            for label, (row, pair) in zip(std_errors, rows_of(result).items(), strict=True):
                known = written_out(kept.y, kept.cohort, kept.periods, row, beta, control)
                assert pair[0] == pytest.approx(known["estimate"], abs=TOLERANCE)
                if np.isfinite(pair[1]):
                    assert pair[1] == pytest.approx(known[variance], abs=TOLERANCE)
                    assert std_errors[label] == pytest.approx(known[other], abs=TOLERANCE)
                    compared += 1
                else:
                    assert known["neyman"] < 1e-7
    assert compared > 40


@pytest.mark.parametrize("seed", range(0, 20, 3))
def test_balance_is_the_difference_before_adoption(seed: int) -> None:
    panel = drawn(seed)
    balance = roth_santanna(panel, inference=FEW).details.balance
    for line in balance.rows:
        term, _, event = line.row.partition(":")
        row = (term, int(event) if event else None)
        known = written_out(panel.y, panel.cohort, panel.periods, row, 1, "not_yet_treated")
        assert line.difference == pytest.approx(known["difference"], abs=TOLERANCE)
        assert line.std_error == pytest.approx(known["difference_error"], abs=TOLERANCE)
    assert len(balance.rows) > 5
    assert balance.wald.df <= len(balance.rows)


def test_with_beta_one_the_points_are_those_of_callaway_and_santanna() -> None:
    panel = draw_panel(11)
    ours = roth_santanna(panel, beta=1, inference=FEW)
    theirs = callaway_santanna(panel, control_group="not_yet_treated", inference=FEW)
    assert ours.att[0] == pytest.approx(theirs.att[0], abs=1e-12)
    common = theirs.rows("event").query("event_time >= 0").set_index("event_time")["estimate"]
    path = ours.rows("event").set_index("event_time")["estimate"]
    assert np.allclose(path[common.index], common, atol=1e-12)


def test_the_efficient_beta_has_the_smallest_variance() -> None:
    panel = draw_panel(12)
    std_error = {
        beta: roth_santanna(panel, beta=beta, design_variance="neyman", inference=FEW).att[1]
        for beta in ("efficient", 0, 1)
    }
    assert std_error["efficient"] < min(std_error[0], std_error[1])


@pytest.mark.parametrize("variance", ["adjusted", "neyman"])
@pytest.mark.parametrize("seed", range(20))
def test_units_treated_from_the_start(seed: int, variance: str) -> None:
    """A row that leaves them out is adjusted with the periods before the next cohort; R's g_min."""
    adoption = ((0, 2001, 2004, 2006), (0, 2001, 2003, 2006), (0, 1999, 2001, 2003, 2005))[seed % 3]
    panel = draw_panel(seed, n_units=60, adoption=adoption * 2)
    found = roth_santanna(panel, design_variance=variance, inference=FEW)
    assert any("compared in levels" in note for note in found.details.notes)
    adjusted = []
    for row, pair in rows_of(found).items():
        known = written_out(panel.y, panel.cohort, panel.periods, row, "efficient", "not_yet_treated")
        assert pair[0] == pytest.approx(known["estimate"], abs=TOLERANCE)
        if np.isfinite(pair[1]):
            assert pair[1] == pytest.approx(known[variance], abs=TOLERANCE)
        if known["adjusted"] < known["neyman"] - 1e-6:
            adjusted.append(row[1])
    assert adjusted
    assert max(adjusted) < 0


@pytest.mark.parametrize("control", ["not_yet_treated", "last_treated"])
def test_with_beta_one_units_treated_from_the_start_are_dropped(control: str) -> None:
    """R ``staggered_cs`` and ``staggered_sa``: neither is defined for them."""
    panel = draw_panel(13, n_units=60, adoption=(0, 2001, 2004, 2006) * 2)
    if control == "last_treated":
        panel = panel.keep_units(panel.cohort > 0)
    early = panel.cohort == 2001
    dropped = roth_santanna(panel, beta=1, control_group=control, inference=FEW)
    words = "are dropped because they are treated in or before the first period"
    assert f"{early.sum()} of {early.size} units" in str(dropped.details.notes)
    assert words in str(dropped.details.notes)
    without = roth_santanna(panel.keep_units(~early), beta=1, control_group=control, inference=FEW)
    pd.testing.assert_frame_equal(dropped.table, without.table)


def test_gaps_and_lone_units_are_dropped_with_their_count() -> None:
    panel = draw_panel(14, adoption=(0, 2003, 2004, 2006) * 2)
    y, cohort = panel.y.copy(), panel.cohort.copy()
    y[5, 3] = np.nan
    cohort[7] = 2007
    found = roth_santanna(replace(panel, y=y, cohort=cohort), inference=FEW)
    notes = " ".join(found.details.notes)
    assert "1 of 48 units (unit 5) is dropped because it has a gap in the outcome" in notes
    assert (
        "1 of 47 units (unit 7) is dropped because it is the only unit in its cohort, and a variance" in notes
    )
    keep = np.ones(48, dtype=bool)
    keep[[5, 7]] = False
    assert found.att == roth_santanna(panel.keep_units(keep), inference=FEW).att


def test_few_units_on_one_side_are_noted() -> None:
    panel = draw_panel(16, n_units=200)
    last = replace(panel, cohort=np.where(np.arange(200) < 13, 2008, panel.cohort))
    sides = {
        control: " ".join(roth_santanna(p, control_group=control, inference=FEW).details.notes)
        for control, p in (("not_yet_treated", panel), ("last_treated", last))
    }
    assert "13 control units" in sides["last_treated"]
    assert "treated units" not in sides["last_treated"]
    assert "relies on" not in sides["not_yet_treated"]


def test_randomization_test_is_the_share_of_permuted_statistics() -> None:
    panel = draw_panel(15)
    inference = Inference(method="permutation", draws=49, seed=3)
    found = roth_santanna(panel, window=(-2, 2), inference=inference)
    rng = np.random.default_rng(3)
    exceeds, differ = 0, 0
    labels = rows_of(found)
    observed = written_of(panel, panel.cohort)
    for _ in range(49):
        order = np.lexsort((rng.random(48), np.zeros(48)))
        t, x = written_of(panel, panel.cohort[order])
        exceeds += t >= observed[0] * (1 - 1e-9)
        differ += x >= observed[1] * (1 - 1e-9)
    assert ("att", None) in labels
    att = found.rows("att").iloc[0]
    assert att["p_value"] == pytest.approx((1 + exceeds) / 50)
    assert found.details.permutation.draws == 49
    line = found.details.balance.rows[0]
    assert line.fisher_p_value == pytest.approx((1 + differ) / 50)


def written_of(panel: Panel, cohort: np.ndarray) -> tuple[float, float]:
    known = written_out(panel.y, cohort, panel.periods, ("att", None), "efficient", "not_yet_treated")
    t = abs(known["estimate"] / known["adjusted"])
    return t, abs(known["difference"] / known["difference_error"])


def test_randomization_keeps_its_size_and_is_the_same_again() -> None:
    """Under no effect p-values are uniform: the mean of 60 has a standard deviation of 0.037."""
    rng = np.random.default_rng(5)
    p_values = []
    for seed in range(60):
        panel = replace(draw_panel(seed), y=rng.normal(size=(48, 8)).cumsum(axis=1))
        inference = Inference(method="permutation", draws=39, seed=seed)
        found = roth_santanna(panel, window=(-1, 0), inference=inference)
        p_values.append(found.rows("att")["p_value"].iloc[0])
    assert 0.5 - 4 * 0.037 < np.mean(p_values) < 0.5 + 4 * 0.037
    again = roth_santanna(panel, window=(-1, 0), inference=inference)
    pd.testing.assert_frame_equal(again.table, found.table)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"clusters": {"state": np.arange(48) // 4}}, "assigned unit by unit, but the 48 units are in"),
        ({"weighted": True}, "takes no weights"),
        ({"exposure": np.ones((48, 8))}, "treatment intensity"),
        ({"y": np.full((48, 8), 0.1)}, "the same in all 384 cells"),
    ],
)
def test_what_is_refused(changes: dict, words: str) -> None:
    with pytest.raises(PanelError, match=words):
        roth_santanna(replace(draw_panel(1), **changes), inference=FEW)


def test_never_treated_controls_need_such_units() -> None:
    panel = draw_panel(2, adoption=(2003, 2004, 2006))
    with pytest.raises(PanelError, match="last_treated"):
        roth_santanna(panel, control_group="never_treated", inference=FEW)


def test_blocks_are_refused_and_so_is_an_unknown_beta() -> None:
    inference = Inference(method="permutation", draws=9, blocks="region")
    with pytest.raises(PanelError, match="blocks"):
        roth_santanna(draw_panel(2, stratum=True), inference=inference)
    with pytest.raises(SpecError, match="efficient"):
        parse_spec({"id": "a", "outcome": "y", "estimator": "roth_santanna", "beta": 2})


def test_a_specification_reaches_the_estimator() -> None:
    panel = draw_panel(3)
    frame = as_frame(panel)
    keys = {"id": "a", "outcome": "y", "estimator": "roth_santanna", "beta": 1}
    spec = parse_spec({**keys, "control_group": "never_treated", "window": [-2, 2]})
    found = estimate(build_panel(frame, spec), spec)
    direct = roth_santanna(panel, beta=1, control_group="never_treated", window=(-2, 2), inference=FEW)
    assert found.att == pytest.approx(direct.att, abs=1e-14)
    assert found.details.base_period == -1


@pytest.fixture(scope="module")
def police(mirror: Path) -> pd.DataFrame:
    if not (mirror / RAW).is_file():
        pytest.skip(f"no {RAW} in the mirror of raw files (REPLICATION_MIRROR)")
    return read_police_training(mirror / RAW)


ESTIMATORS = {
    "efficient": {"beta": "efficient"},
    "callaway_santanna": {"beta": 1},
    "sun_abraham": {"beta": 1, "control_group": "last_treated"},
}


@pytest.mark.parametrize("published", pd.read_csv(TYPED, dtype=str).to_dict("records"))
def test_published_values(police: pd.DataFrame, published: dict) -> None:
    """Half a unit of the last printed digit, which is 5e-10 for most values."""
    keys = {"id": "a", "estimator": "roth_santanna", "unit": "uid", "time": "period"}
    keys |= {"cohort": "first_trained", "window": [-1, 6], **ESTIMATORS[published["estimator"]]}
    spec = parse_spec({**keys, "outcome": published["outcome"]})
    found = estimate(build_panel(police, spec), spec)
    term = {"simple": "att", "cohort": "group"}.get(published["estimand"], published["estimand"])
    event = None if pd.isna(published["event_time"]) else int(published["event_time"])
    row = ("event", event) if event is not None else (term, None)
    point, std_error = rows_of(found)[row]
    label = row[0] if event is None else f"event:{event}"
    for value, printed in (
        (point, published["estimate"]),
        (std_error, published["std_error"]),
        (found.details.by_row["std_errors_neyman"][label], published["std_error_neyman"]),
    ):
        decimals = len(printed.partition(".")[2])
        assert abs(value - float(printed)) <= 0.5 * 10.0**-decimals + 1e-15


def test_the_pretrend_test_is_the_wald_test_of_the_effects_before_adoption() -> None:
    """(G - q) / (q (G - 1)) b' V^-1 b over event times below -1, with N units as clusters."""
    found = roth_santanna(draw_panel(17), beta=1, window=(-4, 2), inference=FEW)
    path, variance = found.path()
    leads = (path["event_time"] < -1).to_numpy()
    point, own = path["estimate"].to_numpy()[leads], np.asarray(variance)[np.ix_(leads, leads)]
    wald = point @ np.linalg.solve(own, point)
    test = found.details.pretrend
    assert (test.df, test.df_resid) == (3, 45)
    assert test.statistic == pytest.approx(45 / (3 * 47) * wald, rel=1e-8)


def test_a_window_after_adoption_leaves_no_lead_to_test() -> None:
    test = roth_santanna(draw_panel(17), window=(0, 2), inference=FEW).details.pretrend
    assert (test.df, test.statistic) == (0, None)
    assert test.reason == "no event time before the reference is in the window"


def test_support_counts_the_cohorts_that_have_an_event_time() -> None:
    panel = draw_panel(18)
    found = roth_santanna(panel, inference=FEW)
    for one in found.details.support:
        having = [
            g for g in (2003, 2004, 2006, 2007) if panel.periods[0] <= g + one.event_time <= panel.periods[-1]
        ]
        assert (one.cohorts, one.units) == (len(having), int(np.isin(panel.cohort, having).sum()))


def sparse(seed: int) -> Panel:
    """Rare counts: in many cohorts nothing happens before the first adoption."""
    panel = drawn(seed)
    counts = np.random.default_rng(seed).poisson(0.02, panel.y.shape).astype(float)
    # One cohort at least in which something does.
    counts[panel.cohort == panel.cohort.min()] += np.random.default_rng(seed).poisson(
        0.5, counts[panel.cohort == panel.cohort.min()].shape
    )
    return replace(panel, y=counts)


@pytest.mark.parametrize("draws", [1, 60])
@pytest.mark.parametrize("shift", [0.0, 0.1, 1 / 3])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_periods_in_which_a_cohort_is_all_alike_adjust_nothing(seed: int, shift: float, draws: int) -> None:
    panel = sparse(seed)
    cohorts = cohorts_of(panel)
    weights = design_weights(cohorts, "not_yet_treated", None)
    loadings = Loadings.of(cohorts, weights)
    found = list(drawn_moments(panel.y + shift, loadings, [cohorts.codes] * draws))[-1]
    own = [panel.y[cohorts.codes == place][:, : loadings.early.depth] for place in range(cohorts.labels.size)]
    later = own[loadings.early.first :]
    assert any((part == part[:1]).all() for part in later)
    cov = [np.atleast_2d(np.cov(part.T)) for part in later]
    slope = 0.0
    for place, variance in enumerate(cov, loadings.early.first):
        y = panel.y[cohorts.codes == place]
        mixed = np.cov(y.T)[: loadings.early.depth] @ weights.outcome[:, place].T
        slope = slope + np.linalg.pinv(variance, rcond=1e-8, hermitian=True) @ mixed
    both = np.outer(loadings.early.chosen, loadings.early.chosen)
    expected = both * (slope.T @ np.mean(cov, axis=0) @ slope) / len(panel.units)
    np.testing.assert_allclose(found.adjustment, expected, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_many_assignments_together_have_the_moments_of_each_alone(seed: int) -> None:
    panel = drawn(seed)
    cohorts = cohorts_of(panel)
    loadings = Loadings.of(cohorts, design_weights(cohorts, "not_yet_treated", None))
    rng = np.random.default_rng(seed)
    codes = [rng.permutation(cohorts.codes) for _ in range(3 * cohorts.labels.size)]
    together = list(drawn_moments(panel.y, loadings, iter(codes)))
    assert len(together) == len(codes)
    for one, own in zip(together, codes, strict=True):
        alone = estimand_moments(panel.y, loadings, own)
        for name in ("level", "difference", "level_variance", "cross", "difference_variance", "adjustment"):
            np.testing.assert_allclose(getattr(one, name), getattr(alone, name), rtol=TOLERANCE, atol=1e-12)


def test_the_record_of_the_randomization_test_is_that_of_the_overall_effect() -> None:
    panel, inference = draw_panel(15), Inference(method="permutation", draws=49, seed=3)
    found = roth_santanna(panel, window=(-2, 2), inference=inference)
    record, att = found.details.permutation, found.rows("att").iloc[0]
    assert (record.estimate, record.statistic) == (att["estimate"], att["statistic"])
    larger = sum(abs(value) >= abs(att["statistic"]) * (1 - TOLERANCE) for value in record.statistics)
    assert att["p_value"] == pytest.approx((1 + larger) / 50)
    assert (len(record.estimates), record.draws_lost) == (49, 0)
