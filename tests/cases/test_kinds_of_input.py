"""The kinds behind the cases, in every estimator and for every column they may stand in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from replication.core.errors import InputError, PanelError, SpecError
from replication.core.frames import read_frame
from replication.core.panel_builder import build_panel
from replication.core.spec import parse_spec
from replication.core.spec_grid import expand
from replication.estimators.estimate_spec import ENTRIES, estimate

GENERAL = [name for name, entry in ENTRIES.items() if not entry.needs]
"""Estimators that run without a column of their own."""
PERIODS = 9
COHORT_ESTIMATORS = [
    "callaway_santanna",
    "sun_abraham",
    "imputation",
    "two_stage",
    "etwfe",
    "stacked",
    "local_projections",
    "dcdh",
]


def frame(seed: int = 5, units: int = 40) -> pd.DataFrame:
    """Units 0 to 39 over periods 1 to 9; cohorts 4, 5, 7, and empty for never."""
    rng = np.random.default_rng(seed)
    cohort = rng.choice([4.0, 5.0, 7.0, np.nan], units, p=[0.2, 0.2, 0.2, 0.4])
    unit = np.repeat(np.arange(units), PERIODS)
    time = np.tile(np.arange(1, PERIODS + 1), units)
    effect = np.where(time >= cohort[unit], 1.0 + (time - np.nan_to_num(cohort[unit])) / 2, 0.0)
    noise = rng.normal(size=(2, unit.size))
    count = rng.poisson(np.exp(1 + effect / 4))
    return pd.DataFrame(
        {
            "unit": unit,
            "time": time,
            "cohort": cohort[unit],
            "y": effect + noise[0],
            "count": count,
            "x": noise[1],
            "region": unit % 4,
            "w": 1.0 + unit % 3,
        }
    )


def run(data: pd.DataFrame, estimator: str, **keys: object) -> pd.DataFrame:
    """The rows of an estimate."""
    return result(data, estimator, **keys).table


def result(data: pd.DataFrame, estimator: str, **keys: object):
    """An estimate as the command makes it."""
    outcome = "count" if estimator == "poisson" or keys.get("family") == "poisson" else "y"
    inference = {"draws": 29}
    plain = {"id": "t", "outcome": outcome, "estimator": estimator, "inference": inference}
    if estimator == "synthetic_did":
        plain["donor_errors"] = "jackknife"
    spec = parse_spec({**plain, **keys})
    return estimate(build_panel(data, spec), spec)


NUMBERS = ["estimate", "std_error", "conf_low", "band_high", "event_time"]
ROUNDING = 1e-9
"""Numbering leaves the arithmetic as it is, but for trends in the period, whose origin moves."""


@pytest.mark.parametrize("estimator", GENERAL)
def test_year_and_month_are_counted_in_months(estimator) -> None:
    data = frame()
    month = lambda number: 201006 + number + np.where(number > 6, 88, 0)  # noqa: E731
    labeled = data.assign(time=month(data["time"]), cohort=month(data["cohort"]))
    plain, dated = run(data, estimator), run(labeled, estimator)
    np.testing.assert_allclose(dated[NUMBERS], plain[NUMBERS], atol=ROUNDING)
    for column in ("cohort", "time"):
        expected = plain[column].where(plain[column] == 0, month(plain[column]))
        np.testing.assert_allclose(dated[column], expected)


@pytest.mark.parametrize("estimator", GENERAL)
def test_a_cohort_of_zero_is_a_period_where_empty_means_never(estimator) -> None:
    data = frame()
    moved = data.assign(time=data["time"] - 5, cohort=data["cohort"] - 5)
    plain, found = run(data, estimator), result(moved, estimator)
    np.testing.assert_allclose(found.table[NUMBERS], plain[NUMBERS], atol=ROUNDING)
    groups = found.table.loc[found.table["term"] == "group", "cohort"].dropna()
    assert set(groups) <= {-1, 0, 2}
    assert any("cohort 0 of 'cohort' is taken as period 0" in note for note in found.details.notes)
    assert len(set(found.vcov.index)) == len(found.vcov)


def test_a_sample_after_period_zero_keeps_the_meaning_of_cohort_zero() -> None:
    data = frame()
    moved = data.assign(time=data["time"] - 5, cohort=data["cohort"] - 5)
    cut = run(moved, "callaway_santanna", sample={"periods": [-2, 4]})
    later = run(moved, "imputation", sample={"periods": [1, 4]})
    assert len(cut) > 0
    # Cohorts -1 and 0 are treated throughout and dropped; they are no comparison units.
    cohort = data.groupby("unit")["cohort"].first()
    assert later["n_units"].iloc[0] == int((~cohort.isin([4, 5])).sum())


def test_zero_that_may_be_either_is_refused() -> None:
    data = frame()
    moved = data.assign(time=data["time"] - 5, cohort=(data["cohort"] - 5).fillna(0))
    with pytest.raises(PanelError, match="may be a period or mean never treated"):
        run(moved, "twfe")


@pytest.mark.parametrize("estimator", GENERAL)
def test_infinite_cohorts_are_never_treated(estimator) -> None:
    data = frame()
    plain = run(data, estimator)
    for never in (0.0, np.inf):
        other = run(data.fillna({"cohort": never}), estimator)
        pd.testing.assert_frame_equal(other, plain)


@pytest.mark.parametrize("estimator", [n for n in GENERAL if "weights" in ENTRIES[n].takes])
def test_units_without_weight_are_no_units(estimator) -> None:
    data = frame()
    data.loc[data["cohort"] == 4, "w"] = 0.0
    data.loc[data["unit"].isin([1, 2]), "w"] = 0.0
    whole, found = run(data[data["w"] > 0], estimator, weights="w"), None
    found = result(data, estimator, weights="w")
    pd.testing.assert_frame_equal(found.table, whole)
    assert any("weight zero in every period" in note for note in found.details.notes)


@pytest.mark.parametrize("estimator", [n for n in GENERAL if n != "poisson"])
@pytest.mark.parametrize("level", [1e6, 1e9])
def test_adding_a_constant_changes_nothing(estimator, level) -> None:
    """At 1e9 the outcome itself is rounded to 1e-7, and a path sums dozens of cells."""
    data = frame()
    plain, moved = run(data, estimator), run(data.assign(y=data["y"] + level), estimator)
    np.testing.assert_allclose(moved[NUMBERS], plain[NUMBERS], atol=1e-14 * level + 1e-6)


@pytest.mark.parametrize("estimator", ["sun_abraham", "imputation", "two_stage", "etwfe", "twfe"])
def test_adding_a_constant_to_a_covariate_changes_nothing(estimator) -> None:
    data = frame()
    moved = data.assign(x=data["x"] + 1e6)
    plain, other = (run(one, estimator, covariates=["x"]) for one in (data, moved))
    np.testing.assert_allclose(other[NUMBERS], plain[NUMBERS], atol=1e-6)


@pytest.mark.parametrize("estimator", GENERAL)
@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_no_treated_period_is_no_effect(estimator, family) -> None:
    with pytest.raises(InputError):
        run(frame(), estimator, family=family, sample={"periods": [1, 3]})


@pytest.mark.parametrize(
    ("estimator", "family"),
    [("poisson", "gaussian"), ("event_study", "poisson"), ("etwfe", "poisson")],
)
def test_treated_outcomes_of_zero_have_no_effect_in_logarithms(estimator, family) -> None:
    data = frame()
    data["count"] = data["count"].where(~(data["time"] >= data["cohort"]), 0)
    with pytest.raises(PanelError):
        run(data, estimator, family=family)


def test_an_event_time_of_zeros_is_named() -> None:
    data = frame()
    data["count"] = data["count"].where(data["time"] - data["cohort"] != 1, 0)
    found = result(data, "event_study", family="poisson")
    assert any("event times 1 were left out" in note for note in found.details.notes)
    assert 1 not in set(found.table["event_time"])


@pytest.mark.parametrize("estimator", COHORT_ESTIMATORS)
def test_a_cohort_without_the_period_before_adoption_is_named(estimator) -> None:
    """Estimators that need this period say which cohort they lose; the others keep its effect."""
    data = frame()
    lost = data[~((data["cohort"] == 5) & (data["time"] < 5))]
    keys = {"unbalanced": "pairwise"} if estimator == "callaway_santanna" else {}
    found = result(lost, estimator, **keys)
    count = int(data.loc[data["cohort"] == 5, "unit"].nunique())
    notes = " | ".join(found.details.notes)
    excluded = f"{count} units in 1 cohort (5) are excluded from the overall effect because they"
    assert excluded in notes or "no unit of cohort 5 remains in the sample" in notes, notes


@pytest.mark.parametrize("estimator", GENERAL)
def test_a_constant_outcome_gives_zero_or_a_refusal(estimator) -> None:
    data = frame().assign(y=5.0, count=5)
    try:
        row = run(data, estimator).iloc[0]
    except InputError:
        return
    assert row["estimate"] == pytest.approx(0.0, abs=1e-12)


ROLES = [
    {"unit": "time"},
    {"outcome": "time"},
    {"cohort": "time"},
    {"outcome": "unit"},
    {"covariates": ["y"]},
    {"weights": "y"},
    {"covariates": ["x", "x"]},
    {"cohort": "unit"},
]


@pytest.mark.parametrize("keys", ROLES, ids=str)
def test_one_column_in_two_roles_is_refused(keys) -> None:
    with pytest.raises(SpecError, match=r"same column|twice"):
        run(frame(), "twfe", **keys)


def _spaced(data: pd.DataFrame, column: str) -> pd.DataFrame:
    names = data["unit"] % 4 if column == "region" else data["unit"]
    text = names.map(lambda value: f"Ohio {value}")
    return data.assign(**{column: text.where(data["unit"] != 4, text + " ")})


@pytest.mark.parametrize(
    ("column", "keys"),
    [
        ("region", {"cluster": "region"}),
        ("region", {"trends": "region_by_time"}),
        ("region", {"inference": {"method": "permutation", "strata": "region", "draws": 9}}),
    ],
)
def test_labels_that_differ_in_blanks_are_refused(column, keys) -> None:
    with pytest.raises(PanelError, match=r"'Ohio 0 ?' and 'Ohio 0 ?'"):
        run(_spaced(frame(), column), "twfe", **keys)


def test_unit_labels_that_differ_in_blanks_or_type_are_refused() -> None:
    data = frame()
    text = data["unit"].map(lambda value: f"county {value}")
    twin = text.where(data["unit"] != 3, "county 2 ")
    mixed = data["unit"].astype(object).where(data["unit"] != 3, "2")
    for unit in (twin, mixed):
        with pytest.raises(PanelError, match="blanks"):
            run(data.assign(unit=unit), "twfe")


@pytest.mark.parametrize("keys", [{"trends": "z_by_time"}, {"cluster": "z"}])
def test_a_continuous_column_is_no_group(keys) -> None:
    data = frame()
    data["z"] = np.random.default_rng(0).normal(size=40)[data["unit"]]
    with pytest.raises(PanelError, match="Column 'z' takes 40 values for 40 units"):
        run(data, "twfe", **keys)


@pytest.mark.parametrize("offset", [-999.0, 1e5])
@pytest.mark.parametrize(
    ("estimator", "family"),
    [("poisson", "gaussian"), ("event_study", "poisson"), ("etwfe", "poisson")],
)
def test_an_offset_that_is_no_logarithm_is_refused(estimator, family, offset) -> None:
    data = frame().assign(people=1.0)
    data.loc[7, "people"] = offset
    with pytest.raises(PanelError, match="1 of 360 values of the offset 'people'"):
        run(data, estimator, family=family, offset="people")


@pytest.mark.parametrize("estimator", ["etwfe", "twfe", "event_study"])
def test_a_collinear_covariate_is_named(estimator) -> None:
    data = frame()
    data["twice"] = 2 * data["x"] + 3
    found = result(data, estimator, covariates=["x", "twice"])
    assert "covariates omitted because of collinearity: twice" in found.details.notes


@pytest.mark.parametrize("column", ["time", "cohort"])
def test_numbers_beyond_2_to_the_53_are_refused(column) -> None:
    data = frame().astype({"cohort": float})
    data.loc[data["unit"] == 0, column] = 2**53 + 2 * data["time"]
    with pytest.raises(PanelError, match=r"2\^53"):
        run(data, "twfe")


@pytest.mark.parametrize("estimator", GENERAL)
def test_a_mistaken_period_is_refused_before_a_calendar_is_made(estimator) -> None:
    data = frame()
    data.loc[8, "time"] = 10_000_000
    with pytest.raises(PanelError, match="the farthest is 10000000, in 1 row"):
        run(data, estimator)


LABELS = {
    "mixed months": ([201011, 201012, 201013, 201101, 201102, 201103], "YYYYMM"),
    "weeks": ([201050, 201051, 201052, 201101, 201102, 201103], "YYYYWW"),
    "days": ([20101230, 20101231, 20110101, 20110102, 20110103, 20110104], "YYYYMMDD"),
    "days of the year": ([2010364, 2010365, 2011001, 2011002, 2011003, 2011004], "YYYYDDD"),
}


@pytest.mark.parametrize("name", LABELS)
def test_dates_that_cannot_be_subtracted_are_refused(name) -> None:
    labels, form = LABELS[name]
    data = frame()
    data = data[data["time"] <= 6]
    data["time"] = np.array(labels)[data["time"] - 1]
    data["cohort"] = data["cohort"].map({4.0: labels[3], 5.0: labels[4]})
    with pytest.raises(PanelError, match=form):
        run(data, "twfe")


def test_quarters_are_counted_one_apart_and_doubtful_ones_are_noted() -> None:
    data = frame()
    quarter = lambda n: (2010 + (n - 1) // 4) * 10 + (n - 1) % 4 + 1  # noqa: E731
    dated = data.assign(time=quarter(data["time"]), cohort=quarter(data["cohort"]))
    plain = run(data, "event_study")[NUMBERS]
    np.testing.assert_allclose(run(dated, "event_study")[NUMBERS], plain, atol=ROUNDING)
    halves = data[data["time"].isin([1, 2, 5, 6])]
    halves = halves.assign(time=quarter(halves["time"]), cohort=quarter(halves["cohort"]))
    notes = result(halves, "twfe").details.notes
    assert any("may be year and quarter or half-year" in note for note in notes)


def test_ids_of_a_text_file_are_never_merged(tmp_path) -> None:
    path = tmp_path / "panel.csv"
    path.write_text("unit,time\n1,1\n01,1\n")
    assert read_frame(path, ["unit"])["unit"].tolist() == ["1", "01"]
    path.write_text("unit,time\n1,1\n1.0,1\n")
    with pytest.raises(PanelError, match="one number and two labels"):
        read_frame(path, ["unit"])
    # Whole numbers without zeros in front stay numbers.
    path.write_text("unit,time\n10,1\n11,1\n")
    assert read_frame(path, ["unit"])["unit"].tolist() == [10, 11]


def test_columns_of_one_name_are_refused_in_every_shape(tmp_path) -> None:
    twice = frame()[["unit", "time", "cohort", "y", "y"]]
    with pytest.raises(PanelError, match="2 columns named 'y'"):
        run(twice, "twfe")
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [pa.array([1.0])] * 2
    pq.write_table(pa.Table.from_arrays(columns, ["y", "y"]), tmp_path / "p.parquet")
    with pytest.raises(PanelError, match="2 columns named 'y'"):
        read_frame(tmp_path / "p.parquet")


GRIDS = [
    ({"outcome": ["a b", "a-b"]}, "both get the id"),
    ({"window": [[1, 2], "1-2"]}, "both get the id"),
    ({"id.x": [1]}, "'id' is 't', which contains no keys"),
]


@pytest.mark.parametrize(("vary", "words"), GRIDS)
def test_grids_that_cannot_be_told_apart_are_refused(vary, words) -> None:
    with pytest.raises(SpecError, match=words):
        list(expand({"id": "t", "outcome": "y", "estimator": "twfe", "vary": vary}))


BOUNDS = [
    {"level": float("nan")},
    {"level": float("inf")},
    {"level": 0},
    {"level": 1},
    {"level": 95},
    {"draws": 0},
    {"draws": -1},
    {"draws": 9.0},
    {"draws": 10**9},
    {"draws": True},
    {"seed": 1.0},
    {"seed": -1},
    {"cutoff_km": float("inf")},
    {"level": "0.9"},
]


@pytest.mark.parametrize("inference", BOUNDS, ids=str)
def test_numbers_out_of_bounds_are_refused(inference) -> None:
    plain = {"id": "t", "outcome": "y", "estimator": "twfe"}
    with pytest.raises(SpecError, match=f"inference.{next(iter(inference))}"):
        parse_spec({**plain, "inference": inference})
