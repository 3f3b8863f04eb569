"""What an estimator leaves out in a draw changes no number that is read of the draw."""

import numpy as np
import pytest

import replication as rp
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import row_labels
from replication.estimators.registry import ENTRIES
from replication.inference.table_only import PointsOnly, TableOnly, in_draw

PANEL = rp.read_panel(rp.simulated_panel(seed=3), outcome="y", cluster="state")
INFERENCE = rp.Inference(method="bootstrap", draws=199, seed=5, distribution="normal")


@pytest.mark.parametrize(
    ("kind", "columns"), [(TableOnly, ["estimate", "statistic"]), (PointsOnly, ["estimate"])]
)
@pytest.mark.parametrize("name", list(ENTRIES))
def test_numbers_read_of_a_draw_are_those_of_the_estimate(name, kind, columns):
    function = ENTRIES[name].function
    try:
        whole = function(PANEL, inference=rp.Inference(draws=1, seed=5, distribution="normal")).table
    except (PanelError, SpecError) as error:
        pytest.skip(f"{name} does not take this panel: {error}")
    drawn = function(PANEL, inference=in_draw(INFERENCE, kind)).table
    assert row_labels(drawn) == row_labels(whole)
    np.testing.assert_array_equal(drawn[columns].to_numpy(), whole[columns].to_numpy())


def test_a_draw_has_the_options_of_its_method_and_one_draw():
    made = in_draw(INFERENCE, TableOnly)
    assert made.changed() == {"draws": 1, "seed": 5, "distribution": "normal"}
    assert rp.twfe(PANEL).details.cluster_influence is not None
    assert rp.twfe(PANEL, inference=made).details.cluster_influence is None
