"""The page opens from disk, shows everything, and says what is missing."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from replication.report.report_data import Folders
from replication.report.report_page import Skipped, StudyReport, write_page
from replication.report.study_config import StudyConfig, parse_study
from replication.report.study_report import write_figures, write_tables


@pytest.fixture(scope="module")
def page(root: Path) -> Path:
    return root / "report" / "index.html"


def parsed(path: Path) -> ET.Element:
    return ET.fromstring(path.read_text(encoding="utf-8").replace("<!DOCTYPE html>", "", 1))


def test_every_table_and_figure_is_shown(study: StudyConfig, folders: Folders, page: Path) -> None:
    write_tables(study, folders)
    write_figures(study, folders)
    write_page([StudyReport(study, folders)], [], page)
    root = parsed(page)
    ids = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    for entry in study.tables:
        assert f"table-made-{entry.id}" in ids
    for entry in study.figures:
        assert f"figure-made-{entry.id}" in ids
    targets = {link.attrib["href"] for link in root.iter("a")}
    assert {target[1:] for target in targets if target.startswith("#")} <= ids
    assert len(root.findall(".//table")) == len(study.tables)
    images = root.findall(".//img")
    assert len(images) == len(study.figures)
    assert all(len(image.attrib["alt"]) > 40 for image in images)
    data = base64.b64decode(images[0].attrib["src"].removeprefix("data:image/png;base64,"))
    assert data == (folders.figures / "events.png").read_bytes()


def test_links_lead_to_files_and_nothing_is_loaded(study: StudyConfig, folders: Folders, page: Path) -> None:
    test_every_table_and_figure_is_shown(study, folders, page)
    files = [
        link.attrib["href"] for link in parsed(page).iter("a") if not link.attrib["href"].startswith("#")
    ]
    assert len(files) >= 4 * len(study.tables) + 3 * len(study.figures)
    for target in files:
        assert not target.startswith(("/", "http", "file:"))
        assert (page.parent / unquote(target)).is_file(), target
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"https?:|@import|url\((?!\"data:)|<script|<link", text)


def test_the_same_page_has_the_same_bytes(study: StudyConfig, folders: Folders, page: Path) -> None:
    test_every_table_and_figure_is_shown(study, folders, page)
    first = page.read_bytes()
    write_page([StudyReport(study, folders)], [], page)
    assert page.read_bytes() == first


def test_what_did_not_run_is_said_with_the_way_to_get_it(study: StudyConfig, page: Path) -> None:
    skipped = Skipped(study, ("nacjd/a & b.txt", "census/c.csv"), ("By hand from <ICPSR>.",))
    write_page([], [skipped], page)
    section = parsed(page).find(".//section[@id='not-run']")
    assert section is not None
    words = " ".join("".join(section.itertext()).split())
    assert "A study with made-up numbers" in words
    assert "2 of its raw files are not on this machine" in words
    for part in ("nacjd/a & b.txt", "census/c.csv", "By hand from <ICPSR>."):
        assert part in words


def test_a_table_that_was_not_written_is_named(study: StudyConfig, root: Path, page: Path) -> None:
    write_page([StudyReport(study, Folders.under(root / "elsewhere", "made"))], [], page)
    words = page.read_text(encoding="utf-8")
    assert "Table not written: Who is left" in words
    assert "Figure not written: Crime before and after activation" in words
    assert parsed(page) is not None


def test_empty_studies_and_empty_runs(description: dict[str, Any], root: Path, page: Path) -> None:
    description["tables"] = description["figures"] = []
    study = parse_study(description)
    write_page([StudyReport(study, Folders.under(root, "made"))], [], page)
    assert "no tables or figures yet" in page.read_text(encoding="utf-8")
    assert parsed(page) is not None
    write_page([], [], page)
    assert "No study has run" in page.read_text(encoding="utf-8")


def test_simulated_studies_are_marked(description: dict[str, Any], root: Path, page: Path) -> None:
    description |= {"simulated": True, "tables": [], "figures": []}
    write_page([StudyReport(parse_study(description), Folders.under(root, "made"))], [], page)
    section = parsed(page).find(".//section[@class='simulated']")
    assert section is not None
    assert "SIMULATED: simulated data" in "".join(section.itertext())
