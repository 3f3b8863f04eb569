"""The report opens from disk, shows everything that was written, and names what is missing."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
import zipfile
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from replication.report.figures.figure_files import compact
from replication.report.folders import Folders
from replication.report.report_context import Context
from replication.report.site.explorer_data import explorer_data
from replication.report.site.site_pages import Skipped, StudyReport
from replication.report.site.site_render import Site, compared_numbers, render, write_site, zip_site
from replication.report.study_config import StudyConfig, parse_study
from replication.report.study_report import write_figures, write_tables

OTHERS = r"""(src|href)="(https?:|//|/|file:)|@import|url\((?!"data:)"""


def parsed(content: bytes) -> ET.Element:
    return ET.fromstring(content.decode().replace("<!DOCTYPE html>", "", 1))


def unpacked(content: bytes) -> Any:
    """The data of a script as the browser reads them."""
    packed = re.fullmatch(r'DATA\["[^"]+"\]="([^"]*)";\n', content.decode())
    assert packed is not None
    return json.loads(zlib.decompress(b64decode(packed[1])))


@pytest.fixture
def report(study: StudyConfig, folders: Folders) -> StudyReport:
    write_tables(study, folders)
    write_figures(study, folders)
    return StudyReport(Context.of(study, folders))


def test_every_table_and_figure_is_shown(report: StudyReport) -> None:
    study, site = report.study, render([report])
    root = parsed(site["made/index.html"])
    ids = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    assert {f"table-made-{entry.id}" for entry in study.tables} <= ids
    assert {f"figure-made-{entry.id}" for entry in study.figures} <= ids
    targets = {link.attrib["href"] for link in root.iter("a")}
    assert {target[1:] for target in targets if target.startswith("#")} <= ids
    assert len(root.findall(".//table")) == len(study.tables)
    images = root.findall(".//img")
    assert len(images) == len(study.figures)
    assert all(len(image.attrib["alt"]) > 40 for image in images)
    for image in images:
        assert (
            site[f"made/{image.attrib['src']}"]
            == (report.folders.figures / Path(image.attrib["src"]).name).read_bytes()
        )


def test_links_lead_to_files_and_nothing_is_loaded_from_elsewhere(report: StudyReport) -> None:
    site = render([report])
    count = 0
    for name in (name for name in site if name.endswith(".html")):
        assert not re.search(OTHERS, site[name].decode()), name
        folder = Path("/") / Path(name).parent
        for element in parsed(site[name]).iter():
            target = (element.get("href") or element.get("src") or "").partition("#")[0]
            if target:
                assert str((folder / target).resolve())[1:] in site, (name, target)
                count += 1
    assert count > 3 * len(report.study.tables) + 3 * len(report.study.figures)


def test_equal_outputs_have_equal_bytes_and_nothing_is_written(report: StudyReport, root: Path) -> None:
    before = sorted(root.rglob("*"))
    assert render([report]) == render([report])
    assert sorted(root.rglob("*")) == before


def test_figures_drawn_twice_have_equal_bytes(report: StudyReport) -> None:
    pictures = sorted(report.folders.figures.glob("*.svg"))
    first = [path.read_bytes() for path in pictures]
    write_figures(report.study, report.folders)
    assert [path.read_bytes() for path in pictures] == first
    assert len(first) == len(report.study.figures)
    for content in first:
        assert b"<dc:date>" not in content
        ET.fromstring(content)


def test_a_compact_drawing_keeps_what_is_referred_to() -> None:
    drawn = 'd="{}" transform="scale(0.015625)" style="fill: #333333"/>\n'
    path, shorter = drawn.format("M 1.23456 -2.0\nL 3.5 0.001"), drawn.format("M 1.23 -2 L 3.5 0")
    svg = f'<svg id="whole">\n  <!-- a note -->\n  <path id="a-name" {path}'
    svg += '  <use xlink:href="#a-name" clip-path="url(#clip)"/><clipPath id="clip"/></svg>'
    expected = f'<svg>\n<path id="i0" {shorter}'
    assert compact(svg) == expected + '<use xlink:href="#i0" clip-path="url(#i1)"/><clipPath id="i1"/></svg>'


def test_the_explorer_holds_every_saved_estimate(report: StudyReport) -> None:
    data = explorer_data(report.context)
    assert [spec[0] for spec in data["specs"]] == report.context.results.ids
    assert data["specs"][data["start"]][0] == "plain"
    for name, codes, estimate, error, low, high, n_obs, n_clusters, path in data["specs"]:
        table = pd.read_csv(report.folders.tables / "specs" / name / "estimates.csv")
        found = table[table["term"] == "att"].iloc[0]
        # Five significant digits are kept.
        for kept, column in (
            (estimate, "estimate"),
            (error, "std_error"),
            (low, "conf_low"),
            (high, "conf_high"),
        ):
            assert kept == pytest.approx(found[column], rel=1e-4)
        assert (n_obs, n_clusters) == (found["n_obs"], found["n_clusters"])
        assert [point[0] for point in path] == sorted(table.loc[table["term"] == "event", "event_time"])
        words = [choice["values"][code] for choice, code in zip(data["choices"], codes, strict=True)]
        assert words[2] == ("County linear trends" if "plain_trends" in name else "None")
        assert words[3] == ("Population in 2004" if "weighted" in name or name == "events_b" else "None")
    assert unpacked(render([report])["made/data/explorer.js"]) == data


def test_the_search_covers_tables_figures_variables_and_specifications(report: StudyReport) -> None:
    (report.folders.clean / "codebook.csv").write_text("name,label\nfips,County\n")
    entries = unpacked(render([report])["assets/search.js"])
    kinds = pd.Series([kind for kind, _, _ in entries]).value_counts()
    assert kinds.to_dict() == {
        "Study": 1,
        "Table": len(report.study.tables),
        "Figure": len(report.study.figures),
        "Variable": 1,
        "Specification": len(report.context.results.ids),
    }
    assert ["Variable", "fips: County", "made/data.html#variable-fips"] in entries


def test_checks_are_a_script_of_their_own(report: StudyReport) -> None:
    checks = [
        {"file": "tables/a.csv", "cells": 1000, "failed": 0, "message": ""},
        {"file": "tables/b.csv", "cells": 234, "failed": 2, "message": "row 1 <differs>"},
    ]
    assert unpacked(compared_numbers({"made": checks})["made/data/checks.js"]) == checks
    box = parsed(render([report])["made/data.html"]).find(".//div[@id='compared']")
    assert box is not None
    assert box.attrib["data-source"] == "made/data/checks"


def test_a_later_site_leaves_no_files_of_an_earlier_one(report: StudyReport, tmp_path: Path) -> None:
    site = render([report])
    (tmp_path / "made" / "files" / "tables").mkdir(parents=True)
    (tmp_path / "made" / "files" / "tables" / "old.csv").write_text("x")
    (tmp_path / "made" / "summary.md").write_text("x")
    write_site(site, tmp_path)
    found = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    assert set(found) == {*site, "made/summary.md"}
    time = found["index.html"].stat().st_mtime_ns
    write_site(site, tmp_path)
    assert found["index.html"].stat().st_mtime_ns == time


def test_the_archive_holds_the_whole_report(report: StudyReport, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("x")
    site: Site = render([report], summaries={"made": summary})
    assert b'href="summary.md"' in site["made/index.html"]
    for name in ("first.zip", "second.zip"):
        zip_site(site, {"made": summary}, tmp_path / name)
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "first.zip") as archive:
        held = {name: archive.read(f"report/{name}") for name in [*site, "made/summary.md"]}
    assert held == {**site, "made/summary.md": b"x"}


def test_what_did_not_run_is_named_with_the_way_to_get_it(study: StudyConfig) -> None:
    skipped = Skipped.of(
        study, missing=("nacjd/a & b.txt", "census/c.csv"), remedies=("By hand from <ICPSR>.",)
    )
    section = parsed(render([], [skipped])["index.html"]).find(".//section[@id='not-run']")
    assert section is not None
    words = " ".join("".join(section.itertext()).split())
    assert "A study with made-up numbers" in words
    assert "2 of its raw files are not on this machine" in words
    for part in ("nacjd/a & b.txt", "census/c.csv", "By hand from <ICPSR>."):
        assert part in words


def test_what_is_refused_is_named_with_the_reason() -> None:
    """With the pages of an earlier run where there are any, and with no list of files."""
    skipped = [
        Skipped("first", refusal="studies/first/study.yaml: unknown key 'a<b'."),
        Skipped("second", refusal="It is empty.", earlier="second/index.html"),
    ]
    section = parsed(render([], skipped)["index.html"]).find(".//section[@id='not-run']")
    assert section is not None
    words = " ".join("".join(section.itertext()).split())
    assert "first studies/first/study.yaml: unknown key 'a<b'." in words
    assert [link.get("href") for link in section.iter("a")] == ["second/index.html"]
    assert "raw files" not in words


def test_a_table_that_was_not_written_is_named(study: StudyConfig, root: Path) -> None:
    site = render([StudyReport(Context.of(study, Folders.under(root / "elsewhere", "made")))])
    words = site["made/index.html"].decode()
    assert "Table not written: Who is left" in words
    assert "Figure not written: Crime before and after activation" in words
    assert parsed(site["made/index.html"]) is not None
    assert "made/explorer.html" not in site


def test_empty_studies_and_empty_runs(description: dict[str, Any], root: Path) -> None:
    description["tables"] = description["figures"] = []
    site = render([StudyReport(Context.of(parse_study(description), Folders.under(root, "made")))])
    assert "no tables or figures yet" in site["made/index.html"].decode()
    assert parsed(site["made/index.html"]) is not None
    assert "No study has run" in render([])["index.html"].decode()


def test_simulated_studies_are_marked(description: dict[str, Any], root: Path) -> None:
    description |= {"simulated": True, "tables": [], "figures": []}
    site = render([StudyReport(Context.of(parse_study(description), Folders.under(root, "made")))])
    for name in ("made/index.html", "made/explorer.html", "made/data.html"):
        marked = parsed(site[name]).find(".//div[@class='simulated']")
        assert marked is not None
        assert "SIMULATED: simulated data" in "".join(marked.itertext())


def test_the_summary_is_a_page_with_tables_and_footnotes(report: StudyReport, tmp_path: Path) -> None:
    text = tmp_path / "summary.md"
    text.write_text(
        "# S\n\nA <b>b</b>[^1], c[^1].\n\n| x |\n| --- |\n| 1 |\n\n[^1]: `plain`\n", encoding="utf-8"
    )
    site = render([report], summaries={"made": text})
    page = parsed(site["made/summary.html"])
    assert [cell.text for cell in page.iter("td")] == ["1"]
    assert page.find(".//b") is None
    cited = [link for link in page.iter("a") if link.get("href") == "#fn1"]
    assert ["".join(link.itertext()) for link in cited] == ["1", "1"]
    assert b'href="summary.html"' in site["made/index.html"]
    assert "made/summary.html" not in render([report])
