"""Poisson with absorbed effects against pyfixest, statsmodels, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyfixest
import pytest
import statsmodels.api as sm
from two_way_data import (
    EXACT,
    RIGHT_TO_CARRY,
    cluster_of,
    formula_of,
    frame_of,
    permuted,
    two_way_panel,
)

from replication.checks.second_engine import second_engine
from replication.core.errors import PanelError, SpecError
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Inference, parse_spec
from replication.estimators.poisson import poisson
from replication.sources.countymurders import read_countymurders

PANELS = {
    "balanced": {},
    "state_clusters": {"cluster": "state", "covariates": 2},
    "share": {"share": True, "cluster": "state"},
    "gaps": {"missing": 0.12, "cluster": "state", "singletons": 3},
    "weighted": {"weights": "varying", "missing": 0.05},
    "two_way": {"cluster": "state_period"},
}


@pytest.mark.parametrize("trends", [(), ("region_by_time",), ("region_linear",)], ids="+".join)
@pytest.mark.parametrize("options", PANELS.values(), ids=PANELS)
def test_equals_pyfixest(options: dict[str, object], trends: tuple[str, ...]) -> None:
    """Points to 1e-7; errors to 1e-5, as pyfixest evaluates them one step before its end."""
    panel = two_way_panel(50 + len(str(options)), counts=True, **options)
    ours = poisson(panel, trends=trends)
    theirs = pyfixest.fepois(
        formula_of(panel, trends),
        frame_of(panel),
        vcov=cluster_of(panel),
        weights="w",
        offset="o",
        demeaner=EXACT,
        iwls_tol=1e-13,
        iwls_maxiter=100,
        separation_check=["fe"],
        fixef_rm="singleton",
    )
    table = ours.table.set_index("term")
    names = {"att": "d"} | {f"coef:{name}": name for name in panel.covariate_names}
    # Effects of three regions by period, unless nested: K is their rank here, and two more there.
    free = "region_by_time" in trends and "period" not in panel.clusters
    assert theirs._df_k - ours.details.uncertainty.parameters == 2 * free
    factor = np.sqrt((theirs._N - theirs._df_k) / (theirs._N - ours.details.uncertainty.parameters))
    for term, name in names.items():
        assert table.at[term, "estimate"] == pytest.approx(theirs.coef()[name], rel=1e-7, abs=1e-9)
        assert table.at[term, "std_error"] == pytest.approx(theirs.se()[name] * factor, rel=1e-5)
    assert table.at["att", "n_obs"] == theirs._N


@pytest.mark.parametrize("trends", [(), ("unit_linear",), ("region_by_time", "kind_linear")])
def test_equals_statsmodels_with_dummies(trends: tuple[str, ...]) -> None:
    panel = two_way_panel(61, n_units=24, counts=True, covariates=1)
    panel = replace(panel, y=panel.y + 1)
    table = poisson(panel, trends=trends).table.set_index("term")["estimate"]
    theirs = second_engine(panel, trends=trends, estimator="poisson")
    assert theirs == pytest.approx(table.to_dict(), rel=1e-8, abs=1e-10)


def test_second_engine_with_many_dummies_is_pyfixest() -> None:
    panel = two_way_panel(62, n_units=420, counts=True, weights="unit")
    found = second_engine(panel, estimator="poisson")
    assert found["att"] == pytest.approx(poisson(panel).att[0], rel=1e-8)
    with pytest.raises(PanelError, match="writes trends as dummies"):
        second_engine(panel, trends=("unit_linear",), estimator="poisson")
    with pytest.raises(SpecError, match="No independent software is used for 'etwfe'"):
        second_engine(panel, estimator="etwfe")


def test_the_other_software_estimates_a_model_once() -> None:
    panel, known = two_way_panel(64, n_units=24, cluster="state"), {}
    first = second_engine(panel, known=known)
    (model,) = known
    # Another inference is the same model; another outcome, trend, or weight is not.
    assert second_engine(replace(panel, cluster_labels={}, spec_id="other"), known=known) is first
    others = [
        second_engine(replace(panel, y=panel.y**3), known=known),
        second_engine(replace(panel, weight=panel.weight + np.arange(24.0)[:, None]), known=known),
        second_engine(panel, trends=("unit_linear",), known=known),
    ]
    assert len(known) == 4
    assert known[model] is first
    assert len({first["att"], *(one["att"] for one in others)}) == 4


def test_clustered_error_of_the_dummy_regression() -> None:
    """statsmodels counts every dummy in K; the ratio of the corrections is known."""
    panel = two_way_panel(63, n_units=24, counts=True, cluster="state")
    panel = replace(panel, y=panel.y + 1)
    frame = frame_of(panel)
    x = pd.get_dummies(frame[["unit", "period"]].astype(str), dtype=float, drop_first=True)
    x = sm.add_constant(x.assign(d=frame["d"]))
    fit = sm.GLM(frame["y"], x, family=sm.families.Poisson(), offset=frame["o"]).fit(
        cov_type="cluster", cov_kwds={"groups": frame["state"]}, tol=1e-14
    )
    ours = poisson(panel)
    full = (len(frame) - 1) / (len(frame) - x.shape[1]) * 12 / 11
    expected = fit.bse["d"] * np.sqrt(ours.details.uncertainty.correction / full)
    assert ours.att == pytest.approx((fit.params["d"], expected), rel=1e-7)


def test_right_to_carry_equals_the_reference() -> None:
    """pyfixest, three digits printed there: murders, offset log population, state clusters."""
    found = poisson(murders())
    assert found.att == pytest.approx((0.165, 0.071), abs=5e-4)
    assert found.details.count_dropped("units_all_zero") == 65
    assert any("65 units with a zero outcome in every period" in note for note in found.details.notes)
    assert found.table["n_obs"][0] == 37349 - 65 * 17


def murders() -> Panel:
    frame = read_countymurders()
    frame["cohort"] = frame["state_fips"].map(RIGHT_TO_CARRY).fillna(0)
    frame["log_population"] = np.log(frame["population"])
    spec = parse_spec(
        {
            "id": "r",
            "outcome": "murders",
            "estimator": "poisson",
            "unit": "fips",
            "time": "year",
            "offset": "log_population",
            "cluster": "state_fips",
        }
    )
    return build_panel(frame, spec)


def test_real_counts_with_trends_are_separated_and_still_fitted() -> None:
    """A county with murders in its last years only is fitted perfectly by its own line."""
    panel = murders()
    panel = panel.keep_units(np.isin(panel.units // 1000, [6, 17, 51, 53]))
    found = poisson(panel, trends=("unit_linear",))
    assert found.details.count_dropped("cells_separated") > 0
    assert any("zeros that trends or covariates predict perfectly" in note for note in found.details.notes)
    assert np.isfinite(found.att).all()


def test_separated_zeros_change_nothing() -> None:
    """Cells that a covariate separates are as if they were not there."""
    panel = two_way_panel(64, counts=True)
    mark = np.zeros(panel.y.shape)
    mark[3, 4], mark[5, 6] = 1.0, 1.0
    y = np.where(mark == 1, 0.0, panel.y + 1)
    marked = replace(panel, y=y, covariates=mark[None], covariate_names=("mark",))
    found = poisson(marked)
    without = poisson(replace(panel, y=np.where(mark == 1, np.nan, y)))
    assert found.att == pytest.approx(without.att, rel=1e-8)
    assert found.details.count_dropped("cells_separated") == 2
    assert found.details.omitted == ("mark",)


def test_treatment_of_zeros_only_is_refused() -> None:
    panel = two_way_panel(65, counts=True)
    with pytest.raises(PanelError, match="not identified"):
        poisson(replace(panel, y=np.where(panel.treated, 0.0, panel.y + 1)))


def test_periods_of_zeros_are_left_out() -> None:
    panel = two_way_panel(66, counts=True)
    y = panel.y.copy()
    y[:, 2] = 0
    y[y.sum(axis=1) == 0, 0] = 1
    found = poisson(replace(panel, y=y))
    kept = poisson(replace(panel, y=y).keep_periods(np.arange(9) != 2))
    assert found.att == pytest.approx(kept.att, rel=1e-10)
    assert found.details.count_dropped("cells_all_zero") == 45


def test_negative_outcomes_are_refused_with_an_example() -> None:
    panel = two_way_panel(67, counts=True)
    y = panel.y.copy()
    y[7, 3] = -2
    with pytest.raises(PanelError, match=r"1 value of 'y' is negative, .* unit 7 in period 1993"):
        poisson(replace(panel, y=y))


def test_identities() -> None:
    panel = two_way_panel(68, counts=True, cluster="state")
    base = poisson(panel).att
    rng = np.random.default_rng(1)
    assert panel.offset is not None
    factor = rng.uniform(0.2, 5, (45, 1)) * rng.uniform(0.2, 5, 9)
    same = {
        "scale": replace(panel, y=1000 * panel.y),
        "offset": replace(panel, offset=panel.offset + np.log(factor)),
        "rate": replace(panel, y=panel.y / np.exp(panel.offset), offset=None, weight=np.exp(panel.offset)),
        "order": permuted(panel, rng.permutation(45)),
        "weights": replace(panel, weight=panel.weight / 50),
    }
    for name, other in same.items():
        assert poisson(other).att == pytest.approx(base, rel=1e-8), name


def test_rare_and_huge_counts_converge() -> None:
    """Means from 1e-2 to 1e7 in one panel; first-order conditions hold to rounding."""
    panel = two_way_panel(69, counts=True, cluster="state")
    rng = np.random.default_rng(3)
    scale = 10.0 ** rng.uniform(-2, 7, (45, 1))
    y = rng.poisson(scale * rng.uniform(0.5, 2, panel.y.shape)).astype(float)
    found = poisson(replace(panel, y=y, offset=None))
    theirs = second_engine(replace(panel, y=y, offset=None), estimator="poisson")
    assert found.att[0] == pytest.approx(theirs["att"], rel=1e-6)


def test_critical_values_are_t_unless_asked() -> None:
    panel = two_way_panel(70, counts=True, cluster="state")
    wide = poisson(panel).table
    narrow = poisson(panel, inference=Inference(distribution="normal")).table
    half = (wide["conf_high"] - wide["conf_low"])[0] / (2 * wide["std_error"][0])
    assert half == pytest.approx(2.200985, abs=1e-6)  # t(11)
    half = (narrow["conf_high"] - narrow["conf_low"])[0] / (2 * narrow["std_error"][0])
    assert half == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
@pytest.mark.parametrize("trends", [(), ("unit_linear",)])
def test_the_scale_of_the_weights_and_of_the_counts_changes_nothing(
    scale: float, trends: tuple[str, ...]
) -> None:
    panel = two_way_panel(68, counts=True, weights="unit")
    plain = poisson(panel, trends=trends).att
    for changed in (replace(panel, weight=scale * panel.weight), replace(panel, y=scale * panel.y)):
        assert poisson(changed, trends=trends).att == pytest.approx(plain, rel=1e-7)
