"""Names and middles of the counties."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from replication.core.errors import SourceError
from replication.sources.census import read_county_names
from replication.sources.county_shapes import centroid, read_county_places

NAN = float("nan")
HEADING = "SUMLEV,STATE,COUNTY,CTYNAME\n"


@pytest.mark.parametrize(
    ("latitudes", "longitudes", "middle"),
    [
        ([0, 0, 2, 2], [0, 4, 4, 0], (1, 2)),
        ([2, 2, 0, 0], [0, 4, 4, 0], (1, 2)),  # the other way around
        ([0, 0, 2, 2, 0], [0, 4, 4, 0, 0], (1, 2)),  # closed
        ([0, 0, 3], [0, 3, 0], (1, 1)),  # a triangle's is the mean of its corners
        ([9, 9, 10, NAN, 0, 0, 2, 2], [9, 10, 9, NAN, 0, 4, 4, 0], (1, 2)),  # largest part
    ],
)
def test_centroids(latitudes: list, longitudes: list, middle: tuple) -> None:
    assert centroid(latitudes, longitudes) == pytest.approx(middle)


def test_far_from_the_origin_no_digits_are_lost() -> None:
    lats, lons = [65.0, 65.0, 65.001, 65.001], [-165.0, -164.999, -164.999, -165.0]
    assert centroid(lats, lons) == pytest.approx((65.0005, -164.9995), abs=1e-9)


def test_every_county_has_a_place_on_the_globe() -> None:
    table = read_county_places().set_index("fips")
    assert table.index.is_unique
    assert len(table) > 3100
    # Houston, Chicago and Anchorage lie within half a degree of the middle of their counties.
    for fips, latitude, longitude in [(48201, 29.76, -95.37), (17031, 41.85, -87.75), (2020, 61.2, -149.4)]:
        assert table.loc[fips].tolist() == pytest.approx([latitude, longitude], abs=0.5)


def test_an_absent_or_cut_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    artificial = ModuleType("bokeh_sampledata.us_counties")
    artificial.data = {(1, 1): {"lats": [0, 0, 1], "lons": [0, 1, 0]}}
    monkeypatch.setitem(sys.modules, "bokeh_sampledata.us_counties", artificial)
    with pytest.raises(SourceError, match="has shapes of 1 counties"):
        read_county_places()
    monkeypatch.setitem(sys.modules, "bokeh_sampledata.us_counties", None)
    with pytest.raises(SourceError, match="bokeh_sampledata, which carries county shapes, is miss"):
        read_county_places()


def test_names_of_counties(tmp_path: Path) -> None:
    path = tmp_path / "co-est2019-alldata.csv"
    text = HEADING + "040,35,000,New Mexico\n050,35,013,Do\xf1a Ana County\n050,35,001,Bernalillo\n"
    path.write_bytes(text.encode("latin-1"))
    table = read_county_names(path)
    assert table.to_dict("list") == {
        "fips": [35001, 35013],
        "county_name": ["Bernalillo", "Do\xf1a Ana County"],
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [("050,35,013,\n", "code or name is missing"), ("050,35,x,Eddy\n", "code or name is missing")],
)
def test_damaged_names_are_refused(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "co-est2019-alldata.csv"
    path.write_text(HEADING + line, encoding="latin-1")
    with pytest.raises(SourceError, match=message):
        read_county_names(path)
