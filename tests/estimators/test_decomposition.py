"""Parts that must add up, and the identity that two-way effects reweigh imputed effects."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_panels import draw_panel

from replication.analyses.estimator_gap import decomposition
from replication.core.errors import PanelError
from replication.core.spec import Inference
from replication.estimators.goodman_bacon import KINDS
from replication.estimators.imputation import imputation
from replication.estimators.twfe import twfe
from replication.estimators.twfe_weights import twfe_weights

ANALYTIC = Inference()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weighted": True},
        {"weighted": True, "missing": 0.06},
        {"adoption": (0, 2001, 2004, 2006)},
        {"adoption": (2003, 2004, 2009)},
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_parts_add_up(seed, options) -> None:
    panel = draw_panel(seed, **options)
    table = decomposition(panel)
    single = table[table["part"] != "exposure"].set_index("part")
    total = single["contribution"]
    assert single.loc["twfe", "estimate"] == pytest.approx(twfe(panel).att[0], rel=1e-10)
    assert single.loc["robust", "estimate"] == pytest.approx(
        imputation(panel, inference=ANALYTIC).att[0], rel=1e-9
    )
    assert total["weighting"] + total["always_treated"] == pytest.approx(total["difference"])
    exposure = table[table["part"] == "exposure"]
    assert exposure["contribution"].sum() == pytest.approx(total["weighting"], abs=1e-12)
    assert exposure["twfe_weight"].sum() == pytest.approx(1)
    assert exposure["robust_weight"].sum() == pytest.approx(1)
    kinds = table[table["part"].isin(KINDS)]
    assert kinds.empty == ("missing" in options)
    if not kinds.empty:
        assert kinds["twfe_weight"] @ kinds["estimate"] == pytest.approx(
            single.loc["twfe", "estimate"], abs=1e-12
        )


def test_negative_weights_are_those_of_the_weights() -> None:
    panel = draw_panel(4)
    row = decomposition(panel).set_index("part").loc["negative_weights"]
    expected = twfe_weights(panel, inference=ANALYTIC).details.extras["sum_negative"]
    assert row["twfe_weight"] == pytest.approx(expected, rel=1e-10)


def test_constant_effects_leave_no_difference() -> None:
    panel = draw_panel(5)
    flat = np.arange(48)[:, None] * 0.1 + np.sin(np.arange(8)) + 0.7 * panel.treated
    table = decomposition(replace(panel, y=flat)).set_index("part")
    assert table.loc["twfe", "estimate"] == pytest.approx(0.7)
    assert table.loc["difference", "contribution"] == pytest.approx(0, abs=1e-12)


def test_refusals() -> None:
    panel = draw_panel(6)
    with pytest.raises(PanelError, match="without covariates"):
        decomposition(replace(panel, covariates=panel.y[None], covariate_names=("x",)))
    with pytest.raises(PanelError, match=r"\d+ treated cells cannot be imputed"):
        decomposition(draw_panel(6, adoption=(2003, 2005, 2006)))
