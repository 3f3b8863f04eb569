"""The report in headless Chromium: no error, links, search, sorting, explorer, traces, and axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest

from replication.report.folders import Folders
from replication.report.report_context import Context
from replication.report.site.site_pages import StudyReport
from replication.report.site.site_render import compared_numbers, render, trace_script, write_site
from replication.report.study_config import StudyConfig, parse_study
from replication.report.study_report import write_figures, write_tables

from .chromium import BINARY, DESKTOP, PHONE, Tab, browser

pytestmark = pytest.mark.skipif(
    BINARY is None,
    reason="NOT RUN: the report was not opened, as there is no Chromium (apt-get install chromium)",
)
PAGES = ("index.html", "made/index.html", "made/summary.html", "made/explorer.html", "made/data.html")
CODEBOOK = "name,label,unit,panel\nfips,County,FIPS code,county_year\nyear,Year,year,county_year\n"
SUMMARY = """# Made: Summary

Crime fell by 5%[^1] <script>alert(1)</script>.

| | TWFE |
| --- | ---: |
| Index crimes | 5.6%[^1] |

[^1]: `plain`
"""
VERDICTS = [{"file": "tables/main.csv", "cells": 8, "failed": 0, "message": ""}]


@pytest.fixture(scope="module")
def site(root: Path, folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the study with made-up numbers, with a trace of each cell of its first table."""
    import yaml

    study = parse_study(yaml.safe_load((Path(__file__).parent / "study.yaml").read_text()))
    (folders.clean / "codebook.csv").write_text(CODEBOOK)
    write_tables(study, folders)
    write_figures(study, folders)
    report = StudyReport(Context.of(study, folders))
    target = tmp_path_factory.mktemp("report")
    (target / "made").mkdir()
    summary = target / "made" / "summary.md"
    summary.write_text(SUMMARY, encoding="utf-8")
    made = render([report], summaries={"made": summary}, traced={"made": ["main"]})
    made["made/traces/main.js"] = trace_script("made", "main", trace(study))
    write_site({**made, **compared_numbers({"made": VERDICTS})}, target)
    return target


def trace(study: StudyConfig) -> dict[str, Any]:
    """Traces in the shape of the schema; each value is the place of its cell."""
    rows = [{"key": f"r{number}", "label": f"Row {number}", "heading": ""} for number in range(40)]
    columns = [{"key": f"c{number}", "label": f"({number + 1})", "heading": ""} for number in range(4)]
    cells = {
        f"{row['key']}|{column['key']}": {
            "printed": ["x"],
            "origin": "specification",
            "value": 100 * down + across,
            "specification": "plain",
        }
        for down, row in enumerate(rows)
        for across, column in enumerate(columns)
    }
    plain = {
        "file": "studies/made/specs/plain.yaml",
        "estimator": "Two-way fixed effects",
        "estimator_key": "twfe",
        "outcome": {"name": "log_rate_a", "label": "Index crimes", "unit": ""},
        "equation": "crime on program",
        "latex": "y",
        "sample": {"observations": 540, "units": 60, "clusters": 12, "clustered_by": "state"},
        "panel": "county_year",
        "code": "twfe",
        "versions": {},
        "command": "replication run --only plain",
    }
    shared = {name: {} for name in ("analyses", "files", "raw")}
    return {
        "study": study.id,
        "id": "main",
        "kind": "table",
        "title": study.tables[0].title,
        "rows": rows,
        "columns": columns,
        "cells": cells,
        "shared": {
            **shared,
            "specifications": {"plain": plain},
            "panels": {
                "county_year": {"file": "data_clean/made/county_year.parquet", "sha256": "ab", "recipe": "c"}
            },
            "recipes": {
                "c": {"file": "studies/made/clean.py", "raw": [], "flow": [], "code": "", "command": "x"}
            },
            "code": {"twfe": {"module": "m", "digest": "d", "package": "p"}},
        },
    }


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_and_the_console_stays_empty(
    tab: Tab, site: Path, name: str, dark: bool, width: int
) -> None:
    tab.errors.clear()
    tab.open(site / name, width=width, dark=dark)
    if "explorer" in name:
        tab.until("document.querySelectorAll('#explorer svg').length === 2")
    assert tab.faults() == []
    assert tab.errors == []
    # Wide tables scroll in their own boxes; the page itself does not.
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_every_fragment_to_an_element(tab: Tab, site: Path, name: str) -> None:
    tab.open(site / name)
    targets = tab.run(
        "[...document.querySelectorAll('[href],[src]')]"
        ".map(e => e.getAttribute('href') || e.getAttribute('src'))"
    )
    assert len(targets) > 3
    for target in targets:
        path, _, fragment = unquote(target).partition("#")
        assert not re.match("[a-z]+:|/", path)
        place = ((site / name).parent / path) if path else site / name
        assert place.is_file(), target
        assert not fragment or f'id="{fragment}"' in place.read_text(encoding="utf-8")


def test_search_finds_tables_variables_and_specifications(tab: Tab, site: Path) -> None:
    tab.open(site / "made" / "data.html")
    for words, kind, place in (
        ("made up crime", "Table", "made/index.html#table-made-main"),
        ("before activation", "Figure", "made/index.html#figure-made-events"),
        ("fips county", "Variable", "made/data.html#variable-fips"),
        ("plain_trends", "Specification", "made/explorer.html#plain_trends"),
    ):
        tab.run(
            f"(e => (e.value = {words!r}, e.dispatchEvent(new Event('input')), 1))"
            "(document.getElementById('search'))"
        )
        found = tab.until(
            "(a => a && a.href.includes('made') && [a.getAttribute('href'), a.parentNode.innerText])"
            "([...document.querySelectorAll('#found a')]"
            f".find(a => a.getAttribute('href').endsWith({place!r})))"
        )
        assert found[0] == f"../{place}"
        assert kind in found[1]
    tab.press("Escape")
    assert tab.run("document.getElementById('found').hidden")


def test_a_column_sorts_up_down_and_back(tab: Tab, site: Path) -> None:
    tab.open(site / "made" / "index.html")
    table = "document.querySelector('#table-made-sample_flow table')"
    column = f"[...{table}.querySelectorAll('tbody tr')].map(row => row.cells[1].innerText)"
    sort = f"{table}.querySelectorAll('thead tr:last-child button.sort')[1].click()"
    state = f"{table}.querySelectorAll('thead tr:last-child th')[1].getAttribute('aria-sort')"
    written = ["3,143", "3,100"]
    assert tab.run(column) == written
    for expected, order in (("ascending", written[::-1]), ("descending", written), (None, written)):
        tab.run(sort)
        assert tab.run(state) == expected
        assert tab.run(column) == order


def test_enter_opens_the_trace_of_the_number_wherever_the_row_was_sorted(tab: Tab, site: Path) -> None:
    tab.open(site / "made" / "index.html")
    tab.run("document.querySelector('#table-made-main button.cell').focus()")
    tab.press("ArrowRight")
    tab.press("Enter")
    assert tab.until("document.querySelector('#trace dl')?.innerText").count("1 (specification)") == 1
    assert "replication run --only plain" in tab.run("document.querySelector('#trace').innerText")
    assert tab.faults() == []
    tab.press("Escape")
    tab.until("!document.querySelector('#trace')")
    # Focus returns to the number, the second of its row.
    assert tab.run("document.activeElement.closest('td').cellIndex") == 2
    rows = "[...document.querySelectorAll('#table-made-main tbody tr')]"
    tab.run(f"window.row = {rows}.findLast(row => row.querySelector('button.cell')), 0")
    place = tab.run(
        f"100 * {rows}.indexOf(row) + row.querySelector('button.cell').closest('td').cellIndex - 1"
    )
    tab.run("document.querySelector('#table-made-main button.sort').click()")
    tab.run("row.querySelector('button.cell').click()")
    assert tab.until("document.querySelector('#trace dl')?.innerText").count(f"{place} (spec") == 1


def test_the_explorer_shows_the_estimate_of_the_choices(tab: Tab, site: Path, folders: Folders) -> None:
    tab.open(site / "made" / "explorer.html", fragment="#plain")
    tab.until("!!document.querySelector('#explorer .number')")
    assert tab.run("variant.value") == "plain"

    def shown() -> float:
        text: str = tab.run("document.querySelector('#explorer .number').innerText")
        return float(text.split(maxsplit=1)[0].replace("\N{MINUS SIGN}", "-"))

    def saved(name: str) -> float:
        table = pd.read_csv(folders.tables / "specs" / name / "estimates.csv")
        return float(table.loc[table["term"] == "att", "estimate"].iloc[0])

    # Four decimals are printed of five significant digits.
    assert shown() == pytest.approx(saved("plain"), abs=6e-5)
    choose = "document.getElementById('choice-{}')"
    select = choose.format(1)
    tab.run(
        f"{select}.value = [...{select}.options].find(o => o.text === 'Event study').value,"
        f"{select}.dispatchEvent(new Event('change', {{bubbles: true}}))"
    )
    assert tab.run("variant.value") == "events_twfe"
    assert shown() == pytest.approx(saved("events_twfe"), abs=6e-5)
    assert tab.run("document.querySelectorAll('#explorer svg')[1].querySelectorAll('circle').length") == 8
    # The slider walks through the curve by size: its first place is the smallest estimate of the outcome.
    tab.run(
        "(range => (range.value = 1, range.dispatchEvent(new Event('input', {bubbles: true}))))"
        "(document.querySelector('#explorer input[type=range]'))"
    )
    names = ["plain", "plain_trends", "weighted", "controlled", "events_twfe", "events_cs"]
    assert tab.run("variant.value") == min(names, key=saved)


def test_notes_fold_and_a_figure_is_enlarged(tab: Tab, site: Path) -> None:
    tab.open(site / "made" / "index.html", width=PHONE)
    assert tab.run(
        "[...document.querySelectorAll('.fold')]"
        ".every(e => e.clientHeight < 4 * parseFloat(getComputedStyle(e).lineHeight))"
    )
    # What is cut are whole words of the note.
    assert tab.run(
        "[...document.querySelectorAll('.fold.folded')].every(e => e.querySelector('.whole').textContent"
        ".startsWith(e.querySelector('.start').textContent.replace(/\u2026$/, '')))"
    )
    tab.run("document.querySelector('.more').click()")
    assert tab.run("document.querySelector('.more').getAttribute('aria-expanded')") == "true"
    tab.run("document.querySelector('a.zoom').click()")
    assert tab.run("document.querySelector('#enlarged img').getAttribute('src')").endswith(".svg")
    tab.until("document.querySelector('#enlarged img').naturalWidth > 0")
    assert tab.faults() == []


def test_the_button_switches_the_colors(tab: Tab, site: Path) -> None:
    tab.open(site / "index.html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = tab.run(paper)
    tab.run("document.getElementById('theme').click()")
    assert tab.run(paper) != light
    tab.run("document.getElementById('theme').click()")
    assert tab.run(paper) == light
    tab.run("localStorage.clear()")
