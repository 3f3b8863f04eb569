"""Notes fit: five lines below a table, three below a figure, and no specification id in either."""

from __future__ import annotations

import importlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from replication.core import details_record
from replication.display.fitted_notes import (
    FIGURE_LINES,
    NOTES,
    TABLE_LETTERS,
    TABLE_LINES,
    Fact,
    fitted,
    line_count,
)
from replication.display.media import PAGE
from replication.report.figures import FIGURES
from replication.report.figures.figure_files import read_description
from replication.report.folders import Folders
from replication.report.report_context import Context
from replication.report.report_data import Saved
from replication.report.study_config import StudyConfig, load_study
from replication.report.tables import build

ROOT = Path(__file__).parents[2]
STUDIES = sorted(path.parent for path in (ROOT / "studies").glob("[!_]*/study.yaml"))
# Lines left to the sample, the fixed effects, the standard errors and the source of a table, and to the
# sentence on what the marks of a figure are.
OWN_TABLE_LINES, OWN_FIGURE_LINES = TABLE_LINES - 1, FIGURE_LINES - 1


def test_optional_facts_take_the_room_there_is() -> None:
    facts = [
        Fact(0, "Cells."),
        Fact(1, "long " * 30, "Short.", required=False),
        Fact(2, "Errors."),
        Fact(1, "word " * 200, required=False),
    ]
    notes, details = fitted(facts, 3, 60)
    assert notes == ("Cells.", "Short.", "Errors.")
    assert details == ("long " * 30, "word " * 200)
    assert fitted(facts[:1], 3, 60) == (("Cells.",), ())


def test_required_facts_are_never_lost() -> None:
    notes, details = fitted([Fact(0, "word " * 100), Fact(1, "More.", required=False)], 1, 60)
    assert notes == ("word " * 100,)
    assert details == ("More.",)


@pytest.mark.parametrize("stars", [False, True])
def test_tables_of_a_study_fit(study: StudyConfig, folders: Folders, stars: bool) -> None:
    context = Context.of(study, folders, stars=stars)
    for entry in study.tables:
        document = build(entry, context)
        assert 0 < line_count(document.notes, TABLE_LETTERS) <= TABLE_LINES, entry.id
        for name in {name for _, name in document.specs}:
            assert not any(re.search(rf"\b{name}\b", note) for note in document.notes if "_" in name)
            assert any(name in line for line in document.record())


def test_figures_of_a_study_fit(study: StudyConfig, folders: Folders) -> None:
    context = Context.of(study, folders)
    for entry in study.figures:
        kind = importlib.import_module(FIGURES[entry.kind])
        drawing = kind.draw(kind.collect(entry, context), entry, context)
        assert line_count(drawing.note.splitlines(), PAGE.letters) <= FIGURE_LINES, entry.id
        texts = [
            text.get_text() for text in drawing.figure.findobj(lambda artist: hasattr(artist, "get_text"))
        ]
        assert not any(name in text for name in drawing.specs for text in texts if "_" in name), entry.id


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
def test_own_notes_of_every_study_leave_room(folder: Path) -> None:
    study = load_study(folder)
    kinds = ((study.tables, TABLE_LETTERS, OWN_TABLE_LINES), (study.figures, PAGE.letters, OWN_FIGURE_LINES))
    for entries, letters, most in kinds:
        long = {entry.id: line_count([" ".join(entry.notes)], letters) for entry in entries}
        assert {name: lines for name, lines in long.items() if lines > most} == {}


def test_written_tables_fit() -> None:
    """The outputs of the last run; an empty checkout has none, and the tests above hold the rules."""
    for path in sorted((ROOT / "tables").glob("*/*.md")):
        printed = path.read_text(encoding="utf-8").partition("<!--")[0]
        notes = [
            line.removeprefix(f"*{NOTES}* ") for line in printed.splitlines() if line.startswith(f"*{NOTES}*")
        ]
        assert 0 < line_count(notes, TABLE_LETTERS) <= TABLE_LINES, path.name
        assert "Specifications:" not in printed, path.name


def noting(saved: Saved, **changes: Any) -> Saved:
    """A result with other details."""
    return replace(saved, noted=details_record.plain(replace(saved.details, **changes)))


def test_written_figures_fit() -> None:
    for path in sorted((ROOT / "figures").glob("*/*.png")):
        recorded = read_description(path)
        lines = recorded["Comment"].splitlines()
        assert line_count(lines, PAGE.letters) <= FIGURE_LINES, path.name
        names = [name for name in recorded.get("Source", "").split(", ") if "_" in name]
        assert not any(name in recorded["Comment"] for name in names), path.name


def test_rewording_a_note_changes_no_table(study: StudyConfig, folders: Folders) -> None:
    """Cells, labels and the numbers behind them come from fields; only the note below is reworded."""
    plain, reworded = Context.of(study, folders), Context.of(study, folders)
    for name in reworded.results.ids:
        saved = reworded.results.get(name)
        notes = (
            "No standard error: unit effects, 12 linear trends.",
            *(f"Reworded {x}" for x in saved.details.notes),
        )
        reworded.results.cache[name] = replace(
            saved, noted=details_record.plain(replace(saved.details, notes=notes))
        )
    for entry in study.tables:
        one, other = build(entry, plain), build(entry, reworded)
        assert (one.headings, one.sections) == (other.headings, other.sections), entry.id
        assert one.data.equals(other.data), entry.id


def own(facts: list[Fact]) -> list[Fact]:
    """Facts from the notes of results, without the sentence on effective clusters."""
    return [fact for fact in facts if "effective number" not in fact.text]


def test_few_effective_clusters_are_one_sentence(study: StudyConfig, folders: Folders) -> None:
    from replication.report.tables.note_places import Shown
    from replication.report.tables.table_notes import few_clusters_note

    saved = Context.of(study, folders).results.get("plain")

    def shown(*effective: float) -> list[Shown]:
        return [
            Shown(
                "",
                f"({place})",
                replace(
                    saved,
                    noted=details_record.plain(
                        replace(saved.details, cluster_influence=None, effective_clusters=number)
                    ),
                ),
            )
            for place, number in enumerate(effective, start=1)
        ]

    named = "The effective number of clusters (Carter, Schnepel, and Steigerwald 2017)"
    assert few_clusters_note(shown(20.0, 15.0)).text == ""
    assert (
        few_clusters_note(shown(20.0, 9.24)).text == f"{named} is 9.2 in column 2, so tests may over-reject."
    )
    both = few_clusters_note(shown(14.7, 20.0, 9.24))
    assert both.text == f"{named} is below 15 in columns 1 and 3 (minimum 9.2), so tests may over-reject."
    assert both.record.endswith("By estimate: (1): 14.7; (3): 9.2.")


def test_counts_that_differ_become_a_range(study: StudyConfig, folders: Folders) -> None:
    from replication.report.tables.note_places import Shown
    from replication.report.tables.table_notes import sample_notes

    context = Context.of(study, folders)
    saved = context.results.get("plain")
    shown = [
        Shown(
            "",
            f"({place})",
            replace(
                saved,
                noted=details_record.plain(replace(saved.details, notes=(f"{count:,} units were dropped",))),
            ),
        )
        for place, count in enumerate((3, 1155, 20), start=1)
    ]
    (fact,) = own(sample_notes(shown, context))
    assert fact.short == "Between 3 and 1,155 counties were dropped."
    assert fact.text == "Counties were dropped (3 in column 1; 1,155 in column 2; 20 in column 3)."
    assert fact.record.startswith("Column 1: 3 units were dropped. Column 2: 1,155 units were dropped.")


def test_a_caution_names_its_columns_once_and_gives_the_range_of_its_numbers(
    study: StudyConfig, folders: Folders
) -> None:
    from replication.report.tables.note_places import Shown
    from replication.report.tables.table_notes import sample_notes

    context = Context.of(study, folders)
    saved = context.results.get("plain")

    def shown(count: int, names: str = "({})") -> list[Shown]:
        notes = (
            "There are only {} clusters: standard errors are too small; 'inference.variance: cv3' is better",
        )
        cautious = [(notes[0].format(number),) for number in (3, 12)]
        return [
            Shown(
                "",
                names.format(place),
                noting(saved, notes=words),
            )
            for place, words in enumerate([*cautious, *[()] * (count - 2)], start=1)
        ]

    (fact,) = own(sample_notes(shown(4), context))
    assert fact.short == "Columns 1 and 2: there are only 3 to 12 clusters."
    assert fact.text.startswith(
        "Column 1: there are only 3 clusters: standard errors are too small. Column 2"
    )
    assert "cv3" in fact.record
    assert "cv3" not in fact.text
    (fact,) = own(sample_notes(shown(2), context))
    assert fact.short == "There are only 3 to 12 clusters."
    (fact,) = own(sample_notes(shown(30, names="A specification with a long name, number {}"), context))
    assert fact.short == "There are only 3 to 12 clusters (2 of 30 estimates)."
