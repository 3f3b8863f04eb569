"""Bands follow the law of the pointwise intervals."""

import numpy as np
import pytest
from drawn_panels import draw_panel
from scipy import stats

from replication.estimators.callaway_santanna import callaway_santanna
from replication.estimators.imputation import imputation
from replication.estimators.sun_abraham import sun_abraham
from replication.specs import Inference


def critical_value(estimates) -> float:
    path = estimates.path()[0].dropna(subset="std_error")
    values = (path["band_high"] - path["estimate"]) / path["std_error"]
    np.testing.assert_allclose(values, values.iloc[0], rtol=1e-9)
    return values.iloc[0]


@pytest.mark.parametrize("estimator", [imputation, callaway_santanna, sun_abraham])
def test_a_band_keeps_its_tail_probability_under_t(estimator) -> None:
    """Ten clusters: a normal 2.6 becomes 3.3 with nine degrees of freedom."""
    panel = draw_panel(5, n_clusters=10)
    normal, t = (
        critical_value(estimator(panel, inference=Inference(distribution=law)))
        for law in ("normal", "t")
    )
    assert stats.t(9).sf(t) == pytest.approx(stats.norm.sf(normal), rel=1e-9)
    assert t > 1.15 * normal > 1.15 * stats.norm.ppf(0.975)


def test_a_band_of_one_draw_is_no_narrower_than_the_intervals() -> None:
    path = imputation(draw_panel(6, n_clusters=10), inference=Inference(draws=1)).rows("event")
    assert (path["band_low"] <= path["conf_low"]).all()
    assert (path["band_high"] >= path["conf_high"]).all()
