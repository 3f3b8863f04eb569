"""Raw files with damaged bytes are read or refused in one paragraph.

The crosswalk is left out: librdata, which reads it, is written in C and may end the process on
damaged bytes; in the pipeline its bytes are proved before it is given them.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from artificial_masters import Agency, Incident, homicide_line, return_a_record, write_packed
from artificial_ppmd import YEAR, ZIPX
from artificial_sources import (
    activation_days,
    activation_months,
    census_text,
    nacjd_lines,
    nacjd_table,
    stata_bytes,
)
from fuzzing import accepted, cases, changed
from hypothesis import given
from hypothesis import strategies as st
from test_composition import acs_rows, kaplan_object

from replication.core.frames import read_frame
from replication.sources import acs, census, crosswalks, hand_entered, kaplan, nacjd
from replication.sources.manifest import load_manifest
from replication.sources.return_a import read_return_a
from replication.sources.supplementary_homicides import read_homicides
from studies.secure_communities.activations import (
    read_activation_days,
    read_activation_months,
    read_activations_by_state,
)

ROOT = Path(__file__).parents[2]
TYPED = ROOT / "data_raw" / "typed"
Case = tuple[str, Callable[[], bytes], Callable[[Path], Any]]


def master() -> bytes:
    return "".join(return_a_record(Agency(f"AL{i:05d}"), 2007) + "\r\n" for i in range(3)).encode()


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def homicides() -> bytes:
    return "".join(homicide_line(Incident("AL00101"), 2005) + "\r\n" for _ in range(3)).encode()


def of_typed(name: str) -> Callable[[], bytes]:
    return (TYPED / name).read_bytes


CASES: dict[str, Case] = {
    "master": ("RETA2007.txt", master, lambda path: read_return_a(path, 2007)),
    "master, zipped": (
        "RETA2007.txt.zip",
        lambda: zipped("RETA2007.txt", master()),
        lambda path: read_return_a(path, 2007),
    ),
    "master, zipped twice": (
        "RETA2007.txt.zip",
        lambda: zipped("a.zip", zipped("RETA2007.txt", master())),
        lambda path: read_return_a(path, 2007),
    ),
    "master, zipx": ("reta2013.zipx", lambda: ZIPX, lambda path: read_return_a(path, YEAR)),
    "homicides": ("SHR2005.txt", homicides, lambda path: read_homicides(path, 2005)),
    "homicides, zipped": (
        "SHR2005.zip",
        lambda: zipped("SHR2005.txt", homicides()),
        lambda path: read_homicides(path, 2005),
    ),
    "days": ("days.dta", lambda: stata_bytes(activation_days()), read_activation_days),
    "months": ("months.dta", lambda: stata_bytes(activation_months()), read_activation_months),
    "census": (
        "intercensal.csv",
        lambda: census_text(range(2000, 2011)).encode("latin-1"),
        census.read_intercensal,
    ),
    "county names": (
        "vintage.csv",
        lambda: census_text(range(2010, 2020)).encode("latin-1"),
        census.read_county_names,
    ),
    "offenses": (
        "04466-0004-Data.txt",
        lambda: "\n".join(nacjd_lines(nacjd_table(2004), 2004)).encode() + b"\n",
        lambda path: nacjd.read_county_offenses(path, 2004),
    ),
    "composition": (
        "acs.json",
        lambda: json.dumps(acs_rows(2009)).encode(),
        lambda path: acs.read_acs(path, 2009),
    ),
    "second source": (
        "kaplan.json",
        lambda: json.dumps(kaplan_object(2010)).encode(),
        lambda path: kaplan.read_kaplan(path, 2010),
    ),
    "noncitizens": (
        "noncitizens.csv",
        lambda: b"fips,year,noncit_pop,moe\n1001,2009,5,2\n1001,2010,NA,NA\n72001,2018,7,1\n",
        acs.read_noncitizens,
    ),
    "adjacency": (
        "adjacency.csv",
        lambda: b"focalFIPS,adjacentFIPS\n1001,1003\n1003,1001\n",
        crosswalks.read_adjacency,
    ),
    "castle": ("castle.csv", of_typed("castle_doctrine_adoption.csv"), hand_entered.read_castle_adoption),
    "regions": ("regions.csv", of_typed("census_regions.csv"), hand_entered.read_regions),
    "changes": ("changes.csv", of_typed("county_fips_changes.csv"), hand_entered.read_fips_changes),
    "activations": (
        "states.csv",
        of_typed("secure_communities_activations_by_state.csv"),
        read_activations_by_state,
    ),
}
PANEL = pd.DataFrame(
    {
        "unit": [1, 1, 2, 2],
        "time": [2001, 2002] * 2,
        "y": [0.5, 1.5, -2.0, None],
        "cohort": [0, 0, 2002, 2002],
        "state": ["a", "a", "b", "b"],
    }
)


@cache
def whole(kind: str) -> bytes:
    return CASES[kind][1]()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("raw")


@pytest.mark.parametrize("kind", CASES)
def test_the_files_are_read_before_they_are_damaged(folder: Path, kind: str) -> None:
    """Else the changes below would be refused for another reason than the change."""
    name, _, read = CASES[kind]
    path = folder / name
    path.write_bytes(whole(kind))
    assert read(path) is not None


@cases(0.14)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(folder: Path, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(CASES)))
    name, _, read = CASES[kind]
    path = folder / name
    path.write_bytes(data.draw(changed(whole(kind))))
    accepted(lambda: read(path))


@cases(0.02)
@given(data=st.data())
def test_a_damaged_manifest_is_read_or_refused(folder: Path, data: st.DataObject) -> None:
    text = (ROOT / "data_raw" / "sources.yaml").read_bytes()
    (folder / "data_raw").mkdir(exist_ok=True)
    (folder / "data_raw" / "sources.yaml").write_bytes(data.draw(changed(text[-6000:], 2)))
    accepted(lambda: load_manifest(folder))
    (folder / "data_raw" / "sources.yaml").write_bytes(b"groups:\n" + data.draw(changed(GROUP)))
    accepted(lambda: load_manifest(folder))


GROUP = b"""  - {publisher: a, citation: b, doi: c, license: d, redistributable: true,
     how: "e {name}", years: [2004], studies: [s], url: "http://h/{name}",
     files: [{id: f, path: g/h.txt, size: 3, sha256: "%s"}]}
""" % (b"0" * 64)


def as_bytes(ending: str) -> bytes:
    buffer = io.BytesIO()
    if ending == "csv":
        return PANEL.to_csv(index=False).encode()
    if ending == "parquet":
        PANEL.to_parquet(buffer)
    else:
        PANEL.to_stata(buffer, write_index=False)
    return buffer.getvalue()


@cases(0.05)
@given(data=st.data(), ending=st.sampled_from(["csv", "parquet", "dta"]))
def test_a_damaged_panel_is_read_or_refused(folder: Path, data: st.DataObject, ending: str) -> None:
    path = folder / f"panel.{ending}"
    path.write_bytes(data.draw(changed(as_bytes(ending))))
    accepted(lambda: read_frame(path))


def test_the_writer_of_masters_packs_what_is_fuzzed(folder: Path) -> None:
    path = write_packed(folder / "RETA2007.txt.zip", master(), 8)
    assert len(read_return_a(path, 2007).agencies) == 3
