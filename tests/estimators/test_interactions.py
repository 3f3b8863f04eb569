"""Covariates interacted with periods, against pyfixest's ``i(time, x)``."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyfixest
import pytest
from eligible_panels import eligible_panel

import replication as rp
from replication.core.errors import InputError

# Two solvers of one least-squares problem; pyfixest demeans to 1e-6 by default, here to 1e-10.
EXACT = 1e-7
CLUSTERS = {"CRV1": "state"}
CORRECTION = pyfixest.ssc(k_adj=True, k_fixef="nonnested", G_adj=True, G_df="min")


def drawn(seed: int) -> pd.DataFrame:
    """A fixed covariate ``x1``, one that moves ``z``, and the treatment ``d``."""
    data = pd.DataFrame(eligible_panel(seed))
    rng = np.random.default_rng(100 + seed)
    data["z"] = rng.normal(size=len(data)) + 0.2 * data["time"]
    data["y"] += 0.2 * data["z"] * data["time"]
    data["d"] = ((data["cohort"] > 0) & (data["time"] >= data["cohort"])).astype(float)
    return data


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("seed", range(10))
def test_two_way_effects_equal_pyfixest(seed: int, missing: float) -> None:
    data = drawn(seed)
    data = data[np.random.default_rng(seed).random(len(data)) >= missing]
    formula = "y ~ d + i(time, x1, ref=1) + i(time, z) | unit + time"
    theirs = pyfixest.feols(formula, data, vcov=CLUSTERS, ssc=CORRECTION, fixef_tol=1e-10)
    ours = rp.estimate(
        data, outcome="y", estimator="twfe", cluster="state", covariates=["x1_by_time", "z_by_time"]
    ).table.set_index("term")
    names = {"att": "d"}
    names |= {f"coef:x1_by_time:{t}": f"time::{t}:x1" for t in range(2, 7)}
    names |= {f"coef:z_by_time:{t}": f"time::{t}:z" for t in range(1, 7)}
    assert set(ours.index) == set(names)
    for mine, other in names.items():
        assert ours.loc[mine, "estimate"] == pytest.approx(theirs.coef()[other], abs=EXACT)
        assert ours.loc[mine, "std_error"] == pytest.approx(theirs.se()[other], rel=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_event_study_equals_pyfixest(seed: int) -> None:
    data = drawn(seed)
    data["e"] = np.where(data["cohort"] > 0, data["time"] - data["cohort"], -1)
    theirs = pyfixest.feols(
        "y ~ i(e, ref=-1) + i(time, x1, ref=1) | unit + time", data, vcov={"CRV1": "unit"}, fixef_tol=1e-10
    )
    ours = rp.estimate(data, outcome="y", estimator="event_study", covariates=["x1_by_time"]).table
    for row in ours[(ours["term"] == "event") & (ours["event_time"] != -1)].itertuples():
        if np.isnan(row.event_time):
            continue
        assert row.estimate == pytest.approx(theirs.coef()[f"e::{int(row.event_time)}"], abs=EXACT)


def test_poisson_equals_pyfixest() -> None:
    data = drawn(3)
    data["n"] = np.random.default_rng(3).poisson(
        np.exp(1 + 0.2 * data["d"] + 0.05 * data["x1"] * data["time"])
    )
    formula = "n ~ d + i(time, x1, ref=1) | unit + time"
    theirs = pyfixest.fepois(formula, data, vcov={"CRV1": "unit"}, fixef_tol=1e-10, iwls_tol=1e-12)
    ours = rp.estimate(data, outcome="n", estimator="poisson", covariates=["x1_by_time"])
    assert ours.att[0] == pytest.approx(theirs.coef()["d"], abs=1e-6)


def test_a_column_of_that_name_comes_first() -> None:
    data = drawn(4).assign(x1_by_time=lambda frame: frame["x1"] * frame["time"])
    found = rp.estimate(data, outcome="y", estimator="twfe", covariates=["x1_by_time"]).table
    assert found["term"].tolist() == ["att", "coef:x1_by_time"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"estimator": "imputation"}, "takes no covariate interacted with periods"),
        ({"covariates": ["absent_by_time"]}, "absent"),
        ({"covariates": ["y_by_time"]}, "name the same column"),
    ],
)
def test_misuse_is_refused(options: dict, words: str) -> None:
    keys = {"outcome": "y", "estimator": "twfe", "covariates": ["x1_by_time"], **options}
    with pytest.raises(InputError, match=words):
        rp.estimate(drawn(5), **keys)


def test_too_many_interactions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replication.core.interactions.LARGEST", 1000)
    with pytest.raises(InputError, match="more than fit"):
        rp.estimate(drawn(6), outcome="y", estimator="twfe", covariates=["x1_by_time"])
