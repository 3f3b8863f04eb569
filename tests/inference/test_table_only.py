"""What an estimator leaves out in a draw changes no number that is read of the draw."""

import numpy as np
import pytest

import replication as rp
from replication.core.estimates import row_labels
from replication.estimators.registry import ENTRIES
from replication.inference.table_only import PointsOnly, TableOnly, in_draw

FRAME = rp.simulated_panel(seed=3).assign(
    positive=lambda frame: np.exp(frame["y"]),
    dose=lambda frame: 1 + frame["unit"] % 5,
    eligible=lambda frame: (frame["unit"] // 4) % 2,
)
PANEL = rp.read_panel(FRAME, outcome="y", cluster="state")
OWN = {
    "poisson": {"outcome": "positive", "cluster": "state"},
    "roth_santanna": {"outcome": "y"},
    "synthetic_did": {"outcome": "y", "donor_errors": "jackknife"},
    "continuous_dose": {"outcome": "y", "dose": "dose"},
    "triple_difference": {"outcome": "y", "eligible": "eligible"},
}
"""What estimators need that do not take ``PANEL``."""
INFERENCE = rp.Inference(method="bootstrap", draws=199, seed=5, distribution="normal")


@pytest.mark.parametrize(
    ("kind", "read"), [(TableOnly, ["estimate", "statistic"]), (PointsOnly, ["estimate"])]
)
@pytest.mark.parametrize("name", list(ENTRIES))
def test_numbers_read_of_a_draw_are_those_of_the_estimate(name, kind, read):
    function = ENTRIES[name].function
    own = OWN.get(name, {})
    columns = {key: value for key, value in own.items() if key != "donor_errors"}
    panel = rp.read_panel(FRAME, **columns) if own else PANEL
    options = {key: own[key] for key in ("dose", "eligible", "donor_errors") if key in own}
    once = rp.Inference(draws=1, seed=5, distribution="normal")
    whole = function(panel, inference=once, **options).table
    drawn = function(panel, inference=in_draw(INFERENCE, kind), **options).table
    assert row_labels(drawn) == row_labels(whole)
    np.testing.assert_array_equal(drawn[read].to_numpy(), whole[read].to_numpy())


def test_a_draw_has_the_options_of_its_method_and_one_draw():
    made = in_draw(INFERENCE, TableOnly)
    assert made.changed() == {"draws": 1, "seed": 5, "distribution": "normal"}
    assert rp.twfe(PANEL).details.cluster_influence is not None
    assert rp.twfe(PANEL, inference=made).details.cluster_influence is None
