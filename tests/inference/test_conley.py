"""Spatial errors against double loops over units and periods."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_panels import draw_panel

from replication.core.errors import PanelError, SpecError
from replication.core.spec import Inference
from replication.estimators.event_study import event_study
from replication.estimators.imputation import imputation
from replication.estimators.shared.estimation_sample import estimation_sample
from replication.estimators.shared.fixed_effects import Effects
from replication.estimators.twfe import fit_twfe, twfe
from replication.inference.conley import conley_variance, kernel_matrix
from replication.inference.methods import apply_method

NEAR = Inference(method="conley", cutoff_km=400)


def kilometers(first, second):
    """Haversine distance on a sphere of radius 6,371 km."""
    (lat1, lon1), (lat2, lon2) = np.radians(first), np.radians(second)
    half = np.sin((lat2 - lat1) / 2) ** 2
    half += np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0 * np.arcsin(np.sqrt(half))


def weight_of(distance, inference):
    if inference.kernel == "uniform":
        return float(distance <= inference.cutoff_km)
    return max(0.0, 1 - distance / inference.cutoff_km)


def by_loops(scores, coordinates, inference):
    """Variance from (N, T) scores of one coefficient."""
    total = 0.0
    for i, own in enumerate(scores):
        for j, other in enumerate(scores):
            pooled = inference.pairs == "any_period" or i == j
            product = own.sum() * other.sum() if pooled else own @ other
            weight = 1.0 if i == j else weight_of(kilometers(coordinates[i], coordinates[j]), inference)
            total += weight * product
    return total


def test_known_distance() -> None:
    """Chicago to New York, 711 miles or 1,144 km along the great circle."""
    places = np.array([[41.8781, -87.6298], [40.7128, -74.0060]])
    kernel = kernel_matrix(places, Inference(cutoff_km=2000)).toarray()
    assert 2000 * (1 - kernel[0, 1]) == pytest.approx(1144.3, abs=0.5)
    assert np.diag(kernel).tolist() == [1, 1]


@pytest.mark.parametrize("kernel", ["bartlett", "uniform"])
@pytest.mark.parametrize("pairs", ["any_period", "same_period"])
@pytest.mark.parametrize("options", [{}, {"weighted": True, "missing": 0.08}, {"dose": True}])
def test_two_way_errors_equal_double_loops(options, pairs, kernel) -> None:
    panel = draw_panel(1, **options)
    inference = replace(NEAR, pairs=pairs, kernel=kernel)
    sample = estimation_sample(panel, Effects())
    fit = fit_twfe(sample, Effects())
    scores = fit.x[0][fit.design.profile] * fit.residual * fit.bread[0, 0]
    expected = by_loops(scores, sample.panel.coordinates, inference)
    found = twfe(panel, inference=inference)
    assert found.att[1] ** 2 == pytest.approx(expected * found.details.uncertainty.correction, rel=1e-10)
    assert found.details.extras["neighbors_per_unit"] > 0


def test_cutoff_below_every_distance_is_clustering_by_unit() -> None:
    panel = draw_panel(2)
    spatial = twfe(panel, inference=replace(NEAR, cutoff_km=0.001))
    assert spatial.att == pytest.approx(twfe(panel, inference=Inference()).att, rel=1e-12)
    assert spatial.details.extras["units_without_neighbor"] == 48


def test_far_apart_groups_at_one_place_are_clusters() -> None:
    panel = draw_panel(3, n_clusters=8)
    places = np.column_stack([np.linspace(-60, 60, 8), np.linspace(-150, 150, 8)])
    together = replace(panel, coordinates=places[panel.cluster])
    inference = replace(NEAR, kernel="uniform", cutoff_km=100)
    sample = estimation_sample(together, Effects())
    scores = fit_twfe(sample, Effects()).scores
    found, _ = conley_variance(scores, together.coordinates, inference)
    variance = found.variance
    sums = np.bincount(panel.cluster, scores[:, 0])
    assert variance[0, 0] == pytest.approx(sums @ sums, rel=1e-12)


def test_whole_path_and_influence_functions_have_spatial_errors() -> None:
    panel = draw_panel(4)
    for pairs in ("any_period", "same_period"):
        path = event_study(panel, inference=replace(NEAR, pairs=pairs))
        variance = path.path()[1]
        assert np.linalg.eigvalsh(variance).min() > -1e-12
        free = path.rows("event")["event_time"].to_numpy() != -1
        assert (np.diag(variance)[free] > 0).all()
    assert imputation(panel, inference=NEAR).att[1] > 0
    with pytest.raises(SpecError, match="any_period"):
        imputation(panel, inference=replace(NEAR, pairs="same_period"))


def test_kernel_takes_the_place_of_clusters() -> None:
    panel = draw_panel(5, n_clusters=6)
    found = apply_method(twfe, panel, NEAR)
    alone = twfe(replace(panel, clusters={"unit": np.arange(48)}), inference=NEAR)
    assert found.att == alone.att
    assert "spatial standard errors replace clustering by (cluster)" in found.details.notes


def test_wrong_coordinates_are_refused_with_the_count() -> None:
    panel = draw_panel(6)
    with pytest.raises(PanelError, match="the panel has none"):
        twfe(replace(panel, coordinates=None), inference=NEAR)
    swapped = replace(panel, coordinates=panel.coordinates[:, ::-1])
    beyond = int((np.abs(panel.coordinates[:, 1]) > 90).sum())
    with pytest.raises(PanelError, match=f"{beyond} of 48 units"):
        twfe(swapped, inference=NEAR)
