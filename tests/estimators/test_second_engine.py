"""The functions of linearmodels that the check calls give the coefficients of its AbsorbingLS."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings

import pandas as pd
import pytest
from linearmodels.iv.absorbing import AbsorbingLS, Interaction
from two_way_data import two_way_panel

from replication.checks.second_engine import PRECISE, effect_columns, long_frame, second_engine
from replication.core.panel import Panel
from replication.estimators.shared.fixed_effects import read_effects


def absorbing_ls(panel: Panel, trends: tuple[str, ...]) -> pd.Series:
    """Coefficients of AbsorbingLS itself."""
    effects = read_effects(panel, trends)
    frame = long_frame(panel, effects)
    levels, sloped = effect_columns(effects)
    trend = (frame[["time"]] - frame["time"].mean()).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (
            AbsorbingLS(
                frame["y"],
                frame[["att", *(f"coef:{name}" for name in panel.covariate_names)]],
                absorb=frame[levels].astype("category"),
                interactions=[Interaction(frame[[name]].astype("category"), trend) for name in sloped],
                weights=frame["weight"],
            )
            .fit(method="lsmr", absorb_options=PRECISE, use_cache=False)
            .params
        )


@pytest.mark.parametrize(
    "trends", [(), ("region_by_time", "unit_linear"), ("region_by_time", "kind_by_time", "state_linear")]
)
@pytest.mark.parametrize("weights", ["none", "unit", "varying"])
def test_equals_absorbing_ls(weights: str, trends: tuple[str, ...]) -> None:
    """To 1e-12, the rounding of LSMR at its tolerance of 1e-13."""
    panel = two_way_panel(11, weights=weights, missing=0.1, covariates=2, singletons=2)
    theirs = absorbing_ls(panel, trends)
    assert second_engine(panel, trends=trends) == pytest.approx(theirs.to_dict(), rel=1e-12, abs=1e-12)


def test_pyfixest_leaves_the_messages_of_other_libraries_alone() -> None:
    code = (
        "import logging; import replication.checks.fixed_effect_poisson; "
        "root = logging.getLogger(); print(root.handlers, root.level)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"[] {logging.WARNING}\n"
