"""County centroids from the county shapes of the package bokeh_sampledata.

The shapes are the Census Bureau's TIGER/Line boundaries of 2009, simplified.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.core.errors import SourceError

SMALLEST: Final = 3_100
INSTALL: Final = "Install the version that requirements.lock names."


def read_county_places() -> pd.DataFrame:
    """Coordinates of every county: the centroid of the largest part of its shape.

    Returns
    -------
    DataFrame
        ``fips`` (codes of 2009), ``latitude``, ``longitude`` (degrees, west negative), sorted.

    Raises
    ------
    SourceError
        If the package is absent or does not carry the shapes of all counties.
    """
    try:
        from bokeh_sampledata.us_counties import data
    except ImportError:
        raise SourceError(
            f"The package bokeh_sampledata, which carries county shapes, is missing. {INSTALL}"
        ) from None
    middles = [
        (1000 * state + county, *centroid(record["lats"], record["lons"]))
        for (state, county), record in data.items()
    ]
    table = pd.DataFrame(middles, columns=["fips", "latitude", "longitude"])
    placed = table["latitude"].between(-90, 90) & table["longitude"].between(-180, 180)
    if len(table) < SMALLEST or not placed.all():
        raise SourceError(
            f"The package bokeh_sampledata has shapes of {len(table)} counties, {int(placed.sum())}"
            f" of them with a place on the globe; more than {SMALLEST} are expected. {INSTALL}"
        )
    return table.astype({"fips": "int64"}).sort_values("fips", ignore_index=True)


def centroid(latitudes: Iterable[float], longitudes: Iterable[float]) -> tuple[float, float]:
    """Latitude and longitude of the centroid of an outline, of its largest part if it has several.

    Parts are separated by missing values. The plane formula on degrees serves: within a county
    the error is far below the width of the county.
    """
    points = np.column_stack([np.asarray(list(latitudes)), np.asarray(list(longitudes))])
    cuts = np.flatnonzero(np.isnan(points).any(axis=1))
    parts = [part[~np.isnan(part).any(axis=1)] for part in np.split(points, cuts)]
    measured = [_middle(part) for part in parts if len(part) > 2]
    if not measured:
        return float("nan"), float("nan")
    _, latitude, longitude = max(measured)
    return latitude, longitude


def _middle(ring: NDArray[np.float64]) -> tuple[float, float, float]:
    """Area (degrees squared) and centroid of one ring."""
    # Far from the origin the cross-products would lose digits.
    base = ring.mean(axis=0)
    here = ring - base
    after = np.roll(here, -1, axis=0)
    cross = here[:, 0] * after[:, 1] - after[:, 0] * here[:, 1]
    area = cross.sum() / 2
    if area == 0:
        return 0.0, float(base[0]), float(base[1])
    middle = base + ((here + after) * cross[:, None]).sum(axis=0) / (6 * area)
    return abs(float(area)), float(middle[0]), float(middle[1])
